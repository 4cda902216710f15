"""What can't be drawn on a light page is refused while the page is built, by name and with the cure."""

import re
from collections.abc import Callable

import pytest
from nicegui import Client, context, ui
from nicegui.element import Element

from services.container import Container
from tests.ui.simulation import Register, Simulate
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.page.frame import frame
from ui.serving.document import page

Draw = Callable[[], object]


def a_slot() -> None:
    Element("div").add_slot("default", "<b>{{ props }}</b>")


ELEMENTS: dict[str, Draw] = {
    "ui.link": lambda: ui.link("x", "/"),
    "ui.html": lambda: ui.html("<b>x</b>", sanitize=False),
    "ui.markdown": lambda: ui.markdown("x"),
    "ui.input": ui.input,
    "ui.textarea": ui.textarea,
    "ui.select": lambda: ui.select([1]),
    "ui.table": lambda: ui.table(rows=[]),
    "ui.aggrid": lambda: ui.aggrid({}),
    "ui.echart": lambda: ui.echart({}),
    "ui.code": lambda: ui.code("x"),
    "ui.image": lambda: ui.image("/x.png"),
    "ui.upload": ui.upload,
    "ui.dialog": ui.dialog,
    "ui.button": lambda: ui.button("x"),
    "ui.icon": lambda: ui.icon("home"),
    "ui.card": ui.card,
    "ui.row": ui.row,
    "ui.column": ui.column,
    "ui.tabs": ui.tabs,
    "ui.expansion": ui.expansion,
    "ui.dark_mode": ui.dark_mode,
    "ui.notify": lambda: context.client.outbox.enqueue_message("notify", {"message": "x"}, "all"),
    "ui.run_javascript": lambda: ui.run_javascript("1"),
    'ui.element("q-btn")': lambda: ui.element("q-btn"),
    'ui.element("div") with a Vue expression': lambda: ui.element("div").props(":title=1"),
    "ui.label with a Vue expression": lambda: ui.label("x").props(":title=1"),
    'ui.element("div") with a Vue expression ': a_slot,
}


def drawing(draw: Draw) -> Register:
    """Return what adds a light page that draws this beside a heading."""

    def register(container: Container) -> None:
        @page(container, "/light", title="Light")
        def light(page_context: PageContext) -> None:
            with frame(page_context):
                Tag("h1", "half a page")
                draw()

    return register


@pytest.mark.parametrize("name", ELEMENTS)
async def test_an_element_is_refused_by_name_and_with_the_cure(
    container: Container, simulate: Simulate, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    async with simulate(container, drawing(ELEMENTS[name])) as user:
        answer = await user.http_client.get("/light")

    sentence = f'{name.strip()} can\'t be drawn on /light, which is a light page: say page(…, elements="all") there.'
    lines = [line for line in capsys.readouterr().out.splitlines() if "element_refused" in line]
    assert answer.status_code == 500
    assert answer.text.count("<h1") == 1
    assert "half a page" not in answer.text
    assert "Pricing" in answer.text
    assert len(lines) == 1
    assert sentence.partition(" can't")[0] in lines[0]
    assert "Vue" in name or "test_light_page.py:" in lines[0]


async def test_the_sandbox_tells_who_writes_the_page_what_was_refused(container: Container, simulate: Simulate) -> None:
    async with simulate(container, drawing(ui.separator)) as user:
        answer = await user.http_client.get("/light")

    assert container.settings.sandbox_enabled
    assert "ui.separator can&#x27;t be drawn on /light" in answer.text or "ui.separator can't be drawn" in answer.text


@pytest.mark.parametrize("draw", [lambda: ui.label("kept"), lambda: ui.element("kept")], ids=["label", "element"])
async def test_plain_elements_of_nicegui_are_drawn(container: Container, simulate: Simulate, draw: Draw) -> None:
    async with simulate(container, drawing(draw)) as user:
        answer = await user.http_client.get("/light")

    assert answer.status_code == 200
    assert "kept" in answer.text


async def test_an_element_that_comes_later_is_refused_too(container: Container, simulate: Simulate) -> None:
    async with simulate(container, drawing(lambda: None)) as user:
        client = await user.open("/light")
        before = dict(client.elements)

        with client, pytest.raises(RuntimeError, match=r"ui\.table can't be drawn on /light"):
            ui.table(rows=[])

    assert dict(client.elements) == before
    assert isinstance(client, Client)


async def test_what_changes_while_the_page_is_drawn_is_sent_with_it_and_what_changes_later_after_it(
    container: Container, simulate: Simulate
) -> None:
    unsent: set[int] = set()
    drawn: list[Tag] = []

    def draw() -> None:
        drawn.append(Tag("p", "at first").set_text("changed meanwhile"))
        unsent.update(context.client.outbox.updates)

    async with simulate(container, drawing(draw)) as user:
        client = await user.open("/light")
        sent = client.elements[drawn[0].id]

        with client:
            drawn[0].set_text("later")
            late = Tag("p", "late")
            updates = set(client.outbox.updates)

    assert drawn[0].id not in unsent
    assert sent is drawn[0]
    assert {drawn[0].id, late.id} <= updates


@pytest.mark.parametrize("name", [name for name in ELEMENTS if name.startswith("ui.") and '"' not in name])
async def test_a_full_page_draws_it(container: Container, simulate: Simulate, name: str) -> None:
    def register(container: Container) -> None:
        @page(container, "/full", title="Full", elements="all")
        def full(page_context: PageContext) -> None:
            with frame(page_context):
                Tag("h1", "whole page")
                ELEMENTS[name]()

    async with simulate(container, register) as user:
        answer = await user.http_client.get("/full")

    assert answer.status_code == 200
    assert "whole page" in answer.text
    assert "quasar" in answer.text
    assert answer.text.count("<script") == len(re.findall(r"<script[^>]* nonce=", answer.text))
