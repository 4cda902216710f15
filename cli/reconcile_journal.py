"""How far a `reconcile` has come: a line for each customer that was looked at, so that a killed run goes on from there.

The file holds customers' ids, for its owner only, and is gone once a run has come to its end.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from services.people.reconciliation import ReconcileFinding


class LookedAt(BaseModel):
    """A customer that was looked at, and what was found."""

    model_config = ConfigDict(frozen=True)

    customer: str
    findings: tuple[ReconcileFinding, ...] = ()


class ReconcileJournal:
    """The journal of the run under way, or of the one that was cut off."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries = {entry.customer: entry for entry in _read(path)}

    def add(self, entry: LookedAt) -> None:
        """Note a customer, on the disk before the next one is looked at. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(entry.model_dump_json().encode() + b"\n")
        self.entries[entry.customer] = entry

    def finish(self) -> None:
        """The run is over: the next one begins anew."""
        self.path.unlink(missing_ok=True)


def _read(path: Path) -> Iterator[LookedAt]:
    """Yield what is noted; the last line of a killed run may be cut off, and that customer is looked at again."""
    if not path.exists():
        return
    for line in path.read_bytes().splitlines():
        try:
            yield LookedAt.model_validate_json(line)
        except ValidationError:
            continue
