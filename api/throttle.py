"""What page views cost is bounded: by address and browser, at once, and each browser stands behind itself only.

A page is built for a few at the same time, in the order in which they came, and a browser (else an address) has one
page of its own in that order: however many it asks for, everybody else waits for one of them. What the views keep until
their sockets connect is bounded by `ui/nicegui_ext/page_views.py`, which refuses nobody. Strangers mostly get finished
documents, which never come here (`ui/serving/shared_documents.py`).
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Protocol

import structlog
from starlette.datastructures import Headers
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

OWN_AT_ONCE: Final = 2
OWN_WAITING: Final = 60
"""Pages of one browser that are built, and that may wait behind them: a window with many tabs that opens again."""

RETRY_AFTER: Final = 10.0

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


@dataclass(slots=True)
class _Own:
    """The pages of one browser that are being built, or wait for it."""

    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(OWN_AT_ONCE))
    count: int = 0


class Throttle:
    """Answers 429 with a page that costs nothing when an address, or all together, ask for too many pages."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: RateLimits,
        policy: Policy,
        sessions: Sessions,
        busy_page: BusyPage,
        count_refused: Callable[[], None],
    ) -> None:
        self._app = app
        self._limits = limits
        self._policy = policy
        self._sessions = sessions
        self._busy_page = busy_page
        self._count_refused = count_refused
        self._turns = tuple(asyncio.Semaphore(n) for n in (STRANGERS_AT_ONCE, KNOWN_AT_ONCE, KNOWN_AT_ONCE))
        self._waiting = [0 for _rank in Rank]
        self._own: dict[str, _Own] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] != "GET" or scope["path"] in NO_PAGE or scope["path"].startswith(NO_PAGES):
            await self._app(_without_pages(scope), receive, send)
            return
        browser, client = self._sessions.id_in_header(Headers(scope=scope).get("cookie", "")), scope.get("client")
        rank = Rank.STRANGER if browser is None else Rank(1 + self._sessions.is_of_sign_in(browser))
        address = address_key(client[0] if client else "")
        try:
            await self._limits.hit(self._policy, address)
            if browser is not None:
                await self._limits.hit(self._policy, "browser", session_key(browser))
        except RateLimited as error:
            await self._refuse(scope, receive, send, error.retry_after or RETRY_AFTER)
            return
        if not await self._serve(scope, receive, send, rank, browser or address):
            await self._refuse(scope, receive, send, RETRY_AFTER)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, rank: Rank, owner: str) -> bool:
        """Serve one page in its turn; return False where that does not come in time."""
        own = self._own.setdefault(owner, _Own())
        if own.count >= OWN_AT_ONCE + OWN_WAITING:
            return False
        own.count += 1
        try:
            if not await self._turn(rank, own):
                return False
            began = time.monotonic()
            try:
                await self._app(scope, receive, send)
            finally:
                own.turns.release()
                self._pass_on(rank, time.monotonic() - began)
            return True
        finally:
            own.count -= 1
            if not own.count:
                del self._own[owner]

    async def _turn(self, rank: Rank, own: _Own) -> bool:
        """Wait until the page may be built: behind the browser's own, then behind one of each other browser's.

        Return False when that takes too long.
        """
        try:
            async with asyncio.timeout(STRANGERS_QUEUE if rank is Rank.STRANGER else KNOWN_QUEUE):
                await own.turns.acquire()
                try:
                    await self._turn_of_all(rank)
                except BaseException:
                    own.turns.release()
                    raise
        except TimeoutError:
            return False
        return True

    async def _turn_of_all(self, rank: Rank) -> None:
        self._waiting[rank] += 1
        try:
            await self._turns[rank].acquire()
        finally:
            self._waiting[rank] -= 1

    def _pass_on(self, rank: Rank, seconds: float) -> None:
        """Give the turn of a page that took so long to the next one; those not signed in rest in between."""
        turns = self._turns[rank]
        if rank < Rank.SIGNED_IN and self._waiting[rank]:
            asyncio.get_running_loop().call_later(min(REST * seconds, LONGEST_REST), turns.release)
        else:
            turns.release()

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, seconds: float) -> None:
        self._count_refused()
        language = Headers(scope=scope).get("accept-language", "")
        await self._busy_page(language, seconds)(scope, receive, send)


def _without_pages(scope: Scope) -> Scope:
    """Return the request as one that does not ask for a page (see `ui/pages/errors.py`)."""
    headers = [(name, value) for name, value in scope["headers"] if name != b"accept"]
    return {**scope, "headers": [*headers, (b"accept", b"application/json")]}
