"""The shared store on a real server: the common promises, and those between replicas."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
import pytest_asyncio
from pydantic import SecretStr

from harness.redis_server import RedisServer
from services.errors import LockLost, LockTimeout
from services.storage.factory import open_store
from services.storage.lease import Lease
from services.storage.port import Store
from services.storage.redis_store import RedisStore
from tests.unit.services.storage.store_behaviour import StoreBehaviour, eventually

pytestmark = pytest.mark.scale


@pytest_asyncio.fixture
async def store(redis_server: RedisServer) -> AsyncIterator[RedisStore]:
    store = RedisStore(redis_server.url)
    yield store
    await store.close()


@pytest_asyncio.fixture
async def other(redis_server: RedisServer) -> AsyncIterator[RedisStore]:
    """The store of another replica."""
    store = RedisStore(redis_server.url)
    yield store
    await store.close()


class TestRedisStore(StoreBehaviour):
    pass


async def test_what_one_replica_writes_another_reads(store: Store, other: Store) -> None:
    await store.put("session", "s", 60)
    await store.put_field("cart", "item", "2", 60)

    assert await other.get("session") == "s"
    assert await other.fields("cart") == {"item": "2"}
    assert not await other.add("session", "t", 60)


async def test_a_lock_holds_across_replicas(redis_server: RedisServer) -> None:
    stores = [RedisStore(redis_server.url) for _ in range(3)]
    inside = 0
    most = 0

    async def enter(store: Store) -> None:
        nonlocal inside, most
        async with store.lock("user", wait=20):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.001)
            inside -= 1

    await asyncio.gather(*(enter(stores[number % 3]) for number in range(60)))

    assert most == 1
    for store in stores:
        await store.close()


async def test_a_held_lock_times_the_other_replica_out(store: Store, other: Store) -> None:
    async with store.lock("user", ttl=1):
        with pytest.raises(LockTimeout):
            async with other.lock("user", wait=2):
                pytest.fail("two holders")

    async with other.lock("user", wait=1):
        pass


async def test_a_dead_replicas_lock_passes_on_after_its_time_to_live(
    store: RedisStore, redis_server: RedisServer
) -> None:
    redis_server.command("SET", "billing:l:user", "dead-replica:token", "PX", "300")

    async with store.lock("user", wait=2):
        assert redis_server.command("GET", "billing:l:user").split("\r\n")[1] != "dead-replica:token"


async def test_a_cancelled_waiter_leaves_no_lock_behind(store: Store, other: Store) -> None:
    for _ in range(20):
        asking = asyncio.create_task(_enter(store))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])

    async with other.lock("user", wait=2):
        pass


async def _enter(store: Store) -> None:
    async with store.lock("user"):
        await asyncio.Event().wait()


async def test_a_lost_lock_is_reported_at_the_end_of_the_block(store: Store, redis_server: RedisServer) -> None:
    with pytest.raises(LockLost):
        async with store.lock("user"):
            redis_server.command("DEL", "billing:l:user")


async def test_a_lock_that_another_took_is_not_released_by_the_loser(
    store: Store, other: Store, redis_server: RedisServer
) -> None:
    with pytest.raises(LockLost):
        async with store.lock("user"):
            redis_server.command("SET", "billing:l:user", "another:token", "PX", "60000")

    with pytest.raises(LockTimeout):
        async with other.lock("user", wait=0.1):
            pytest.fail("two holders")


async def test_an_error_in_the_block_is_not_hidden_by_a_lost_lock(store: Store, redis_server: RedisServer) -> None:
    async def lose_and_fail() -> None:
        async with store.lock("user"):
            redis_server.command("DEL", "billing:l:user")
            raise KeyError

    with pytest.raises(KeyError):
        await lose_and_fail()


async def test_messages_cross_replicas(store: Store, other: Store) -> None:
    async with store.subscribe("user:1") as here, other.subscribe("user:1") as there:
        await store.publish("user:1", "changed")

        assert await _next_message(here) == "changed"
        assert await _next_message(there) == "changed"


async def _next_message(messages: AsyncIterator[str]) -> str:
    async with asyncio.timeout(5):
        async for message in messages:
            if not message.startswith("\x00"):
                return message
    raise AssertionError("the subscription ended")


async def test_subscriptions_share_one_connection(store: RedisStore, redis_server: RedisServer) -> None:
    async def listen(number: int, started: asyncio.Event, stop: asyncio.Event) -> None:
        async with store.subscribe(f"user:{number}"):
            started.set()
            await stop.wait()

    stop = asyncio.Event()
    started = [asyncio.Event() for _ in range(100)]
    listeners = [asyncio.create_task(listen(number, event, stop)) for number, event in enumerate(started)]
    await asyncio.gather(*(event.wait() for event in started))

    assert redis_server.clients <= 3
    stop.set()
    await asyncio.gather(*listeners)


async def test_connections_stay_bounded_under_many_parallel_calls(redis_server: RedisServer) -> None:
    store = RedisStore(redis_server.url, connections=10)

    await asyncio.gather(*(store.put(f"key{number}", "x", 60) for number in range(200)))

    assert redis_server.clients <= 10
    assert len(await store.keys("key")) == 200
    await store.close()
    await eventually(lambda: _closed(redis_server))


async def _closed(redis_server: RedisServer) -> bool:
    return redis_server.clients == 0


async def test_cancelled_calls_cost_no_connection_and_mix_no_answers(store: RedisStore) -> None:
    for number in range(30):
        await store.put(f"key{number}", str(number), 60)
    for round_ in range(30):
        calls = [asyncio.create_task(store.get(f"key{number}")) for number in range(30)]
        await asyncio.sleep(0.0005 * (round_ % 5))
        for call in calls[::2]:
            call.cancel()
        answers = await asyncio.gather(*calls, return_exceptions=True)
        for number, answer in enumerate(answers):
            assert answer == str(number) or isinstance(answer, asyncio.CancelledError)

    assert await asyncio.gather(*(store.get(f"key{number}") for number in range(30))) == [str(n) for n in range(30)]


async def test_a_lease_of_a_dead_replica_passes_on_within_five_seconds(store: Store, other: Store) -> None:
    assert await Lease(store, "poll:user", "dead").acquire_or_renew()
    successor = Lease(other, "poll:user", "next")

    assert not await successor.acquire_or_renew()
    await eventually(successor.acquire_or_renew, within=5)


async def test_a_redis_url_opens_the_shared_store(redis_server: RedisServer) -> None:
    store = open_store(SimpleNamespace(redis_url=SecretStr(redis_server.url), storage_path="unused"))

    await store.put("key", "x", 60)

    assert isinstance(store, RedisStore)
    assert redis_server.command("EXISTS", "billing:v:key").startswith(":1")
    await store.close()
