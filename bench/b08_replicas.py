"""Two replicas against one, behind HAProxy on two cores: how many views of `/pricing` a second."""

import asyncio
import os
import time
from pathlib import Path

import httpx
import psutil

from bench.results import Figure, against, at_least
from bench.world import LIMITS, cpu_seconds
from harness.app_process import NO_AUTHORITIES
from harness.cluster import Cluster, running_cluster

ROUNDS = 5
SECONDS = 3.0
AT_ONCE = 8


def run(folder: Path) -> list[Figure]:
    """Load one replica and two in turns; each replica has a core of its own, if there are two."""
    folder.mkdir(parents=True, exist_ok=True)
    with running_cluster(folder, app=LIMITS) as cluster:
        cores = sorted(os.sched_getaffinity(0))
        for app, core in zip(cluster.replicas.values(), (*cores, cores[0]), strict=False):
            if app.process is not None:
                psutil.Process(app.process.pid).cpu_affinity([core])
        balancer = cluster.haproxy.balancer
        balancer.set_weight("app3", 0)
        one, two, one_each, two_each = [], [], [], []
        for _round in range(ROUNDS + 1):
            balancer.set_weight("app2", 0)
            rate, each = asyncio.run(_views_a_second(cluster))
            one.append(rate)
            one_each.append(each)
            balancer.set_weight("app2", 100)
            rate, each = asyncio.run(_views_a_second(cluster))
            two.append(rate)
            two_each.append(each)
    wall = against(8, "views of /pricing, two replicas against one", two[1:], one[1:], "views/s",
                   "wall clock, with HAProxy, Redis and the load on the same two cores")  # fmt: skip
    work = against(8, "views of /pricing that the replicas' processor time lets through, two against one",
                   [2 * each for each in two_each[1:]], one_each[1:], "views/s",
                   "with a core for each replica: 2 × is a second replica that costs nothing besides")  # fmt: skip
    return [at_least(wall, 1.7, of="ratio"), at_least(work, 1.95, of="ratio")]


async def _views_a_second(cluster: Cluster) -> tuple[float, float]:
    """Return the views a second, and the views for each second of the replicas' processor time."""
    before = _cpu(cluster)
    end = time.monotonic() + SECONDS
    began = time.monotonic()
    counts = await asyncio.gather(*(_view(cluster.url, end) for _ in range(AT_ONCE)))
    took = time.monotonic() - began
    return sum(counts) / took, sum(counts) / (_cpu(cluster) - before)


def _cpu(cluster: Cluster) -> float:
    return sum(cpu_seconds(psutil.Process(app.process.pid)) for app in cluster.replicas.values() if app.process)


async def _view(url: str, end: float) -> int:
    """View the page again and again, each time as somebody who has been here before."""
    count = 0
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=NO_AUTHORITIES, timeout=30) as client:
        session = (await client.get("/api/cart")).cookies.get("session", "")
        while time.monotonic() < end:
            client.cookies.clear()
            answer = await client.get("/pricing", headers={"Cookie": f"session={session}", "Accept-Encoding": "gzip"})
            count += answer.status_code == 200
    return count
