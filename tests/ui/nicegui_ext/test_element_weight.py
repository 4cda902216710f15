"""Elements are lighter, go with their last reference, and still tell the browser of every change."""

import gc
import tracemalloc
import weakref
from collections.abc import Iterator

import pytest
from nicegui import Client
from nicegui.page import page

from ui.nicegui_ext.html import Tag

HEAVY = 600
"""Bytes of a `<span>` with a text and two classes; 420 measured; one of NiceGUI's weighs six times as much."""


@pytest.fixture
async def client() -> Client:
    return Client(page(""))


@pytest.fixture
def collector_off() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("collector_off")
async def test_an_element_goes_with_its_last_reference(client: Client) -> None:
    with client:
        box = Tag("div")
        with box:
            inner = weakref.ref(Tag("p", "text", classes="small"))

    client.outbox.updates.clear()
    box.clear()
    client.outbox.updates.clear()

    assert inner() is None


async def test_every_change_of_classes_style_and_props_is_an_update(client: Client) -> None:
    with client:
        element = Tag("p")

    for change in (
        lambda: element.classes("new"),
        lambda: element._classes.append("more"),
        lambda: element.style("color: red"),
        lambda: element._props.update(title="t"),
        lambda: element.set(hidden=True),
    ):
        client.outbox.updates.clear()
        change()
        assert element.id in client.outbox.updates


@pytest.mark.optimized
async def test_an_element_weighs_what_the_figures_say(client: Client) -> None:
    with client:
        Tag("span", "first", classes="a b")
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        kept = [Tag("span", f"text {number}", classes="a b") for number in range(300)]
        after = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()

    assert (after - before) / len(kept) < HEAVY
