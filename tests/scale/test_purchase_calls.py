"""What a purchase asks of the Payment MS while its webhooks are due: the app and the sandbox as processes."""

from pathlib import Path

import pytest

from bench.b12_purchases import WEBHOOK_AFTER, calls_of_a_purchase
from bench.purchases_played import FormerSchedule, purchases_survived
from bench.world import our_world
from services.live_status.schedule import PollSchedule

pytestmark = [pytest.mark.scale, pytest.mark.long]


async def test_eight_calls_at_most_from_press_to_confirmed(tmp_path: Path) -> None:
    with our_world(tmp_path) as world:
        world.control("PATCH", "/settings", webhook_delay=WEBHOOK_AFTER)

        calls = await calls_of_a_purchase(world, watched=10.0)

    assert calls.to_confirmed <= 8
    assert len(calls.moments) == calls.to_confirmed, "asked on although both services had confirmed it"


def test_service_lives_longer_at_this_pace_than_at_the_former_one() -> None:
    """Played against the sandbox's quirk, at the former pace as the real service was seen: dead after 10, 12 and 16.

    The whole of it is bench 12.
    """
    now, former = (
        [purchases_survived(pace, seed, most=most)[0] for seed in range(4)]
        for pace, most in ((PollSchedule, 60), (FormerSchedule, 30))
    )

    assert 4 <= sum(former) / len(former) <= 25
    assert sum(now) > 2 * sum(former)
