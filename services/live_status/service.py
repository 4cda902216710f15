"""Live status: one poller a user, however many tabs and pages look, and a push to each of them when something changes.

A poller asks on a schedule: the account each second for half a minute after a return from Stripe and the Payment MS
far less often, then both in steps down to once a minute, at once when a tab becomes visible. It ends with its last tab.
With several replicas a lease decides which of them asks; the others learn of changes through
`services/storage/pubsub.py`.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

import structlog

from services.errors import StoreUnavailable
from services.live_status.poller import ONCE, OPENED_AFTER, PORTAL, PollerContext, StatusPoller, StatusWatch
from services.live_status.refresher import StatusRefresher
from services.live_status.schedule import (
    FULL_LOOK_EVERY,
    IDLE_INTERVAL,
    POLL_INTERVALS,
    StripeReturn,
    WaitForEvent,
    jitter,
    wait_for,
)
from services.sessions.service import Session
from services.storage.lease import Lease
from services.storage.port import RESYNC
from services.storage.pubsub import PubSub, Subscriber, Topic
from services.subscription.customer_status import CustomerStatus

__all__ = [
    "FULL_LOOK_EVERY",
    "IDLE_INTERVAL",
    "OPENED_AFTER",
    "POLL_INTERVALS",
    "Leases",
    "StatusService",
    "StatusWatch",
]

_log = structlog.get_logger(__name__)

EVERYBODY: Final = "everybody"
"""The key of what each replica hears, whoever looks; the customer is the text."""

_FAST_KEPT: Final = POLL_INTERVALS[-1][0]


class Leases(Protocol):
    """Makes the lease that decides which replica asks about a customer."""

    def __call__(self, customer: str) -> Lease:
        """Return a lease on asking about this customer."""
        ...


class StatusService:
    """Keeps a poller for each user with open tabs. `wait` and `jitter` are for tests."""

    def __init__(
        self,
        refresher: StatusRefresher,
        pubsub: PubSub,
        *,
        leases: Leases | None = None,
        now: Callable[[], datetime] | None = None,
        wait: WaitForEvent = wait_for,
        jitter: Callable[[float], float] = jitter,
    ) -> None:
        self.refresher = refresher
        self._pubsub = pubsub
        self._leases = leases
        self._now = now or (lambda: datetime.now(UTC))
        self._context = PollerContext(
            refresher=refresher, pubsub=pubsub, now=self._now, wait=wait, jitter=jitter
        )  # fmt: skip
        self._pollers: dict[str, StatusPoller] = {}
        self._returned: dict[str, StripeReturn] = {}
        self._outdated: Subscriber | None = None
        self._releasing: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Hear, for as long as this replica runs, of whom another one was told that something changed."""
        if self._leases is not None:
            self._outdated = self._pubsub.listen(Topic.OUTDATED, EVERYBODY, self._on_outdated)

    def stop(self) -> None:
        """Hear of nobody any more."""
        if self._outdated is not None:
            self._outdated.close()

    @property
    def watchers(self) -> int:
        """How many users are watched in this process."""
        return len(self._pollers)

    @property
    def tabs(self) -> int:
        """How many tabs watch in this process."""
        return sum(len(poller.watches) for poller in self._pollers.values())

    def watch(
        self,
        session: Session,
        on_change: Callable[[CustomerStatus], None],
        on_signed_out: Callable[[], None],
        on_age: Callable[[CustomerStatus], None] | None = None,
        *,
        shown: CustomerStatus | None = None,
    ) -> StatusWatch:
        """Call `on_change` with each new status of this user, and `on_signed_out` once when the session ends.

        `on_age` is called about once a minute with one that says nothing new but is younger. `shown` is what the page
        was drawn from: it is taken back when nobody can be asked for long.
        """
        customer = self.refresher.customer_of(session)
        poller = self._pollers.get(customer)
        if poller is None:
            lease = self._leases(customer) if self._leases else None
            returned = self._returned.get(customer)
            poller = StatusPoller(self._context, customer, lease=lease, returned=returned, ended=self._ended)
            self._pollers[customer] = poller
        return poller.watch(session, on_change, on_signed_out, on_age, shown)

    async def poll_fast(self, customer: str, *, from_portal: bool = False) -> None:
        """Look often for a while, on whichever replica watches: the user is back from Stripe.

        Their page is not connected yet, so it is remembered here for the poller that comes with it.
        """
        now = self._now()
        self._returned = {
            name: one for name, one in self._returned.items() if (now - one.at).total_seconds() < _FAST_KEPT
        } | {customer: StripeReturn(now, from_portal)}
        await self._pubsub.announce(Topic.POLL, customer, PORTAL if from_portal else "")

    async def poll_once(self, customer: str) -> None:
        """Look once now, on whichever replica watches: a service says that something changed.

        Where nobody watches, the next page asks, here and on the other replicas, however young the last answer is.
        """
        self.refresher.outdate(customer)
        if self._leases is not None:
            await self._pubsub.announce(Topic.OUTDATED, EVERYBODY, customer, here=False)
        await self._pubsub.announce(Topic.POLL, customer, ONCE)

    async def changed(self, customer_status: CustomerStatus) -> None:
        """Tell the user's tabs about a status that was found outside the poller."""
        poller = self._pollers.get(customer_status.customer)
        if poller is not None:
            poller.show(customer_status)
        await self._pubsub.announce(Topic.CUSTOMER_STATUS, customer_status.customer, here=False)

    async def checkouts_changed(self, customer: str) -> None:
        """Tell the user's tabs what follows from a checkout that was opened or handed out, without asking a service.

        Where no tab is open in this process, only the other replicas are told, and read it themselves.
        """
        customer_status = await self.refresher.remembered(customer) if customer in self._pollers else None
        if customer_status is not None:
            await self.changed(customer_status)
        else:
            await self._pubsub.announce(Topic.CUSTOMER_STATUS, customer, here=False)

    def _on_outdated(self, text: str) -> None:
        if text == RESYNC:
            self.refresher.outdate_all()
        else:
            self.refresher.outdate(text)

    def _ended(self, poller: StatusPoller) -> None:
        """Forget a poller whose last tab has left, and let another replica ask at once."""
        if self._pollers.get(poller.customer) is poller:
            del self._pollers[poller.customer]
        if poller.lease is not None:
            task = asyncio.create_task(_release(poller.lease), name="lease release")
            self._releasing.add(task)
            task.add_done_callback(self._releasing.discard)


async def _release(lease: Lease) -> None:
    try:
        await lease.release()
    except StoreUnavailable:
        pass  # it then runs out by itself
    except Exception:
        _log.exception("lease_release_failed")
