"""The service for an own Stripe account under load: its questions, forty buyers with 300 tabs, and two instances.

One of the two instances is killed in the middle, and PostgreSQL is restarted. The sandbox's Stripe, the app and whoever
opens the tabs share the machine's cores: how much of them each takes is told.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from bench.results import Figure, at_least, at_most, percentile
from bench.views import Viewer
from bench.world import PRICE, MeasuredProduct, cpu_seconds, own_stripe_world
from harness.cluster import until
from harness.http_user import HttpUser
from harness.own_stripe import OwnStripeProduct, running_service
from harness.own_stripe_crowd import KEY, PRODUCT, Buyers, two_instances, wait_for
from harness.postgres_server import PostgresServer
from harness.socket_tab import SocketTab, browser, open_tabs

PEOPLE: Final = 100
BUYERS: Final = 40
TABS_EACH: Final = 3
ACTIVE: Final = '"data-state":"active"'

QUESTIONS: Final = 2000
AT_ONCE: Final = 32
WITHIN: Final = 3.0
"""Seconds from the webhooks to the last tab."""


@dataclass(frozen=True)
class TabsTold:
    """Seconds until each success page said it, and the processor time that each process took meanwhile."""

    waits: list[float]
    spent: dict[str, float]


def load_figures(folder: Path) -> list[Figure]:
    """Measure all of it."""
    folder.mkdir(parents=True, exist_ok=True)
    found = _questions_to_one(folder / "questions") + _tabs(folder / "tabs")
    postgres = PostgresServer()
    try:
        return found + _two(folder, postgres)
    finally:
        postgres.kill()


def _questions_to_one(folder: Path) -> list[Figure]:
    folder.mkdir()
    with running_service(folder) as service:
        middle, rate = _questions(service.url, service.api_key)
    return [
        at_most(_figure("a status question to the service, in the middle, SQLite", middle, "ms"), 5.0),
        at_least(_figure(f"status questions, {AT_ONCE} at a time, SQLite, one process", rate, "a second"), 400.0),
    ]


def _tabs(folder: Path) -> list[Figure]:
    with own_stripe_world(folder) as world:
        world.control("PATCH", "/settings", webhook_delay=3600)
        people = [world.person() for _ in range(PEOPLE)]
        told = asyncio.run(confirmed_in_tabs(world, people))
    name = f"{BUYERS} of {PEOPLE} people with 300 tabs, from all webhooks at once to the tab"
    shares = ", ".join(f"{process} {seconds:.1f} s" for process, seconds in told.spent.items())
    total = sum(told.spent.values())
    return [
        _figure(f"{name}, in the middle", percentile(told.waits, 50), "s"),
        at_most(_figure(f"{name}, the last", max(told.waits), "s"), WITHIN),
        _figure("processor time meanwhile, of all processes", total, "s", note=shares),
    ]


def _two(folder: Path, postgres: PostgresServer) -> list[Figure]:
    def in_the_middle(crowd: Buyers, act: Callable[[], None]) -> None:
        if not until(lambda: len(crowd.confirmed) >= 5, 60):
            raise RuntimeError("nobody is confirmed")
        act()

    def killed(crowd: Buyers) -> None:
        in_the_middle(crowd, lambda: crowd.instances[0].kill())

    def restarted(crowd: Buyers) -> None:
        in_the_middle(crowd, postgres.restart)

    found: list[Figure] = []
    variants: dict[str, Callable[[Buyers], None]] = {
        "nothing happens": lambda crowd: None,
        "the one with the webhooks is killed in the middle": killed,
        "PostgreSQL is restarted in the middle": restarted,
    }
    for number, (what, meanwhile) in enumerate(variants.items()):
        (place := folder / f"two-{number}").mkdir()
        with two_instances(place, postgres) as crowd:
            if number == 0:
                middle, rate = _questions(crowd.instances[1].url, KEY)
                found.append(at_most(_figure("the same, PostgreSQL, two processes", middle, "ms"), 5.0))
                found.append(at_least(_figure(f"{AT_ONCE} at a time, of one of them", rate, "a second"), 400.0))
            crowd.run(f"bench{number}", lambda: meanwhile(crowd))  # noqa: B023 - called at once
            if number == 1:
                crowd.instances[0].start()
                wait_for(crowd.instances[0])
            waits, about = crowd.confirmed, f"{BUYERS} buy at once at two instances, {what}"
        note = "from the payment, webhooks after 0.5 s; none failed, each has one subscription"
        found.append(_figure(f"{about}: on record, in the middle", percentile(waits, 50), "s", note=note))
        found.append(_figure(f"{about}: on record, the last", max(waits), "s", note=note))
    return found


def _questions(url: str, key: str) -> tuple[float, float]:
    """Return the milliseconds of a status question, in the middle, and how many are answered a second.

    Of those who ask at the same time each has a connection and a thread of its own: they share the cores with the
    service, and a client that costs more than what it asks would be what is measured.
    """
    path, headers, each = f"/api/v1/subscriptions/nobody/{PRODUCT}", {"X-API-Key": key}, QUESTIONS // AT_ONCE

    def asked(viewer: Viewer, times: int) -> list[float]:
        took = []
        for _ in range(times):
            began = time.perf_counter()
            if (answer := viewer.view(path, headers)).status != 200:
                raise RuntimeError(f"a status question was answered with {answer.status}")
            took.append(time.perf_counter() - began)
        return took

    viewers = [Viewer(url, []) for _ in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as askers:
        list(askers.map(asked, viewers, [5] * AT_ONCE))  # connections and threads are there then
        middle = percentile(asked(viewers[0], 300), 50) * 1000
        began = time.perf_counter()
        list(askers.map(asked, viewers, [each] * AT_ONCE))
        rate = each * AT_ONCE / (time.perf_counter() - began)
    for viewer in viewers:
        viewer.close()
    return middle, rate


def _spent(world: MeasuredProduct) -> dict[str, float]:
    product = world.product
    processes = {"the app": world.process, "the sandbox": psutil.Process(product.sandbox.process.pid)}
    if isinstance(product, OwnStripeProduct) and product.service.process is not None:
        processes["the service"] = psutil.Process(product.service.process.pid)
    processes["the tabs"] = psutil.Process()
    return {name: cpu_seconds(process) for name, process in processes.items()}


def _figure(name: str, value: float, unit: str, note: str = "") -> Figure:
    return Figure(17, name, round(value, 2), unit, note=note)


async def confirmed_in_tabs(world: MeasuredProduct, people: list[HttpUser]) -> TabsTold:
    """Have the first forty pay, send all webhooks at once, and wait until each success page said it."""
    returns = await asyncio.gather(*(asyncio.to_thread(pay_at_the_app, world, buyer) for buyer in people[:BUYERS]))
    success = [tab_of(world, buyer, path) for buyer, path in zip(people, returns, strict=False)]
    billing = [tab_of(world, person, "/payment") for person in people for _ in range(TABS_EACH)][: -len(success)]
    async with open_tabs([*success, *billing], at_once=6):
        for tab in success:
            if ACTIVE in tab.html:  # whatever Stripe says of the session: nobody has confirmed it yet
                raise RuntimeError("a success page said it before any webhook was sent")
            tab.forget()
        before = _spent(world)
        sent = time.monotonic()
        await asyncio.to_thread(world.control, "POST", "/webhooks/flush")
        waits = [at - sent for at in await asyncio.gather(*(tab.shows(ACTIVE, 60) for tab in success))]
        after = _spent(world)
    return TabsTold(waits, {name: after[name] - before[name] for name in after})


def pay_at_the_app(world: MeasuredProduct, buyer: HttpUser) -> str:
    """Press the plan's button and pay; return where Stripe sends the browser."""
    pressed = buyer.press_subscribe(PRICE)
    if pressed.status_code != 303:
        raise RuntimeError(f"no checkout: {pressed.status_code}")
    (session,) = buyer.sessions()
    world.control("POST", f"/pay/{session['id']}")
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"]).removeprefix(world.url)


def tab_of(world: MeasuredProduct, person: HttpUser, path: str) -> SocketTab:
    return SocketTab(browser(world.url, [("session", person.session_cookie)]), path)
