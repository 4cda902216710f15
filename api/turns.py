"""In which order pages are built: whoever has had fewest lately goes first, and people who pay before everybody else.

A few pages are built at the same time; those that wait stand behind the pages of whoever asked for less. So one browser
that opens pages without end, or fifty, keep nobody out who looks now and then. Whoever has signed in has a row apart.
In the other one a page that others wait for is followed by a rest, which leaves half of the process's time to clicks
and to the pages of people who pay. Strangers rarely stand in it: most of what they see is drawn already
(`ui/serving/shared_documents.py`).
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

SIGNED_IN_AT_ONCE: Final = 8
OTHERS_AT_ONCE: Final = 4
"""Pages that are built at the same time: so many stand before a user's click in the event loop. Pages of people who
have signed in may also wait for a service."""

OWN_WAITING: Final = 60
"""Pages that one browser may have waiting: a window with many tabs that opens again."""

LONGEST_WAIT: Final = 10.0
"""Seconds that a page may wait for its turn."""

HALVED_EACH: Final = 10.0
"""Seconds in which a page that was built counts half as much."""

REST: Final = 3.0
LONGEST_REST: Final = 0.3
"""A rest is so many times as long as the page took (in seconds, at most)."""

_FORGOTTEN: Final = 0.05
_MANY_OWNERS: Final = 4000


class NoTurn(Exception):
    """A page's turn does not come in time, or its browser waits for too many already."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """A page whose turn is to come; who has not signed in counts as browser and as address, as cookies are for free."""

    owners: tuple[str, ...]
    granted: asyncio.Future[None]


class RecentPages:
    """How many pages each owner has had lately, the older ones counting less."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._had: dict[str, tuple[float, float]] = {}

    def of(self, *owners: str) -> float:
        """Return the most that one of these has had."""
        return self._most(owners, self._now())

    def count(self, *owners: str) -> None:
        """Count one more for each."""
        now = self._now()
        for owner in owners:
            self._had[owner] = (self._most((owner,), now) + 1, now)
        if len(self._had) > _MANY_OWNERS:
            self._had = {owner: had for owner, had in self._had.items() if self._most((owner,), now) > _FORGOTTEN}

    def first(self, pages: Sequence[_Waiting]) -> _Waiting:
        """Return the page of whoever has had fewest, of several the one that has waited longest."""
        now = self._now()
        return min(pages, key=lambda page: self._most(page.owners, now))

    def _most(self, owners: Iterable[str], now: float) -> float:
        had = [self._had[owner] for owner in owners if owner in self._had]
        return max((pages * 0.5 ** ((now - at) / HALVED_EACH) for pages, at in had), default=0.0)


class _Row:
    """The pages that are built at the same time, and those that wait for it."""

    def __init__(self, at_once: int, recent: RecentPages, *, rests: bool) -> None:
        self._free = at_once
        self._recent = recent
        self._rests = rests
        self._waiting: list[_Waiting] = []

    async def enter(self, owners: tuple[str, ...]) -> None:
        """Wait for a turn."""
        if self._free:
            self._free -= 1
            self._recent.count(*owners)
            return
        page = _Waiting(owners, asyncio.get_running_loop().create_future())
        self._waiting.append(page)
        try:
            await page.granted
        except asyncio.CancelledError:
            if not page.granted.cancelled():  # its turn came in the same moment
                self._pass_on()
            raise

    def leave(self, seconds: float) -> None:
        """Give the turn of a page that took so long to the next one."""
        if self._rests and self._waiting:
            asyncio.get_running_loop().call_later(min(REST * seconds, LONGEST_REST), self._pass_on)
        else:
            self._pass_on()

    def _pass_on(self) -> None:
        self._waiting = [page for page in self._waiting if not page.granted.cancelled()]
        if not self._waiting:
            self._free += 1
            return
        page = self._recent.first(self._waiting)
        self._waiting.remove(page)
        self._recent.count(*page.owners)
        page.granted.set_result(None)


class PageTurns:
    """Both rows."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        recent = RecentPages(now)
        self._signed_in = _Row(SIGNED_IN_AT_ONCE, recent, rests=False)
        self._others = _Row(OTHERS_AT_ONCE, recent, rests=True)
        self._own: Counter[str] = Counter()

    @asynccontextmanager
    async def turn(self, *owners: str, signed_in: bool) -> AsyncIterator[None]:
        """Build one page inside, of a browser and whatever else it counts for; raises NoTurn before it."""
        own, row = owners[0], self._signed_in if signed_in else self._others
        if self._own[own] >= OWN_WAITING:
            raise NoTurn
        self._own[own] += 1
        try:
            try:
                async with asyncio.timeout(LONGEST_WAIT):
                    await row.enter(owners)
            except TimeoutError:
                raise NoTurn from None
            began = time.monotonic()
            try:
                yield
            finally:
                row.leave(time.monotonic() - began)
        finally:
            self._own[own] -= 1
            if not self._own[own]:
                del self._own[own]
