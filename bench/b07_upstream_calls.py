"""Calls to the Payment MS for one, ten and a hundred tabs of one person: the same."""

import asyncio
from pathlib import Path

from bench.results import Figure, at_most
from bench.world import MeasuredProduct, our_world
from harness.socket_tab import SocketTab, browser, open_tabs

NUMBERS = (1, 10, 100)
LOOKS = 4
PAUSE = 3.0
"""Seconds between two looks at all tabs."""


def run(folder: Path) -> list[Figure]:
    """Open so many tabs, and have all of them looked at together, as when a window of tabs is brought back."""
    with our_world(folder) as world:
        calls = [asyncio.run(_calls(world, number)) for number in NUMBERS]
    return [
        at_most(
            Figure(7, f"Payment MS calls, {number} tabs of one person", count, "calls", calls[0],
                   round(count / calls[0], 2), note=f"looked at {LOOKS} times within {LOOKS * PAUSE:.0f} s"),
            1.5, of="ratio",
        )
        for number, count in zip(NUMBERS, calls, strict=True)
    ]  # fmt: skip


async def _calls(world: MeasuredProduct, number: int) -> float:
    person = await asyncio.to_thread(world.person)
    await asyncio.to_thread(world.put, person, "active")
    cookies = [("session", person.session_cookie)]
    async with open_tabs([SocketTab(browser(world.url, cookies), "/payment") for _ in range(number)]) as tabs:
        await asyncio.sleep(PAUSE)
        await asyncio.to_thread(world.control, "POST", "/requests/reset")
        for _look in range(LOOKS):
            await asyncio.gather(*(tab.look() for tab in tabs))
            await asyncio.sleep(PAUSE)
        report = await asyncio.to_thread(world.control, "GET", "/requests")
    return float(report["by_operation"]["subscription_status"])
