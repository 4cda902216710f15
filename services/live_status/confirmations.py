"""What becomes of plans bought here: how long it takes from the browser's return until they are in force, and whether
any service ever says so.

Each purchase is counted once over all replicas: when it is in force, or ten minutes after the return. Who waits for
that stands in the store, so that neither a closed tab nor a restart leaves one out.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import structlog
from pydantic import BaseModel, ConfigDict

from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind, CheckoutRepository
from services.concurrency.tasks import end
from services.errors import StoreUnavailable
from services.live_status.refresher import StatusRefresher
from services.storage.lease import Lease
from services.storage.port import Store
from services.storage.rows import RowKind, StoredMoment, read_row
from services.subscription.model import DELAYED_AFTER, LOST_AFTER

LOOKS_EVERY: Final = 15.0
"""Seconds between two looks at who waits."""

_INDEX: Final = f"{RowKind.CONFIRMATION}:index"
_COUNTED: Final = "confirmation-counted"
_KEPT_FOR: Final = timedelta(days=2)
_LEASE: Final = 30.0
"""Seconds for which a replica has a purchase: longer than billing may take to answer."""

_HAS_IT: Final = frozenset({CheckoutEvent.BILLING_HAS_IT, CheckoutEvent.ACCOUNT_HAS_IT})

_log = structlog.get_logger(__name__)


class Confirmation(StrEnum):
    """What became of a purchase, in one word for the metric."""

    CONFIRMED = "confirmed"
    NO_ACCESS = "no_access"
    """A service has it, and ten minutes after the return there was no access by it."""
    LOST = "lost"
    """No service has said anything of it within ten minutes."""
    UNSEEN = "unseen"
    """A service has it, and the user left before anybody could see whether they have access: nothing went wrong."""


Counted = Callable[[Confirmation, float | None], None]
"""Told once of each purchase: what became of it, and after how many seconds it was in force (None: it is not)."""


class WaitingPurchase(BaseModel):
    """A purchase that nobody has confirmed yet. `returned` is when the browser came back from it."""

    model_config = ConfigDict(frozen=True)

    customer: str
    returned: StoredMoment


class Confirmations:
    """Who waits, in the store; and the count of what became of each."""

    def __init__(self, store: Store, counted: Counted) -> None:
        self._store = store
        self._counted = counted

    async def marked(self, checkout: Checkout, event: CheckoutEvent) -> None:
        """Take note of what happened to a checkout. Never raises: a figure is worth no failed return."""
        returned, on = checkout.at(CheckoutEvent.RETURNED), checkout.at(CheckoutEvent.ACCESS_ON)
        if checkout.kind is not CheckoutKind.SUBSCRIPTION or returned is None:
            return
        with contextlib.suppress(StoreUnavailable):  # logged by the store
            if on is not None and event in (CheckoutEvent.RETURNED, CheckoutEvent.ACCESS_ON):
                await self.settle(checkout.id, Confirmation.CONFIRMED, max(0.0, (on - returned).total_seconds()))
            elif event is CheckoutEvent.RETURNED:
                row = WaitingPurchase(customer=checkout.customer, returned=returned)
                await self._store.put_field(_INDEX, checkout.id, row.model_dump_json(), _KEPT_FOR.total_seconds())

    async def waiting(self) -> dict[str, WaitingPurchase]:
        """Return who waits, by the checkout's id. Raises StoreUnavailable."""
        rows = {
            name: read_row(RowKind.CONFIRMATION, text, WaitingPurchase.model_validate_json)
            for name, text in (await self._store.fields(_INDEX)).items()
        }
        return {name: row for name, row in rows.items() if row is not None}

    async def settle(self, checkout_id: str, outcome: Confirmation, seconds: float | None = None) -> None:
        """Count a purchase, unless it was counted, and wait for it no more. Raises StoreUnavailable."""
        if await self._store.add(f"{_COUNTED}:{checkout_id}", "", _KEPT_FOR.total_seconds()):
            self._counted(outcome, seconds)
            if outcome is not Confirmation.CONFIRMED:
                _log.warning("confirmation_missing", outcome=outcome.value, checkout_id=checkout_id)
        await self.forget(checkout_id)

    async def forget(self, checkout_id: str) -> None:
        """Wait for it no more, uncounted. Raises StoreUnavailable."""
        await self._store.delete_field(_INDEX, checkout_id)


class ConfirmationWatch:
    """Looks at who waits, and says of each after ten minutes what became of their purchase."""

    def __init__(
        self,
        store: Store,
        confirmations: Confirmations,
        refresher: StatusRefresher,
        checkouts: CheckoutRepository,
        *,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._store = store
        self._confirmations = confirmations
        self._refresher = refresher
        self._checkouts = checkouts
        self._now = now or (lambda: datetime.now(UTC))
        self._holder = secrets.token_hex(8)
        self._task: asyncio.Task[None] | None = None
        self.waiting = 0
        """How many purchases waited at the last look."""

    def start(self) -> None:
        """Look at a steady pace from now on, in the running event loop."""
        self._task = asyncio.create_task(self._follow(), name="confirmations")

    async def stop(self) -> None:
        """Look no more."""
        task, self._task = self._task, None
        await end(task)

    async def run_once(self) -> None:
        """Look at all who wait. Raises StoreUnavailable."""
        waiting, now = await self._confirmations.waiting(), self._now()
        over = {checkout_id: one for checkout_id, one in waiting.items() if now - one.returned > LOST_AFTER}
        self.waiting = len(waiting) - len(over)
        for checkout_id, one in over.items():
            await self._judge(checkout_id, one)

    async def _judge(self, checkout_id: str, one: WaitingPurchase) -> None:
        lease = Lease(self._store, f"confirmation:{checkout_id}", self._holder, _LEASE)
        if not await lease.acquire_or_renew():
            return
        try:
            # whoever still waits on a page was asked about a moment ago; of who left, nobody has asked since
            await self._refresher.ask_billing(one.customer, unless_younger_than=DELAYED_AFTER)
            checkout = await self._checkouts.by_id(one.customer, checkout_id)
            if checkout is None or not checkout.unconfirmed:  # the user said that nothing was charged
                await self._confirmations.forget(checkout_id)
            else:
                await self._confirmations.settle(checkout_id, self._outcome(checkout, one))
        finally:
            await lease.release()

    def _outcome(self, checkout: Checkout, one: WaitingPurchase) -> Confirmation:
        if checkout.events.keys().isdisjoint(_HAS_IT):
            return Confirmation.LOST
        heard = self._refresher.last_heard(one.customer)
        account = heard.account if heard is not None else None
        seen = account is not None and account.as_of - one.returned > DELAYED_AFTER
        return Confirmation.NO_ACCESS if seen else Confirmation.UNSEEN

    async def _follow(self) -> None:
        while True:
            try:
                await self.run_once()
            except StoreUnavailable:
                pass  # logged by the store
            except Exception:
                _log.exception("confirmations_look_failed")
            await asyncio.sleep(LOOKS_EVERY)
