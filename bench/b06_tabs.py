"""A thousand connected tabs of three hundred people at one replica on one core: how soon they see a change."""

import asyncio
import contextlib
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from bench.results import Figure, at_least, at_most, percentile
from bench.world import MeasuredProduct, cpu_seconds, our_world
from harness.http_user import HttpUser
from harness.socket_tab import SocketTab, browser

PEOPLE = 300
TABS = 1000
CHANGED = 60
QUIET_SECONDS = 60.0
SOLD = 3
FULL_LOOK_MINUTES = 5
SECRET = "a-secret-for-the-benches-0123456789"  # noqa: S105 - signs nothing but these runs


def run(folder: Path) -> list[Figure]:
    """Connect all tabs, leave them alone for a minute, then change what some people have."""
    environment = {"PAYMENT_MS_WEBHOOK_SECRET": SECRET}
    with our_world(folder, app=environment) as world, _on_one_core(world):
        return asyncio.run(_measure(world))


async def _measure(world: MeasuredProduct) -> list[Figure]:
    people = await asyncio.to_thread(lambda: [world.person() for _ in range(PEOPLE)])
    for person in people:
        await asyncio.to_thread(world.put, person, "active")
    tabs: list[SocketTab] = []
    owners: dict[str, list[SocketTab]] = {}
    clients = {p.user_id: browser(world.url, [("session", p.session_cookie)]) for p in people}
    for number in range(TABS):
        person = people[number % PEOPLE]
        tab = await SocketTab(clients[person.user_id], "/payment").open()
        tab.html = ""
        tabs.append(tab)
        owners.setdefault(person.user_id, []).append(tab)
    await asyncio.sleep(5)
    busy, calls = await _left_alone(world)
    seconds = await _changes(world, people[:CHANGED], owners)
    await asyncio.gather(*(tab.close() for tab in tabs))
    designed = PEOPLE * (1 + (SOLD - 1) / FULL_LOOK_MINUTES)
    return [
        at_most(Figure(6, "status change to screen, p99", round(percentile(seconds, 99), 3), "s",
                       round(statistics.median(seconds), 3), note="reference: the median"), 2.0),
        at_least(Figure(6, "processor idle with 1,000 tabs open", round(100 * (1 - busy), 1), "%"), 50.0),
        at_most(Figure(6, "Payment MS calls a minute for 300 people", round(calls), "calls", round(designed),
                       round(calls / designed, 2), note="reference: one each, and a full look each 5 minutes"),
                1.15, of="ratio"),
    ]  # fmt: skip


async def _left_alone(world: MeasuredProduct) -> tuple[float, float]:
    """Return how busy the app's core is, and the calls a minute, while nothing happens."""
    await asyncio.to_thread(world.control, "POST", "/requests/reset")
    cpu, began = cpu_seconds(world.process), time.monotonic()
    await asyncio.sleep(QUIET_SECONDS)
    took = time.monotonic() - began
    report = await asyncio.to_thread(world.control, "GET", "/requests")
    calls = report["by_operation"].get("subscription_status", 0)
    return (cpu_seconds(world.process) - cpu) / took, calls * 60 / took


async def _changes(world: MeasuredProduct, people: list[HttpUser], owners: dict[str, list[SocketTab]]) -> list[float]:
    """Change what people have, one after the other, tell the app as the Payment MS does, and wait for their screens."""
    seconds: list[float] = []
    for person in people:
        for tab in owners[person.user_id]:
            tab.forget()
        await asyncio.to_thread(world.put, person, "past_due")
        changed_at = time.monotonic()
        await asyncio.to_thread(world.tell, person, SECRET)
        shown = await asyncio.gather(*(t.shows('"data-state":"past_due"', 70) for t in owners[person.user_id]))
        seconds += [moment - changed_at for moment in shown]
    return seconds


@contextlib.contextmanager
def _on_one_core(world: MeasuredProduct) -> Iterator[None]:
    """Keep the app on the first core, and this process and the sandbox off it, where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        world.process.cpu_affinity(cores[:1])
        os.sched_setaffinity(0, cores[1:])
        os.sched_setaffinity(world.product.sandbox.process.pid, cores[1:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
