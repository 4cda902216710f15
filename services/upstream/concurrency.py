"""The bound on requests in flight to one upstream.

The running Payment MS keeps one database connection for all requests and breaks for good when two
status calls overlap, so every call takes a slot first. ``LocalConcurrencyLimit`` bounds one process; a shared store
can offer the same port for all replicas.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol


class ConcurrencyLimit(Protocol):
    """A bounded number of slots, handed out first come first served."""

    def slot(self, max_wait: float) -> AbstractAsyncContextManager[None]:
        """Return a context that holds a slot while it is open.

        Entering it raises ``TimeoutError`` when no slot came free within ``max_wait`` seconds, and
        ``StoreUnavailable`` when whoever counts the slots can't be reached.
        """
        ...


class LocalConcurrencyLimit:
    """Slots of this process alone."""

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError(f"at least one request must be allowed in flight, not {count}")
        self._free = asyncio.Semaphore(count)

    @asynccontextmanager
    async def slot(self, max_wait: float) -> AsyncIterator[None]:
        """Hold a slot; see ``ConcurrencyLimit.slot``."""
        async with asyncio.timeout(max_wait):
            await self._free.acquire()
        try:
            yield
        finally:
            self._free.release()
