"""What happened here with a customer, apart from what the services say: their checkouts and the last portal visit."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.checkout_record import REMEMBERED, Checkout, CheckoutRepository, CheckoutsOnRecord
from services.storage.port import Store
from services.storage.rows import RowKind, read_row
from services.subscription.portal_trace import PortalTrace, trace_of
from services.subscription.snapshot import UpstreamSnapshot


@dataclass(frozen=True, slots=True)
class CustomerHistory:
    """The record of checkouts, and the last visit to the billing portal."""

    record: CheckoutsOnRecord = field(default_factory=CheckoutsOnRecord)
    portal: PortalTrace | None = None

    @property
    def checkouts(self) -> tuple[Checkout, ...]:
        """The checkouts, newest first."""
        return self.record.kept

    def with_checkouts(self, checkouts: tuple[Checkout, ...]) -> "CustomerHistory":
        """Return the history with what was learned of its checkouts since it was read."""
        return replace(self, record=replace(self.record, kept=checkouts))


class HistoryRepository:
    """Reads the history from the store. Every method raises StoreUnavailable when the store does."""

    def __init__(self, store: Store, checkouts: CheckoutRepository, now: Callable[[], datetime]) -> None:
        self._store = store
        self._checkouts = checkouts
        self._now = now

    async def of(self, customer: str) -> CustomerHistory:
        """Return the customer's history."""
        return CustomerHistory(*await asyncio.gather(self._checkouts.read(customer), self._portal_trace(customer)))

    async def _portal_trace(self, customer: str) -> PortalTrace | None:
        """Return the last visit. One of another version, unreadable, may have changed anything a moment ago."""
        text = await self._store.get(portal_trace_key(customer))
        trace = read_row(RowKind.PORTAL_TRACE, text, PortalTrace.model_validate_json)
        return PortalTrace(left_at=self._now()) if trace is None and text is not None else trace

    async def note_portal_visit(self, customer: str, snapshot: UpstreamSnapshot | None) -> None:
        """Remember that the user goes to the billing portal now, and what is known of them."""
        trace = trace_of(snapshot, self._now())
        await self._store.put(portal_trace_key(customer), trace.model_dump_json(), REMEMBERED.total_seconds())


def portal_trace_key(customer: str) -> str:
    """Return what a customer's last visit to the portal is kept under."""
    return f"portal-trace:{hashlib.sha256(customer.encode()).hexdigest()}"
