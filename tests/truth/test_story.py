"""Stories: the same for the same seed, written down and read, and made shorter."""

import pytest

from sandbox.settings import RuntimeSettings
from truth.shrinking import shortest
from truth.story import QUIRKS, LifeStory, StoryStep, story_of


def test_a_seed_tells_one_story() -> None:
    assert story_of(7) == story_of(7)
    assert story_of(7) != story_of(8)


@pytest.mark.parametrize("seed", range(20))
def test_a_story_is_read_as_it_was_written(seed: int) -> None:
    assert LifeStory.from_json(story_of(seed).to_json()) == story_of(seed)


def test_what_does_not_matter_is_taken_away() -> None:
    def fails(story: LifeStory) -> bool:
        names = [step.name for step in story.steps]
        return "pay" in names and "choose" in names[: names.index("pay")]

    found = shortest(story_of(1), fails)

    assert found.steps == (StoryStep("choose"), StoryStep("pay"))
    assert found.setup == LifeStory(found.setup, ()).setup


@pytest.mark.parametrize("quirk", QUIRKS, ids=str)
def test_each_quirk_is_another_world_than_the_usual(quirk: dict[str, object]) -> None:
    usual = RuntimeSettings()

    assert RuntimeSettings.model_validate({**usual.model_dump(), **quirk}) != usual
