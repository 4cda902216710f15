"""What the start-up script is told of a page's elements is what NiceGUI would have written."""

from collections.abc import AsyncIterator

import pytest
from nicegui import Client, ui
from nicegui.page import page
from nicegui.testing import User, user_simulation
from starlette.requests import Request

from ui.nicegui_ext.html import Tag
from ui.nicegui_ext.told_elements import scripted_alone, told_in_script

ODD = ("a < b && c > d", "`${document.cookie}`", "&lt;b&gt; &amp; &#36;", "</script><script>", "·’ü\u2028🎈\\n")


@pytest.fixture(autouse=True)
async def simulation() -> AsyncIterator[User]:
    async with user_simulation() as user:
        yield user


def drawn() -> Client:
    with Client(page("")) as client:
        for text in ODD:
            with Tag("p", text, title=text, classes="one  two", data_open=False):
                Tag("button", "x", type="button").on("click.prevent", lambda: None, args=[])
        ui.label("of NiceGUI's own")
    return client


def answer_of(client: Client) -> str:
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"", "server": ("x", 80)}
    return bytes(client.build_response(Request(scope)).body).decode()


async def test_the_script_is_told_what_nicegui_would_tell_it_letter_for_letter() -> None:
    client = drawn()

    assert f"parseElements(String.raw`{told_in_script(client)}`)" in answer_of(client)


async def test_nicegui_sees_no_element_without_a_script_inside_and_all_of_them_after() -> None:
    client = drawn()
    elements = client.elements

    with scripted_alone(client):
        answer = answer_of(client)

    assert "parseElements(String.raw`{}`)" in answer
    assert client.elements is elements
