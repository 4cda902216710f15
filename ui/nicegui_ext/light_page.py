"""Refuses on a light page what can't be drawn there, by name and with the cure, instead of leaving the page blank.

A light page has no Quasar, none of NiceGUI's style sheets, and a policy that lets the browser compile nothing. So it
draws plain elements: `Tag`, `ui.element` with an HTML tag, `ui.label`, and components of ours that say `light = True`
and bring a render function.

Written against NiceGUI 3.18, which draws what it does not know as an empty element, and whose script stops where a
component can't be compiled: the page stays blank, with status 200 and nothing in the log.
"""

import traceback
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn
from weakref import ref

import nicegui
from nicegui import Client, ui
from nicegui.element import Element
from nicegui.elements.label import Label
from nicegui.outbox import Outbox

from ui.nicegui_ext.html import Tag

MESSAGES: Final = {"notify": "ui.notify", "run_javascript": "ui.run_javascript"}
"""What the server may send a page that only a full one can do."""

_INSIDE: Final = str(Path(nicegui.__file__).parent)


class NotOnLightPage(RuntimeError):
    """Something was to be drawn on a light page that can't be drawn there. `place` is the line that wanted it."""

    def __init__(self, name: str, path: str) -> None:
        super().__init__(f'{name} can\'t be drawn on {path}, which is a light page: say page(…, elements="all") there.')
        self.place = _place()


class _LightElements(dict[int, Element]):
    """A page's elements by id. NiceGUI puts each one in when it is made; plain tags come in by a shorter way."""

    __slots__ = ("path",)

    def __init__(self, elements: dict[int, Element], path: str) -> None:
        super().__init__(elements)
        self.path = path

    def __setitem__(self, number: int, element: Element) -> None:
        if not isinstance(element, Tag) and not _is_drawable(element):
            raise NotOnLightPage(name_of(element), self.path)
        super().__setitem__(number, element)


def watch(client: Client, path: str) -> None:
    """Refuse from now on what can't be drawn on this client's page."""
    listeners = client.layout._event_listeners  # of NiceGUI's sub pages, which answer with a script; none is drawn here
    for number in [number for number, one in listeners.items() if one.type.startswith("sub_pages_")]:
        del listeners[number]
    client.elements = _LightElements(client.elements, path)
    client.run_javascript = partial(_refuse, "ui.run_javascript", path)  # type: ignore[method-assign]
    client.sub_pages_router._can_resolve_full_path = _has_no_sub_pages  # type: ignore[assignment]
    outbox = client.outbox  # which must not refer to itself, or it would wait for the collector
    outbox.enqueue_message = partial(_enqueue, ref(outbox), path)  # type: ignore[method-assign]
    outbox.enqueue_update = _comes_with_the_page  # type: ignore[assignment]


def check(client: Client) -> None:
    """Refuse what was added to a drawable element later: an expression or a template that the browser would compile.

    From now on changes are sent: the page is drawn, and goes into the first answer as it is.
    """
    vars(client.outbox).pop("enqueue_update", None)
    if client.outbox._enqueue_event is not None and not client.outbox.messages:
        client.outbox._enqueue_event.clear()  # else it looks ten times a second whether the socket is there
    for element in client.elements.values():
        if isinstance(element, Tag) or not _is_compiled(element):
            continue
        raise NotOnLightPage(f"{name_of(element)} with a Vue expression", client.page.path)


def name_of(element: Element) -> str:
    """Return what people call an element: `ui.table`."""
    kind = type(element)
    if kind is Element:
        return f'ui.element("{element.tag}")'
    for name in (kind.__name__.lower(), kind.__module__.rpartition(".")[2]):
        if name in ui.__all__ and getattr(ui, name, None) is kind:
            return f"ui.{name}"
    return kind.__qualname__


def _is_drawable(element: Element) -> bool:
    if element.component is not None:
        return getattr(element, "light", False) is True
    if "-" in element.tag:
        return False
    return isinstance(element, Label) or not type(element).__module__.startswith("nicegui.elements.")


def _is_compiled(element: Element) -> bool:
    return any(name.startswith(":") for name in element._props) or any(slot.template for slot in element.slots.values())


def _refuse(name: str, path: str, *_given: object, **_options: object) -> NoReturn:
    raise NotOnLightPage(name, path)


def _enqueue(outbox: "ref[Outbox]", path: str, kind: str, *message: Any, **options: Any) -> None:
    if kind in MESSAGES:
        raise NotOnLightPage(MESSAGES[kind], path)
    if (found := outbox()) is not None:
        Outbox.enqueue_message(found, kind, *message, **options)


def _comes_with_the_page(_element: Element) -> None:
    """Note no change of an element while its page is drawn: all of it is in the first answer."""


async def _has_no_sub_pages(_client: Client) -> bool:
    """Say that every part of the address was found, without looking through all elements for pages in the page."""
    return True


def _place() -> str:
    """Return the line outside of NiceGUI and of this module that led here."""
    for frame in reversed(traceback.extract_stack()):
        if frame.filename != __file__ and not frame.filename.startswith(_INSIDE):
            return f"{frame.filename}:{frame.lineno}"
    return ""
