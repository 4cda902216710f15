"""Which releases can read a store: one row in it says the least schema that a reader has to know.

`SCHEMA` goes up with the first release that writes what earlier ones can't read, and with no other: so a release can be
taken back for as long as the number is the same, and a later one is refused at the start, before it reads anything.
docs/upgrading.md has a row for each number.
"""

from typing import Final

from pydantic import BaseModel, Field

from services.errors import StoreTooNew
from services.storage.port import Store
from services.storage.rows import RowKind, read_row
from version import VERSION

SCHEMA: Final = 1
"""What this release reads, and what it writes."""

_KEY: Final = RowKind.SCHEMA.value


class StoredSchema(BaseModel):
    """The row. Its form is for good: every release has to read it."""

    needs: int = Field(ge=1)
    release: str = Field(max_length=40)
    """The one that wrote it, and so brought the store to this schema."""


async def require_readable(store: Store) -> None:
    """Raise StoreTooNew for a store that this release can't read; write nothing. Raises StoreUnavailable."""
    _held_against_ours(await store.get(_KEY))


async def note_schema(store: Store) -> None:
    """Write down what it takes to read the store. Raises StoreTooNew, with all as it was, and StoreUnavailable."""
    ours = StoredSchema(needs=SCHEMA, release=VERSION).model_dump_json()
    while True:
        text = await store.get(_KEY)
        if _held_against_ours(text):
            return
        written = store.add(_KEY, ours, None) if text is None else store.replace(_KEY, text, ours, None)
        if await written:
            return


def _held_against_ours(text: str | None) -> bool:
    """Say whether the row names our schema; raises StoreTooNew where it names a later one."""
    row = read_row(RowKind.SCHEMA, text, StoredSchema.model_validate_json)
    if row is not None and row.needs > SCHEMA:
        raise StoreTooNew(
            f"The store was written by release {row.release} (schema {row.needs}), and this one, {VERSION}, reads "
            f"schema {SCHEMA}. Start that release or a newer one, or go back to a backup from before it "
            "(docs/upgrading.md)."
        )
    return row is not None and row.needs == SCHEMA
