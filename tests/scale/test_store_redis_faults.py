"""A Redis that hangs, dies, comes back without its data, or will not write: no empty answer and no long wait."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from harness.redis_server import RedisServer
from services.errors import StoreUnavailable
from services.storage.port import RESYNC
from services.storage.redis_store import RedisStore
from tests.unit.services.storage.store_behaviour import eventually

pytestmark = pytest.mark.scale

BOUND = 2.5


@pytest_asyncio.fixture
async def store(redis_server: RedisServer) -> AsyncIterator[RedisStore]:
    store = RedisStore(redis_server.url)
    await store.put("session", "s", None)
    await store.put_field("cart", "item", "2", None)
    yield store
    redis_server.resume()
    await store.close()


CALLS: dict[str, Callable[[RedisStore], Awaitable[object]]] = {
    "get": lambda store: store.get("session"),
    "fields": lambda store: store.fields("cart"),
    "keys": lambda store: store.keys(""),
    "put": lambda store: store.put("session", "t", 60),
    "add": lambda store: store.add("checkout", "c", 60),
    "replace": lambda store: store.replace("session", "s", "t", 60),
    "delete": lambda store: store.delete("other"),
    "delete_if": lambda store: store.delete_if("other", "s"),
    "put_field": lambda store: store.put_field("cart", "item", "3", 60),
    "delete_field": lambda store: store.delete_field("cart", "none"),
    "publish": lambda store: store.publish("channel", "x"),
    "ping": lambda store: store.ping(),
    "lock": lambda store: _lock(store),
}


async def _lock(store: RedisStore) -> None:
    async with store.lock("user"):
        pass


async def _refused_in(call: Awaitable[object]) -> float:
    """Return the seconds after which the call was refused; any answer fails the test."""
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await call
    return time.monotonic() - started


async def _answers(store: RedisStore) -> bool:
    try:
        await store.ping()
    except StoreUnavailable:
        return False
    return True


@pytest.mark.parametrize("warm", [True, False], ids=["connected", "new"])
async def test_a_hung_redis_refuses_every_call_in_time(
    store: RedisStore, redis_server: RedisServer, warm: bool
) -> None:
    if not warm:
        await store.close()
        store = RedisStore(redis_server.url)
    redis_server.pause()

    waits = await asyncio.gather(*(_refused_in(call(store)) for call in CALLS.values()))

    assert max(waits) < BOUND, dict(zip(CALLS, waits, strict=True))
    redis_server.resume()
    await eventually(lambda: _answers(store))
    assert await store.get("session") in {"s", "t"}
    await store.close()


async def test_many_calls_on_a_hung_redis_are_all_refused_in_time(store: RedisStore, redis_server: RedisServer) -> None:
    redis_server.pause()

    waits = await asyncio.gather(*(_refused_in(store.get("session")) for _ in range(200)))

    assert max(waits) < BOUND
    redis_server.resume()
    await eventually(lambda: _answers(store))
    assert await store.get("session") == "s"
    assert redis_server.clients <= 21


async def test_a_dead_redis_refuses_every_call_at_once(store: RedisStore, redis_server: RedisServer) -> None:
    redis_server.kill()

    waits = await asyncio.gather(*(_refused_in(call(store)) for call in CALLS.values()))

    assert max(waits) < BOUND


@pytest.mark.parametrize("name", list(CALLS))
async def test_a_restarted_redis_fails_no_call(store: RedisStore, redis_server: RedisServer, name: str) -> None:
    await asyncio.gather(*(store.get("session") for _ in range(20)))
    await asyncio.to_thread(redis_server.restart)

    await CALLS[name](store)


async def test_an_emptied_redis_is_empty_and_said_to_be(
    store: RedisStore, redis_server: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    await store.ping()
    await asyncio.to_thread(redis_server.restart)
    await store.ping()
    await store.ping()

    assert await store.get("session") is None
    assert capsys.readouterr().out.count("session_store_empty") == 1


async def test_a_redis_that_may_not_write_is_unavailable(store: RedisStore, redis_server: RedisServer) -> None:
    redis_server.command("REPLICAOF", "127.0.0.1", "1")

    with pytest.raises(StoreUnavailable):
        await store.put("session", "t", 60)
    with pytest.raises(StoreUnavailable):
        await store.ping()


async def test_a_full_redis_refuses_to_write_and_still_reads(store: RedisStore, redis_server: RedisServer) -> None:
    await store.get("session")
    redis_server.command("CONFIG", "SET", "maxmemory", "1")

    for name in ("put", "add", "put_field", "ping", "lock"):
        with pytest.raises(StoreUnavailable):
            await CALLS[name](store)
    assert await store.get("session") == "s"


async def test_subscribers_are_told_to_look_again_after_an_outage(store: RedisStore, redis_server: RedisServer) -> None:
    async with store.subscribe("channel") as messages:
        assert await _next(messages) == RESYNC
        await store.publish("channel", "before")
        assert await _next(messages) == "before"
        await asyncio.to_thread(redis_server.restart)

        assert await _next(messages) == RESYNC
        await store.publish("channel", "after")
        assert await _next(messages) == "after"


async def test_one_can_subscribe_while_redis_is_away(store: RedisStore, redis_server: RedisServer) -> None:
    redis_server.kill()
    async with store.subscribe("channel") as messages:
        redis_server.start()

        assert await _next(messages) == RESYNC


async def test_a_silent_connection_is_replaced(
    store: RedisStore, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.storage.redis_listener.SILENCE", 0.1)
    async with store.subscribe("channel") as messages:
        assert await _next(messages) == RESYNC
        redis_server.pause()
        await asyncio.sleep(0.5)
        redis_server.resume()

        assert await _next(messages) == RESYNC
        await store.publish("channel", "after")
        assert await _next(messages) == "after"


async def test_a_lock_outlives_a_short_stall(store: RedisStore, redis_server: RedisServer) -> None:
    async with store.lock("user", ttl=10):
        redis_server.pause()
        assert await _refused_in(store.get("session")) < BOUND
        redis_server.resume()
        await eventually(lambda: _answers(store))


async def test_a_lock_asked_for_in_vain_is_not_left_behind(store: RedisStore, redis_server: RedisServer) -> None:
    redis_server.pause()
    assert await _refused_in(_lock(store)) < BOUND
    redis_server.resume()
    await eventually(lambda: _answers(store))

    async with store.lock("user", ttl=30, wait=5):
        pass


async def test_the_password_is_in_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    store = RedisStore("redis://user:s3cr3t@127.0.0.1:1/0")

    with pytest.raises(StoreUnavailable) as refused:
        await store.get("session:t0ken")

    assert not {"s3cr3t", "t0ken"} & set((str(refused.value) + capsys.readouterr().out).replace("@", ":").split(":"))
    await store.close()


async def _next(messages: AsyncIterator[str]) -> str:
    async with asyncio.timeout(10):
        return await anext(messages)
