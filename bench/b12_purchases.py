"""What a purchase asks of the Payment MS, and for how many purchases the running service lives through it.

That service keeps one connection for calls and webhooks, and breaks for good when two meet. The calls of a purchase are
measured, with the app and its sandbox as processes. How long the service lives is played from them: twenty real runs
would take hours, and nothing decides but when calls and webhooks use the connection.
"""

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.results import Figure, at_least, at_most
from bench.world import PRICE, MeasuredProduct, our_world
from harness.http_user import HttpUser
from harness.socket_tab import SocketTab, browser

WEBHOOK_AFTER: Final = 2.0
"""Seconds from a payment to its webhook."""

WATCHED: Final = 30.0
"""Seconds for which the success page stays open."""

RUNS: Final = 200
"""Lives differ as much as chance does: the mean of twenty is off by a fifth."""

EVERY: Final = 2.0
"""Seconds between two purchases."""

WORK: Final = 0.004
"""Seconds for which a call or a webhook uses the connection, as in the sandbox's `SingleConnection`."""

MOST: Final = 2_000
"""Purchases after which a run ends, with the service alive."""


@dataclass(frozen=True, slots=True)
class PurchaseCalls:
    """When calls to the Payment MS came, in seconds after the payment: those before it are negative."""

    moments: tuple[float, ...]
    to_confirmed: int
    after_news: int = 0
    """How many of them, the last ones, were made because the webhook had come: they follow it, whenever it comes."""


FORMER: Final = PurchaseCalls(
    (
        -0.1, -0.1, -0.1, -0.09, 0.11, 1.12, 1.12, 1.13, 2.13, 2.14, 2.15, 3.22, 4.23, 5.25, 6.28, 6.3, 6.33, 7.34,
        8.35, 9.35, 10.37, 11.39, 11.4, 11.42, 12.44, 13.45, 14.45, 15.46, 16.49, 16.49, 16.5, 17.51, 18.55, 19.58,
        20.69, 21.7, 21.71, 21.73, 22.78, 23.79, 24.8, 25.81, 26.81, 26.82, 26.83, 27.84, 28.84, 29.85,
    ),
    11,
)  # fmt: skip
"""The former pace, measured in the same way: the product bought each second for half a minute, all three each five."""


def run(folder: Path) -> list[Figure]:
    """Measure one purchase, then play many."""
    with our_world(folder) as world:
        world.control("PATCH", "/settings", webhook_delay=WEBHOOK_AFTER)
        now = asyncio.run(calls_of_a_purchase(world))
    lives, former = ([purchases_survived(calls, seed) for seed in range(RUNS)] for calls in (now, FORMER))
    mean, before = statistics.mean(lives), statistics.mean(former)
    return [
        at_most(Figure(12, "Payment MS calls from press to confirmed", now.to_confirmed, "calls",
                       note=f"webhook after {WEBHOOK_AFTER:g} s"), 8.0),
        Figure(12, "Payment MS calls of a purchase, half a minute", len(now.moments), "calls", len(FORMER.moments),
               round(len(now.moments) / len(FORMER.moments), 2), note="reference: the former pace"),
        at_least(Figure(12, "purchases until a webhook meets a call", round(mean, 1), "purchases", round(before, 1),
                        round(mean / before, 2),
                        note=f"mean of {RUNS} played runs, one each {EVERY:g} s; reference: the former pace"),
                 4.0, of="ratio"),
    ]  # fmt: skip


async def calls_of_a_purchase(world: MeasuredProduct, watched: float = WATCHED) -> PurchaseCalls:
    """Press, pay, come back, and watch the success page until it is confirmed and for a while after."""
    person = await asyncio.to_thread(world.person)
    await asyncio.to_thread(world.control, "POST", "/requests/reset")
    paid, path = await asyncio.to_thread(_buy, world, person)
    async with _tab(world, person, path) as tab:
        await tab.shows("Welcome to Premium", 20.0)
        confirmed = len(await asyncio.to_thread(_moments, world, person))
        await asyncio.sleep(max(0.0, paid + watched - time.time()))
        moments = await asyncio.to_thread(_moments, world, person)
    since = tuple(moment - paid for moment in moments)
    return PurchaseCalls(since, confirmed, sum(WEBHOOK_AFTER <= moment < WEBHOOK_AFTER + 1.5 for moment in since))


def purchases_survived(calls: PurchaseCalls, seed: int) -> int:
    """Return how many purchases the service lived through until a webhook met a call."""
    chance = random.Random(seed)  # noqa: S311 - nothing to guard
    used: list[float] = []
    webhooks: list[float] = []
    for number in range(MOST):
        paid = number * EVERY + chance.uniform(0.0, EVERY)
        webhook = paid + WEBHOOK_AFTER + chance.uniform(-0.5, 0.5)
        by_the_clock = calls.moments[: len(calls.moments) - calls.after_news]
        used += [paid + moment + chance.uniform(0.0, 0.5) for moment in by_the_clock]
        used += [webhook + chance.uniform(WORK, 1.0) for _call in range(calls.after_news)]
        webhooks.append(webhook)
    died = _first_meeting(sorted(used), sorted(webhooks))
    return MOST if died is None else int(died / EVERY)


def _first_meeting(used: Sequence[float], webhooks: Sequence[float]) -> float | None:
    place = 0
    for webhook in webhooks:
        while place < len(used) and used[place] <= webhook - WORK:
            place += 1
        if place < len(used) and used[place] < webhook + WORK:
            return webhook
    return None


def _buy(world: MeasuredProduct, person: HttpUser) -> tuple[float, str]:
    """Press the plan's button and pay; return when, and where Stripe sends the browser."""
    pressed = person.press_subscribe(PRICE)
    if pressed.status_code != 303:
        raise RuntimeError(f"no checkout: {pressed.status_code}")
    session = person.sessions()[0]
    paid = time.time()
    done = world.control("POST", f"/pay/{session['id']}")
    target = str(done.get("success_url") or session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])
    return paid, target.removeprefix(world.url)


def _tab(world: MeasuredProduct, person: HttpUser, path: str) -> "_OneTab":
    return _OneTab(SocketTab(browser(world.url, [("session", person.session_cookie)]), path))


class _OneTab:
    def __init__(self, tab: SocketTab) -> None:
        self._tab = tab

    async def __aenter__(self) -> SocketTab:
        return await self._tab.open()

    async def __aexit__(self, *_: object) -> None:
        await self._tab.close()


def _moments(world: MeasuredProduct, person: HttpUser) -> list[float]:
    """Return when the Payment MS was called about somebody, by the sandbox's clock, which is ours."""
    report = world.control("GET", f"/requests?user_id={person.user_id}&limit=1000")
    return sorted(one["at"] for one in report["recent"] if one["service"] == "payment")
