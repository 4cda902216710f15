"""What watching one person costs where replicas share a Redis: commands and processor time a second."""

import asyncio
import time
from pathlib import Path

import psutil

from bench.results import Figure
from bench.world import LIMITS, cpu_seconds
from harness.cluster import Cluster, running_cluster
from harness.http_user import HttpUser
from harness.socket_tab import SocketTab, browser, open_tabs

PEOPLE = 100
SETTLE = 4.0
SECONDS = 20.0


def run(folder: Path) -> list[Figure]:
    """Let one replica watch so many people, each with one tab, while nothing happens."""
    folder.mkdir(parents=True, exist_ok=True)
    with running_cluster(folder, app=LIMITS) as cluster:
        commands, milliseconds = asyncio.run(_measure(cluster))
        cluster.forget_people()
    return [
        Figure(11, "Redis commands a second for each person watched", round(commands, 2), "commands/s"),
        Figure(11, "processor time a second for each person watched, with Redis", round(milliseconds, 2), "ms/s"),
    ]


async def _measure(cluster: Cluster) -> tuple[float, float]:
    people = await asyncio.to_thread(lambda: [HttpUser(cluster).sign_in() for _ in range(PEOPLE)])
    tabs = [
        SocketTab(browser(cluster.url, [("session", person.session_cookie), ("replica", "app1")]), "/payment")
        for person in people
    ]
    running = cluster.replicas["app1"].process
    if running is None:
        raise RuntimeError("the replica does not run")
    async with open_tabs(tabs, at_once=4):
        await asyncio.sleep(SETTLE)
        before, cpu, began = _commands(cluster), cpu_seconds(psutil.Process(running.pid)), time.monotonic()
        await asyncio.sleep(SECONDS)
        took = time.monotonic() - began
        commands = (_commands(cluster) - before) / took / PEOPLE
        used = (cpu_seconds(psutil.Process(running.pid)) - cpu) / took / PEOPLE
    return commands, used * 1000


def _commands(cluster: Cluster) -> int:
    text = cluster.redis.command("INFO", "stats")
    return int(text.split("total_commands_processed:")[1].split()[0])
