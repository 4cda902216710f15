"""A simulation of the one bound that is met first: the queue before a Payment MS that takes one request at a time.

`python -m bench.simulation [PEOPLE …]` prints how long calls wait and how many are refused (after `MAX_WAIT`) when so
many people have a page open. Looks come once a minute for each person, spread; checkouts come by chance.
"""

import heapq
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench.model import Behaviour, Surroundings
from bench.results import percentile

MAX_WAIT: Final = 5.0
IDLE_PACE: Final = 60.0
FULL_LOOK_EVERY: Final = 5
SOLD: Final = 3
SECONDS: Final = 900.0
USERS_FOR_EACH_OPEN: Final = 1 / Behaviour().open_at_peak


@dataclass(frozen=True, slots=True)
class QueueOutcome:
    """What became of the calls of one run; waits in seconds."""

    people: int
    calls: int
    median_wait: float
    p99_wait: float
    refused: float
    """Share of the calls that waited too long."""


def simulate(people: int, around: Surroundings | None = None, *, seed: int = 7) -> QueueOutcome:
    """Run the queue for a quarter of an hour."""
    around = around or Surroundings()
    free_at, waits, refused = 0.0, [], 0
    for arrived, takes in _arrivals(people, around, random.Random(seed)):  # noqa: S311 - nothing to guard
        wait = max(0.0, free_at - arrived)
        if wait > MAX_WAIT:
            refused += 1
            continue
        waits.append(wait)
        free_at = max(free_at, arrived) + takes
    calls = len(waits) + refused
    return QueueOutcome(people, calls, percentile(waits, 50), percentile(waits, 99), refused / calls)


def _arrivals(people: int, around: Surroundings, chance: random.Random) -> Iterator[tuple[float, float]]:
    """Yield when each call comes and how long it takes, in order of time."""
    behaviour = Behaviour()
    month = 30 * 24 * 3600.0
    checkouts = people * USERS_FOR_EACH_OPEN * behaviour.checkouts_each_month * behaviour.peak_factor / month
    events: list[tuple[float, int, int]] = [
        (chance.uniform(0, IDLE_PACE), number, chance.randrange(FULL_LOOK_EVERY)) for number in range(people)
    ]
    events.append((chance.expovariate(checkouts), -1, 0))
    heapq.heapify(events)
    while events[0][0] < SECONDS:
        at, who, looks = heapq.heappop(events)
        if who < 0:
            for call in range(around.calls_of_a_checkout):
                yield at + call * around.payment_ms_seconds, around.payment_ms_seconds
            yield at, around.checkout_seconds
            heapq.heappush(events, (at + chance.expovariate(checkouts), -1, 0))
            continue
        for _product in range(SOLD if looks % FULL_LOOK_EVERY == 0 else 1):
            yield at, around.payment_ms_seconds
        heapq.heappush(events, (at + IDLE_PACE * chance.uniform(0.9, 1.1), who, looks + 1))


def table(numbers: Sequence[int] = (500, 1000, 2000, 2500, 3000, 4000)) -> str:
    """Return the outcomes as a Markdown table."""
    lines = ["| people with a page open | calls a second | median wait | p99 wait | refused |", "|--:|--:|--:|--:|--:|"]
    for people in numbers:
        seen = simulate(people)
        lines.append(
            f"| {people:,} | {seen.calls / SECONDS:.0f} | {1000 * seen.median_wait:,.0f} ms | "
            f"{1000 * seen.p99_wait:,.0f} ms | {seen.refused:.1%} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table([int(argument) for argument in sys.argv[1:]]) if sys.argv[1:] else table())
