"""Calls to the Payment MS for one, ten and a hundred tabs of one person: the same."""

import asyncio
from pathlib import Path

from bench.results import Figure, at_most
from bench.world import World, our_world
from tests.scale.tabs import Tab, browser, open_tabs

NUMBERS = (1, 10, 100)
SECONDS = 5.0


def run(folder: Path) -> list[Figure]:
    """Open so many tabs, and have each of them looked at, as when somebody leafs through them."""
    with our_world(folder) as world:
        calls = [asyncio.run(_calls(world, number)) for number in NUMBERS]
    return [
        at_most(
            Figure(7, f"Payment MS calls, {number} tabs of one person", count, "calls", calls[0],
                   round(count / calls[0], 2), note=f"opened, looked at, and left for {SECONDS:.0f} s"),
            2.0, of="ratio",
        )
        for number, count in zip(NUMBERS, calls, strict=True)
    ]  # fmt: skip


async def _calls(world: World, number: int) -> float:
    person = await asyncio.to_thread(world.person)
    await asyncio.to_thread(world.put, person, "active")
    await asyncio.to_thread(world.control, "POST", "/requests/reset")
    cookies = [("session", person.session_cookie)]
    async with open_tabs([Tab(browser(world.url, cookies), "/payment") for _ in range(number)]) as tabs:
        await asyncio.gather(*(tab.look() for tab in tabs))
        await asyncio.sleep(SECONDS)
        report = await asyncio.to_thread(world.control, "GET", "/requests")
    return float(report["by_operation"]["subscription_status"])
