"""In which order pages are built: whoever has had fewest lately goes first, and people who pay before everybody else.

A few pages are built at the same time; those that wait stand behind the pages of whoever asked for less. So one browser
that opens pages without end, or fifty, keep nobody out who looks now and then. Whoever has signed in has a row apart.
A page of anybody else, or of somebody who has had many lately, is followed by a rest where others wait, which leaves
half of the process's time to clicks and to whoever else looks. Strangers rarely stand here: most of what they see is
drawn already (`ui/serving/shared_documents.py`).
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

AT_ONCE: Final = 8
"""Pages of a row that are built at the same time: so many stand before a click in the event loop. Those of people
who have signed in may also wait for a service."""

OWN_WAITING: Final = 60
"""Pages that one browser may have waiting: a window with many tabs that opens again."""

LONGEST_WAIT: Final = 20.0
"""Seconds that a page may wait for its turn: one that comes late is better than one that says so."""

HALVED_EACH: Final = 10.0
"""Seconds in which a page that was built counts half as much."""

MANY: Final = 8.0
"""Pages had lately, from which on somebody who has signed in rests, too: a window with a few tabs has fewer."""

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

    def __init__(self, recent: RecentPages, many: float) -> None:
        self._free = AT_ONCE
        self._recent = recent
        self._many = many
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

    def leave(self, owners: tuple[str, ...], seconds: float) -> None:
        """Give the turn of a page that took so long to the next one."""
        if self._waiting and self._recent.of(*owners) > self._many:
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
        self._signed_in = _Row(recent, many=MANY)
        self._others = _Row(recent, many=0.0)
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
                row.leave(owners, time.monotonic() - began)
        finally:
            self._own[own] -= 1
            if not self._own[own]:
                del self._own[own]
