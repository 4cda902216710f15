"""The bound on requests in flight to one upstream, and who goes first.

The running Payment MS keeps one database connection for all requests and breaks for good when two
status calls overlap, so every call takes a slot first. ``LocalConcurrencyLimit`` bounds one process; a shared store
can offer the same port for all replicas.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from enum import IntEnum
from typing import Final, Protocol

PRESSES_BEFORE_A_LOOK: Final = 4
"""How many presses in a row may pass a look that waits: looks slow down behind presses, but never stand still."""


class Priority(IntEnum):
    """Who waits for a slot: a user who pressed or is back from Stripe, or a page that looks whether all is the same."""

    LOOK = 0
    PRESS = 1


class ConcurrencyLimit(Protocol):
    """A bounded number of slots: presses before looks, and each of them first come first served."""

    def slot(self, max_wait: float, priority: Priority = Priority.LOOK) -> AbstractAsyncContextManager[None]:
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
        self._free = count
        self._passed = 0
        self._waiting: dict[Priority, deque[asyncio.Future[None]]] = {priority: deque() for priority in Priority}

    @asynccontextmanager
    async def slot(self, max_wait: float, priority: Priority = Priority.LOOK) -> AsyncIterator[None]:
        """Hold a slot; see ``ConcurrencyLimit.slot``."""
        await self._acquire(max_wait, priority)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, max_wait: float, priority: Priority) -> None:
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[priority].append(turn)
        try:
            async with asyncio.timeout(max_wait):
                await turn
        except BaseException:  # cancelled or out of time: a slot that was handed over just then goes to the next
            if turn.done() and not turn.cancelled():
                self._release()
            else:
                turn.cancel()
            raise

    def _release(self) -> None:
        """Hand the slot to the next in line; nobody who comes later can take it in between."""
        turn = self._next()
        if turn is None:
            self._free += 1
        else:
            turn.set_result(None)

    def _next(self) -> asyncio.Future[None] | None:
        presses, looks = (self._left(priority) for priority in (Priority.PRESS, Priority.LOOK))
        if presses and not (looks and self._passed >= PRESSES_BEFORE_A_LOOK):
            self._passed = self._passed + 1 if looks else 0
            return presses.popleft()
        self._passed = 0
        return looks.popleft() if looks else None

    def _left(self, priority: Priority) -> deque[asyncio.Future[None]]:
        """Return who still waits in that line; who gave up is dropped when their turn comes."""
        line = self._waiting[priority]
        while line and line[0].done():
            del line[0]
        return line
