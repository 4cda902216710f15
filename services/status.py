"""Live status: one watcher a user, however many tabs and pages look, and a push to each of them when something changes.

A watcher asks at a pace: each second for half a minute after a return from Stripe, then in steps down to once a
minute, at once when a tab becomes visible. It ends with its last tab. With several replicas a lease decides which of
them asks; the others hear of changes through `services/announcements.py`.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, Protocol

from services.announcements import Announcements, Topic
from services.errors import StoreUnavailable
from services.inquiry import Inquiry
from services.leases import Lease
from services.pace import FULL_LOOK_EVERY, IDLE_PACE, PACE, Wait, spread, wait_for
from services.session import Session
from services.standing import Standing
from services.watcher import ONCE, OPENED_AFTER, Means, Watch, Watcher

__all__ = ["FULL_LOOK_EVERY", "IDLE_PACE", "OPENED_AFTER", "PACE", "Leases", "StatusService", "Watch"]

_HURRIED_KEPT: Final = PACE[-1][0]


class Leases(Protocol):
    """Makes the lease that decides which replica asks about a customer."""

    def __call__(self, customer: str) -> Lease:
        """Return a lease on asking about this customer."""
        ...


class StatusService:
    """Keeps watchers for users with open tabs. `wait` and `spread` are for tests."""

    def __init__(
        self,
        inquiry: Inquiry,
        announcements: Announcements,
        *,
        leases: Leases | None = None,
        now: Callable[[], datetime] | None = None,
        wait: Wait = wait_for,
        spread: Callable[[float], float] = spread,
    ) -> None:
        self.inquiry = inquiry
        self._announcements = announcements
        self._leases = leases
        self._now = now or (lambda: datetime.now(UTC))
        self._means = Means(
            inquiry=inquiry, announcements=announcements, now=self._now, wait=wait, spread=spread
        )  # fmt: skip
        self._watchers: dict[str, Watcher] = {}
        self._hurried: dict[str, datetime] = {}
        self._releasing: set[asyncio.Task[None]] = set()

    @property
    def watchers(self) -> int:
        """How many users are watched in this process."""
        return len(self._watchers)

    @property
    def tabs(self) -> int:
        """How many tabs watch in this process."""
        return sum(len(watcher.watches) for watcher in self._watchers.values())

    def watch(
        self, session: Session, on_change: Callable[[Standing], None], on_signed_out: Callable[[], None]
    ) -> Watch:
        """Call `on_change` with each new standing of this user, and `on_signed_out` once when the session ends."""
        customer = self.inquiry.customer_of(session)
        watcher = self._watchers.get(customer)
        if watcher is None:
            lease = self._leases(customer) if self._leases else None
            hurried_at = self._hurried.get(customer)
            watcher = Watcher(self._means, customer, lease=lease, hurried_at=hurried_at, ended=self._ended)
            self._watchers[customer] = watcher
        return watcher.watch(session, on_change, on_signed_out)

    async def hurry(self, customer: str) -> None:
        """Look each second for a while, on whichever replica watches: the user is back from Stripe.

        Their page is not connected yet, so it is remembered here for the watcher that comes with it.
        """
        now = self._now()
        self._hurried = {
            name: moment for name, moment in self._hurried.items() if (now - moment).total_seconds() < _HURRIED_KEPT
        } | {customer: now}
        await self._announcements.announce(Topic.HURRY, customer)

    async def poke(self, customer: str) -> None:
        """Look once now, on whichever replica watches: a service says that something changed."""
        await self._announcements.announce(Topic.HURRY, customer, ONCE)

    async def changed(self, standing: Standing) -> None:
        """Tell the user's tabs about a standing that was found outside the watcher, such as before a checkout."""
        watcher = self._watchers.get(standing.customer)
        if watcher is not None:
            watcher.show(standing)
        await self._announcements.announce(Topic.STANDING, standing.customer, here=False)

    def _ended(self, watcher: Watcher) -> None:
        """Forget a watcher whose last tab has left, and let another replica ask at once."""
        if self._watchers.get(watcher.customer) is watcher:
            del self._watchers[watcher.customer]
        if watcher.lease is not None:
            task = asyncio.create_task(_release(watcher.lease), name="lease release")
            self._releasing.add(task)
            task.add_done_callback(self._releasing.discard)


async def _release(lease: Lease) -> None:
    with suppress(StoreUnavailable):  # it then runs out by itself
        await lease.release()
