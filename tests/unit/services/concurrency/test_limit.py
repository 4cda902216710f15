"""Slots of one process."""

import asyncio

import pytest

from services.concurrency.limit import PRESSES_BEFORE_A_LOOK, LocalConcurrencyLimit, Priority


async def test_slot_is_free_again_after_use() -> None:
    slots = LocalConcurrencyLimit(1)

    async with slots.slot(0):
        pass
    async with slots.slot(0):
        taken_again = True

    assert taken_again


async def test_no_slot_within_the_wait_is_a_timeout() -> None:
    slots = LocalConcurrencyLimit(1)

    async with slots.slot(0):
        with pytest.raises(TimeoutError):
            async with slots.slot(0.01):
                pytest.fail("two at once")


async def test_who_stops_waiting_takes_no_slot_along() -> None:
    slots = LocalConcurrencyLimit(1)
    async with slots.slot(0):
        waiting = asyncio.create_task(_hold(slots))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    async with slots.slot(0):
        still_there = True

    assert still_there


async def test_first_come_first_served() -> None:
    slots = LocalConcurrencyLimit(1)
    served: list[int] = []

    async def wait(number: int) -> None:
        async with slots.slot(5):
            served.append(number)

    async with slots.slot(0):
        waiting = [asyncio.create_task(wait(number)) for number in range(10)]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)

    assert served == list(range(10))


async def test_presses_go_before_looks_and_looks_are_not_starved() -> None:
    slots = LocalConcurrencyLimit(1)
    served: list[str] = []

    async def wait(name: str, priority: Priority) -> None:
        async with slots.slot(5, priority):
            served.append(name)

    async with slots.slot(0):
        looks = [asyncio.create_task(wait(f"look {number}", Priority.LOOK)) for number in range(2)]
        await asyncio.sleep(0)
        presses = [asyncio.create_task(wait(f"press {number}", Priority.PRESS)) for number in range(6)]
        await asyncio.sleep(0)
    await asyncio.gather(*looks, *presses)

    assert PRESSES_BEFORE_A_LOOK == 4
    assert served == [
        "press 0", "press 1", "press 2", "press 3", "look 0", "press 4", "press 5", "look 1",
    ]  # fmt: skip


async def test_slot_handed_to_a_waiter_that_was_cancelled_goes_to_the_next() -> None:
    slots = LocalConcurrencyLimit(1)
    served: list[int] = []

    async def wait(number: int) -> None:
        async with slots.slot(5):
            served.append(number)

    async with slots.slot(0):
        gone, next_one = (asyncio.create_task(wait(number)) for number in range(2))
        await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, next_one, return_exceptions=True)

    assert served == [1]
    async with slots.slot(0):
        pass


def test_a_bound_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        LocalConcurrencyLimit(0)


async def _hold(slots: LocalConcurrencyLimit) -> None:
    async with slots.slot(5):
        pytest.fail("cancelled before its turn")
