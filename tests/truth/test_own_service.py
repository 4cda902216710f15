"""Stories with this repository's payment service as the Payment MS, at the sandbox's Stripe."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.truth.test_stories import EXAMPLES
from truth.life import play
from truth.running import SOFTER
from truth.story import LifeStory, Setup, StoryStep, story_of

QUICK, LONG = 4, 150


def failures_of(first: int, last: int) -> dict[int, list[str]]:
    """Return what is false in these stories."""
    return {
        seed: [str(failure) for failure in failures]
        for seed in range(first, last)
        if (failures := play(story_of(seed, "own"))[0])
    }


def test_nothing_false_is_said_with_the_own_service() -> None:
    assert failures_of(0, QUICK) == {}


def test_a_story_says_which_service_it_is_of() -> None:
    own = story_of(5, "own")

    assert LifeStory.from_json(own.to_json()) == own
    assert (own.setup.service, own.steps) == ("own", story_of(5).steps)
    assert LifeStory.from_json('{"setup": {}, "steps": []}').setup.service == "recorded"


def test_a_purchase_is_seen_without_asking() -> None:
    """The service tells the app: nobody waits for the page's next question."""
    steps = StoryStep("choose"), StoryStep("pay"), StoryStep("wait", b=1)
    failures, tally = play(LifeStory(Setup(service="own", delay=0), steps))

    assert failures == []
    assert tally.said["true"] > 10


@pytest.mark.long
def test_nothing_false_is_said_in_any_story_with_the_own_service() -> None:
    assert failures_of(QUICK, LONG) == {}


@pytest.mark.long
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_what_was_false_once_is_true_with_the_own_service(example: Path) -> None:
    told = LifeStory.from_json(example.read_text(encoding="utf-8"))
    steps = tuple(replace(step, what="") for step in told.steps)  # its pages may have other things to press

    failures, _tally = play(LifeStory(replace(told.setup, service="own"), steps))

    assert [str(failure) for failure in failures] == []


@pytest.mark.long
def test_at_most_half_as_much_is_softer_than_true_as_with_the_recorded_service() -> None:
    shares = {}
    for service in ("recorded", "own"):
        said: Counter[str] = Counter()
        for seed in range(LONG):
            said.update(play(story_of(seed, service))[1].said)
        shares[service] = sum(said[verdict] for verdict in SOFTER) / said.total()

    assert shares["own"] <= shares["recorded"] / 2
