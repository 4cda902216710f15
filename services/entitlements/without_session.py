"""What users are entitled to, asked by other services: the users' sessions, and so the Auth MS, are not at hand.

Billing is asked, within its bound and a few seconds, unless it was within the last fifteen; the account's last word
stands as `services/subscription/last_word.py` says. What was not asked just now is told with its age and as `stale`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from catalog import Catalog
from services.entitlements.model import Entitlement, entitlement_of, nothing_known
from services.entitlements.service import FRESH_FOR
from services.live_status.refresher import StatusRefresher
from services.subscription.last_word import LastWord

MOST_USERS: Final = 100
"""How many users one question may be about."""

ASKS_FOR: Final = 4.0
"""Seconds within which billing is asked for one question; the rest is told from memory."""


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
    ) -> None:
        self._refresher = refresher
        self._catalog = catalog
        self._customer_of = customer_of
        self._now = now or (lambda: datetime.now(UTC))
        self._asks_for = asks_for
        self._turn = asyncio.Lock()

    async def of(self, user_ids: Sequence[str]) -> dict[str, Entitlement]:
        """Return what each of these users is entitled to. Raises StoreUnavailable when nothing can be looked up."""
        end = asyncio.get_running_loop().time() + self._asks_for
        return {user_id: await self._of(user_id, end) for user_id in dict.fromkeys(user_ids)}

    async def _of(self, user_id: str, end: float) -> Entitlement:
        customer = await self._customer_of(user_id)
        if customer is None:
            return nothing_known(self._catalog(), self._now())
        word = await self._refresher.last_word(customer)
        if word.memory or self._now() - word.as_of > FRESH_FOR:
            await self._ask_billing(customer, end)
            word = await self._refresher.last_word(customer)
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
