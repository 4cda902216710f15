"""The one thing that a sibling's page may read from another origin: what its user is entitled to (CORS, GET only)."""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

READABLE_PATH: Final = "/api/entitlements"


class CrossOriginReading:
    """Lets pages of the named origins read the entitlements of the user in their browser, errors too.

    Browsers send our cookie along from a sibling's page only on the same site (`SameSite=Lax`), such as
    app.example.com beside billing.example.com.
    """

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        self._app = app
        self._origins = frozenset(origin.lower() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if not self._origins or scope["type"] != "http" or scope["path"] != READABLE_PATH or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        origin = Headers(scope=scope).get("origin", "").lower()

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if origin in self._origins:
                    headers["Access-Control-Allow-Origin"] = origin
                    headers["Access-Control-Allow-Credentials"] = "true"
            await send(message)

        await self._app(scope, receive, answer)
