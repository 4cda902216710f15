"""A server that misbehaves on request: raw sockets, with toxiproxy's vocabulary.

It speaks just enough HTTP to know where a request ends. What it answers is a script of behaviours, one a
request, the last one repeated; each is made by a function below (``reply``, ``reset_peer``, ``timeout`` …).
Everything it was sent is kept in ``requests``.
"""

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> dict[str, object]:
        content = json.loads(self.body)
        assert isinstance(content, dict)
        return content


@dataclass(slots=True)
class ServedConnection:
    """The connection that a behaviour answers on."""

    writer: asyncio.StreamWriter
    reader: asyncio.StreamReader
    request: Received | None = None

    async def send(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    async def gone(self) -> None:
        """Wait until the client has closed the connection."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(1024):
                pass


Behaviour = Callable[[ServedConnection], Awaitable[None]]


class FaultServer:
    """Listens on a free port of loopback while its context is open; ``stop`` and ``start`` keep the port."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.open_now = 0
        self.most_open = 0
        self.port = 0
        self._tls = tls
        self._script: list[Behaviour] = [reply({})]
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def behave(self, *script: Behaviour) -> None:
        """Answer the next requests so, the last one for all that follow."""
        self._script = list(script)

    def behaviour_for(self, request: Received) -> Behaviour:
        """Return how this request is answered."""
        return self._script.pop(0) if len(self._script) > 1 else self._script[0]

    async def received(self, count: int) -> None:
        """Wait until ``count`` requests have arrived."""
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(lambda: len(self.requests) >= count)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections from now on, and drop those that are open."""
        if self._server is not None:
            self._server.close()
        for conversation in self._conversations:
            conversation.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)
        self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        try:
            await self._converse(ServedConnection(writer, reader), self.connections)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            return  # the client left, or the test is over
        finally:
            self._conversations.discard(task)
            writer.close()

    async def _converse(self, wire: ServedConnection, connection: int) -> None:
        while not wire.writer.is_closing():
            request = await _read_request(wire.reader, connection)
            self.requests.append(request)
            async with self._changed:
                self._changed.notify_all()
            behaviour = self.behaviour_for(request)
            self.open_now += 1
            self.most_open = max(self.most_open, self.open_now)
            wire.request = request
            try:
                await behaviour(wire)
            finally:
                self.open_now -= 1


async def _read_request(reader: asyncio.StreamReader, connection: int) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body, connection)


def message(
    status: int, body: bytes, content_type: str | None = "application/json", headers: dict[str, str] | None = None
) -> bytes:
    """Return a whole HTTP answer."""
    fields = {"Content-Length": str(len(body))}
    if content_type is not None:
        fields["Content-Type"] = content_type
    fields |= headers or {}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode("latin-1") + body


def reply(
    content: object,
    status: int = 200,
    *,
    content_type: str | None = "application/json",
    headers: dict[str, str] | None = None,
) -> Behaviour:
    """Answer with ``content``: bytes and text as they are, anything else as JSON."""
    if isinstance(content, str):
        content = content.encode()
    body = content if isinstance(content, bytes) else json.dumps(content).encode()

    async def behave(wire: ServedConnection) -> None:
        await wire.send(message(status, body, content_type, headers))

    return behave


def redirect(location: str, status: int = 302) -> Behaviour:
    """Answer with a redirect to an HTML page, as the Payment MS does for an unknown path."""
    return reply(
        f'<a href="{location}">Found</a>.',
        status,
        content_type="text/html; charset=utf-8",
        headers={"Location": location},
    )


def reset_peer(after: bytes = b"") -> Behaviour:
    """Send ``after``, then break the connection with RST."""

    async def behave(wire: ServedConnection) -> None:
        if after:
            await wire.send(after)
        connection = wire.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wire.writer.transport.abort()

    return behave


def hang_up() -> Behaviour:
    """Close the connection politely without an answer, as a server does whose keep-alive ran out."""

    async def behave(wire: ServedConnection) -> None:
        wire.writer.close()

    return behave


def timeout() -> Behaviour:
    """Say nothing until the client gives up."""

    async def behave(wire: ServedConnection) -> None:
        await wire.gone()
        wire.writer.close()

    return behave


def hold(released: asyncio.Event, then: Behaviour) -> Behaviour:
    """Say nothing until ``released``, then behave as ``then``: slow headers, without a clock."""

    async def behave(wire: ServedConnection) -> None:
        await released.wait()
        await then(wire)

    return behave


def slicer(body: bytes, delay: float = 0.05) -> Behaviour:
    """Send the headers at once and the body one byte each ``delay`` seconds."""

    async def behave(wire: ServedConnection) -> None:
        whole = message(200, body)
        await wire.send(whole[: len(whole) - len(body)])
        for byte in body:
            await wire.send(bytes([byte]))
            await asyncio.sleep(delay)

    return behave


def limit_data(content: object, keep: int) -> Behaviour:
    """Promise the whole of ``content``, send its first ``keep`` bytes, and close."""

    async def behave(wire: ServedConnection) -> None:
        body = json.dumps(content).encode()
        whole = message(200, body)
        await wire.send(whole[: len(whole) - len(body) + keep])
        wire.writer.close()

    return behave


def flood(size: int, *, declared: bool = True) -> Behaviour:
    """Send ``size`` bytes of JSON, with their length declared or in chunks."""

    async def behave(wire: ServedConnection) -> None:
        length = f"Content-Length: {size}" if declared else "Transfer-Encoding: chunked"
        await wire.send(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{length}\r\n\r\n".encode())
        block = b'"' + b"x" * 65535
        for _ in range(size // len(block) + 1):
            await wire.send(block if declared else b"%x\r\n%b\r\n" % (len(block), block))
        wire.writer.close()

    return behave


@contextlib.asynccontextmanager
async def full_backlog() -> AsyncIterator[str]:
    """Yield the address of a port whose queue is full, so that connecting to it never ends."""
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await loop.sock_connect(waiting, listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
