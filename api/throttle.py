"""What page views cost is bounded: by address, at once, and those whose socket has not connected all together.

A view keeps its elements on the server until its socket connects or a minute has passed; a crawler never connects.
A quarter of the room, and a queue of their own, are kept for browsers that have been here before (a signed cookie): a
flood of strangers must not lock them out. A part of it is for people who have signed in, since a cookie costs one view;
and a cookie counts like an address, wherever it is sent from.
"""

import asyncio
import time
from collections.abc import Callable
from enum import IntEnum
from typing import Final, Protocol

import structlog
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.errors import RateLimited
from services.rate_limits import Policy, RateLimits, address_key
from services.sessions.service import Sessions, session_key

NO_PAGES: Final = ("/_nicegui/", "/_nicegui_ws/", "/assets/", "/brand/", "/api/", "/auth/", "/.well-known/")
NO_PAGE: Final = frozenset(
    {"/api", "/healthz", "/readyz", "/metrics", "/robots.txt", "/sitemap.xml", "/favicon.ico"}
)  # fmt: skip
"""Addresses, and folders of them, at which no page is built: they are not counted, and what is not there is said in
JSON, since the page that says it to people costs as much as any other."""

STRANGERS_AT_ONCE: Final = 2
KNOWN_AT_ONCE: Final = 8
"""Pages that are built at the same time: so many stand before a user's click in the event loop. Pages of people who
are signed in may also wait for a service."""

STRANGERS_QUEUE: Final = 4.0
KNOWN_QUEUE: Final = 10.0
"""Seconds that a page may wait for its turn."""

REST: Final = 3.0
LONGEST_REST: Final = 0.3
"""While strangers or visitors queue, a turn rests for so many times as long as its page took (in seconds, at most).
That leaves half of the process's time to the clicks and pages of all other users."""

STRANGERS_ROOM: Final = 0.75
VISITORS_ROOM: Final = 0.9
"""What part of the room they may fill."""

WORTH: Final = 3
"""What a page that is being built is taken to weigh, see `ui/nicegui_ext/page_views.py`."""

RETRY_AFTER: Final = 10.0
_COUNT_EVERY: Final = 0.1

_log = structlog.get_logger("security")


class BusyPage(Protocol):
    """Makes the page for 429, which must cost next to nothing."""

    def __call__(self, accept_language: str, retry_after: float) -> Response:
        """Return the page in the language asked for; `retry_after` in seconds."""
        ...


class Rank(IntEnum):
    """How well a browser is known by its cookie."""

    STRANGER = 0
    VISITOR = 1
    SIGNED_IN = 2


_ROOM: Final = (STRANGERS_ROOM, VISITORS_ROOM, 1.0)


class Throttle:
    """Answers 429 with a page that costs nothing when an address, or all together, ask for too many pages."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: RateLimits,
        policy: Policy,
        most_unconnected: int,
        unconnected: Callable[[], float],
        sessions: Sessions,
        busy_page: BusyPage,
        count_refused: Callable[[], None],
    ) -> None:
        self._app = app
        self._limits = limits
        self._policy = policy
        self._most = most_unconnected
        self._unconnected = unconnected
        self._sessions = sessions
        self._busy_page = busy_page
        self._count_refused = count_refused
        self._turns = tuple(asyncio.Semaphore(n) for n in (STRANGERS_AT_ONCE, KNOWN_AT_ONCE, KNOWN_AT_ONCE))
        self._waiting = [0 for _rank in Rank]
        self._under_way = 0
        self._counted = 0.0
        self._counted_at = float("-inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] != "GET" or scope["path"] in NO_PAGE or scope["path"].startswith(NO_PAGES):
            await self._app(_without_pages(scope), receive, send)
            return
        browser = self._browser(scope)
        rank = Rank.STRANGER if browser is None else Rank(1 + self._sessions.is_of_sign_in(browser))
        if self._is_full(rank):
            await self._refuse(scope, receive, send, RETRY_AFTER)
            return
        self._under_way += 1
        try:
            await self._serve(scope, receive, send, rank, browser)
        finally:
            self._under_way -= 1

    async def _serve(self, scope: Scope, receive: Receive, send: Send, rank: Rank, browser: str | None) -> None:
        client = scope.get("client")
        try:
            await self._limits.hit(self._policy, address_key(client[0] if client else ""))
            if browser is not None:
                await self._limits.hit(self._policy, "browser", session_key(browser))
        except RateLimited as error:
            await self._refuse(scope, receive, send, error.retry_after or RETRY_AFTER)
            return
        if not await self._turn(rank):
            await self._refuse(scope, receive, send, RETRY_AFTER)
            return
        began = time.monotonic()
        try:
            await self._app(scope, receive, send)
        finally:
            self._pass_on(rank, time.monotonic() - began)

    async def _turn(self, rank: Rank) -> bool:
        """Wait until the page may be built; return False when that takes too long."""
        self._waiting[rank] += 1
        try:
            async with asyncio.timeout(STRANGERS_QUEUE if rank is Rank.STRANGER else KNOWN_QUEUE):
                await self._turns[rank].acquire()
        except TimeoutError:
            return False
        finally:
            self._waiting[rank] -= 1
        return True

    def _pass_on(self, rank: Rank, seconds: float) -> None:
        """Give the turn of a page that took so long to the next one; those not signed in rest in between."""
        turns = self._turns[rank]
        if rank < Rank.SIGNED_IN and self._waiting[rank]:
            asyncio.get_running_loop().call_later(min(REST * seconds, LONGEST_REST), turns.release)
        else:
            turns.release()

    def _is_full(self, rank: Rank) -> bool:
        """Whether the views without a socket, those being built included, leave no room for one more."""
        now = time.monotonic()
        if now - self._counted_at > _COUNT_EVERY:
            self._counted, self._counted_at = self._unconnected(), now
        return self._counted + self._under_way * WORTH >= self._most * _ROOM[rank]

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, seconds: float) -> None:
        self._count_refused()
        language = Headers(scope=scope).get("accept-language", "")
        await self._busy_page(language, seconds)(scope, receive, send)

    def _browser(self, scope: Scope) -> str | None:
        """Return the id in the browser's cookie, None without one of ours."""
        cookies = cookie_parser(Headers(scope=scope).get("cookie", ""))
        return self._sessions.id_of(cookies.get(self._sessions.cookie_name))


def _without_pages(scope: Scope) -> Scope:
    """Return the request as one that does not ask for a page (see `ui/pages/errors.py`)."""
    headers = [(name, value) for name, value in scope["headers"] if name != b"accept"]
    return {**scope, "headers": [*headers, (b"accept", b"application/json")]}
