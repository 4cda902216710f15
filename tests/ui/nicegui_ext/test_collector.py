"""The collector looks at what is new, and a closed page does not wait for it."""

import gc
import weakref
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from nicegui import app

from tests.ui.billing_world import World, billing_world
from tests.ui.reading import until
from ui.nicegui_ext.collector import SOME_CLOSED, PacedCollector, cut_rings
from ui.page.context import current_page


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


async def test_a_closed_page_lets_go_of_what_it_showed(world: World) -> None:
    client = await world.open("/payment")
    context = current_page(client)
    client.delete()
    await until(lambda: world.status.tabs == 0)
    assert context._parts
    assert client.delete_handlers
    assert client.outbox.updates

    cut_rings(client)

    assert not context._parts
    assert not any((client.storage, client.connect_handlers, client.delete_handlers, client.disconnect_handlers))
    assert not any((client.outbox.updates, client.outbox.messages, client.outbox.message_history))


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
    client = await world.open("/payment")
    ring = Ring()
    gone = weakref.ref(ring)
    gc.collect()
    del ring

    for _page in range(SOME_CLOSED - 1):
        started.page_closed(client)
    assert gone() is not None
    started.page_closed(client)
    assert gone() is None


def test_a_collector_that_stops_leaves_all_to_python(started: PacedCollector) -> None:
    other = PacedCollector()
    other.start()
    other.stop()
    app._delete_handlers.remove(other.page_closed)

    assert gc.get_threshold() == (700, 10, 10)
    assert gc.get_freeze_count() == 0
    assert gc.isenabled()


@pytest.mark.parametrize("path", ["/payment", "/account", "/payment/success", "/pricing", "/members"])
async def test_a_closed_page_goes_with_its_last_reference(world: World, path: str) -> None:
    """Nothing of it waits for the collector, which looks at everything seldom."""
    await world.open(path)
    gc.collect()
    gc.disable()
    try:
        client = await world.open(path)
        shown: list[object] = [client, *client.elements.values()]
        gone = [weakref.ref(one) for one in shown]
        del shown
        client.delete()
        await until(lambda: world.status.tabs <= 1)
        cut_rings(client)
        del client
        world.browser.client = None

        await until(lambda: not [one for one in gone if one() is not None])
    finally:
        gc.enable()
