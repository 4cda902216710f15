"""What a purchase asks of the Payment MS, and for how many purchases the running service lives through it.

That service keeps one connection for calls and webhooks, and breaks for good when two meet. The calls of one purchase
are counted with the app and its sandbox as processes. How long the service lives is played by `purchases_played`:
the app's own services against the sandbox's quirk, in virtual time, at today's pace and at the former one.
"""

import asyncio
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from bench.purchases_played import EVERY, FormerSchedule, purchases_survived
from bench.results import Figure, at_least, at_most
from bench.world import PRICE, MeasuredProduct, our_world
from harness.http_user import HttpUser
from harness.socket_tab import SocketTab, browser
from services.live_status.schedule import PollSchedule

WEBHOOK_AFTER: Final = 2.0
"""Seconds from a payment to its webhook."""

WATCHED: Final = 30.0
"""Seconds for which the success page stays open."""

FORMER: Final = "reference: the former pace"

RUNS: Final = 20
"""Lives differ as much as chance does: the mean of twenty is off by a fifth."""


@dataclass(frozen=True, slots=True)
class PurchaseCalls:
    """When calls to the Payment MS came, in seconds after the payment: those before it are negative."""

    moments: tuple[float, ...]
    to_confirmed: int


def run(folder: Path) -> list[Figure]:
    """Measure one purchase, then play many."""
    with our_world(folder) as world:
        world.control("PATCH", "/settings", webhook_delay=WEBHOOK_AFTER)
        now = asyncio.run(calls_of_a_purchase(world))
    lives, former = (
        [purchases_survived(pace, seed) for seed in range(RUNS)] for pace in (PollSchedule, FormerSchedule)
    )
    mean, before = (statistics.mean(bought for bought, _calls in runs) for runs in (lives, former))
    calls, calls_before = (
        sum(calls for _bought, calls in runs) / sum(bought for bought, _calls in runs) for runs in (lives, former)
    )
    return [
        at_most(Figure(12, "Payment MS calls from press to confirmed", now.to_confirmed, "calls",
                       note=f"webhook after {WEBHOOK_AFTER:g} s"), 8.0),
        Figure(12, "Payment MS calls of a purchase", round(calls, 1), "calls", round(calls_before, 1),
               round(calls / calls_before, 2), note=f"mean of the runs below; {FORMER}"),
        at_least(Figure(12, "purchases until a webhook meets a call", round(mean, 1), "purchases", round(before, 1),
                        round(mean / before, 2),
                        note=f"mean of {RUNS} runs against the sandbox, one each {EVERY:g} s; {FORMER}"),
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
    return PurchaseCalls(tuple(moment - paid for moment in moments), confirmed)


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
    """Return when the Payment MS was called about somebody, by either of their ids and by the sandbox's clock."""
    asked = [f"/requests?user_id={quote(name)}&limit=1000" for name in (person.user_id, person.email)]
    seen = [one for query in asked for one in world.control("GET", query)["recent"]]
    return sorted(one["at"] for one in seen if one["service"] == "payment")
