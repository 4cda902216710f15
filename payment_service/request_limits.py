"""Around every request: how large it may be, how long it took, and an id by which it is found in the log."""

import re
import secrets
import time
from typing import Final

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payment_service.metrics import ServiceMetrics

LARGEST: Final = 64 * 1024
LARGEST_EVENT: Final = 1024 * 1024
WEBHOOK_PATH: Final = "/webhooks/stripe"
_REQUEST_ID: Final = re.compile(rb"[\w.-]{8,100}")


class Around:
    """The middleware."""

    def __init__(self, app: ASGIApp, metrics: ServiceMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, bounded and measured."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"")
        request_id = given.decode() if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        left = LARGEST_EVENT if scope["path"] == WEBHOOK_PATH else LARGEST
        began, status = time.monotonic(), 500

        async def bounded() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, "The body is too large")
            return message

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, bounded, noted)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(route, str(status)).observe(time.monotonic() - began)
            structlog.contextvars.unbind_contextvars("request_id")
