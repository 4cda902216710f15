"""The collector looks at what is new, and seldom at everything."""

import gc
import weakref
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from nicegui import Client, app, ui
from nicegui.page import page

from tests.ui.billing_world import World, billing_world
from ui.nicegui_ext.collector import PacedCollector

pytestmark = pytest.mark.slow


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with billing_world(tmp_path) as world:
        await world.sign_in()
        yield world


@pytest.fixture
def started() -> Iterator[PacedCollector]:
    before = gc.get_threshold()
    made = PacedCollector()
    made.start()
    yield made
    made.stop()
    if made.page_closed in app._delete_handlers:
        app._delete_handlers.remove(made.page_closed)
    gc.set_threshold(*before)
    gc.freeze()


class Ring:
    """Refers to itself: only the collector finds it."""

    def __init__(self) -> None:
        self.me = self


def test_what_outlives_a_full_run_is_not_looked_at_again(started: PacedCollector) -> None:
    ring = Ring()
    gone = weakref.ref(ring)
    gc.collect()
    del ring

    gc.collect()
    assert gone() is not None

    started.look_at_all()
    assert gone() is None


def test_what_breaks_before_it_is_set_aside_is_found_as_ever(started: PacedCollector) -> None:
    gone = weakref.ref(Ring())

    gc.collect()

    assert gone() is None


async def test_everything_is_looked_at_after_many_closed_pages(world: World, started: PacedCollector) -> None:
    light = await world.open("/payment")
    with Client(page("")) as full:
        for _line in range(300):
            ui.label("as NiceGUI makes it")

    after_light, after_full = closings_until_a_ring_goes(started, light), closings_until_a_ring_goes(started, full)

    assert after_light > 100
    assert after_full < after_light / 10


def closings_until_a_ring_goes(collector: PacedCollector, client: Client) -> int:
    ring = Ring()
    gone = weakref.ref(ring)
    gc.collect()
    del ring
    closings = 0
    while gone() is not None:
        collector.page_closed(client)
        closings += 1
    return closings


def test_a_collector_that_stops_leaves_all_to_python(started: PacedCollector) -> None:
    other = PacedCollector()
    other.start()
    other.stop()
    app._delete_handlers.remove(other.page_closed)

    assert gc.get_threshold() == (700, 10, 10)
    assert gc.get_freeze_count() == 0
    assert gc.isenabled()
