"""However a Redis goes away, callers hear one thing, and what runs in the background lives on. No server is needed."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
import structlog
import uvloop
from redis.asyncio.connection import Connection
from redis.exceptions import RedisError

from services.errors import StoreUnavailable
from services.rate_limits import Policy, RateLimits
from services.storage import redis_listener
from services.storage.redis_concurrency import RedisConcurrencyLimit
from services.storage.redis_store import RedisStore

pytestmark = pytest.mark.slow

FAILURES = (
    RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed"),
    RuntimeError("Event loop is closed"),
    AttributeError("'NoneType' object has no attribute 'writelines'"),
    ConnectionResetError(104, "Connection reset by peer"),
    BrokenPipeError(32, "Broken pipe"),
    OSError(113, "No route to host"),
    socket.gaierror(-3, "Temporary failure in name resolution"),
    EOFError(),
    UnicodeError("label too long"),
    TimeoutError(),
    RedisError("anything else"),
)

Fail = Callable[[Exception | None], None]


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Fail:
    """Sets what every command of redis-py raises."""
    failing: list[Exception | None] = [RedisError("not told yet")]

    async def send(_connection: Connection, *_args: object, **_kwargs: object) -> None:
        if failing[0] is not None:
            raise failing[0]

    async def connect(_connection: Connection) -> None:
        return None

    monkeypatch.setattr(Connection, "send_packed_command", send)
    monkeypatch.setattr(Connection, "connect", connect)

    def set_failure(error: Exception | None) -> None:
        failing[0] = error

    return set_failure


@pytest_asyncio.fixture
async def store() -> AsyncIterator[RedisStore]:
    store = RedisStore("redis://127.0.0.1:1/0")
    yield store
    await store.close()


async def hold_lock(store: RedisStore) -> None:
    async with store.lock("user", wait=0.1):
        pass


async def hold_slot(store: RedisStore) -> None:
    async with RedisConcurrencyLimit(store, "slots", 1).slot(0.5):
        pass


CALLS: dict[str, Callable[[RedisStore], object]] = {
    "get": lambda store: store.get("a"),
    "put": lambda store: store.put("a", "1", None),
    "add": lambda store: store.add("a", "1", None),
    "fields": lambda store: store.fields("a"),
    "put_field": lambda store: store.put_field("a", "b", "1", None),
    "keys": lambda store: store.keys(""),
    "publish": lambda store: store.publish("a", ""),
    "ping": lambda store: store.ping(),
    "lock": hold_lock,
    "slot": hold_slot,
}


@pytest.mark.parametrize("error", FAILURES, ids=repr)
@pytest.mark.parametrize("name", CALLS)
async def test_every_call_says_that_the_store_is_away(
    store: RedisStore, fail: Fail, name: str, error: Exception
) -> None:
    fail(error)

    with pytest.raises(StoreUnavailable):
        await CALLS[name](store)  # type: ignore[misc]


@pytest.mark.parametrize("error", FAILURES, ids=repr)
async def test_limits_are_counted_in_this_process_instead(fail: Fail, error: Exception) -> None:
    fail(error)
    limits = RateLimits("redis://127.0.0.1:1/0")

    await limits.hit(Policy("portal", "5 per minute"), "user")

    assert limits.degraded
    await limits.close()


@pytest.mark.parametrize("error", [*FAILURES, KeyError("a message of an odd form")], ids=repr)
async def test_the_listener_goes_on_after_every_error(
    store: RedisStore, fail: Fail, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fail(error)
    tries = 0

    async def receive(_self: object, _pubsub: object) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise error
        again.set()
        await asyncio.Event().wait()

    again = asyncio.Event()
    monkeypatch.setattr(redis_listener.RedisListener, "_receive", receive)
    with structlog.testing.capture_logs() as logged:
        async with store.subscribe("channel"):
            async with asyncio.timeout(5):
                await again.wait()

    assert {line["event"] for line in logged} <= {"store_listener_lost", "store_listener_crashed"}
    assert logged


async def test_a_slot_is_renewed_on_after_an_error_nobody_foresaw(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    renewed = asyncio.Event()

    async def script(*_args: object, **_kwargs: object) -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            return 1  # the slot is taken
        if calls == 2:
            raise ValueError("a bug")
        renewed.set()
        return 0

    async def publish(_channel: str, _message: str) -> None:
        return None

    monkeypatch.setattr(store, "script", script)
    monkeypatch.setattr(store, "publish", publish)
    with structlog.testing.capture_logs() as logged:
        async with RedisConcurrencyLimit(store, "slots", 1, lease=0.04).slot(1):
            async with asyncio.timeout(5):
                await renewed.wait()

    assert [line["event"] for line in logged] == ["slot_renewal_failed"]


async def test_a_lock_is_extended_on_after_an_error_nobody_foresaw(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    extensions = 0
    extended = asyncio.Event()

    async def script(operation: str, *_args: object, **_kwargs: object) -> int:
        nonlocal extensions
        if operation == "extend":
            extensions += 1
            if extensions == 1:
                raise ValueError("a bug")
            extended.set()
        return 1

    monkeypatch.setattr(store, "script", script)
    with structlog.testing.capture_logs() as logged:
        async with store.lock("user", ttl=0.04):
            async with asyncio.timeout(5):
                await extended.wait()

    assert [line["event"] for line in logged] == ["lock_extension_failed"]


def test_a_transport_that_was_closed_meanwhile_is_the_stores_failure_under_uvloop() -> None:
    """In the loop that uvicorn brings, and on a real socket: this is where the odd error comes from."""
    raised: list[BaseException] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()

    async def send(connection: Connection, command: list[bytes]) -> None:
        assert connection._writer is not None
        connection._writer.transport.abort()
        await asyncio.sleep(0)
        try:
            await sent(connection, command)
        except RuntimeError as error:
            raised.append(error)
            raise

    async def talk() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            store = RedisStore(f"redis://127.0.0.1:{port}/0", connections=1)
            with pytest.raises(StoreUnavailable):
                await store.put("a", "1", None)
            await store.close()
        await server.wait_closed()

    sent = Connection._send_packed_command
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "_send_packed_command", send)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(talk())

    assert raised


async def test_a_call_under_way_when_the_store_closes_does_not_connect_again() -> None:
    """A connection that nobody closes is a warning when it is collected, in whatever runs then."""
    asked, connections = asyncio.Event(), 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while said := await reader.read(4096):
            writer.write(b"+OK\r\n" * said.count(b"SETINFO") + b"+PONG\r\n" * said.count(b"PING"))
            if b"$3\r\nGET" in said:
                asked.set()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        store = RedisStore(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
        call = asyncio.create_task(store.get("anything"))
        await asked.wait()
        await store.close()

        with pytest.raises(StoreUnavailable):
            await call
        assert connections == 1
