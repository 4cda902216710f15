"""Time in stories: it passes when everybody waits, and only then."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from truth.virtual_time import VirtualLoop, VirtualTime

START = datetime(2026, 12, 1, tzinfo=UTC)


def test_a_day_of_sleep_takes_no_time_and_moves_both_clocks() -> None:
    began = time.monotonic()
    with VirtualTime(START) as clock:
        loop = VirtualLoop(clock)

        loop.run_until_complete(asyncio.sleep(86_400))
        loop.close()

        assert clock.now() - START >= timedelta(days=1)
        assert clock.passed >= 86_400
    assert time.monotonic() - began < 30


def test_who_waits_for_less_wakes_first() -> None:
    woken: list[str] = []

    async def sleep(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append(name)

    async def both() -> None:
        await asyncio.gather(sleep("late", 90), sleep("early", 5))

    with VirtualTime(START) as clock:
        loop = VirtualLoop(clock)
        loop.run_until_complete(both())
        loop.close()

    assert woken == ["early", "late"]


def test_after_years_the_loop_still_ends_its_waits() -> None:
    async def wait_a_little() -> None:
        for _turn in range(20):
            await asyncio.sleep(0.1)

    with VirtualTime(START) as clock:
        loop = VirtualLoop(clock)
        clock.jump(3 * 366 * 86_400 + 0.3)
        loop.run_until_complete(wait_a_little())
        loop.close()


def test_what_would_run_in_a_thread_runs_at_once() -> None:
    with VirtualTime(START) as clock:
        loop = VirtualLoop(clock)

        found = loop.run_until_complete(asyncio.to_thread(sum, (1, 2)))
        loop.close()

    assert found == 3
    assert clock.passed < 1
