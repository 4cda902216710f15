"""The model behind docs/scaling.md: what so many users need, from constants that the benches measure.

`python -m bench.model [USERS]` prints the table. `deviations` compares each constant with `bench/results.json`; a test
fails when one is off by more than `TOLERANCE`, so that the model can't drift away from what is measured.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.results import RESULTS

TOLERANCE: Final = 0.5
"""Machines differ; a constant half as large again, or half as large, tells of another program."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What users do. These are assumptions: put your own in."""

    open_at_peak: float = 0.002
    """Share of all users who have a billing page open at the busiest moment."""
    tabs_each: float = 1.3
    views_each_month: float = 6.0
    checkouts_each_month: float = 0.03
    peak_factor: float = 5.0
    """The busiest hour against the mean one."""
    pushed: bool = False
    """Whether the Payment MS tells the app of changes, so that a look each five minutes is enough for idle people."""


@dataclass(frozen=True, slots=True)
class Constants:
    """What the benches measure."""

    view_ms: float = 15.0
    """Processor time of a page view (bench 3, `/payment`)."""
    tab_kb: float = 230.0
    """Memory of a connected tab (bench 5)."""
    watched_ms: float = 0.7
    """Processor time a second for each person watched, with Redis (bench 11)."""
    redis_commands: float = 3.3
    """Redis commands a second for each person watched (bench 11)."""
    calls_a_minute: float = 1.4
    """Payment MS calls a minute for each person watched (bench 6)."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is not ours to measure: round figures, to be replaced by those of the installation."""

    payment_ms_seconds: float = 0.015
    """How long the Payment MS takes for a status, with the way there and the change of turns between replicas."""
    checkout_seconds: float = 0.7
    """How long it takes for a checkout: it waits for Stripe."""
    calls_of_a_checkout: int = 3
    redis_commands_a_second: float = 80_000.0
    """What one Redis process serves."""
    busy: float = 0.6
    """How busy a core may be at the peak."""
    replica_gb: float = 0.75
    """What one replica may use of its 1 GB, its own 0.15 GB taken off."""
    replica_month: float = 25.0
    """Price of one core and 1 GB a month, in dollars."""
    redis_month: float = 60.0


@dataclass(frozen=True, slots=True)
class Needs:
    """What so many users need at the busiest moment."""

    users: int
    people_open: float
    tabs: float
    views_a_second: float
    checkouts_a_second: float
    payment_calls_a_second: float
    payment_ms_busy: float
    """Share of its time that one request at a time fills; above 1 it can't be done."""
    redis_a_second: float
    redis_busy: float
    cores: float
    memory_gb: float
    replicas: int
    dollars_a_month: float


def needs(
    users: int,
    behaviour: Behaviour = Behaviour(),
    measured: Constants = Constants(),
    around: Surroundings = Surroundings(),
) -> Needs:
    """Return what so many users need."""
    month = 30 * 24 * 3600.0
    people = users * behaviour.open_at_peak
    tabs = people * behaviour.tabs_each
    views = users * behaviour.views_each_month / month * behaviour.peak_factor
    checkouts = users * behaviour.checkouts_each_month / month * behaviour.peak_factor
    looks = people * measured.calls_a_minute / 60 / (5 if behaviour.pushed else 1)
    calls = looks + checkouts * (1 + around.calls_of_a_checkout)
    payment_busy = (
        (looks + checkouts * around.calls_of_a_checkout) * around.payment_ms_seconds
        + checkouts * around.checkout_seconds
    )  # fmt: skip
    redis = people * measured.redis_commands + views * 6 + checkouts * 40
    cores = (views * measured.view_ms + people * measured.watched_ms) / 1000
    memory = tabs * measured.tab_kb / 1e6
    replicas = max(2, _up(cores / around.busy), _up(memory / around.replica_gb))
    return Needs(
        users=users, people_open=people, tabs=tabs, views_a_second=views, checkouts_a_second=checkouts,
        payment_calls_a_second=calls, payment_ms_busy=payment_busy, redis_a_second=redis,
        redis_busy=redis / around.redis_commands_a_second, cores=cores, memory_gb=memory, replicas=replicas,
        dollars_a_month=replicas * around.replica_month + around.redis_month,
    )  # fmt: skip


def deviations(
    results: Sequence[Mapping[str, Any]], constants: Constants | None = None
) -> dict[str, tuple[float, float]]:
    """Return the constants that are off, with what was measured; nothing for those that were not measured."""
    constants = constants or Constants()
    measured = {
        "view_ms": _value(results, "processor time of a view of /payment"),
        "tab_kb": _value(results, "memory of a connected tab on /payment"),
        "watched_ms": _value(results, "processor time a second for each person watched, with Redis"),
        "redis_commands": _value(results, "Redis commands a second for each person watched"),
        "calls_a_minute": _value(results, "Payment MS calls a minute for 300 people", 300.0),
    }
    off = {}
    for name, value in measured.items():
        assumed = float(getattr(constants, name))
        if value is not None and not value / (1 + TOLERANCE) <= assumed <= value * (1 + TOLERANCE):
            off[name] = (assumed, value)
    return off


def table(all_users: Sequence[int], behaviour: Behaviour) -> str:
    """Return the needs as a Markdown table, one column for each number of users."""
    columns = [needs(users, behaviour) for users in all_users]
    rows = (
        ("people with a page open", [f"{n.people_open:,.0f}" for n in columns]),
        ("tabs", [f"{n.tabs:,.0f}" for n in columns]),
        ("page views a second", [f"{n.views_a_second:.2f}" for n in columns]),
        ("checkouts a second", [f"{n.checkouts_a_second:.3f}" for n in columns]),
        ("Payment MS calls a second", [f"{n.payment_calls_a_second:.1f}" for n in columns]),
        ("Payment MS busy, one request at a time", [f"{n.payment_ms_busy:.0%}" for n in columns]),
        ("Redis commands a second", [f"{n.redis_a_second:,.0f}" for n in columns]),
        ("Redis busy", [f"{n.redis_busy:.1%}" for n in columns]),
        ("cores", [f"{n.cores:.2f}" for n in columns]),
        ("memory of tabs", [f"{n.memory_gb:.2f} GB" for n in columns]),
        ("replicas", [str(n.replicas) for n in columns]),
        ("cost a month", [f"${n.dollars_a_month:,.0f}" for n in columns]),
    )
    head = " | ".join(f"{users:,} users" for users in all_users)
    lines = [f"| at the busiest moment | {head} |", "|---|" + "--:|" * len(columns)]
    return "\n".join([*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows)])


def both_tables(users: Sequence[int] = (10_000, 100_000, 1_000_000)) -> str:
    """Return the needs as the app is, and as it would be with changes told and idle people asked about less often."""
    as_is, told = (table(users, Behaviour(pushed=pushed)) for pushed in (False, True))
    told_by = "changes told by the Payment MS (the public one tells nobody)"
    changed = f"With {told_by}, and idle people asked about each five minutes:"
    return f"As it is:\n\n{as_is}\n\n{changed}\n\n{told}"


def _value(results: Sequence[Mapping[str, Any]], name: str, divisor: float = 1.0) -> float | None:
    return next((float(figure["value"]) / divisor for figure in results if figure["name"] == name), None)


def _up(number: float) -> int:
    return int(-(-number // 1))


def main(arguments: Sequence[str]) -> int:
    """Print the table, and the constants that the last benches contradict."""
    users = [int(argument.replace("_", "")) for argument in arguments] or (10_000, 100_000, 1_000_000)
    print(both_tables(users))
    off = deviations(json.loads(RESULTS.read_text(encoding="utf-8"))) if RESULTS.exists() else {}
    for name, (assumed, value) in off.items():
        print(f"\n{name} is {assumed} here, but {value:.2f} was measured", file=sys.stderr)
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
