"""Stories in which something false was said once, and a few of every day's. `make truth` plays many more."""

import os
from pathlib import Path

import pytest

from truth.life import play
from truth.story import LifeStory, Setup, StoryStep, story_of

EXAMPLES = sorted((Path(__file__).parents[2] / "truth" / "examples").glob("*.json"))
STORIES = int(os.environ.get("STORIES", "20"))
PIECE = 10


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_what_was_false_once_is_true(example: Path) -> None:
    failures, _tally = play(LifeStory.from_json(example.read_text(encoding="utf-8")))

    assert [str(failure) for failure in failures] == []


def test_a_kept_story_names_what_is_pressed() -> None:
    for path in EXAMPLES:
        steps = LifeStory.from_json(path.read_text(encoding="utf-8")).steps
        assert all(step.what for step in steps if step.name == "press"), path.stem


def test_a_kept_story_whose_button_is_gone_says_so() -> None:
    with pytest.raises(LookupError, match="/pricing has no subscribe-gold"):
        play(LifeStory(Setup(), (StoryStep("open", b=1), StoryStep("press", what="subscribe-gold"))))


@pytest.mark.parametrize("first", range(0, STORIES, PIECE))
def test_nothing_false_is_said_in_any_story(first: int) -> None:
    found = {
        seed: [str(failure) for failure in failures]
        for seed in range(first, min(first + PIECE, STORIES))
        if (failures := play(story_of(seed))[0])
    }

    assert found == {}
