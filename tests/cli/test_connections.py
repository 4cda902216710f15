"""Connections on a real socket: none stays half open, and what is no HTTP makes one line a minute and no trace."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio
import uvicorn
from starlette.types import Receive, Scope, Send

from cli.connections import PIECE, SAID_EVERY, OnceAMinute, QuietSocket, TimedConnection
from tests.faults.shop import until

DEADLINE: Final = 0.3
PATIENCE: Final = 20.0
"""Seconds after which a test gives up; far more than any deadline here."""

POST: Final = b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
OK: Final = b"\r\n\r\nxx"
SOCKET: Final = (
    b"GET / HTTP/1.1\r\nHost: %b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
)


class HurriedConnection(TimedConnection):
    """One that is not patient, so that no test has to be."""

    piece_deadline = DEADLINE
    answer_deadline = DEADLINE


class ServedApp:
    """A small app behind such connections: it reads bodies at `/read`, and answers slowly at `/slow`."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.read: list[int] = []
        config = uvicorn.Config(
            self._app,
            port=0,
            http=HurriedConnection,
            ws=QuietSocket,
            interface="asgi3",
            log_config=None,
            lifespan="off",
            timeout_keep_alive=60,
        )
        self.server = uvicorn.Server(config)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server.servers[0].sockets[0].getsockname()[1])

    @property
    def connections(self) -> int:
        """How many it keeps."""
        return len(self.server.server_state.connections)

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        if scope["path"] == "/read":
            more, size = True, 0
            while more:
                message = await receive()
                more, size = message.get("more_body", False), size + len(message.get("body", b""))
            self.read.append(size)
        if scope["path"] == "/slow":
            await self.may_answer.wait()
        body = b"x" * (10_000_000 if scope["path"] == "/large" else 2)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})

    @contextlib.asynccontextmanager
    async def open(self, data: bytes) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Connect and send so much."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def answer_to(self, data: bytes) -> bytes:
        """Return all that comes until the server closes the connection."""
        async with self.open(data) as (reader, _writer), asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError):
                return await reader.read()
        return b""


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ServedApp]:
    made = ServedApp()
    running = asyncio.create_task(made.server.serve())
    await until(lambda: made.server.started, PATIENCE)
    yield made
    made.may_answer.set()
    made.server.should_exit = True
    await asyncio.wait_for(running, PATIENCE)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", b""),
        (b"\r\n", b""),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ", b"HTTP/1.1 408"),
        (POST % 10 + b"half", b"HTTP/1.1 408"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf", b"HTTP/1.1 200"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT", b"HTTP/1.1 200"),
    ],
    ids=["silent", "blank", "headers", "body", "body that nobody reads", "the next headers"],
)
async def test_what_is_half_open_is_closed(server: ServedApp, sent: bytes, status: bytes) -> None:
    answer = await server.answer_to(sent)

    assert answer.startswith(status)
    assert answer or not status
    await until(lambda: not server.connections, PATIENCE)


async def test_a_drip_holds_no_connection(server: ServedApp) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"a")
            await asyncio.sleep(DEADLINE / 10)

    async with server.open(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ") as (reader, writer):
        dripping = asyncio.create_task(drip(writer))
        answer = await asyncio.wait_for(reader.readline(), PATIENCE)
        dripping.cancel()

    assert answer.startswith(b"HTTP/1.1 408")


async def test_a_large_body_may_take_its_time_as_long_as_it_comes(server: ServedApp) -> None:
    pieces = 6
    async with server.open(POST % (pieces * PIECE)) as (reader, writer):
        for _piece in range(pieces):
            writer.write(b"x" * PIECE)
            await writer.drain()
            await asyncio.sleep(DEADLINE / 3)

        answer = await asyncio.wait_for(reader.readuntil(OK), PATIENCE)

    assert answer.startswith(b"HTTP/1.1 200")
    assert server.read == [pieces * PIECE]


async def test_a_connection_rests_between_requests_and_waits_for_a_slow_answer(server: ServedApp) -> None:
    async with server.open(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as (reader, writer):
        await asyncio.wait_for(reader.readuntil(OK), PATIENCE)
        await asyncio.sleep(2 * DEADLINE)
        writer.write(b"\r\nGET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        asyncio.get_running_loop().call_later(2 * DEADLINE, server.may_answer.set)

        answer = await asyncio.wait_for(reader.readuntil(OK), PATIENCE)

    assert answer.startswith(b"HTTP/1.1 200")


async def test_an_answer_that_nobody_takes_is_given_up(server: ServedApp) -> None:
    async with server.open(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"):
        await until(lambda: server.connections == 1, PATIENCE)
        await until(lambda: not server.connections, PATIENCE)


async def test_what_is_no_http_is_refused_and_leaves_no_trace(
    server: ServedApp, caplog: pytest.LogCaptureFixture
) -> None:
    hosts = (b"caf\xe9", b"a" * 80, b"x")
    endless = [SOCKET % host + b"\r\n" for host in hosts] + [SOCKET % b"x" + b"Sec-WebSocket-Protocol: \xff\r\n\r\n"]
    endless += [b"\x16\x03\x01\x02\x00\x01", b"PRI * HTTP/2.0\r\n\r\n", b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n"]

    for sent in endless:
        assert not (await server.answer_to(sent)).startswith((b"HTTP/1.1 2", b"HTTP/1.1 5"))

    await until(lambda: not server.connections, PATIENCE)
    assert not [record for record in caplog.records if record.exc_info or record.levelno > logging.WARNING]


def test_each_message_is_said_once_a_minute_and_each_trace_whenever_it_is() -> None:
    now = 0.0
    once = OnceAMinute(lambda: now)

    def record(line: int, *, trace: bool = False) -> logging.LogRecord:
        error = (ValueError, ValueError(), None) if trace else None
        return logging.LogRecord("uvicorn.error", logging.WARNING, "x.py", line, "said", (), error)

    assert [once.filter(record(1)), once.filter(record(1)), once.filter(record(2))] == [True, False, True]
    assert [once.filter(record(3, trace=True)) for _time in range(2)] == [True, True]
    now = SAID_EVERY
    assert once.filter(record(1))
