"""A closed page goes with its last reference: nothing of it waits for the collector."""

import gc
import weakref
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nicegui import app
from nicegui.observables import ObservableDict

from tests.ui.billing_world import World, billing_world
from tests.ui.reading import until


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with billing_world(tmp_path) as world:
        await world.sign_in()
        yield world


@pytest.mark.parametrize("path", ["/payment", "/account", "/payment/success", "/pricing", "/members"])
async def test_a_closed_page_goes_with_its_last_reference(world: World, path: str) -> None:
    await world.open(path)
    gc.collect()
    gc.disable()
    try:
        client = await world.open(path)
        shown: list[object] = [client, *client.elements.values()]
        gone = [weakref.ref(one) for one in shown]
        del shown
        client.delete()
        del client
        world.browser.client = None

        await until(lambda: not [one for one in gone if one() is not None])
    finally:
        gc.enable()


async def test_a_tab_that_stored_nothing_is_forgotten_with_its_last_page(world: World) -> None:
    first = await world.open("/payment")
    second = await world.open("/account")
    shared = first.tab_id = second.tab_id = "the tab of both"
    for client in (first, second):
        for connected in client.connect_handlers:
            client.safe_invoke(connected)
    tabs = app.storage._tabs
    tabs["kept"] = ObservableDict({"chosen": 3})
    tabs[shared] = ObservableDict()

    first.delete()
    await until(lambda: not first.delete_handlers)
    assert shared in tabs

    second.delete()
    await until(lambda: shared not in tabs)
    assert tabs.pop("kept")


async def test_whoever_hears_of_the_end_hears_of_it_before_the_page_lets_go(world: World) -> None:
    client = await world.open("/payment")
    heard: list[str] = []
    client.on_delete(lambda: heard.append("first"))
    client.on_delete(lambda: heard.append("second"))

    client.delete()

    assert heard == ["first", "second"]
    await until(lambda: not any((client.connect_handlers, client.disconnect_handlers, client.delete_handlers)))
