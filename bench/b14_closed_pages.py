"""Memory after live pages were opened and closed again: what the first ones took is what later ones take."""

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Final

import httpx
import psutil

from bench.results import Figure, at_most
from bench.world import our_world
from harness.socket_tab import SocketTab, browser

FIRST: Final = 500
MORE: Final = int(os.environ.get("CLOSED_PAGES", "1000"))
"""10,000 is the long run."""

AT_ONCE: Final = 50
PEOPLE: Final = 10
"""A browser's pages stand behind each other, so that one alone could not open so many at once."""

REST: Final = 30.0
"""Seconds until the app has let go of what was closed: twice the time that it waits for a tab to come back."""


def run(folder: Path) -> list[Figure]:
    """Open and close pages of `/payment`, and compare what the process holds after the first and after all."""
    with our_world(folder) as world:
        people = [[("session", world.person().session_cookie)] for _person in range(PEOPLE)]
        first = asyncio.run(_closed(world.url, people, FIRST, world.process))
        last = asyncio.run(_closed(world.url, people, MORE, world.process))
    name = f"memory after {MORE:,} more live pages were opened and closed (reference: after the first {FIRST})"
    return [at_most(Figure(14, name, round(last), "MB", round(first), round(last / first, 3)), 1.15, of="ratio")]


async def _closed(url: str, people: list[list[tuple[str, str]]], count: int, process: psutil.Process) -> float:
    """Return the megabytes of the process after so many pages came and went."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def page(client: httpx.AsyncClient) -> None:
        async with turns, contextlib.AsyncExitStack() as closing:
            tab = await SocketTab(client, "/payment").open()
            closing.push_async_callback(tab.close)

    await asyncio.gather(*(page(browser(url, people[number % len(people)])) for number in range(count)))
    await asyncio.sleep(REST)
    return process.memory_info().rss / 1e6
