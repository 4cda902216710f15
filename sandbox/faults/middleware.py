"""The door of the Payment MS, the Auth MS and Stripe's API: counts each request, applies faults, and can be poisoned.

Pure ASGI around the app. It reads the whole request first, so that an overlap is one of complete requests, as with
the real service's single database connection.
"""

import asyncio
import time
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.faults.planned import Fault
from sandbox.faults.traffic import ReceivedRequest, operation_of, user_of
from sandbox.payment.single_connection import WORK_SECONDS
from sandbox.state import SandboxState

_LOST_BODY: Final = b'{"error":"Invalid API key"}\n'
_ERROR: Final = '{"error":"%s"}\n'
_STRIPE_ERROR: Final = '{"error":{"message":"%s","type":"api_error"}}\n'
_UNCOUNTED: Final = ("/static/", "/pictures/")


@dataclass
class FaultMiddleware:
    app: ASGIApp
    service: str
    state: SandboxState

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_UNCOUNTED):
            await self.app(scope, receive, send)
            return
        send = self._dated(send)
        body = await _whole_body(receive)
        path = str(scope.get("raw_path", b"").decode("ascii", "replace") or scope["path"])
        operation = operation_of(self.service, path)
        call = ReceivedRequest(
            self.service, operation, user_of(path, body), scope["method"], path.split("?")[0], time.time()
        )
        self.state.traffic.begin(call)
        try:
            await self._serve(call, body, scope, receive, _noting_status(call, send))
        finally:
            self.state.traffic.end(call)

    def _dated(self, send: Send) -> Send:
        """With a `Date` header: the real time, or a wrong one where a service's clock is off."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                offset = 0.0 if self.service == "stripe" else self.state.runtime_settings.current.date_offset
                seconds = self.state.clock.real() + offset
                date = formatdate(seconds, usegmt=True).encode()
                message = {**message, "headers": [*message["headers"], (b"date", date)]}
            await send(message)

        return dated

    async def _serve(self, call: ReceivedRequest, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        guarded = self.service == "payment" and call.path.startswith(("/api", "/admin"))
        fault = self.state.faults.take(self.service, call.operation, call.user_id)
        latency = 0.0 if self.service == "stripe" else self.state.runtime_settings.current.latency
        pause = latency + (fault.delay if fault and not fault.after else 0.0)
        if guarded and self.state.runtime_settings.current.one_connection:
            await self._hold_the_connection(max(pause, WORK_SECONDS), receive)
        elif pause:
            await asyncio.sleep(pause)
        if guarded and self.state.connection.lost:
            await _answer(send, 401, "text/plain; charset=utf-8", _LOST_BODY)
        elif fault is None or (fault.after and not fault.answers) or not (fault.after or fault.answers):
            await self.app(scope, _replay(body, receive), send)
        else:
            if fault.after:
                await self.app(scope, _replay(body, receive), _swallow)
                await asyncio.sleep(fault.delay)
            await _answer_with(fault, send, _STRIPE_ERROR if self.service == "stripe" else _ERROR)

    async def _hold_the_connection(self, seconds: float, receive: Receive) -> None:
        """Two at once, or a client that leaves in the middle, break the connection until a restart."""
        left = asyncio.ensure_future(receive())
        try:
            with self.state.connection.held():
                done, _ = await asyncio.wait({left}, timeout=seconds)
            if done and left.result()["type"] == "http.disconnect":
                self.state.connection.lost = True
        finally:
            left.cancel()


async def _whole_body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return body
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


def _replay(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


def _noting_status(call: ReceivedRequest, send: Send) -> Send:
    async def noting(message: Message) -> None:
        if message["type"] == "http.response.start":
            call.status = message["status"]
        await send(message)

    return noting


async def _swallow(message: Message) -> None:
    """The answer that gets lost."""


async def _answer_with(fault: Fault, send: Send, error: str) -> None:
    status = fault.status or 200
    body = fault.body if fault.body is not None else error % f"{status} by order of the sandbox"
    headers = dict(fault.headers)
    if fault.retry_after is not None:
        headers["Retry-After"] = fault.retry_after
    await _answer(send, status, fault.content_type, body.encode(), headers, truncate=fault.truncate)


async def _answer(
    send: Send,
    status: int,
    content_type: str,
    body: bytes,
    headers: dict[str, str] | None = None,
    *,
    truncate: bool = False,
) -> None:
    lines = {"Content-Type": content_type, "Content-Length": str(len(body)), **(headers or {})}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in lines.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body[: len(body) // 2] if truncate else body})
