"""A task that one replica does at a time: it holds a lease, and another takes over when it stops renewing.

Works on any `Store`. The holder calls `acquire_or_renew` about every second; so do those who would take over.
"""

import time
from typing import Final

from services.storage.port import Store, check_ttl

TTL: Final = 4.0
"""Seconds a lease outlives its last renewal: with a try each second another replica has it within five."""


class Lease:
    """One key of the store, held by at most one holder."""

    def __init__(self, store: Store, key: str, holder: str, ttl: float = TTL) -> None:
        """Compete for `key` as `holder`, a name that no other competitor has."""
        check_ttl(ttl)
        self._store = store
        self._key = f"lease:{key}"
        self._holder = holder
        self._ttl = ttl
        self._until = float("-inf")

    @property
    def held(self) -> bool:
        """Whether the lease is certainly ours at this moment, without asking: also false while the store is away."""
        return time.monotonic() < self._until

    async def acquire_or_renew(self) -> bool:
        """Return whether we hold the lease for the next `ttl` seconds.

        Raises `StoreUnavailable`; then `held` says how long the last answer lasts.
        """
        asked = time.monotonic()
        ours = await self._store.replace(self._key, self._holder, self._holder, self._ttl)
        ours = ours or await self._store.add(self._key, self._holder, self._ttl)
        self._until = asked + self._ttl if ours else float("-inf")
        return ours

    async def release(self) -> None:
        """Give the lease up at once, if it is ours."""
        self._until = float("-inf")
        await self._store.delete_if(self._key, self._holder)
