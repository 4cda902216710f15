"""Around every request: how large it may be, how often it may come, how long it took, and an id to find it by."""

import re
import secrets
import time
from typing import Final

import structlog
from fastapi import Request
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payment_service.errors import ServiceError
from payment_service.metrics import ServiceMetrics
from payment_service.settings import ServiceSettings

LARGEST: Final = 64 * 1024
LARGEST_EVENT: Final = 1024 * 1024
WEBHOOK_PATH: Final = "/webhooks/stripe"
_REQUEST_ID: Final = re.compile(rb"[\w.-]{8,100}")


class ServiceLimits:
    """How often what is allowed. Each instance counts for itself."""

    def __init__(self, settings: ServiceSettings, metrics: ServiceMetrics) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._checkouts, self._refused = parse(settings.checkout_limit), parse(settings.refused_limit)
        self._metrics = metrics

    def checkout(self, user_id: str) -> None:
        """Raise TOO_MANY_REQUESTS where one user opens checkouts without end."""
        if not self._limiter.hit(self._checkouts, "checkout", user_id):
            self._metrics.refused.labels("checkouts").inc()
            raise _too_many("One user opened too many checkouts; try again in a minute.")

    def refused(self, request: Request, reason: str, error: ServiceError) -> ServiceError:
        """Return the answer to a caller who has no right to be here: the error, or that it was too often."""
        self._metrics.refused.labels(reason).inc()
        address = request.client.host if request.client else ""
        if self._limiter.hit(self._refused, "refused", address):
            return error
        return _too_many("Too many refused calls from this address.")


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

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, bounded, noted)
            finally:
                route = getattr(scope.get("route"), "path", "other")
                self._metrics.requests.labels(route, str(status)).observe(time.monotonic() - began)


def _too_many(description: str) -> ServiceError:
    return ServiceError(429, "TOO_MANY_REQUESTS", "Too many requests", description)
