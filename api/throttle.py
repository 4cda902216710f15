"""What page views cost is bounded: by address and browser, and by the turns in which pages are built.

What the views keep until their sockets connect is bounded by `ui/nicegui_ext/page_views.py`, which refuses nobody.
Strangers mostly get finished documents, which never come here (`ui/serving/shared_documents.py`).
"""

from collections.abc import Callable
from typing import Final, Protocol

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.turns import NoTurn, PageTurns
from services.errors import RateLimited
from services.rate_limits import Policy, RateLimits, address_key
from services.sessions.service import Sessions, session_key

NO_PAGES: Final = ("/_nicegui/", "/_nicegui_ws/", "/assets/", "/brand/", "/api/", "/auth/", "/.well-known/")
NO_PAGE: Final = frozenset(
    {"/api", "/healthz", "/readyz", "/metrics", "/robots.txt", "/sitemap.xml", "/favicon.ico"}
)  # fmt: skip
"""Addresses, and folders of them, at which no page is built: they are not counted, and what is not there is said in
JSON, since the page that says it to people costs as much as any other."""

RETRY_AFTER: Final = 10.0
"""Seconds until whoever got no turn may come back."""


class BusyPage(Protocol):
    """Makes the page for 429, which must cost next to nothing."""

    def __call__(self, accept_language: str, retry_after: float) -> Response:
        """Return the page in the language asked for; `retry_after` in seconds."""
        ...


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
        self._turns = PageTurns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] != "GET" or scope["path"] in NO_PAGE or scope["path"].startswith(NO_PAGES):
            await self._app(_without_pages(scope), receive, send)
            return
        browser, client = self._sessions.id_in_header(Headers(scope=scope).get("cookie", "")), scope.get("client")
        address = address_key(client[0] if client else "")
        signed_in = browser is not None and self._sessions.is_of_sign_in(browser)
        owners = tuple(owner for owner in (browser, "" if signed_in else address) if owner)
        try:
            await self._limits.hit(self._policy, address)
            if browser is not None:
                await self._limits.hit(self._policy, "browser", session_key(browser))
        except RateLimited as error:
            await self._refuse(scope, receive, send, error.retry_after or RETRY_AFTER)
            return
        try:
            async with self._turns.turn(*owners, signed_in=signed_in):
                await self._app(scope, receive, send)
        except NoTurn:
            await self._refuse(scope, receive, send, RETRY_AFTER)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, seconds: float) -> None:
        self._count_refused()
        language = Headers(scope=scope).get("accept-language", "")
        await self._busy_page(language, seconds)(scope, receive, send)


def _without_pages(scope: Scope) -> Scope:
    """Return the request as one that does not ask for a page (see `ui/pages/errors.py`)."""
    headers = [(name, value) for name, value in scope["headers"] if name != b"accept"]
    return {**scope, "headers": [*headers, (b"accept", b"application/json")]}
