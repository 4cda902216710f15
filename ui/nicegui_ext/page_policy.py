"""What a page's Content-Security-Policy must allow, and nonces for pages that are answered by NiceGUI alone.

A plain `@ui.page` is a full page: its scripts get the request's nonce here, and its address the word `unsafe-eval` in
`api/security.py`, which reads what is noted in the request's state.

Written against NiceGUI 3.18: its pages say so in a header, and its template has no place for a nonce.
"""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.nicegui_ext.full_document import with_nonces

NEEDS_EVAL: Final = "csp_eval"
"""In a request's state: whether its page lets the browser compile what NiceGUI sends."""

PAGE_HEADER: Final = "x-nicegui-content"


def mark(request: Request, *, needs_eval: bool) -> None:
    """Note what the page of this request needs."""
    request.scope.setdefault("state", {})[NEEDS_EVAL] = needs_eval


class PlainPages:
    """Middleware inside NiceGUI's app, below its compression: makes every page that is not ours a full one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def answer(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_plain_page(scope, message):
                start = message
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    await _send_page(scope, start, body, send)

        await self._app(scope, receive, answer)


def _is_plain_page(scope: Scope, message: Message) -> bool:
    headers = MutableHeaders(raw=list(message["headers"]))
    html = headers.get("content-type", "").startswith("text/html")
    return html and PAGE_HEADER in headers and NEEDS_EVAL not in scope.get("state", {})


async def _send_page(scope: Scope, start: Message, body: bytes, send: Send) -> None:
    state = scope.setdefault("state", {})
    state[NEEDS_EVAL] = True
    page = with_nonces(body.decode(), state.get("csp_nonce", "")).encode()
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["content-length"] = str(len(page))
    await send({**start, "headers": headers.raw})
    await send({"type": "http.response.body", "body": page})
