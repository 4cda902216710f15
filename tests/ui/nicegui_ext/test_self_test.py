"""An optimization that does not fit the installed NiceGUI is left off with its reason; pages are drawn without any."""

import asyncio
from collections.abc import Callable

import pytest
from nicegui import Client, app

from services.container import Container
from tests.ui.simulation import Simulate
from ui.nicegui_ext import first_paint, optimizations, packed_element, template
from ui.nicegui_ext.optimizations import NAMES, NONE, Optimizations
from ui.nicegui_ext.self_test import PageNotDrawn
from ui.pages import pricing
from ui.serving.self_test import prepare_pages

pytestmark = pytest.mark.slow

Sabotage = Callable[[pytest.MonkeyPatch], None]

ALL = Optimizations()


def failing(*_given: object, **_options: object) -> None:
    raise AttributeError("another NiceGUI")


def other_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_element, "verify", failing)


def elements_that_lose_a_style(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_element.PackedElement, "style_dict", lambda self: {})


def other_template(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "startup_mark", lambda: "f00")


def a_piece_of_the_template_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "dismantle", failing)


def html_that_is_not_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_paint, "render", lambda root: "<div><p>another page</p></div>")


SABOTAGE: dict[Sabotage, str] = {
    other_elements: "packed_elements",
    elements_that_lose_a_style: "packed_elements",
    other_template: "own_document",
    a_piece_of_the_template_gone: "own_document",
    html_that_is_not_the_page: "html_first",
}


@pytest.fixture(autouse=True)
def what_was_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimizations, "_in_force", NONE)


async def prepare(container: Container, simulate: Simulate) -> Optimizations:
    async with simulate(container, pricing.register):
        return await prepare_pages(app, container)


async def test_all_of_them_fit_the_nicegui_that_is_locked(container: Container, simulate: Simulate) -> None:
    chosen = await prepare(container, simulate)

    assert chosen == ALL
    assert optimizations.in_force() == ALL
    assert (container.page_health.drawn, container.page_health.left_off) == (True, {})


@pytest.mark.parametrize("sabotage", SABOTAGE)
async def test_one_that_does_not_fit_is_left_off_with_one_warning(
    container: Container,
    simulate: Simulate,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    sabotage: Sabotage,
) -> None:
    sabotage(monkeypatch)

    chosen = await prepare(container, simulate)

    name = SABOTAGE[sabotage]
    warnings = [line for line in capsys.readouterr().out.splitlines() if "optimization_left_off" in line]
    assert chosen == ALL.without(name)
    assert list(container.page_health.left_off) == [name]
    assert len(warnings) == 1
    assert name.upper() in warnings[0]


async def test_what_the_settings_leave_off_is_not_tried(container: Container, simulate: Simulate) -> None:
    settings = container.settings.model_copy(update=dict.fromkeys(NAMES, False))
    object.__setattr__(container, "settings", settings)

    assert await prepare(container, simulate) == NONE
    assert container.page_health.left_off == {}


async def test_a_nicegui_that_draws_nothing_is_refused(
    container: Container, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Client, "build_response", failing)

    with pytest.raises(PageNotDrawn, match="another NiceGUI"):
        await prepare(container, simulate)

    assert not container.page_health.drawn
    assert "another NiceGUI" in container.page_health.problem


async def test_a_page_that_fails_in_the_whole_app_only_is_drawn_without_any(
    container: Container, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def whole_app(scope: object, receive: object, send: Callable[[dict[str, object]], object]) -> None:
        fits = optimizations.in_force() == NONE
        await asyncio.sleep(0)
        done = send({"type": "http.response.start", "status": 200 if fits else 500, "headers": []})
        assert asyncio.iscoroutine(done)
        await done
        sent = send({"type": "http.response.body", "body": b'<div id="app"></div>'})
        assert asyncio.iscoroutine(sent)
        await sent

    async with simulate(container):
        chosen = await prepare_pages(whole_app, container)

    assert chosen == NONE
    assert set(container.page_health.left_off) == set(NAMES)


async def test_the_self_test_leaves_no_page_behind(container: Container, simulate: Simulate) -> None:
    async with simulate(container, pricing.register):
        before = set(Client.instances)
        await prepare_pages(app, container)

        assert set(Client.instances) == before
