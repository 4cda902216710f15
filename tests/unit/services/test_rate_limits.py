"""Rate limits in one process."""

import asyncio
import datetime

import hypothesis.strategies as st
import pytest
import time_machine
from hypothesis import given

from services.errors import RateLimited
from services.rate_limits import CHECKOUT, PORTAL, STATUS, Policy, RateLimits, _Memory, address_key
from tests.examples import examples

START = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


async def _allowed(limits: RateLimits, policy: Policy, *identifiers: str, tries: int) -> int:
    """Return how many of so many tries are let through."""
    return sum([await _is_allowed(limits, policy, *identifiers) for _ in range(tries)])


async def _is_allowed(limits: RateLimits, policy: Policy, *identifiers: str) -> bool:
    try:
        await limits.hit(policy, *identifiers)
    except RateLimited:
        return False
    return True


@pytest.mark.parametrize(("policy", "a_minute"), [(CHECKOUT, 10), (PORTAL, 10), (STATUS, 60)])
async def test_each_policy_lets_its_number_a_minute_through(policy: Policy, a_minute: int) -> None:
    with time_machine.travel(START, tick=False):
        assert await _allowed(RateLimits(), policy, "user", tries=a_minute + 20) == a_minute


async def test_users_and_policies_are_counted_apart() -> None:
    limits = RateLimits()
    with time_machine.travel(START, tick=False):
        assert await _allowed(limits, PORTAL, "one", tries=20) == 10
        assert await _allowed(limits, PORTAL, "two", tries=20) == 10
        assert await _allowed(limits, CHECKOUT, "one", tries=20) == 10
        assert await _allowed(limits, CHECKOUT, "one", "10.0.0.1", tries=20) == 10


@given(
    start=st.floats(min_value=0, max_value=60),
    pauses=st.lists(st.floats(min_value=0, max_value=40), min_size=8, max_size=40),
)
@examples(200)
def test_the_refusal_says_when_to_come_back_and_it_is_true(start: float, pauses: list[float]) -> None:
    asyncio.run(_come_back(start, pauses))


async def _come_back(start: float, pauses: list[float]) -> None:
    limits = RateLimits()
    policy = Policy("portal", "5 per minute")
    with time_machine.travel(START + datetime.timedelta(seconds=start), tick=False) as clock:
        for pause in [0.0] * 6 + pauses:
            clock.shift(pause)
            try:
                await limits.hit(policy, "user")
            except RateLimited as refused:
                wait = refused.retry_after or 0.0
            else:
                continue
            assert 1 <= wait <= 61
            clock.shift(wait - 1.01)
            assert wait == 1 or not await _is_allowed(limits, policy, "user")
            clock.shift(1.01)
            assert await _is_allowed(limits, policy, "user")


async def test_the_longer_rate_holds_when_the_shorter_is_respected() -> None:
    limits = RateLimits()
    policy = Policy("checkout", "3 per minute; 5 per hour")
    let_through = 0
    with time_machine.travel(START, tick=False) as clock:
        for _ in range(20):
            let_through += await _allowed(limits, policy, "user", tries=1)
            clock.shift(60)
    assert let_through == 5


async def test_refused_tries_use_up_no_longer_rate() -> None:
    limits = RateLimits()
    policy = Policy("checkout", "2 per minute; 5 per hour")
    with time_machine.travel(START, tick=False) as clock:
        assert await _allowed(limits, policy, "user", tries=50) == 2
        clock.shift(120)
        assert await _allowed(limits, policy, "user", tries=50) == 2


async def test_parallel_hits_let_no_more_through() -> None:
    limits = RateLimits()
    with time_machine.travel(START, tick=False):
        assert sum(await asyncio.gather(*(_is_allowed(limits, PORTAL, "user") for _ in range(100)))) == 10


async def test_a_hit_costs_little_however_many_addresses_there_are() -> None:
    """The library's own memory looks through all keys at every hit; ours must not."""
    memory = _Memory()
    for number in range(50_500):
        await memory.incr(f"address{number}", 60)

    assert len(memory.storage) == len(memory.expirations) <= 50_000
    assert memory.timer is None


async def test_expired_counts_are_forgotten() -> None:
    memory = _Memory()
    with time_machine.travel(START, tick=False) as clock:
        for number in range(1000):
            await memory.incr(f"address{number}", 60)
        clock.shift(61)
        await memory.incr("address", 60)

    assert list(memory.storage) == ["address"]


def test_a_policy_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="often"):
        Policy("pages", "quite often")


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_an_ipv6_client_is_its_network(address: str, key: str) -> None:
    assert address_key(address) == key
