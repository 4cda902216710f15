"""Facts about this installation that were seen once and stay true: kept for the operator's `check`, for all replicas.

A mark is there or not; nothing is read from it.
"""

from enum import StrEnum
from typing import Final

from services.errors import StoreUnavailable
from services.storage.port import Store

_PREFIX: Final = "mark"


class Mark(StrEnum):
    """What was seen."""

    ACCOUNT_ANSWERED = "account_answered"
    """The Auth MS has answered for a user."""
    ACCOUNT_SPOKE_OF_PLANS = "account_spoke_of_plans"
    """It has said something of a plan, even that there is none."""
    RECORD_UNDER_EMAIL = "record_under_email"
    """Billing had a subscription under an e-mail address, while it is asked by user id."""


class Marks:
    """The marks in one store. Each is written once by a process, and again by none that knows of it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: set[Mark] = set()

    async def set(self, mark: Mark) -> None:
        """Keep a mark. What can't be kept now is kept the next time."""
        if mark in self._known:
            return
        try:
            await self._store.put(_key(mark), "1", None)
        except StoreUnavailable:  # logged by the store
            return
        self._known.add(mark)

    async def holds(self, mark: Mark) -> bool:
        """Return whether it was ever set. Raises StoreUnavailable."""
        return mark in self._known or await self._store.get(_key(mark)) is not None


def _key(mark: Mark) -> str:
    return f"{_PREFIX}:{mark}"
