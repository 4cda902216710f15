"""HTML of a page that has been built, so that the first answer already holds everything a reader wants to see.

It walks the same element tree that NiceGUI sends as JSON: there is no second copy of any page. The browser shows it
until Vue mounts, which empties the container and draws the same elements again, so both must come out equal. What only
Vue can draw, components of NiceGUI and Quasar, is left out.

Written against NiceGUI 3.18, which sends no HTML of a page's elements.
"""

from collections.abc import Iterable
from functools import lru_cache
from html import escape
from typing import Any

from nicegui.element import Element

from ui.nicegui_ext.html import VOID_TAGS
from ui.nicegui_ext.packed_element import PackedElement


def render(root: Element) -> str:
    """Return `root` and everything in it as HTML, with texts and attribute values escaped."""
    parts: list[str] = []
    _write(root, parts)
    return "".join(parts)


def _write(element: Element, parts: list[str]) -> None:
    tag = element.tag
    if element.component is not None or "-" in tag:
        return
    parts.append(f"<{tag}{_attributes(element)}>")
    if tag in VOID_TAGS:
        return
    text = element._text
    if text is not None:
        parts.append(escape(text, quote=False))
    for child in element:
        _write(child, parts)
    parts.append(f"</{tag}>")


def _attributes(element: Element) -> str:
    props: Iterable[tuple[str, Any]]
    if isinstance(element, PackedElement):
        classes, props = element.html_attributes
        styles = element.style_dict()
    else:
        classes, styles, props = " ".join(element._classes), element._style, element._props.items()
    found: list[str] = []
    if classes:
        found.append(_class_attribute(classes))
    if styles:
        style = "".join(f"{name}:{value};" for name, value in styles.items())
        found.append(f' style="{escape(style)}"')
    for name, value in props:
        if value is None or value is False or name.startswith(":"):
            continue
        found.append(f" {name}" if value is True else f' {name}="{escape(str(value))}"')
    return "".join(found)


@lru_cache(maxsize=1024)
def _class_attribute(classes: str) -> str:
    """Return the attribute; the code has some hundred different ones, and a page as many elements."""
    return f' class="{escape(classes)}"'
