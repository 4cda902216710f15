"""What a customer was shown, and when: a line for each change of what pages said, and for each problem they ran into.

Kept with what else is kept of the customer, so that whoever explains a page can say what stood there last week. It
costs a page next to nothing: whoever draws one says what it says and goes on; only what differs from the last time is
written, one field a change, by a task of its own. What can't be written is left out: the next change is written again.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

from services.claims import Claim
from services.errors import StoreUnavailable
from services.storage.port import Store
from services.storage.rows import RowKind, StoredMoment, read_row

KEPT_FOR: Final = timedelta(days=400)
MOST_KEPT: Final = 60
MOST_PROBLEMS: Final = 20
"""How many lines of one customer are kept, and how many problems beside them; the oldest go."""

_REMEMBERED: Final = 10_000
_MOST_WAITING: Final = 500
"""How many lines may wait to be written. What comes beyond them, while the store is slow, is left out."""

PROBLEM: Final = "problem"
_PROBLEM: Final = f"/{PROBLEM}"

Said = tuple[object, ...]


class ShownLine(BaseModel):
    """What stood on a page from `at` on: the claims about `subject` (a group of plans, or a subscription in it), or the
    problem with that `code`, of which the customer was given the `reference`."""

    model_config = ConfigDict(frozen=True)

    at: StoredMoment
    subject: str
    claims: tuple[Claim, ...] = ()
    code: str = ""
    reference: str = ""

    @property
    def said(self) -> Said:
        """What it says, comparable: without the age of the evidence."""
        return said(self.claims)


class ShownRecord:
    """Keeps what customers were shown. `note` and `note_problem` return at once, and never fail."""

    def __init__(self, store: Store, now: Callable[[], datetime] | None = None) -> None:
        self._store = store
        self._now = now or (lambda: datetime.now(UTC))
        self._last: OrderedDict[tuple[str, str], Said] = OrderedDict()
        self._waiting: deque[tuple[str, ShownLine]] = deque()
        self._writing: asyncio.Task[None] | None = None

    def note(self, customer: str, subject: str, claims: Sequence[Claim]) -> None:
        """Take note of what a page says of a subject now."""
        key, says = (customer, subject), said(claims)
        if self._last.get(key) == says:
            return
        self._last[key] = says
        self._last.move_to_end(key)
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
        self._write(customer, ShownLine(at=self._now(), subject=subject, claims=tuple(claims)))

    def note_problem(self, customer: str, code: str, reference: str) -> None:
        """Take note of a problem that a page says, and of the reference that stands below it."""
        self._write(customer, ShownLine(at=self._now(), subject=PROBLEM, code=code, reference=reference))

    async def of(self, customer: str) -> tuple[ShownLine, ...]:
        """Return what the customer was shown, the latest first. Raises StoreUnavailable."""
        return await read_shown(self._store, customer)

    async def written(self) -> None:
        """Wait until all that was noted is written, or given up."""
        if self._writing is not None:
            await asyncio.wait({self._writing})

    def _write(self, customer: str, line: ShownLine) -> None:
        if len(self._waiting) >= _MOST_WAITING:
            self._last.pop((customer, line.subject), None)
            return
        self._waiting.append((customer, line))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all(), name="what was shown, written")

    async def _write_all(self) -> None:
        while self._waiting:
            customer, line = self._waiting.popleft()
            try:
                await self._write_one(customer, line)
            except StoreUnavailable:  # logged by the store
                self._last.pop((customer, line.subject), None)

    async def _write_one(self, customer: str, line: ShownLine) -> None:
        """Write a line unless it says what the last one said: another replica, or a start before this one, wrote it."""
        key = shown_key(customer)
        fields = await self._store.fields(key)
        kept = _lines(fields)
        if not line.code and line.said == next((one.said for one in kept if one.subject == line.subject), None):
            return
        name = f"{line.at:%Y%m%dT%H%M%S%f}/{line.subject}"
        await self._store.put_field(key, name, line.model_dump_json(), KEPT_FOR.total_seconds())
        alike = sorted(field for field in fields if field.endswith(_PROBLEM) == bool(line.code))
        for oldest in alike[: max(0, len(alike) + 1 - (MOST_PROBLEMS if line.code else MOST_KEPT))]:
            await self._store.delete_field(key, oldest)


async def read_shown(store: Store, customer: str) -> tuple[ShownLine, ...]:
    """Return what a store keeps of what a customer was shown, the latest first. Raises StoreUnavailable."""
    return _lines(await store.fields(shown_key(customer)))


def said(claims: Sequence[Claim]) -> Said:
    """Return what claims say, comparable: two of the same content are the same to a reader."""
    return tuple((c.says, c.plan, c.account_plan, c.other_plan, c.date, c.word, c.amount, c.currency) for c in claims)


def shown_key(customer: str) -> str:
    """Return what is kept under it: all that a customer was shown."""
    return f"{RowKind.SHOWN}:{customer}"


def _lines(fields: dict[str, str]) -> tuple[ShownLine, ...]:
    found = [read_row(RowKind.SHOWN, text, ShownLine.model_validate_json) for text in fields.values()]
    return tuple(sorted((line for line in found if line is not None), key=lambda line: line.at, reverse=True))
