"""New customers a second: their first `/payment` page, on which plans can be chosen, with one request at a time.

Nothing is known of somebody new, so the Payment MS is asked about each product that is sold: the page comes before, and
what is missing follows. The reference asks it the same questions as bare calls, one after the other, which is all that
a bound of one lets through, and the most that a page which waits for them could reach.
"""

import asyncio
import statistics
import time
from pathlib import Path
from typing import Final

import httpx

from bench.results import Figure, against, at_least, at_most
from bench.world import MeasuredProduct, cpu_seconds, our_world
from harness.app_process import NO_AUTHORITIES
from harness.http_user import HttpUser

LATENCY: Final = 0.007
"""Seconds that the Payment MS takes for an answer."""

ROUNDS: Final = 5
PEOPLE: Final = 40
AT_ONCE: Final = 20
CAN_CHOOSE: Final = "Subscribe to Premium"


def run(folder: Path) -> list[Figure]:
    """Let people come in turns with as many bare series of questions."""
    ours, bare, work = [], [], []
    with our_world(folder) as world:
        world.control("PATCH", "/settings", latency=LATENCY)
        catalog = httpx.get(f"{world.url}/api/catalog", verify=NO_AUTHORITIES, trust_env=False).json()
        asked = [plan["product_id"] for plan in catalog["plans"] if plan["product_id"]]
        for _round in range(ROUNDS + 1):
            people = [world.person() for _number in range(PEOPLE)]
            bare.append(asyncio.run(_bare(world, asked)))
            before = cpu_seconds(world.process)
            ours.append(asyncio.run(first_pages(world, people)))
            work.append((cpu_seconds(world.process) - before) / PEOPLE * 1000)
    rate = against(15, "new customers a second whose first page lets them choose", ours[1:], bare[1:], "people/s",
                   f"{LATENCY * 1000:g} ms an answer; reference: the bare {len(asked)} questions each")  # fmt: skip
    each = Figure(15, "processor time of a new customer's first page and its questions",
                  round(statistics.median(work[1:]), 1), "ms", note="what bounds that rate")  # fmt: skip
    return [at_least(rate, 35.0), at_most(each, 28.0)]


async def first_pages(world: MeasuredProduct, people: list[HttpUser]) -> float:
    """Return how many people a second have got their first page."""
    waiting = list(people)

    async def come() -> None:
        while waiting:
            person = waiting.pop()
            async with httpx.AsyncClient(
                base_url=world.url, verify=NO_AUTHORITIES, trust_env=False, timeout=60
            ) as client:
                answer = await client.get("/payment", headers={"Cookie": f"session={person.session_cookie}"})
            if CAN_CHOOSE not in answer.text:
                raise RuntimeError("a first page on which nothing can be chosen")

    began = time.monotonic()
    await asyncio.gather(*(come() for _visitor in range(AT_ONCE)))
    return len(people) / (time.monotonic() - began)


async def _bare(world: MeasuredProduct, products: list[str]) -> float:
    """Return how many people a second can be asked about, one question at a time and nothing else."""
    service = world.product.sandbox.payment_ms_url
    headers = {"X-API-Key": world.product.sandbox.api_key}
    async with httpx.AsyncClient(
        base_url=service, headers=headers, verify=NO_AUTHORITIES, trust_env=False, timeout=60
    ) as client:
        began = time.monotonic()
        for number in range(PEOPLE):
            for product in products:
                (await client.get(f"/api/v1/subscriptions/bench-{number}/{product}")).raise_for_status()
        return PEOPLE / (time.monotonic() - began)
