"""Stories in which something false was said once, and a few of every day's. `make truth` plays many more."""

import os
from pathlib import Path

import pytest

from truth.life import play
from truth.story import LifeStory, story_of

EXAMPLES = sorted((Path(__file__).parents[2] / "truth" / "examples").glob("*.json"))
STORIES = int(os.environ.get("STORIES", "20"))
PIECE = 10


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_what_was_false_once_is_true(example: Path) -> None:
    failures, _tally = play(LifeStory.from_json(example.read_text(encoding="utf-8")))

    assert [str(failure) for failure in failures] == []


@pytest.mark.parametrize("first", range(0, STORIES, PIECE))
def test_nothing_false_is_said_in_any_story(first: int) -> None:
    found = {
        seed: [str(failure) for failure in failures]
        for seed in range(first, min(first + PIECE, STORIES))
        if (failures := play(story_of(seed))[0])
    }

    assert found == {}
