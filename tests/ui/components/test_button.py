"""A button that posts a form, and what becomes of it when its page is drawn anew."""

import pytest
from nicegui import Client
from nicegui.page import page

from ui.components.button import ActionForm
from ui.nicegui_ext.html import Tag


@pytest.fixture
async def client() -> Client:
    return Client(page(""))


def test_a_released_button_can_be_pressed_again(client: Client) -> None:
    with client:
        form = ActionForm("/x", {}, "Pay", busy_label="Opening")

    form.release()

    assert form.form.prop_dict()["data-attempt"] == "1"


def test_a_button_that_was_drawn_anew_is_left_alone(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr("nicegui.helpers.warn_once", lambda message, **_: warned.append(message))
    with client:
        place = Tag("div")
        with place:
            form = ActionForm("/x", {}, "Pay", busy_label="Opening")
    place.clear()

    form.release()

    assert form.form.is_deleted
    assert not warned
