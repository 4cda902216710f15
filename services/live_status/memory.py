"""What this process remembers of customers, and keeps in the store: the latest answers, and what was made of them.

A restart, another replica or an outage starts from what is kept.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from catalog import Catalog
from services.concurrency.limit import Priority
from services.errors import StoreUnavailable
from services.live_status.history import CustomerHistory
from services.live_status.schedule import Scope
from services.storage.port import Store
from services.storage.rows import RowKind, read_row
from services.subscription.customer_status import CustomerStatus
from services.subscription.snapshot import UpstreamSnapshot

SHARED_FOR: Final = timedelta(seconds=1)
"""How old an answer may be to be shared with another request."""

KEPT_FOR: Final = timedelta(days=40)
_WRITTEN_EVERY: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Judged:
    """What was made of what, and when."""

    status: CustomerStatus
    snapshot: UpstreamSnapshot
    history: CustomerHistory
    catalog: Catalog
    at: datetime

    def holds(self, snapshot: UpstreamSnapshot, history: CustomerHistory, catalog: Catalog, now: datetime) -> bool:
        """Whether the rules would say the same: nothing differs, and no limit of time can have passed."""
        young = timedelta() <= now - self.at < SHARED_FOR
        return young and self.catalog is catalog and self.history == history and self.snapshot == snapshot


@dataclass
class RememberedCustomer:
    """What this process remembers of one customer, and the question under way.

    `round` counts the questions, `asker` is the session for which the last one is asked. `outdated` says that a service
    has told of a change since billing was asked.
    """

    snapshot: UpstreamSnapshot | None = None
    written: UpstreamSnapshot | None = None
    written_at: datetime | None = None
    asked_at: datetime | None = None
    asked_billing_at: datetime | None = None
    asked_shown_at: datetime | None = None
    asked_all_at: datetime | None = None
    task: "asyncio.Task[None] | None" = None
    writing: "asyncio.Task[None] | None" = None
    unwritten: bool = False
    scope: Scope | Literal["billing"] = "relevant"
    priority: Priority = Priority.LOOK
    judged: Judged | None = None
    told: bool = False
    outdated: bool = False
    round: int = 0
    asker: str = field(default="", repr=False)

    @property
    def busy(self) -> bool:
        return self.task is not None and not self.task.done()


class CustomerMemory:
    """The customers that this process remembers, at `most` so many, over what the store keeps of all."""

    def __init__(self, store: Store, now: Callable[[], datetime], most: int) -> None:
        self._store = store
        self._now = now
        self._most = most
        self._customers: OrderedDict[str, RememberedCustomer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._customers)

    def find(self, customer: str) -> RememberedCustomer | None:
        """Return what is remembered of a customer, None for nothing."""
        return self._customers.get(customer)

    def all(self) -> Iterable[RememberedCustomer]:
        """Return what is remembered of each customer."""
        return self._customers.values()

    def of(self, customer: str) -> RememberedCustomer:
        """Return what is remembered; the least used go when there are too many, but none with a question under way."""
        known = self._customers.setdefault(customer, RememberedCustomer())
        self._customers.move_to_end(customer)
        if len(self._customers) > self._most:
            others = ((name, other) for name, other in self._customers.items() if other is not known)
            idle = next((name for name, other in others if not other.busy), None)
            if idle is not None:
                del self._customers[idle]
        return known

    def forget(self, customer: str) -> None:
        """Remember nothing of a customer."""
        self._customers.pop(customer, None)

    async def load(self, customer: str, known: RememberedCustomer) -> UpstreamSnapshot | None:
        """Remember what is kept, unless something is remembered; return what is. Raises StoreUnavailable."""
        snapshot = await self.read(customer)
        if snapshot is not None and known.snapshot is None:
            known.snapshot = known.written = snapshot
            known.written_at = self._now()
        return known.snapshot

    async def read(self, customer: str) -> UpstreamSnapshot | None:
        """Return what is kept, which another replica may have written. Raises StoreUnavailable."""
        return await read_snapshot(self._store, customer)

    def begin_writing(self, customer: str, known: RememberedCustomer, stored: UpstreamSnapshot | None = None) -> None:
        """Write what was asked, once what was asked before is written. `stored` is what a reader just found there."""
        known.unwritten = False
        writing = self._write_after(known.writing, customer, known, stored)
        known.writing = asyncio.create_task(writing, name="status written")

    async def _write_after(
        self,
        before: "asyncio.Task[None] | None",
        customer: str,
        known: RememberedCustomer,
        stored: UpstreamSnapshot | None,
    ) -> None:
        if before is not None and not before.done():
            await asyncio.wait({before})
            stored = None
        with suppress(StoreUnavailable):  # what was asked is known all the same
            await self._write(customer, known, stored)

    async def _write(self, customer: str, known: RememberedCustomer, stored: UpstreamSnapshot | None) -> None:
        """Keep the snapshot in the store when it says something new, or when the kept one is getting old."""
        snapshot, now = known.snapshot, self._now()
        if snapshot is None:
            return
        old = known.written_at is None or now - known.written_at > _WRITTEN_EVERY
        if not old and known.written is not None and snapshot.content == known.written.content:
            return
        stored = stored or await self.read(customer)
        if stored is not None:
            known.snapshot = snapshot = snapshot.with_memory_of(stored, now)
        await self._store.put(snapshot_key(customer), snapshot.model_dump_json(), KEPT_FOR.total_seconds())
        known.written, known.written_at = snapshot, now


async def read_snapshot(store: Store, customer: str) -> UpstreamSnapshot | None:
    """Return the answers that a store keeps of a customer, None for nothing. Raises StoreUnavailable."""
    return read_row(RowKind.UPSTREAM_SNAPSHOT, await store.get(snapshot_key(customer)), UpstreamSnapshot.read)


def snapshot_key(customer: str) -> str:
    """Return what a customer's answers are kept under."""
    return f"evidence:{customer}"
