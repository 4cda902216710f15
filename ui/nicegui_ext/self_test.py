"""Finds out, by drawing a page, which optimizations fit the installed NiceGUI.

The page is drawn without any of them first: what the browser is told then is what it must be told with them. If all
that are wanted pass together, that is all; otherwise they are tried one after the other, and one that does not fit is
left off with the reason.

Written against NiceGUI 3.18, as are the optimizations: a later release may send the same page in another way, which
must cost speed and not the page.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from html.parser import HTMLParser

from nicegui import Client

from ui.nicegui_ext import packed_element, template
from ui.nicegui_ext.html import VOID_TAGS
from ui.nicegui_ext.optimizations import NONE, Optimizations, tried

Told = Mapping[int, Mapping[str, object]]
"""What the browser is told of each element, by its id."""


@dataclass(frozen=True, slots=True)
class DrawnProbe:
    """A page that was drawn: the document, and what it tells the browser of its elements."""

    html: str
    told: Told


Draw = Callable[[], Awaitable[DrawnProbe]]


class PageNotDrawn(Exception):
    """No page can be drawn, not even without any optimization; the text says why."""


async def choose(wanted: Optimizations, draw: Draw) -> tuple[Optimizations, dict[str, str]]:
    """Return those that fit, and why each of the others does not. Raises PageNotDrawn."""
    try:
        with tried(NONE):
            plain = await draw()
    except Exception as error:
        raise PageNotDrawn(_words(error)) from error
    if not await _misfit(wanted, plain, draw):
        return wanted, {}
    chosen, left_off = NONE, dict[str, str]()
    for name in wanted.on():
        more = replace(chosen, **{name: True})
        if reason := await _misfit(more, plain, draw):
            left_off[name] = reason
        else:
            chosen = more
    return chosen, left_off


def told_of(client: Client) -> Told:
    """Return what the browser is told of a client's elements; listeners have ids by chance."""
    told: dict[int, dict[str, object]] = json.loads(
        json.dumps({number: element._to_dict() for number, element in client.elements.items()})
    )
    for element in told.values():
        events = element.get("events")
        for event in events if isinstance(events, list) else ():
            event.pop("listener_id", None)
    return {int(number): element for number, element in told.items()}


async def _misfit(optimizations: Optimizations, plain: DrawnProbe, draw: Draw) -> str:
    """Return why a page can't be drawn with these; nothing when it can."""
    try:
        if optimizations.packed_elements:
            packed_element.verify()
        if optimizations.own_document:
            template.verify()
        with tried(optimizations):
            drawn = await draw()
        return _difference(optimizations, drawn, plain)
    except Exception as error:
        return _words(error)


def _difference(optimizations: Optimizations, drawn: DrawnProbe, plain: DrawnProbe) -> str:
    if drawn.told != plain.told:
        return _first_difference(drawn.told, plain.told)
    if optimizations.html_first and _read(drawn.html) != _outline(drawn.told, 0):
        return "The first HTML is not what the elements are."
    if optimizations.own_document and "quasar" in drawn.html.lower():
        return "Our document asks for Quasar."
    return ""


def _first_difference(told: Told, plain: Told) -> str:
    for number, element in plain.items():
        other = told.get(number, {})
        names = sorted(name for name in {*element, *other} if element.get(name) != other.get(name))
        if names:
            return (
                f"The browser is told something else of element {number}, <{element.get('tag')}>: {', '.join(names)}."
            )
    return "The browser is told of other elements."


Outline = list[tuple[str, object]]
"""A page in short: each element that opens, each text, in their order."""


def _outline(told: Told, number: int) -> Outline:
    element = told[number]
    tag = str(element.get("tag"))
    if "-" in tag:
        return []
    outline: Outline = [(tag, (element.get("props") or {}).get("data-testid"))]  # type: ignore[attr-defined]
    if text := element.get("text"):
        outline.append(("", text))
    children = element.get("children")
    for child in children if isinstance(children, list) else ():
        outline += _outline(told, child)
    return outline


def _read(html: str) -> Outline:
    reader = _Reader()
    reader.feed(html[html.index('id="app"') :].partition(">")[2])
    return reader.outline


class _Reader(HTMLParser):
    """Reads what stands in an element, up to its end."""

    def __init__(self) -> None:
        super().__init__()
        self.outline: Outline = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, if it is within."""
        if self._depth >= 0:
            self.outline.append((tag, dict(attrs).get("data-testid")))
            self._depth += tag not in VOID_TAGS

    def handle_endtag(self, tag: str) -> None:
        """Go up by one."""
        self._depth -= 1

    def handle_data(self, data: str) -> None:
        """Note a text, if it is within."""
        if self._depth > 0:
            self.outline.append(("", data))


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
