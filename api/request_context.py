"""The edge of the app: who really asks (behind trusted proxies), the request's id, one log line, and a last resort.

`HEAD` is answered here with the headers of `GET`, for every address but those of a sign-in, which it must not use up.
"""

import ipaddress
import re
import time
from collections.abc import Callable, Iterable
from typing import Final
from uuid import uuid4

import structlog
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import refusal
from services.web.base_path import base_path
from services.web.nameless_paths import without_names
from services.web.quiet_paths import QUIET_PATHS
from services.web.request_id import request_id
from services.web.route_class import RouteClass, route_class

REQUEST_ID: Final = b"x-request-id"
FORWARDED: Final = (b"x-forwarded-", b"forwarded", b"x-real-ip")
LONGEST_PATH: Final = 200
"""Characters of a path that are logged."""

_USABLE_ID: Final = re.compile(r"[A-Za-z0-9._:-]{8,64}")
_SECURE: Final = {"http": "https", "ws": "wss"}

CountRequest = Callable[[RouteClass, int, float], None]
"""Told of each request: what was asked for, the status of the answer (0: its sender left), and how long it took."""

_log = structlog.get_logger("request")


class RequestContextMiddleware:
    """Wraps the app and its other guards; believes the X-Forwarded-* headers of these addresses and networks only."""

    def __init__(
        self, app: ASGIApp, trusted_proxies: Iterable[str] = (), count: CountRequest = lambda *_request: None
    ) -> None:
        self._app = app
        self._count = count
        self._trusted = tuple(ipaddress.ip_network(network) for network in trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope = self._as_seen(scope)
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        identifier = scope["state"]["request_id"]
        token = request_id.set(identifier)
        structlog.contextvars.clear_contextvars()
        try:
            await self._serve(scope, receive, send, identifier)
        finally:
            request_id.reset(token)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, identifier: str) -> None:
        head_only = scope["method"] == "HEAD" and not scope["path"].startswith("/auth/")
        inner = {**scope, "method": "GET"} if head_only else scope
        started_at = time.perf_counter()
        status, complete, gone = 0, False, False

        async def take() -> Message:
            nonlocal gone
            message = await receive()
            gone = gone or message["type"] == "http.disconnect"
            return message

        async def answer(message: Message) -> None:
            nonlocal status, complete
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), (REQUEST_ID, identifier.encode())]}
            elif message["type"] == "http.response.body":
                complete = not message.get("more_body", False)
                message = {**message, "body": b""} if head_only else message
            await send(message)

        try:
            await self._app(inner, take, answer)
        except Exception as error:
            said = {"method": scope["method"], "path": printable(scope["path"])}
            if gone:  # engine.io and Starlette fail on that, each in a way of its own
                _log.info("sender_gone", cause=repr(error), **said)
                return
            _log.exception("request_failed", **said)
            if status and not complete:
                raise
            if not complete:
                await _last_resort(scope, receive, answer)
        finally:
            seconds = time.perf_counter() - started_at
            self._count(route_class(scope["method"], scope["path"]), status, seconds)
            quiet = status < 400 and scope["path"].startswith(QUIET_PATHS)
            (_log.debug if quiet else _log.info)(
                "request",
                method=scope["method"],
                path=printable(scope["path"]),
                status=status,
                elapsed_ms=round(seconds * 1000, 1),
            )

    def _as_seen(self, scope: Scope) -> Scope:
        """Return the scope with the browser's own address and scheme, and without any forwarded header but our own.

        What a proxy we trust does not set, it passes on as the browser sent it: NiceGUI would put X-Forwarded-Prefix
        before the addresses of its scripts, whatever stands in it. So it is told PUBLIC_URL's path and no other.
        """
        seen = self._without_forwarded(scope)
        if base := base_path():
            seen["headers"] = [*seen["headers"], (b"x-forwarded-prefix", base.encode())]
        return seen

    def _without_forwarded(self, scope: Scope) -> Scope:
        headers: list[tuple[bytes, bytes]] = list(scope["headers"])
        given = Headers(raw=headers).get("x-request-id", "")
        state = scope.setdefault("state", {})  # the same for all: the guards around it read what pages note in it
        state["request_id"] = given if _USABLE_ID.fullmatch(given) else uuid4().hex
        forwarded = any(name.startswith(FORWARDED) for name, _value in headers)
        state["forwarded"] = forwarded
        seen: Scope = {**scope, "state": state}
        if not forwarded:
            return seen
        client = scope.get("client")
        seen["headers"] = [(name, value) for name, value in headers if not name.startswith(FORWARDED)]
        if client is None or not self._is_trusted(client[0]):
            return seen
        chain = [part.strip() for part in ",".join(Headers(raw=headers).getlist("x-forwarded-for")).split(",")]
        seen["client"] = (self._nearest_stranger(chain) or client[0], 0)
        if Headers(raw=headers).get("x-forwarded-proto", "").split(",")[-1].strip().lower() in ("https", "wss"):
            seen["scheme"] = _SECURE.get(scope["scheme"], scope["scheme"])
        return seen

    def _nearest_stranger(self, chain: list[str]) -> str | None:
        """Return the last address in an X-Forwarded-For chain that is no proxy of ours; each appends on the right."""
        for address in reversed(chain):
            if not _is_address(address):
                return None
            if not self._is_trusted(address):
                return address
        return None

    def _is_trusted(self, address: str) -> bool:
        if not _is_address(address):
            return False
        parsed = ipaddress.ip_address(address)
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self._trusted)


def printable(text: str) -> str:
    """Return a stranger's text as a log may hold it: not long, no user's id, nothing in it that steers a terminal."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in without_names(text)[:LONGEST_PATH])


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


async def _last_resort(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"].startswith("/api"):
        await refusal(500)(scope, receive, send)
        return
    text = "Something went wrong on our side. Try again once; if that fails too, contact us."
    await PlainTextResponse(text, 500, {"Cache-Control": "no-store"})(scope, receive, send)
