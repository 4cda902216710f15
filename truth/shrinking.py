"""Makes a story shorter that ends in a failure, as long as it ends in one of the same sort."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace

from truth.story import LifeStory, Setup, StoryStep

Fails = Callable[[LifeStory], bool]


def shortest(story: LifeStory, fails: Fails, *, most: int = 400) -> LifeStory:
    """Return a story that still fails and from which nothing can be taken away, after at most so many tries."""
    tries = 0

    def still(candidate: LifeStory) -> bool:
        nonlocal tries
        tries += 1
        return tries <= most and fails(candidate)

    while True:
        smaller = next((one for one in _smaller(story) if still(one)), None)
        if smaller is None:
            return story
        story = smaller


def _smaller(story: LifeStory) -> Iterator[LifeStory]:
    """Yield simpler stories, the much simpler ones first."""
    length = len(story.steps)
    size = length // 2
    while size:
        for first in range(length - size, -1, -size):
            yield story.without(first, first + size)
        size //= 2
    plain = Setup()
    for part in fields(Setup):
        value = getattr(plain, part.name)
        if getattr(story.setup, part.name) != value:
            yield replace(story, setup=replace(story.setup, **{part.name: value}))
    for place, step in enumerate(story.steps):
        for simpler in _simpler(step):
            yield replace(story, steps=(*story.steps[:place], simpler, *story.steps[place + 1 :]))


def _simpler(step: StoryStep) -> Iterator[StoryStep]:
    for name in ("a", "b", "c"):
        value = getattr(step, name)
        for less in sorted({0, 1, value // 2, value - 1}):
            if 0 <= less < value:
                yield replace(step, **{name: less})
