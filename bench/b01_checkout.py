"""What our checkout costs beside the Payment MS's own time, with twenty people at once.

The overhead holds the guards' fresh look at both services too, which is the services' time and not ours. A figure
without a target says how much is left without the look's calls to the Payment MS, asked directly by the same people.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from bench.results import Figure, at_most, percentile
from bench.world import PRICE, MeasuredProduct, our_world
from catalog import load_catalog
from harness.app_process import NO_AUTHORITIES, ROOT
from harness.http_user import HttpUser

PEOPLE = 20
PRODUCTS = tuple(plan.product_id for plan in load_catalog(ROOT / "products.json").plans if plan.product_id)
ROUNDS = 6
PAUSE = 2.0
"""Seconds over which twenty people press: nobody presses in step with the others."""


def run(folder: Path) -> list[Figure]:
    """Press at our API, call the stand-in directly, and ask it what the guards ask, in turns; each as many at once."""
    environment = {"PAYMENT_MS_MAX_IN_FLIGHT": str(PEOPLE), "LOG_LEVEL": "WARNING"}
    with our_world(folder, app=environment) as world:
        ours, direct, questions = asyncio.run(_measure(world))
    return _figures(ours, direct, questions)


def _figures(ours: list[float], direct: list[float], questions: list[float]) -> list[Figure]:
    figures = []
    for percent, limit in ((50, 5.0), (99, 25.0)):
        value, reference = percentile(ours, percent) * 1000, percentile(direct, percent) * 1000
        over = Figure(
            1, f"checkout overhead, p{percent}", round(value - reference, 1), "ms",
            round(reference, 1), round(value / reference, 2), note="answer of our API minus a direct checkout call",
        )  # fmt: skip
        figures.append(at_most(over, limit))
    value, calls, asked = (percentile(times, 50) * 1000 for times in (ours, direct, questions))
    own = Figure(
        1, "checkout overhead without the guards' questions, p50", round(value - calls - asked, 1), "ms",
        round(calls + asked, 1), round(value / (calls + asked), 2),
        note=f"also minus {len(PRODUCTS)} direct status calls, one after the other",
    )  # fmt: skip
    return [*figures, own]


async def _measure(world: MeasuredProduct) -> tuple[list[float], list[float], list[float]]:
    ours: list[float] = []
    direct: list[float] = []
    questions: list[float] = []
    for _round in range(ROUNDS):
        people = await asyncio.to_thread(lambda: [world.person() for _ in range(PEOPLE)])
        async with asyncio.TaskGroup() as group:
            presses = [group.create_task(_press(world, p, i)) for i, p in enumerate(people)]
        ours += [task.result() for task in presses]
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(_call(world, p, i)) for i, p in enumerate(people)]
        direct += [task.result() for task in calls]
        async with asyncio.TaskGroup() as group:
            looks = [group.create_task(_ask(world, p, i)) for i, p in enumerate(people)]
        questions += [task.result() for task in looks]
    return ours, direct, questions


async def _press(world: MeasuredProduct, person: HttpUser, number: int) -> float:
    """Open a checkout as a person who thinks first, and return how long it took."""
    headers = {"Origin": world.url, "Accept": "application/json"}
    async with httpx.AsyncClient(
        base_url=world.url, trust_env=False, verify=NO_AUTHORITIES, timeout=30, headers=headers
    ) as client:
        await client.get("/healthz")
        await asyncio.sleep(PAUSE * number / PEOPLE)
        began = time.perf_counter()
        answer = await client.post(
            "/api/payment/checkout", json={"price_id": PRICE}, headers={"Cookie": f"session={person.session_cookie}"}
        )
        took = time.perf_counter() - began
    if answer.status_code != 200:
        raise RuntimeError(f"no checkout: {answer.text}\n{world.product.app.log()[-2000:]}")
    return took


@asynccontextmanager
async def _at_the_stand_in(world: MeasuredProduct, number: int) -> AsyncIterator[httpx.AsyncClient]:
    """Give a connected client of the stand-in when it is this person's turn."""
    sandbox = world.product.sandbox
    headers = {"X-API-Key": sandbox.api_key}
    async with httpx.AsyncClient(
        base_url=sandbox.payment_ms_url, trust_env=False, verify=NO_AUTHORITIES, timeout=30, headers=headers
    ) as client:
        await client.get("/health")
        await asyncio.sleep(PAUSE * number / PEOPLE)
        yield client


async def _call(world: MeasuredProduct, person: HttpUser, number: int) -> float:
    body = {
        "user_id": f"{person.user_id}d", "email": person.email, "product_id": "prod_sandbox_premium",
        "price_id": PRICE, "success_url": f"{world.url}/payment/success", "cancel_url": f"{world.url}/payment/cancel",
    }  # fmt: skip
    async with _at_the_stand_in(world, number) as client:
        began = time.perf_counter()
        answer = await client.post("/api/v1/checkout/subscription", json=body)
        took = time.perf_counter() - began
    answer.raise_for_status()
    return took


async def _ask(world: MeasuredProduct, person: HttpUser, number: int) -> float:
    """Ask the stand-in about every product, as the guards do, and return how long all of it took."""
    async with _at_the_stand_in(world, number) as client:
        began = time.perf_counter()
        for product in PRODUCTS:
            path = f"/api/v1/subscriptions/{person.user_id}/{product}"
            (await client.get(path)).raise_for_status()
        return time.perf_counter() - began
