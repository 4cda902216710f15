"""NiceGUI's two middlewares that set a header of an answer, without a task and a stream for each request.

Both are Starlette's `BaseHTTPMiddleware`, which costs a page more than most of what stands around it. This one does the
same for both and passes everything else on.

Written against NiceGUI 3.18: `RedirectWithPrefixMiddleware`, `SetCacheControlMiddleware`.
"""

from typing import Any, Final

from nicegui import app, core
from nicegui.middlewares import RedirectWithPrefixMiddleware, SetCacheControlMiddleware
from nicegui.version import __version__ as NICEGUI_VERSION
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_KEPT: Final = f"/_nicegui/{NICEGUI_VERSION}/"
_MADE_ANEW: Final = f"{_KEPT}dynamic_resources/"


class AnswerHeaders:
    """Puts the proxy's prefix before redirects on this site, and says how long NiceGUI's own files may be kept."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        kept = path.startswith(_KEPT) and not path.startswith(_MADE_ANEW)
        prefix = Headers(scope=scope).get("x-forwarded-prefix", "")

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message["headers"]))
                if prefix and headers.get("location", "").startswith("/"):
                    headers["location"] = prefix + headers["location"]
                if kept:
                    headers["cache-control"] = core.app.config.cache_control_directives
                message = {**message, "headers": headers.raw}
            await send(message)

        await self._app(scope, receive, answer)


def put_in_place() -> None:
    """Take the place of NiceGUI's two in its app; leaves a release alone that has others."""
    theirs: tuple[Any, ...] = (RedirectWithPrefixMiddleware, SetCacheControlMiddleware)
    found = [one for one in app.user_middleware if one.cls in theirs]
    if len(found) == len(theirs):
        place = app.user_middleware.index(found[0])
        app.user_middleware[:] = [one for one in app.user_middleware if one not in found]
        app.user_middleware.insert(place, Middleware(AnswerHeaders))
