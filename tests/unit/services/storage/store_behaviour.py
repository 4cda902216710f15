"""What every `Store` promises: one set of tests, run over each form by a subclass that provides the `store` fixture."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from services.errors import LockTimeout, StoreUnavailable
from services.storage.lease import Lease
from services.storage.port import Store

SOON = 0.05
LATER = 60


async def eventually(condition: Callable[[], Awaitable[bool]], within: float = 5.0) -> None:
    """Return as soon as the condition holds, or fail."""
    deadline = time.monotonic() + within
    while not await condition():
        assert time.monotonic() < deadline, "the condition never held"
        await asyncio.sleep(0.01)


class StoreBehaviour:
    """The tests; `store` is the form under test."""

    async def test_a_value_is_read_back_and_an_absent_one_is_none(self, store: Store) -> None:
        await store.put("greeting", 'Grüße 🎈\n"\x00"', LATER)

        assert await store.get("greeting") == 'Grüße 🎈\n"\x00"'
        assert await store.get("other") is None

    async def test_a_value_ends_with_its_time_to_live(self, store: Store) -> None:
        await store.put("short", "x", SOON)
        await store.put("long", "x", LATER)
        await store.put("for-ever", "x", None)

        await eventually(lambda: _is(store.get("short"), None))
        assert await store.get("long") == await store.get("for-ever") == "x"

    async def test_a_second_put_decides_value_and_time_to_live(self, store: Store) -> None:
        await store.put("key", "first", SOON)
        await store.put("key", "second", None)
        await store.put("marker", "x", SOON)

        await eventually(lambda: _is(store.get("marker"), None))
        assert await store.get("key") == "second"

    async def test_add_writes_only_where_nothing_is(self, store: Store) -> None:
        assert await store.add("key", "first", LATER)
        assert not await store.add("key", "second", LATER)

        assert await store.get("key") == "first"

    async def test_add_takes_the_place_of_an_expired_value(self, store: Store) -> None:
        await store.put("key", "old", SOON)

        await eventually(lambda: store.add("key", "new", LATER))
        assert await store.get("key") == "new"

    async def test_one_of_many_parallel_adds_wins(self, store: Store) -> None:
        won = await asyncio.gather(*(store.add("key", str(number), LATER) for number in range(50)))

        assert sum(won) == 1
        assert await store.get("key") == str(won.index(True))

    async def test_replace_needs_the_value_it_names(self, store: Store) -> None:
        await store.put("key", "a", LATER)

        assert not await store.replace("key", "b", "c", LATER)
        assert not await store.replace("absent", "a", "c", LATER)
        assert await store.replace("key", "a", "c", LATER)
        assert await store.get("key") == "c"

    async def test_one_of_many_parallel_replaces_wins(self, store: Store) -> None:
        await store.put("key", "old", LATER)

        won = await asyncio.gather(*(store.replace("key", "old", str(number), LATER) for number in range(50)))

        assert sum(won) == 1

    async def test_replace_starts_the_time_to_live_anew(self, store: Store) -> None:
        await store.put("key", "a", LATER)
        await store.replace("key", "a", "b", SOON)

        await eventually(lambda: _is(store.get("key"), None))

    async def test_delete_if_needs_the_value_it_names(self, store: Store) -> None:
        await store.put("key", "a", LATER)

        assert not await store.delete_if("key", "b")
        assert await store.delete_if("key", "a")
        assert not await store.delete_if("key", "a")
        assert await store.get("key") is None

    async def test_fields_are_written_one_by_one(self, store: Store) -> None:
        await asyncio.gather(*(store.put_field("cart", f"item{number}", str(number), LATER) for number in range(20)))
        await store.put_field("cart", "item0", "many", LATER)
        await store.delete_field("cart", "item1")
        await store.delete_field("cart", "never-there")

        expected = {f"item{number}": str(number) for number in range(2, 20)} | {"item0": "many"}
        assert await store.fields("cart") == expected
        assert await store.fields("other") == {}

    async def test_fields_live_as_long_as_the_last_write_says(self, store: Store) -> None:
        await store.put_field("a", "x", "1", LATER)
        await store.put_field("a", "y", "1", SOON)
        await store.put_field("b", "x", "1", 1.0)
        await store.put_field("b", "y", "1", None)

        await eventually(lambda: _is(store.fields("a"), {}))
        assert await store.fields("b") == {"x": "1", "y": "1"}

    async def test_a_field_takes_the_place_of_a_value_in_one_step(self, store: Store) -> None:
        await store.put("attempt", "key", LATER)
        await store.put("other", "kept", LATER)

        await store.put_field("checkouts", "one", "opened", LATER, instead_of="attempt")
        await store.put_field("checkouts", "two", "opened", None, instead_of="absent")

        assert await store.fields("checkouts") == {"one": "opened", "two": "opened"}
        assert await store.get("attempt") is None
        assert await store.get("other") == "kept"

    async def test_a_field_written_after_expiry_brings_no_old_ones_back(self, store: Store) -> None:
        await store.put_field("a", "x", "1", SOON)
        await eventually(lambda: _is(store.fields("a"), {}))

        await store.put_field("a", "y", "1", LATER)

        assert await store.fields("a") == {"y": "1"}

    async def test_values_and_fields_are_apart_and_deleted_together(self, store: Store) -> None:
        await store.put("key", "value", LATER)
        await store.put_field("key", "field", "value", LATER)
        assert await store.get("key") == "value"

        await store.delete("key")

        assert await store.get("key") is None
        assert await store.fields("key") == {}

    async def test_keys_are_those_with_the_prefix_and_no_pattern(self, store: Store) -> None:
        for key in ("user:1", "user:2", "user*", "us?r:3", "other"):
            await store.put(key, "x", LATER)
        await store.put_field("user:4", "f", "x", LATER)
        await store.put("user:gone", "x", SOON)
        await eventually(lambda: _is(store.get("user:gone"), None))

        assert await store.keys("user:") == ["user:1", "user:2", "user:4"]
        assert await store.keys("user*") == ["user*"]
        assert await store.keys("us?r") == ["us?r:3"]
        assert await store.keys("nobody") == []

    @pytest.mark.parametrize("ttl", [0, -1, float("nan")])
    async def test_a_time_to_live_that_is_none_is_refused(self, store: Store, ttl: float) -> None:
        with pytest.raises(ValueError, match="time to live"):
            await store.put("key", "x", ttl)
        with pytest.raises(ValueError, match="time to live"):
            await store.add("key", "x", ttl)

    async def test_a_lock_lets_one_in_at_a_time(self, store: Store) -> None:
        inside = 0
        most = 0

        async def enter() -> None:
            nonlocal inside, most
            async with store.lock("user", wait=20):
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0)
                inside -= 1

        await asyncio.gather(*(enter() for _ in range(50)))

        assert most == 1

    async def test_waiters_get_a_lock_in_the_order_they_came(self, store: Store) -> None:
        order: list[int] = []

        async def enter(number: int) -> None:
            async with store.lock("user"):
                order.append(number)

        async with store.lock("user"):
            waiting = [asyncio.create_task(enter(number)) for number in range(10)]
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)

        assert order == list(range(10))

    async def test_a_lock_that_stays_held_times_out(self, store: Store) -> None:
        async with store.lock("user"), store.lock("somebody-else"):
            with pytest.raises(LockTimeout):
                async with store.lock("user", wait=0.1):
                    pytest.fail("two holders")

    async def test_a_lock_is_free_after_an_error_and_after_a_cancelled_waiter(self, store: Store) -> None:
        async def enter() -> None:
            async with store.lock("user"):
                pytest.fail("the waiter was cancelled")

        with suppress(KeyError):
            async with store.lock("user"):
                waiter = asyncio.create_task(enter())
                await asyncio.sleep(0.02)
                waiter.cancel()
                raise KeyError

        async with store.lock("user", wait=1):
            assert waiter.cancelled() or waiter.cancelling()

    async def test_a_lock_is_kept_for_longer_than_its_time_to_live(self, store: Store) -> None:
        async with store.lock("user", ttl=1):
            with pytest.raises(LockTimeout):
                async with store.lock("user", wait=2):
                    pytest.fail("two holders")

    async def test_messages_reach_every_subscriber_of_the_channel_only(self, store: Store) -> None:
        async with store.subscribe("a") as one, store.subscribe("a") as two, store.subscribe("b") as other:
            await _drained(store, "a", one, two)
            await _drained(store, "b", other)
            await store.publish("a", "news")
            await store.publish("b", "other news")

            assert [await _next(one), await _next(two), await _next(other)] == ["news", "news", "other news"]

    async def test_subscribers_end_when_the_store_closes(self, store: Store) -> None:
        async with store.subscribe("a") as messages:
            await _drained(store, "a", messages)
            await store.close()

            with pytest.raises(StopAsyncIteration):
                await _next(messages)

    async def test_a_lease_has_one_holder_and_passes_on_when_released(self, store: Store) -> None:
        one, two = Lease(store, "poll", "one"), Lease(store, "poll", "two")

        assert await one.acquire_or_renew()
        assert not await two.acquire_or_renew()
        assert await one.acquire_or_renew()
        assert (one.held, two.held) == (True, False)
        await two.release()
        assert not await two.acquire_or_renew()
        await one.release()
        assert await two.acquire_or_renew()
        assert (one.held, two.held) == (False, True)

    async def test_a_lease_that_nobody_renews_passes_on(self, store: Store) -> None:
        dead, next_one = Lease(store, "poll", "dead", ttl=SOON), Lease(store, "poll", "next", ttl=LATER)
        assert await dead.acquire_or_renew()

        await eventually(next_one.acquire_or_renew)

        assert not dead.held
        assert not await dead.acquire_or_renew()

    async def test_ping_answers_until_the_store_is_closed(self, store: Store) -> None:
        await store.ping()
        await store.ping()
        await store.close()
        await store.close()

        for call in (store.ping(), store.get("key"), store.keys(""), store.publish("a", "b"), store.add("c", "1", 1)):
            with pytest.raises(StoreUnavailable):
                await call
        with pytest.raises(StoreUnavailable):
            async with store.lock("key"):
                pytest.fail("a closed store locks nothing")


async def _is(answer: Awaitable[object], expected: object) -> bool:
    return await answer == expected


async def _next(messages: object) -> str:
    async with asyncio.timeout(5):
        return str(await anext(messages))  # type: ignore[call-overload]


async def _drained(store: Store, channel: str, *subscriptions: object) -> None:
    """Wait until the subscriptions receive, and leave nothing in them."""
    await store.publish(channel, "start")
    for messages in subscriptions:
        while await _next(messages) != "start":
            pass
