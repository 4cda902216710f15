"""Draws pages before the port opens: a small one of every kind of element to choose the optimizations, then `/pricing`
through the whole app, guards and compression included.

A process that can't draw a page does not start, so a rollout with another NiceGUI stops there.
"""

from typing import Final

import structlog
from nicegui import Client, ui
from nicegui.page import page as nicegui_page
from nicegui.version import __version__ as NICEGUI_VERSION
from starlette.requests import Request
from starlette.types import ASGIApp, Message

from services.container import Container
from ui.nicegui_ext.html import Tag
from ui.nicegui_ext.optimizations import NONE, Optimizations, put_in_force, tried
from ui.nicegui_ext.self_test import DrawnProbe, PageNotDrawn, Told, choose, told_of
from ui.page.context import Head, PageContext
from ui.page.frame import frame
from ui.serving.document import respond
from ui.shop.quantity_field import Reporter

PATH: Final = "/pricing"
SPECIAL: Final = '& < > " '
"""What a text or an attribute must not lose on its way."""

_log = structlog.get_logger(__name__)


async def prepare_pages(app: ASGIApp, container: Container) -> Optimizations:
    """Put in force what fits of what the settings want, and return it. Raises PageNotDrawn."""
    health = container.page_health
    try:
        chosen, left_off = await choose(Optimizations.wanted(container.settings), lambda: _draw_probe(container))
        if chosen != NONE and (problem := await _problem_through(app, chosen)):
            left_off = {**left_off, **dict.fromkeys(chosen.on(), problem)}
            chosen = NONE
        if chosen == NONE and (problem := await _problem_through(app, NONE)):
            raise PageNotDrawn(problem)
    except PageNotDrawn as error:
        health.failed(str(error))
        raise
    for name, reason in left_off.items():
        _log.warning("optimization_left_off", name=name.upper(), nicegui=NICEGUI_VERSION, cause=reason)
    put_in_force(chosen)
    health.passed(left_off)
    return chosen


async def _draw_probe(container: Container) -> DrawnProbe:
    """Draw the small page, in a client that is gone afterwards."""
    request = Request({**_scope("/"), "state": {}})
    told: Told = {}

    def build(context: PageContext) -> None:
        nonlocal told
        with frame(context):
            _every_kind()
        told = told_of(ui.context.client)

    with Client(nicegui_page(""), request=request) as client:
        answer = await respond(container, request, client, build, Head("Self-test", robots="noindex"))
    client.delete()
    if answer.status_code != 200 or not told:
        raise PageNotDrawn(f"the answer has the status {answer.status_code}; the log says why")
    return DrawnProbe(bytes(answer.body).decode(), told)


def _every_kind() -> None:
    """Draw what pages are made of: texts, attributes, changes, listeners, moves, a component."""
    Tag("h1", SPECIAL, classes="one two", testid="self-test", title=SPECIAL)
    with Tag("form", method="post", action="/x") as form:
        Tag("input", type="checkbox", checked=True, disabled=False, aria_label="x")
        Tag("button", SPECIAL, type="submit").on("click.prevent", lambda: None, args=[])
    changed = Tag("p", "before").style("color: red").classes("three")
    changed.set_text("after").set(hidden=True, title="t")
    with Tag("ul") as emptied:
        Tag("li", "gone")
    emptied.clear()
    Tag("p", "moved").move(form, target_index=0)
    Reporter()


async def _problem_through(app: ASGIApp, optimizations: Optimizations) -> str:
    """Return what is wrong with a page that comes through the whole app; nothing when it is well."""
    before = set(Client.instances)
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    try:
        with tried(optimizations):
            await app(_scope(PATH), receive, send)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        for drawn in set(Client.instances) - before:
            Client.instances[drawn].delete()
    status = messages[0]["status"] if messages else 0
    body = b"".join(message.get("body", b"") for message in messages[1:])
    # A page that says that a service is away is a page; one of status 500 says that building it failed.
    if status in {0, 500} or b'id="app"' not in body:
        return f"{PATH} answers with the status {status}; the log says why"
    return ""


def _scope(path: str) -> dict[str, object]:
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", b"localhost"), (b"accept", b"text/html")],
        "client": ("127.0.0.1", 0), "server": ("localhost", 80),
    }  # fmt: skip
