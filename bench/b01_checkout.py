"""What our checkout costs beside the Payment MS's own time, with twenty people at once.

The overhead holds what a press asks both services before it sells, which is the services' time and not ours. Our own
time is what is left without all that: the same calls, made directly by the same people in the same order, and as many
of them at once. The processor time says the same on a machine that has other work.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx

from bench.results import Figure, at_most, percentile
from bench.world import PRICE, MeasuredProduct, cpu_seconds, our_world
from catalog import load_catalog
from harness.app_process import NO_AUTHORITIES, ROOT
from harness.http_user import HttpUser

PEOPLE = 20
PRODUCTS = tuple(plan.product_id for plan in load_catalog(ROOT / "products.json").plans if plan.product_id)
ROUNDS = 6
PAUSE = 2.0
"""Seconds over which twenty people press: nobody presses in step with the others."""


def run(folder: Path) -> list[Figure]:
    """Press at our API, call the stand-in's checkout directly, and make all calls of a press directly, in turns."""
    environment = {"PAYMENT_MS_MAX_IN_FLIGHT": str(PEOPLE), "LOG_LEVEL": "WARNING"}
    with our_world(folder, app=environment) as world:
        return _figures(*asyncio.run(_measure(world)))


def _figures(ours: list[float], checkouts: list[float], calls: list[float], work: list[float]) -> list[Figure]:
    figures = []
    for percent, limit in ((50, 5.0), (99, 25.0)):
        note = "answer of our API minus a direct checkout call"
        figures.append(_difference(f"checkout overhead, p{percent}", percent, ours, checkouts, limit, note))
    for percent, limit in ((50, 4.0), (99, 15.0)):
        note = f"minus the calls of a press, made directly: the account and {len(PRODUCTS)} plans at once, the portal, "
        name = f"own time of a checkout, p{percent}"
        figures.append(_difference(name, percent, ours, calls, limit, f"{note}the checkout"))
    spent = percentile(work, 50) * 1000
    return [*figures, Figure(1, "processor time of a checkout, in our process", round(spent, 1), "ms")]


def _difference(name: str, percent: float, ours: list[float], others: list[float], limit: float, note: str) -> Figure:
    value, reference = percentile(ours, percent) * 1000, percentile(others, percent) * 1000
    figure = Figure(1, name, round(value - reference, 1), "ms", round(reference, 1), round(value / reference, 2),
                    note=note)  # fmt: skip
    return at_most(figure, limit)


async def _measure(world: MeasuredProduct) -> tuple[list[float], list[float], list[float], list[float]]:
    ours: list[float] = []
    checkouts: list[float] = []
    calls: list[float] = []
    work: list[float] = []
    for _round in range(ROUNDS + 1):
        people = await asyncio.to_thread(lambda: [world.person() for _ in range(PEOPLE)])
        before = cpu_seconds(world.process)
        ours += await all_in_turn(partial(press, world), people)
        work.append((cpu_seconds(world.process) - before) / PEOPLE)
        async with at_the_stand_in(world) as stand_in:
            checkouts += await all_in_turn(partial(timed, partial(stand_in.checkout, "d")), people)
            accounts = {person.name: await stand_in.account(person) for person in people}
            of_a_press = partial(stand_in.calls_of_a_press, accounts)
            calls += await all_in_turn(partial(timed, of_a_press), people)
    return ours[PEOPLE:], checkouts[PEOPLE:], calls[PEOPLE:], work[1:]  # the first round fills the pools


async def all_in_turn(do: Callable[[HttpUser, int], Awaitable[float]], people: list[HttpUser]) -> list[float]:
    """Let each person do it, and return how long each took."""
    return list(await asyncio.gather(*(do(person, number) for number, person in enumerate(people))))


async def timed(call: Callable[[HttpUser], Awaitable[None]], person: HttpUser, number: int) -> float:
    """Make a call when it is this person's turn, and return how long it took."""
    await asyncio.sleep(PAUSE * number / PEOPLE)
    began = time.perf_counter()
    await call(person)
    return time.perf_counter() - began


async def press(world: MeasuredProduct, person: HttpUser, number: int) -> float:
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


class StandIn:
    """Both services, called without our app. `asks_once`: one answer of the Payment MS holds all plans."""

    def __init__(
        self, world: MeasuredProduct, payment: httpx.AsyncClient, auth: httpx.AsyncClient, *, asks_once: bool
    ) -> None:
        self._asks_once = asks_once
        self._world = world
        self._payment = payment
        self._auth = auth

    async def account(self, person: HttpUser) -> str:
        """Sign a person in once more, and return the Auth MS's session."""
        made = await asyncio.to_thread(self._world.control, "POST", "/users", email=person.email, name=person.name)
        answer = await self._auth.post("/auth/session/create", json={"auth_code": made["auth_code"]})
        return str(answer.raise_for_status().json()["session_id"])

    async def checkout(self, mark: str, person: HttpUser) -> None:
        """Open a checkout for somebody named like this person."""
        body = {
            "user_id": f"{person.user_id}{mark}", "email": person.email, "product_id": "prod_sandbox_premium",
            "price_id": PRICE, "success_url": f"{self._world.url}/payment/success",
            "cancel_url": f"{self._world.url}/payment/cancel",
        }  # fmt: skip
        (await self._payment.post("/api/v1/checkout/subscription", json=body)).raise_for_status()

    async def calls_of_a_press(self, accounts: Mapping[str, str], person: HttpUser) -> None:
        """Ask and order what our app does for a customer's first plan: as much at once, and in the same order."""
        customer = f"{person.user_id}e"
        about = [customer] if self._asks_once else [f"{customer}/{product}" for product in PRODUCTS]
        answers = await asyncio.gather(
            self._auth.post("/auth/session/refresh", json={"session_id": accounts[person.name]}),
            *(self._payment.get(f"/api/v1/subscriptions/{one}") for one in about),
        )
        for answer in answers:
            answer.raise_for_status()
        await self._payment.post("/api/v1/portal", json={"user_id": customer, "return_url": self._world.url})
        await self.checkout("e", person)


@asynccontextmanager
async def at_the_stand_in(world: MeasuredProduct, *, asks_once: bool = False) -> AsyncIterator[StandIn]:
    """Give both services, with connections that are open."""
    sandbox, (address, key) = world.product.sandbox, world.product.payment_ms
    async with (
        httpx.AsyncClient(
            base_url=address, trust_env=False, verify=NO_AUTHORITIES, timeout=30, headers={"X-API-Key": key}
        ) as payment,
        httpx.AsyncClient(base_url=sandbox.auth_ms_url, trust_env=False, verify=NO_AUTHORITIES, timeout=30) as auth,
    ):  # fmt: skip
        await asyncio.gather(auth.get("/health"), *(payment.get("/health") for _product in PRODUCTS))
        yield StandIn(world, payment, auth, asks_once=asks_once)
