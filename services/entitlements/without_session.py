"""What users are entitled to, asked by other services: the users' sessions, and so the Auth MS, are not at hand.

Billing is asked, within its bound and a few seconds, unless it was within the last fifteen; the account's last word
stands as `services/subscription/last_word.py` says. What was not asked just now is told with its age and as `stale`.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from catalog import Catalog
from services.entitlements.model import Entitlement, entitlement_of, nothing_known
from services.entitlements.service import FRESH_FOR
from services.live_status.memory import SHARED_FOR
from services.live_status.refresher import StatusRefresher
from services.subscription.last_word import LastWord
from services.subscription.snapshot import UpstreamSnapshot

MOST_USERS: Final = 100
"""How many users one question may be about."""

MOST_RECENT: Final = 1000
"""How many answers are kept for who asks again."""

ASKS_FOR: Final = 4.0
"""Seconds within which billing is asked for one question; the rest is told from memory."""


@dataclass(frozen=True, slots=True)
class _Recent:
    """What was said of a user, and what it was made of."""

    entitlement: Entitlement
    customer: str
    heard: UpstreamSnapshot | None
    catalog: Catalog
    at: datetime


class EntitlementLookup:
    """Answers what users are entitled to, by their ids. `customer_of` says by which id billing knows a user, if it is
    known; `seconds` is the clock of deadlines."""

    def __init__(
        self,
        refresher: StatusRefresher,
        *,
        catalog: Callable[[], Catalog],
        customer_of: Callable[[str], Awaitable[str | None]],
        now: Callable[[], datetime] | None = None,
        asks_for: float = ASKS_FOR,
        alone: bool = False,
        answered: Callable[[str], None] = lambda outcome: None,
    ) -> None:
        """`alone` says that no other process writes into the store, so that all that is new comes by this one.

        `answered` is told of each answer: `hit` from memory that is young enough, `miss` asked of billing, `stale` from
        memory since billing did not say anything in time.
        """
        self._refresher = refresher
        self._catalog = catalog
        self._customer_of = customer_of
        self._now = now or (lambda: datetime.now(UTC))
        self._asks_for = asks_for
        self._turn = asyncio.Lock()
        self._alone = alone
        self._answered = answered
        self._recent: OrderedDict[str, _Recent] = OrderedDict()

    async def of(self, user_ids: Sequence[str]) -> dict[str, Entitlement]:
        """Return what each of these users is entitled to: the same object for who asks again within the second, while
        no service said anything new. Raises StoreUnavailable when nothing can be looked up."""
        end = asyncio.get_running_loop().time() + self._asks_for
        return {user_id: await self._of(user_id, end) for user_id in dict.fromkeys(user_ids)}

    async def _of(self, user_id: str, end: float) -> Entitlement:
        recent = self._recent.get(user_id)
        if recent is not None and self._holds(recent):
            self._answered("hit")
            return recent.entitlement
        customer = await self._customer_of(user_id)
        if customer is None:
            return nothing_known(self._catalog(), self._now())
        catalog, heard, now = self._catalog(), self._refresher.last_heard(customer), self._now()
        entitlement = await self._looked_up(customer, end)
        if self._alone:
            self._recent[user_id] = _Recent(entitlement, customer, heard, catalog, now)
            self._recent.move_to_end(user_id)
            if len(self._recent) > MOST_RECENT:
                self._recent.popitem(last=False)
        return entitlement

    def _holds(self, recent: "_Recent") -> bool:
        """Whether it would be said again. What was heard meanwhile, even under way to it, is another object."""
        young = timedelta() <= self._now() - recent.at < SHARED_FOR
        return (
            young and recent.catalog is self._catalog() and recent.heard is self._refresher.last_heard(recent.customer)
        )

    async def _looked_up(self, customer: str, end: float) -> Entitlement:
        word = await self._refresher.last_word(customer)
        young = not word.memory and self._now() - word.as_of <= FRESH_FOR
        if not young:
            await self._ask_billing(customer, end)
            word = await self._refresher.last_word(customer)
        self._answered("hit" if young else "stale" if word.memory else "miss")
        return self._entitlement(word)

    async def _ask_billing(self, customer: str, end: float) -> None:
        """Ask one after the other, whoever wants it: people who look at their pages go before services."""
        if asyncio.get_running_loop().time() >= end:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout_at(end), self._turn:
                await self._refresher.ask_billing(customer, unless_younger_than=FRESH_FOR)

    def _entitlement(self, word: LastWord) -> Entitlement:
        catalog = self._catalog()
        if word.status is None:
            return nothing_known(catalog, self._now())
        return entitlement_of(word.status, catalog).model_copy(update={"stale": word.memory})
