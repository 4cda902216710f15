"""What a purchase asks of the Payment MS while its webhooks are due: the app and the sandbox as processes."""

from pathlib import Path

import pytest

from bench.b12_purchases import FORMER, RUNS, WEBHOOK_AFTER, PurchaseCalls, calls_of_a_purchase, purchases_survived
from bench.world import our_world

pytestmark = pytest.mark.scale


async def test_eight_calls_at_most_from_press_to_confirmed(tmp_path: Path) -> None:
    with our_world(tmp_path) as world:
        world.control("PATCH", "/settings", webhook_delay=WEBHOOK_AFTER)

        calls = await calls_of_a_purchase(world, watched=10.0)

    assert calls.to_confirmed <= 8
    assert len(calls.moments) == calls.to_confirmed, "asked on although both services had confirmed it"


def test_calls_that_meet_no_webhook_break_nothing() -> None:
    assert purchases_survived(PurchaseCalls((-20.0,), 1), seed=1) > 10 * purchases_survived(FORMER, seed=1)


def test_the_former_pace_breaks_the_service_after_a_dozen_purchases() -> None:
    """As the real service was seen to: after 10, 12 and 16."""
    lives = [purchases_survived(FORMER, seed) for seed in range(RUNS)]

    assert 4 <= sum(lives) / RUNS <= 20
