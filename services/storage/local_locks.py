"""Locks by key inside one process, first come first served; a key that is not in use takes no memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.errors import LockTimeout


class LocalLocks:
    """One lock a key. A holder cannot die without its process, so there is nothing to expire."""

    def __init__(self) -> None:
        """Start with no key."""
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    def __len__(self) -> int:
        """Return how many keys are held or waited for."""
        return len(self._locks)

    @asynccontextmanager
    async def hold(self, key: str, wait: float) -> AsyncIterator[None]:
        """Hold the key inside the block. Raises `LockTimeout` after `wait` seconds."""
        lock, users = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = lock, users + 1
        try:
            try:
                async with asyncio.timeout(wait):
                    await lock.acquire()
            except TimeoutError:
                raise LockTimeout(f"a lock was not free within {wait:g} s") from None
            try:
                yield
            finally:
                lock.release()
        finally:
            lock, users = self._locks.pop(key)
            if users > 1:
                self._locks[key] = lock, users - 1
