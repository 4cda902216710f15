"""Checkouts and first pages over the service for an own Stripe account, beside the same over the recorded Payment MS.

Both apps may ask 32 things at a time. The service asks Stripe for each checkout, which is the sandbox here, on the same
cores: the whole time of a press is theirs as much as ours. Ours is what is left without the calls of a press, made
directly by the same people in the same order, as in bench 1; held to a target is what our process spends on it, which
a busy machine changes less. The service's own figures under load follow (`own_stripe_load`).
"""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from bench.b01_checkout import PEOPLE, ROUNDS, all_in_turn, at_the_stand_in, press, timed
from bench.b15_first_pages import first_pages
from bench.own_stripe_load import load_figures
from bench.results import Figure, against, at_least, at_most, percentile
from bench.world import MeasuredProduct, cpu_seconds, our_world, own_stripe_world

SETTINGS: Final = {"PAYMENT_MS_MAX_IN_FLIGHT": "32"}
OVER_RECORDED: Final = "reference: over the recorded service"
AT_PAR: Final = 0.9
"""Rounds differ by a tenth."""


@dataclass
class Measured:
    """One app over one of the services: seconds of presses and of their calls, and what each round had."""

    world: MeasuredProduct
    asks_once: bool
    presses: list[float] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)
    """Milliseconds of our process for a checkout, by round."""
    pages: list[float] = field(default_factory=list)
    """First pages a second, by round."""

    def own_time(self, percent: float) -> float:
        """Milliseconds of a press that are ours."""
        return (percentile(self.presses, percent) - percentile(self.calls, percent)) * 1000

    def forget(self) -> None:
        """Forget the round that filled the pools."""
        for measured in (self.presses, self.calls, self.work, self.pages):
            measured.clear()


def run(folder: Path) -> list[Figure]:
    """Press over both services in turns."""
    with (
        our_world(folder / "recorded", app=SETTINGS) as recorded,
        own_stripe_world(folder / "own", app=SETTINGS) as own,
    ):
        both = Measured(own, asks_once=True), Measured(recorded, asks_once=False)
        for number in range(ROUNDS + 1):
            for one in both:
                asyncio.run(_round(one))
                if number == 0:
                    one.forget()
    return _figures(*both) + load_figures(folder / "load")


async def _round(one: Measured) -> None:
    people = await asyncio.to_thread(lambda: [one.world.person() for _ in range(PEOPLE)])
    before = cpu_seconds(one.world.process)
    one.presses += await all_in_turn(partial(press, one.world), people)
    one.work.append((cpu_seconds(one.world.process) - before) / PEOPLE * 1000)
    async with at_the_stand_in(one.world, asks_once=one.asks_once) as stand_in:
        accounts = {person.name: await stand_in.account(person) for person in people}
        one.calls += await all_in_turn(partial(timed, partial(stand_in.calls_of_a_press, accounts)), people)
    people = await asyncio.to_thread(lambda: [one.world.person() for _ in range(2 * PEOPLE)])
    one.pages.append(await first_pages(one.world, people))


def _figures(own: Measured, recorded: Measured) -> list[Figure]:
    found = []
    for percent in (50, 99):
        value, reference = (percentile(one.presses, percent) * 1000 for one in (own, recorded))
        found.append(_beside(f"checkout over the service for an own account, p{percent}", value, reference, "ms",
                             f"its calls to Stripe are answered on the same cores; {OVER_RECORDED}"))  # fmt: skip
    mine, theirs = own.own_time(50), recorded.own_time(50)
    spared = _beside("own time of a checkout there, p50", mine, theirs, "ms",
                     f"minus the calls of a press, made directly; {OVER_RECORDED}")  # fmt: skip
    work = against(17, "processor time of a checkout there, in our process", own.work, recorded.work, "ms",
                   f"one question instead of three; {OVER_RECORDED}")  # fmt: skip
    pages = against(17, "new customers a second whose first page lets them choose, there", own.pages, recorded.pages,
                    "people/s", OVER_RECORDED)  # fmt: skip
    return [*found, spared, at_most(work, 1.0, of="ratio"), at_least(pages, AT_PAR, of="ratio")]


def _beside(name: str, value: float, reference: float, unit: str, note: str) -> Figure:
    return Figure(17, name, round(value, 1), unit, round(reference, 1), round(value / reference, 2), note=note)
