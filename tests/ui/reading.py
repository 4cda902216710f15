"""What a reader finds on a page of the user simulation, and waiting for it."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from nicegui.element import Element

from ui.nicegui_ext.html import Tag


def just_now(path: str) -> str:
    """Return an address as a press without a script that was refused leads to it: what it says holds for a minute."""
    return f"{path}&at={int(datetime.now(UTC).timestamp())}" if "problem=" in path else path


def tags_in(root: Element) -> Iterator[Tag]:
    """Yield all elements below one that are not hidden."""
    for child in root.default_slot.children:
        if is_hidden(child):
            continue
        if isinstance(child, Tag):
            yield child
        yield from tags_in(child)


def is_hidden(element: Element) -> bool:
    """Whether readers don't see an element. It leaves our elements packed, of which a test walks over thousands."""
    return "hidden" in (element.prop_dict() if isinstance(element, Tag) else element._props)


def text_of(root: Element) -> str:
    """Return the words a reader sees in an element."""
    parts = [getattr(root, "_text", None) or ""]
    parts += [text_of(child) for child in root.default_slot.children if not is_hidden(child)]
    block = root.tag in {"p", "div", "li", "h1", "h2", "h3", "dt", "dd", "button", "a", "section", "summary"}
    text = "".join(parts)
    return f"{text}\n" if block else text


async def until(condition: Callable[[], object], seconds: float = 3.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - a condition of any kind
            await asyncio.sleep(0.01)
