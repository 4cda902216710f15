"""The bound on requests in flight across replicas: kept under load, death, stall and loss of the Redis behind it."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from harness.redis_server import RedisServer
from services.concurrency.limit import Priority
from services.errors import StoreUnavailable
from services.storage.redis_concurrency import _TAKE, AHEAD, RedisConcurrencyLimit
from services.storage.redis_store import RedisStore
from tests.unit.services.storage.store_behaviour import eventually

pytestmark = pytest.mark.scale

SHORT = {"lease": 0.8, "grace": 0.4}


@pytest_asyncio.fixture
async def stores(redis_server: RedisServer) -> AsyncIterator[list[RedisStore]]:
    """The stores of three replicas."""
    stores = [RedisStore(redis_server.url) for _ in range(3)]
    yield stores
    redis_server.resume()
    for store in stores:
        await store.close()


async def _held(slots: RedisConcurrencyLimit, max_wait: float) -> bool:
    """Return whether a slot could be had."""
    try:
        async with slots.slot(max_wait):
            return True
    except TimeoutError:
        return False


class _Count:
    """How many are inside, and how many were at most."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0

    async def visit(self, slots: RedisConcurrencyLimit, seconds: float) -> None:
        async with slots.slot(20):
            self.inside += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(seconds)
            self.inside -= 1


@pytest.mark.parametrize("limit", [1, 3])
async def test_no_more_than_the_limit_are_inside_over_all_replicas(stores: list[RedisStore], limit: int) -> None:
    replicas = [RedisConcurrencyLimit(store, "payment", limit, **SHORT) for store in stores]
    count = _Count()

    await asyncio.gather(*(count.visit(replicas[number % 3], 0.005) for number in range(90)))

    assert count.most == limit


async def test_a_full_house_times_out_and_lets_in_again(stores: list[RedisStore]) -> None:
    here, there = (RedisConcurrencyLimit(store, "payment", 1, **SHORT) for store in stores[:2])

    async with here.slot(5):
        started = time.monotonic()
        assert not await _held(there, 0.3)
        assert not await _held(here, 0.3)
        assert time.monotonic() - started < 5

    assert await _held(there, 0.3)
    assert await _held(here, 0.3)


async def test_other_names_are_other_slots(stores: list[RedisStore]) -> None:
    payment, auth = (RedisConcurrencyLimit(stores[0], name, 1, **SHORT) for name in ("payment", "auth"))

    async with payment.slot(5):
        assert await _held(auth, 5)


async def test_a_replicas_waiters_go_first_come_first_served(stores: list[RedisStore]) -> None:
    slots = RedisConcurrencyLimit(stores[0], "payment", 1, **SHORT)
    order: list[int] = []

    async def enter(number: int) -> None:
        async with slots.slot(5):
            order.append(number)

    async with slots.slot(5):
        waiting = [asyncio.create_task(enter(number)) for number in range(10)]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)

    assert order == list(range(10))


async def test_a_press_on_one_replica_goes_before_the_looks_of_another(stores: list[RedisStore]) -> None:
    replicas = [RedisConcurrencyLimit(store, "payment", 1, **SHORT) for store in stores]
    order: list[str] = []

    async def enter(replica: RedisConcurrencyLimit, name: str, priority: Priority) -> None:
        async with replica.slot(20, priority):
            order.append(name)

    async with replicas[2].slot(20):
        look = asyncio.create_task(enter(replicas[0], "look", Priority.LOOK))
        await eventually(lambda: _queued(stores[0], 1))
        press = asyncio.create_task(enter(replicas[1], "press", Priority.PRESS))
        await eventually(lambda: _queued(stores[0], 2))
    await asyncio.gather(look, press)

    assert order == ["press", "look"]


async def test_presses_pass_a_look_of_another_replica_so_many_times_only(stores: list[RedisStore]) -> None:
    looking, pressing, holding = (RedisConcurrencyLimit(store, "payment", 1, **SHORT) for store in stores)
    order: list[str] = []

    async def enter(replica: RedisConcurrencyLimit, name: str, priority: Priority) -> None:
        async with replica.slot(20, priority):
            order.append(name)

    async with holding.slot(20):
        look = asyncio.create_task(enter(looking, "look", Priority.LOOK))
        await eventually(lambda: _queued(stores[0], 1))
        presses = [asyncio.create_task(enter(pressing, "press", Priority.PRESS)) for _ in range(3 * AHEAD)]
        await eventually(lambda: _queued(stores[0], 2))
    await asyncio.gather(look, *presses)

    assert 1 <= order.index("look") <= AHEAD


async def _queued(store: RedisStore, count: int) -> bool:
    return int(await store.script("queue", "return redis.call('ZCARD', KEYS[1])", ["s:payment:queue"])) >= count


async def test_no_replica_is_starved_by_a_busy_one(stores: list[RedisStore]) -> None:
    busy, quiet = (RedisConcurrencyLimit(store, "payment", 1, **SHORT) for store in stores[:2])
    done = 0

    async def visit() -> None:
        nonlocal done
        async with busy.slot(20):
            await asyncio.sleep(0.01)
            done += 1

    crowd = [asyncio.create_task(visit()) for _ in range(40)]
    await eventually(lambda: _true(done > 0))
    before = done
    async with quiet.slot(20):
        between = done - before
    await asyncio.gather(*crowd)

    assert between <= 10


async def _true(condition: bool) -> bool:
    return condition


async def test_a_holder_keeps_its_slot_for_longer_than_the_lease(stores: list[RedisStore]) -> None:
    here, there = (RedisConcurrencyLimit(store, "payment", 1, lease=0.4, grace=0.2) for store in stores[:2])

    async with here.slot(5):
        assert not await _held(there, 1.5)


async def test_a_killed_holders_slot_is_free_within_five_seconds(
    stores: list[RedisStore], redis_server: RedisServer
) -> None:
    script = (
        "import asyncio, sys\n"
        "from services.storage.redis_concurrency import RedisConcurrencyLimit\n"
        "from services.storage.redis_store import RedisStore\n"
        "async def main():\n"
        "    async with RedisConcurrencyLimit(RedisStore(sys.argv[1]), 'payment', 1).slot(10):\n"
        "        print('inside', flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, redis_server.url, stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"inside\n"
    slots = RedisConcurrencyLimit(stores[0], "payment", 1)
    assert not await _held(slots, 0.3)
    holder.kill()
    assert await holder.wait() == -signal.SIGKILL
    started = time.monotonic()

    assert await _held(slots, 5)
    assert time.monotonic() - started < 5
    await holder.communicate()


async def test_a_dead_waiter_holds_nobody_up(stores: list[RedisStore]) -> None:
    slots = RedisConcurrencyLimit(stores[0], "payment", 1, **SHORT)
    async with slots.slot(5):
        taken = await stores[1].script("slot", _TAKE, slots._keys_for("dead"), "dead", 1, 800, 400)
        assert not taken

    assert await _held(slots, 3)


async def test_a_cancelled_waiter_holds_nobody_up(stores: list[RedisStore]) -> None:
    here, there = (RedisConcurrencyLimit(store, "payment", 1, lease=60, grace=0.4) for store in stores[:2])
    assert await _held(here, 5)
    for pause in (0, 0.0005, 0.001, 0.002, 0.005):
        waiter = asyncio.create_task(_held(there, 5))
        await asyncio.sleep(pause)
        waiter.cancel()
        await asyncio.wait([waiter])

    assert await _held(here, 3)
    assert await _held(there, 3)


async def test_a_hung_redis_lets_nobody_in_and_says_so_in_time(
    stores: list[RedisStore], redis_server: RedisServer
) -> None:
    slots = RedisConcurrencyLimit(stores[0], "payment", 1, **SHORT)
    assert await _held(slots, 5)
    redis_server.pause()
    started = time.monotonic()

    with pytest.raises(StoreUnavailable):
        await _held(slots, 5)

    assert time.monotonic() - started < 2.5


async def test_a_redis_that_hangs_meanwhile_does_not_keep_a_finished_request(
    stores: list[RedisStore], redis_server: RedisServer
) -> None:
    slots = RedisConcurrencyLimit(stores[0], "payment", 1, **SHORT)

    async with slots.slot(5):
        redis_server.pause()
        started = time.monotonic()

    assert time.monotonic() - started < 0.9


@pytest.mark.parametrize("trouble", ["restarted empty", "stalled"])
async def test_a_request_in_flight_keeps_others_out_after(
    stores: list[RedisStore], redis_server: RedisServer, trouble: str
) -> None:
    here, there = (RedisConcurrencyLimit(store, "payment", 1, lease=1.0, grace=1.5) for store in stores[:2])

    async with here.slot(5):
        waiter = asyncio.create_task(_visit(there))
        if trouble == "stalled":
            redis_server.pause()
            await asyncio.wait([waiter], timeout=3)
            redis_server.resume()
        else:
            await asyncio.to_thread(redis_server.restart)
        await asyncio.wait([waiter])
        outcomes = [waiter.result()] + [await _visit(there) for _ in range(6)]
        assert "entered" not in outcomes

    assert await _held(there, 5)


async def test_after_a_stall_holders_have_time_to_renew(stores: list[RedisStore], redis_server: RedisServer) -> None:
    """Without the holder's own renewals, which may reach a thawing Redis before or after somebody else's question."""
    slots = RedisConcurrencyLimit(stores[0], "payment", 1, lease=0.8, grace=2)
    await slots.prepare()

    async def take(token: str) -> bool:
        return bool(await stores[0].script("slot", _TAKE, slots._keys_for(token), token, 1, 800, 400))

    await eventually(lambda: take("holder"))
    redis_server.pause()
    with pytest.raises(StoreUnavailable):
        await stores[0].get("anything")
    redis_server.resume()

    assert not await take("other")
    await eventually(lambda: take("other"), within=3)


async def _visit(slots: RedisConcurrencyLimit) -> str:
    try:
        return "entered" if await _held(slots, 0.5) else "kept out"
    except StoreUnavailable:
        return "unavailable"


async def test_a_prepared_bound_opens_when_the_grace_is_over(stores: list[RedisStore]) -> None:
    slots = RedisConcurrencyLimit(stores[0], "payment", 1, lease=0.8, grace=0.4)
    await slots.prepare()

    assert not await _held(slots, 0.05)
    assert await _held(slots, 5)
    await slots.prepare()
    assert await _held(slots, 0.2)


def test_a_bound_of_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no slots"):
        RedisConcurrencyLimit(RedisStore("redis://127.0.0.1:1"), "payment", 0)
