"""Memory of a connected tab on `/payment`, against one on the bare page."""

import asyncio
from pathlib import Path

import httpx
import psutil

from bench.results import Figure, against, at_most
from bench.world import bare_world, element_counts, our_world
from harness.socket_tab import CompressingTab, SocketTab, browser

BATCH = 60
BATCHES = 5
BLAZOR_SERVER_KB = 273.0
"""What Microsoft publishes for a minimal Blazor Server circuit."""


def run(folder: Path) -> list[Figure]:
    """Connect tabs, a batch at a time, in both apps."""
    with our_world(folder) as world:
        person = world.person()
        counts = element_counts(world, person)
        cookies = [("session", person.session_cookie)]
        with bare_world(*counts) as bare:
            ours = asyncio.run(_batches(world.url, cookies, world.process))
            theirs = asyncio.run(_batches(bare.url, [], bare.process))
    figure = against(5, "memory of a connected tab on /payment", ours, theirs, "kB", f"{counts[1]} elements each")
    return [at_most(at_most(figure, 1.5, of="ratio"), BLAZOR_SERVER_KB)]


async def _batches(url: str, cookies: list[tuple[str, str]], process: psutil.Process) -> list[float]:
    """Return the kilobytes a tab of each batch, the first batch left out: it loads what all share."""
    clients: list[httpx.AsyncClient] = []
    tabs: list[SocketTab] = []
    sizes: list[float] = []
    for _batch in range(BATCHES + 1):
        before = _kilobytes(process)
        client = browser(url, cookies)
        clients.append(client)
        fresh = [CompressingTab(client, "/payment") for _ in range(BATCH)]
        for tab in fresh:
            await tab.open()
            tab.html = ""
        tabs += fresh
        sizes.append((_kilobytes(process) - before) / BATCH)
    await asyncio.gather(*(tab.close() for tab in tabs))
    return sizes[1:]


def _kilobytes(process: psutil.Process) -> float:
    return float(process.memory_full_info().uss) / 1000
