"""Packed elements tell the browser what NiceGUI's own would, through every change, and refuse another NiceGUI."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from nicegui import Client, context, core
from nicegui.element import Element
from nicegui.outbox import Deleted
from nicegui.page import page
from nicegui.slot import Slot

from ui.nicegui_ext import first_paint, packed_element
from ui.nicegui_ext.html import PackedTag, Tag
from ui.nicegui_ext.packed_element import ElementsChanged, verify

Change = Callable[[Any], object]


@pytest.fixture
async def client() -> Client:
    return Client(page(""))


def told(element: Element) -> Any:
    """Return what the browser is told of an element; listeners have ids by chance, and elements by their turn."""
    found = json.loads(json.dumps(element._to_dict()))
    for listener in found.get("events", []):
        del listener["listener_id"]
    found["children"] = len(found.get("children", []))
    return found


def both(client: Client) -> tuple[Element, Tag]:
    """Return the same link twice: as NiceGUI has it, and packed."""
    with client:
        plain = Element("a").classes("one two")
        plain._text = "text"
        plain._props.update({"href": "/x", "data-testid": "go", "download": True})
        packed = Tag("a", "text", classes="one two", href="/x", data_testid="go", download=True)
    return plain, packed


def put_in(element: Any) -> None:
    with element:
        Tag("b", "inner")
        Tag("i")


CHANGES: tuple[Change, ...] = (
    lambda element: element.classes("three"),
    lambda element: element.classes(replace="four five"),
    lambda element: element.classes(remove="one"),
    lambda element: element.classes(replace=""),
    lambda element: element._classes.append("six"),
    lambda element: element.style("color: red"),
    lambda element: element.style("color: red").style(remove="color: red"),
    lambda element: element.props('title="t"'),
    lambda element: element.props(remove="href"),
    lambda element: element._props.update(title="t"),
    lambda element: element._props.clear(),
    lambda element: element.on("click.prevent", print, args=[]),
    lambda element: element.on("keydown.enter", print, throttle=0.5),
    put_in,
)


def test_the_browser_is_told_the_same_of_both(client: Client) -> None:
    plain, packed = both(client)

    assert told(packed) == told(plain)


@pytest.mark.parametrize("change", CHANGES)
def test_the_browser_is_told_the_same_after_a_change(client: Client, change: Change) -> None:
    plain, packed = both(client)
    before = told(packed)
    client.outbox.updates.clear()

    change(plain)
    change(packed)

    assert told(packed) == told(plain)
    assert packed.id in client.outbox.updates or told(packed) == before
    assert (packed.id in client.outbox.updates) == (plain.id in client.outbox.updates)
    assert list(packed._classes) == list(plain._classes)
    assert dict(packed._style) == dict(plain._style)
    assert dict(packed._props) == dict(plain._props)


@pytest.mark.parametrize("unpack", [False, True])
def test_attributes_change_packed_and_unpacked(client: Client, unpack: bool) -> None:
    with client:
        element = Tag("input", name="n", value="1", disabled=True)
    if unpack:
        assert element._props
    client.outbox.updates.clear()

    element.set(value="2", disabled=False, title="t")

    assert told(element)["props"] == {"name": "n", "value": "2", "title": "t"}
    assert element._props["value"] == "2"
    assert element.id in client.outbox.updates

    client.outbox.updates.clear()
    element.set(value="2", disabled=None)
    assert element.id not in client.outbox.updates


@pytest.mark.optimized
def test_a_page_is_sent_without_unpacking_anything(client: Client) -> None:
    with client:
        with Tag("ul", classes="list", testid="list") as tags:
            for number in range(3):
                Tag("li", str(number), title="t").set(hidden=True)
        first_paint.render(client.layout)
        sent = {element.id: element._to_dict() for element in client.elements.values()}

    assert len(sent) == 8
    assert all(
        element.unpacked is None for element in [tags, *tags.default_slot.children] if isinstance(element, PackedTag)
    )


@pytest.mark.optimized
def test_a_listener_leaves_attributes_as_they_are_kept(client: Client) -> None:
    with client:
        packed, unpacked = Tag("button", title="t"), Tag("button", title="t")
    props = unpacked._props

    packed.on("click", print)
    unpacked.on("click", print)

    assert isinstance(packed, PackedTag)
    assert packed.unpacked is None
    assert unpacked._props is props
    props["title"] = "new"
    assert told(unpacked)["props"] == {"title": "new"}


def test_clearing_an_element_deletes_what_is_in_it(client: Client) -> None:
    with client, Tag("div") as box, Tag("p") as inner:
        leaf = Tag("b")
    client.outbox.updates.clear()

    box.clear()

    updates = client.outbox.updates
    assert isinstance(updates[inner.id], Deleted)
    assert isinstance(updates[leaf.id], Deleted)
    assert updates[box.id] is box
    assert (inner.is_deleted, leaf.is_deleted, box.is_deleted) == (True, True, False)
    assert not {inner.id, leaf.id} & client.elements.keys()
    assert "children" not in box._to_dict()

    with box:
        again = Tag("p", "new")
    assert box._to_dict()["children"] == [again.id]


def test_a_deleted_element_leaves_its_parent_which_is_told_again(client: Client) -> None:
    with client, Tag("div") as box:
        first, second = Tag("p"), Tag("p")
    client.outbox.updates.clear()

    first.delete()

    assert client.outbox.updates[box.id] is box
    assert box._to_dict()["children"] == [second.id]
    box.remove(0)
    assert second.is_deleted
    assert list(box) == []


def test_elements_move_between_packed_and_other_elements(client: Client) -> None:
    with client:
        with Tag("div") as one:
            moved = Tag("p")
        with Element("div") as other:
            stays = Tag("p")

    moved.move(other, target_index=0)
    assert (list(one), list(other)) == ([], [moved, stays])
    assert [element.tag for element in moved.ancestors()][:1] == ["div"]

    moved.move(one)
    assert (list(one), list(other)) == ([moved], [stays])
    with pytest.raises(ValueError, match="itself"):
        one.move(moved)


@pytest.mark.optimized
def test_a_plain_element_has_no_second_slot(client: Client) -> None:
    with client:
        element = Tag("div")

    assert element.slots == {"default": element.default_slot}
    with pytest.raises(ValueError, match="header"):
        element.add_slot("header")


async def test_a_handler_that_awaits_draws_where_its_element_is(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core, "loop", asyncio.get_running_loop())
    done = asyncio.Event()

    async def handler() -> None:
        await asyncio.sleep(0)
        box.clear()  # the button is gone now, and its handler goes on
        assert context.client is client
        with box:
            Tag("p", "done")
        done.set()

    with client, Tag("div") as box:
        button = Tag("button").on("click", handler, args=[])
    listener = next(iter(button._event_listeners))

    client.handle_event({"id": button.id, "listener_id": listener, "args": []})
    await asyncio.wait_for(done.wait(), 5)

    assert [child._text for child in box] == ["done"]
    client.handle_event({"id": button.id, "listener_id": listener, "args": []})  # a late click finds nothing


def test_an_element_that_fails_to_be_made_leaves_nothing_behind(client: Client) -> None:
    with client:
        before = dict(client.elements)
        with pytest.raises(ValueError, match="Invalid HTML tag"):
            Tag("no tag")
        with pytest.raises(ValueError, match="href"):
            Tag("a", href="javascript:alert(1)")

    assert client.elements == before


def test_markers_are_the_test_id_until_somebody_marks(client: Client) -> None:
    with client:
        element, other = Tag("p", testid="one"), Tag("p")

    assert (element._markers, other._markers) == (["one"], [])
    assert element.mark("two three")._markers == ["two", "three"]


def test_another_nicegui_is_refused_with_what_differs() -> None:
    def constructor(self: Any) -> None:
        self.children = []
        self.shadow = None

    verify()
    with pytest.raises(ElementsChanged, match=r"constructor and \['_parent', 'name', 'shadow', 'template'\]"):
        verify([(constructor, packed_element.KNOWN[2][1])])
    assert Slot.__init__ is packed_element.KNOWN[2][0]
