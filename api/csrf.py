"""State is changed, and the socket opened, only from our own pages (OWASP ASVS 3.5, 4.4.2).

Browsers say where a request comes from, in `Sec-Fetch-Site` and `Origin`, and no script can forge either. Bodies are
JSON under `/api/` (which no plain form can send) and form fields elsewhere, small, and here in time. A file goes to the
address that `ui.upload` on a full page has for it alone.
"""

import asyncio
import re
from typing import Final
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import refusal
from api.request_context import printable
from settings import Settings

SOCKET_PATH: Final = "/_nicegui_ws"
SOCKET: Final = "/_nicegui_ws/socket.io/"
"""The one address below it at which there is a socket; at others engine.io answers it in a way that fails."""

SIGNED_PATHS: Final = frozenset({"/api/payment/events", "/api/entitlements/query"})
"""Routes for other services: they prove themselves by a signature or a token, and a cookie counts for nothing there."""

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
UPLOAD_PATH: Final = re.compile(r"/_nicegui/client/[0-9a-f-]{36}/upload/\d+")
LARGEST_BODY: Final = 64 * 1024
LARGEST_UPLOAD: Final = 10 * 1024 * 1024
BODY_DEADLINE: Final = 10.0

_OURS: Final = frozenset({"same-origin", "none"})
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")

_log = structlog.get_logger("security")


class CsrfGuard:
    """Refuses what another site's page, or a body of another kind, would change."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._origins = own_origins(settings.public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "websocket":
            if not self._may_open(scope):
                origin = printable(Headers(scope=scope).get("origin", ""))
                _log.warning("foreign_socket", path=printable(scope["path"]), origin=origin)
                await _refuse_socket(receive, send)
                return
        elif scope["type"] == "http":
            status = self._refused(scope)
            if status is None and scope["method"] not in SAFE_METHODS and not _is_streamed(scope):
                body = await _read(scope, receive)
                status = body if isinstance(body, int) else None
                receive = receive if isinstance(body, int) else _replay(body, receive)
            if status is not None:
                _log.warning("request_not_ours", path=printable(scope["path"]), method=scope["method"], status=status)
                await _refusal(scope, status)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _may_open(self, scope: Scope) -> bool:
        """Whether a socket is asked for by a page of ours, where there is one."""
        is_ours = Headers(scope=scope).get("origin", "").lower() in self._origins
        return is_ours and (not _is_socket(scope) or f"{scope['path']}/".startswith(SOCKET))

    def _refused(self, scope: Scope) -> int | None:
        headers = Headers(scope=scope)
        if scope["method"] in SAFE_METHODS:
            return 403 if _is_socket(scope) and not self._is_ours(headers, default=True) else None
        path: str = scope["path"]
        if path in SIGNED_PATHS:
            return _refused_kind(headers, "application/json")
        if not self._is_ours(headers, default="cookie" not in headers):
            return 403
        if _is_socket(scope):
            return None
        if UPLOAD_PATH.fullmatch(path):
            return _refused_upload(headers)
        wanted = "application/json" if path.startswith("/api/") else "application/x-www-form-urlencoded"
        return _refused_kind(headers, wanted)

    def _is_ours(self, headers: Headers, *, default: bool) -> bool:
        """Whether the request comes from our own page or from the user; `default` where the browser does not say."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None and site.lower() not in _OURS:
            return False
        if origin is not None:
            return origin.lower() in self._origins
        return True if site is not None else default


def own_origins(public_url: str) -> frozenset[str]:
    """Return the origins that are ours, as browsers write them: PUBLIC_URL's, and each name of this machine for one."""
    parts = urlsplit(public_url.lower())
    host = parts.hostname or ""
    names = _LOOPBACK if host in {name.strip("[]") for name in _LOOPBACK} else (f"[{host}]" if ":" in host else host,)
    usual = parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme))
    return frozenset(f"{parts.scheme}://{name}{'' if usual else f':{parts.port}'}" for name in names)


def _is_socket(scope: Scope) -> bool:
    return str(scope["path"]).startswith(SOCKET_PATH)


def _is_streamed(scope: Scope) -> bool:
    """Whether NiceGUI reads the body as it comes."""
    return _is_socket(scope) or UPLOAD_PATH.fullmatch(str(scope["path"])) is not None


def _refused_upload(headers: Headers) -> int | None:
    """Return why files are not taken; they say how large they are, and the server holds them to it."""
    length = headers.get("content-length", "")
    if not length.isdecimal() or int(length) > LARGEST_UPLOAD:
        return 413
    return _refused_kind(headers, "multipart/form-data")


def _refused_kind(headers: Headers, wanted: str) -> int | None:
    """Return 415 for a body of another media type; no body is of any type."""
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return None
    return None if headers.get("content-type", "").partition(";")[0].strip().lower() == wanted else 415


def _refusal(scope: Scope, status: int) -> Response:
    if scope["path"].startswith("/api/"):
        return refusal(status)
    words = {
        403: "This did not come from our own page, so nothing was changed. Go back, reload the page and try again.",
        408: "The request took too long to arrive. Try again.",
        413: "That is more than we take in one request.",
        415: "This address takes form fields only.",
    }
    return PlainTextResponse(words[status], status, {"Cache-Control": "no-store"})


async def _read(scope: Scope, receive: Receive) -> bytes | int:
    """Return the whole body, or the status that refuses it."""
    length = Headers(scope=scope).get("content-length", "0")
    if not length.isdecimal() or int(length) > LARGEST_BODY:
        return 413
    parts: list[bytes] = []
    try:
        async with asyncio.timeout(BODY_DEADLINE):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return 408  # half of what was meant may mean something else
                parts.append(message.get("body", b""))
                if sum(map(len, parts)) > LARGEST_BODY:
                    return 413
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        return 408


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body that was read, then whatever comes next."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _refuse_socket(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 1008, "reason": "foreign origin"})
