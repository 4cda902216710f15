"""Plays a story: the steps, and after each of them the oracle."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from nicegui import core
from nicegui.app.app import State

from truth.browsing import Browsing
from truth.judging import Judge
from truth.replica import without_documents
from truth.steps import Steps
from truth.story import LifeStory
from truth.story_world import START, Failure, Found, StoryWorld, Tally
from truth.virtual_time import VirtualLoop, VirtualTime


def play(
    story: LifeStory, *, watch: Callable[[str], None] | None = None, to_the_end: bool = False
) -> tuple[list[Failure], Tally]:
    """Play a story in a loop of its own; return what the oracle found, and how much was said.

    A story ends with the first failure, or goes on `to_the_end` and returns the first of each sort.
    """
    with (
        _quiet_log(),
        without_documents(),
        tempfile.TemporaryDirectory(prefix="story-") as folder,
        VirtualTime(START) as time,
    ):
        loop = VirtualLoop(time)
        asyncio.set_event_loop(loop)
        before = core.loop, core.app._state
        core.loop, core.app._state = loop, State.STARTED
        core.app.config.reconnect_timeout, core.app.config.message_history_length = 15.0, 0
        world = StoryWorld(story, time, Path(folder), watch or (lambda line: None), to_the_end=to_the_end)
        try:
            return loop.run_until_complete(live(world)), world.tally
        finally:
            _end(loop)
            asyncio.set_event_loop(None)
            core.loop, core.app._state = before


@contextmanager
def _quiet_log() -> Iterator[None]:
    """Log nothing while a story is played."""
    before = structlog.get_config()
    structlog.configure(processors=[_drop])
    try:
        yield
    finally:
        structlog.configure(**before)


async def live(world: StoryWorld) -> list[Failure]:
    """Play the steps of a world's story; return the failures."""
    judge = Judge(world)
    browsing = Browsing(world, judge)
    steps = Steps(world, browsing, judge)
    core.app._exception_handlers[:] = [world.crashed]
    await world.begin()
    clockwork = asyncio.create_task(world.outside.scheduler.run())
    try:
        world.observe()
        for place, step in enumerate(world.story.steps):
            world.place = place
            world.watch(f"{place + 1}. {step}")
            await steps.take(step)
            await browsing.settle()
            judge.check()
    except Found:
        pass
    finally:
        clockwork.cancel()
        await world.end()
    return list(world.found.values())


def _drop(*_event: object) -> Any:
    raise structlog.DropEvent


def _end(loop: VirtualLoop) -> None:
    """Cancel what still runs, and close the loop."""
    pending = asyncio.all_tasks(loop)
    for task in pending:
        task.cancel()
    if pending:
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
    loop.close()
