"""A sentence around a part of its own: an id, an address, which no reader's browser may translate."""

from collections.abc import Callable

from ui.nicegui_ext.html import Tag


def sentence_around(text: str, name: str, draw: Callable[[], object]) -> None:
    """Draw `text`, with what `draw` draws in the place of its `{name}`, if it has one."""
    before, found, after = text.partition(f"{{{name}}}")
    if before:
        Tag("span", before)
    if found:
        draw()
    if after:
        Tag("span", after)
