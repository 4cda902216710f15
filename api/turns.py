"""In which order pages are built: each browser stands behind itself only, and nobody behind whoever has not signed in.

A browser (else an address) has one place in the row however many pages it asks for: its own come one behind the other,
so that everybody else waits for one of them. Whoever has signed in has a row apart. In the other one a page that others
wait for is followed by a rest, which leaves half of the process's time to clicks and to the pages of people who pay.
Strangers rarely stand in it: most of what they see is drawn already (`ui/serving/shared_documents.py`).
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

SIGNED_IN_AT_ONCE: Final = 8
OTHERS_AT_ONCE: Final = 4
"""Pages that are built at the same time: so many stand before a user's click in the event loop. Pages of people who
have signed in may also wait for a service."""

OWN_AT_ONCE: Final = 2
OWN_WAITING: Final = 60
"""Pages of one browser that are built, and that may wait behind them: a window with many tabs that opens again."""

LONGEST_WAIT: Final = 10.0
"""Seconds that a page may wait for its turn."""

REST: Final = 3.0
LONGEST_REST: Final = 0.3
"""A rest is so many times as long as the page took (in seconds, at most)."""


class NoTurn(Exception):
    """A page's turn does not come in time, or its browser waits for too many already."""


@dataclass(slots=True)
class _Own:
    """The pages of one browser that are being built, or wait for it."""

    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(OWN_AT_ONCE))
    count: int = 0


@dataclass(slots=True)
class _Row:
    """The pages that are built, or wait for it, behind those of the same browser."""

    turns: asyncio.Semaphore
    rests: bool
    waiting: int = 0

    async def enter(self) -> None:
        """Wait for a turn."""
        self.waiting += 1
        try:
            await self.turns.acquire()
        finally:
            self.waiting -= 1

    def leave(self, seconds: float) -> None:
        """Give the turn of a page that took so long to the next one."""
        if self.rests and self.waiting:
            asyncio.get_running_loop().call_later(min(REST * seconds, LONGEST_REST), self.turns.release)
        else:
            self.turns.release()


class PageTurns:
    """Both rows."""

    def __init__(self) -> None:
        self._signed_in = _Row(asyncio.Semaphore(SIGNED_IN_AT_ONCE), rests=False)
        self._others = _Row(asyncio.Semaphore(OTHERS_AT_ONCE), rests=True)
        self._own: dict[str, _Own] = {}

    @property
    def owners(self) -> int:
        """How many browsers have pages here."""
        return len(self._own)

    @asynccontextmanager
    async def turn(self, owner: str, *, signed_in: bool) -> AsyncIterator[None]:
        """Build one page inside; raises NoTurn before it."""
        own, row = self._own.setdefault(owner, _Own()), self._signed_in if signed_in else self._others
        if own.count >= OWN_AT_ONCE + OWN_WAITING:
            raise NoTurn
        own.count += 1
        try:
            await _wait(own, row)
            began = time.monotonic()
            try:
                yield
            finally:
                own.turns.release()
                row.leave(time.monotonic() - began)
        finally:
            own.count -= 1
            if not own.count:
                del self._own[owner]


async def _wait(own: _Own, row: _Row) -> None:
    """Wait behind the browser's own pages, then behind one of each other browser's; raises NoTurn."""
    try:
        async with asyncio.timeout(LONGEST_WAIT):
            await own.turns.acquire()
            try:
                await row.enter()
            except BaseException:
                own.turns.release()
                raise
    except TimeoutError:
        raise NoTurn from None
