"""What a page view costs is bounded: views by address, and views whose socket has not connected, all together.

A view keeps its elements on the server until its socket connects or a minute has passed; a crawler never connects.
"""

import time
from collections.abc import Callable
from typing import Final

import structlog
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from api.backend import BusyPage
from services.errors import RateLimited
from services.rate_limits import Policy, RateLimits, address_key
from services.session import Sessions

NO_PAGES: Final = (
    "/_nicegui",
    "/assets/",
    "/api",
    "/auth/",
    "/healthz",
    "/readyz",
    "/metrics",
    "/.well-known",
    "/favicon",
)
"""Addresses under which no page is built."""

RETRY_AFTER: Final = 10.0
_COUNT_EVERY: Final = 0.1

_log = structlog.get_logger("security")


class FloodGuard:
    """Answers 429 with a page that costs nothing when an address, or everybody together, asks for too many pages.

    Half of the room is kept for browsers that have been here before: a flood of strangers must not lock them out.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: RateLimits,
        policy: Policy,
        most_unconnected: int,
        unconnected: Callable[[], int],
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
        self._counted = 0
        self._counted_at = float("-inf")
        self._count_refused = count_refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"].startswith(NO_PAGES):
            await self._app(scope, receive, send)
            return
        wait = await self._wait(scope)
        if wait is None:
            await self._app(scope, receive, send)
            return
        self._count_refused()
        language = Headers(scope=scope).get("accept-language", "")
        await self._busy_page(language, wait)(scope, receive, send)

    async def _wait(self, scope: Scope) -> float | None:
        """Return the seconds to wait before a page is built for this request; None lets it through."""
        now = time.monotonic()
        if now - self._counted_at > _COUNT_EVERY:
            self._counted, self._counted_at = self._unconnected(), now
        room = self._most if self._is_known(scope) else self._most // 2
        if self._counted >= room:
            return RETRY_AFTER
        client = scope.get("client")
        try:
            await self._limits.hit(self._policy, address_key(client[0] if client else ""))
        except RateLimited as error:
            return error.retry_after or RETRY_AFTER
        self._counted += 1
        return None

    def _is_known(self, scope: Scope) -> bool:
        cookies = cookie_parser(Headers(scope=scope).get("cookie", ""))
        return self._sessions.id_of(cookies.get(self._sessions.cookie_name)) is not None
