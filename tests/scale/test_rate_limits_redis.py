"""Rate limits shared by replicas, and what becomes of them while Redis is away."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from harness.redis_server import RedisServer
from services.errors import RateLimited
from services.rate_limits import Policy, RateLimits
from tests.unit.services.storage.store_behaviour import eventually

pytestmark = pytest.mark.scale

FIVE = Policy("portal", "5 per minute")


@pytest_asyncio.fixture
async def replicas(redis_server: RedisServer) -> AsyncIterator[list[RateLimits]]:
    replicas = [RateLimits(redis_server.url, retry=0.3) for _ in range(2)]
    yield replicas
    redis_server.resume()
    for limits in replicas:
        await limits.close()


async def _is_allowed(limits: RateLimits, user: str = "user") -> bool:
    try:
        await limits.hit(FIVE, user)
    except RateLimited:
        return False
    return True


async def _restored(limits: RateLimits) -> bool:
    await _is_allowed(limits, "probe")
    return not limits.degraded


async def test_replicas_count_together(replicas: list[RateLimits]) -> None:
    allowed = await asyncio.gather(*(_is_allowed(replicas[number % 2]) for number in range(40)))

    assert sum(allowed) == 5


async def test_the_refusal_says_when_to_come_back_and_it_is_true(replicas: list[RateLimits]) -> None:
    quick = Policy("quick", "5 per 2 seconds")
    for _ in range(5):
        await replicas[0].hit(quick, "user")
    with pytest.raises(RateLimited) as refused:
        await replicas[1].hit(quick, "user")
    wait = refused.value.retry_after
    assert wait is not None
    assert 1 <= wait <= 2

    await asyncio.sleep(wait)

    await replicas[1].hit(quick, "user")


async def test_a_hung_redis_leaves_each_replica_its_own_limit(
    replicas: list[RateLimits], redis_server: RedisServer
) -> None:
    assert await _is_allowed(replicas[0])
    redis_server.pause()
    started = time.monotonic()

    allowed = await asyncio.gather(*(_is_allowed(replicas[number % 2]) for number in range(40)))

    assert sum(allowed) == 10
    assert time.monotonic() - started < 2.5
    assert replicas[0].degraded
    redis_server.resume()
    await eventually(lambda: _restored(replicas[0]))


async def test_an_outage_costs_one_request_in_a_while_a_wait(
    replicas: list[RateLimits], redis_server: RedisServer
) -> None:
    limits = RateLimits(redis_server.url, retry=60)
    redis_server.pause()
    await _is_allowed(limits)
    started = time.monotonic()

    for _ in range(100):
        await _is_allowed(limits)

    assert time.monotonic() - started < 10
    await limits.close()


async def test_a_dead_redis_is_used_again_when_it_is_back(
    replicas: list[RateLimits], redis_server: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await _is_allowed(replicas[0])
    await asyncio.to_thread(redis_server.kill)
    assert sum([await _is_allowed(replicas[0]) for _ in range(20)]) == 5
    redis_server.start()

    await eventually(lambda: _restored(replicas[0]))
    await eventually(lambda: _restored(replicas[1]))

    assert sum([await _is_allowed(replicas[number % 2]) for number in range(20)]) == 5
    log = capsys.readouterr().out
    assert log.count("rate_limits_degraded") == 1
    assert log.count("rate_limits_restored") == 1


async def test_connections_stay_bounded(replicas: list[RateLimits], redis_server: RedisServer) -> None:
    await asyncio.gather(*(_is_allowed(replicas[0], f"user{number}") for number in range(200)))

    assert redis_server.clients <= 5
