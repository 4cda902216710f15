"""What stands on a page, as somebody reads it: its sentences, each with the card or notice that it belongs to."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from nicegui import Client
from nicegui.element import Element

from ui.nicegui_ext.packed_element import PackedElement

INLINE: Final = frozenset({"span", "time", "strong", "em", "code", "b", "i", "small", "br"})
SILENT: Final = frozenset({"script", "style", "noscript", "select", "option", "input", "textarea", "label-hidden"})
APART: Final = frozenset(
    {"badge", "saving", "user-name", "cart-count", "avatar", "brand-name", "step-label", "step-time"}
)
"""Classes of inline elements that stand for themselves."""

SENTENCE_END: Final = re.compile(r"(?:(?<=[.!?…”])|(?<=your account:))\s+(?=[A-Za-z0-9“$€¥£])")


CARDS: Final = ("plan-card-", "confirm-plan-")
"""Test ids of what shows one plan: a card among others, or the one to be confirmed."""


def plan_of(within: Sequence[str]) -> str | None:
    """Return the plan on whose card something stands; `within` are the test ids and classes around it."""
    plans = (name.removeprefix(card) for name in reversed(within) for card in CARDS if name.startswith(card))
    return next(plans, None)


ITEMS: Final = ("item-", "cart-line-")
"""What test ids of what shows one item begin with; so do names of classes."""

GROUP: Final = "group="
"""What names, among the names around a sentence, the group of plans that its card is about."""

CARD: Final = "card="
"""What names the very card in which a sentence stands."""

ROW: Final = "row="
"""What names the very row of a list of purchases or invoices."""

ROWS: Final = frozenset({"purchase", "invoice"})
"""Test ids of such rows."""


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence, or a label. `within` are the test ids and classes around it, the nearest last."""

    text: str
    within: tuple[str, ...]

    def inside(self, name: str) -> bool:
        """Whether it stands in an element of that test id or class."""
        return name in self.within

    @property
    def plan(self) -> str | None:
        """The plan on whose card it stands."""
        return plan_of(self.within)

    @property
    def items(self) -> tuple[str, ...]:
        """What may be ids of items in whose entry it stands."""
        return tuple(name.removeprefix(begin) for name in self.within for begin in ITEMS if name.startswith(begin))

    @property
    def group(self) -> str | None:
        """The group of plans that its card is about."""
        return next((name.removeprefix(GROUP) for name in reversed(self.within) if name.startswith(GROUP)), None)

    @property
    def box(self) -> str | None:
        """The card in which it stands: one name for each card of a page."""
        return next((name for name in reversed(self.within) if name.startswith(CARD)), None)

    @property
    def row(self) -> str | None:
        """The purchase or invoice of a list that it is about: one name for each row of a page."""
        return next((name for name in reversed(self.within) if name.startswith(ROW)), None)


@dataclass(frozen=True, slots=True)
class Pressable:
    """A button or link that somebody can press. `action` and `fields` are those of the form around it."""

    label: str
    element: Element
    within: tuple[str, ...]
    action: str = ""
    fields: Mapping[str, str] | None = None
    href: str = ""
    listens: bool = False

    @property
    def plan(self) -> str | None:
        """The plan on whose card it stands."""
        return plan_of(self.within)


@dataclass(frozen=True, slots=True)
class Reading:
    """A page as read: what is said, and what can be pressed in its main part and its banners."""

    said: tuple[Said, ...]
    pressables: tuple[Pressable, ...]

    def text(self) -> str:
        """Return everything that is said, a line each."""
        return "\n".join(said.text for said in self.said)


def read_page(client: Client) -> Reading:
    """Read a page as it is now."""
    blocks: list[tuple[str, tuple[str, ...]]] = []
    pressables: list[Pressable] = []
    _Reader(blocks, pressables).visit(client.layout, ())
    return Reading(tuple(_sentences(blocks)), tuple(pressables))


def _sentences(blocks: Iterable[tuple[str, tuple[str, ...]]]) -> Iterator[Said]:
    for text, within in blocks:
        words = " ".join(text.split())
        for sentence in SENTENCE_END.split(words) if words else ():
            yield Said(sentence, within)


class _Reader:
    def __init__(self, blocks: list[tuple[str, tuple[str, ...]]], pressables: list[Pressable]) -> None:
        self._blocks = blocks
        self._pressables = pressables
        self._form: Element | None = None

    def visit(self, element: Element, within: tuple[str, ...]) -> None:
        """Read an element that is a block of its own."""
        props, classes = _props(element), _classes(element)
        if "hidden" in props or element.tag in SILENT:
            return
        here = (*within, *([str(props["data-testid"])] if "data-testid" in props else []), *classes)
        here = (*here, *_marks(element, props, classes))
        outer = self._form
        if element.tag == "form":
            self._form = element
        if "fact" in classes:
            texts = [_inline(child) for child in _children(element)]
            self._blocks.append((": ".join(texts), here))
        else:
            self._flow(element, here)
        if element.tag in ("button", "a"):
            self._pressable(element, props, here)
        self._form = outer

    def _flow(self, element: Element, here: tuple[str, ...]) -> None:
        run = element._text or ""
        for child in _children(element):
            if child.tag in INLINE and APART.isdisjoint(_classes(child)) and not _has_blocks(child):
                run += _inline(child)
                continue
            if run.strip():
                self._blocks.append((run, here))
            run = ""
            self.visit(child, here)
        if run.strip():
            self._blocks.append((run, here))

    def _pressable(self, element: Element, props: Mapping[str, Any], here: tuple[str, ...]) -> None:
        if "header" in here or "footer" in here or "disabled" in props:
            return
        listens = any(one.type == "click.prevent" for one in element._event_listeners.values())
        label = " ".join(_inline(element).split())
        form = self._form if props.get("type") == "submit" else None
        if form is not None:
            fields = {str(_props(one)["name"]): str(_props(one).get("value", "")) for one in _inputs(form)}
            action = str(props.get("formaction") or _props(form).get("action", ""))
            self._pressables.append(Pressable(label, element, here, action, fields, listens=listens))
        elif listens or "href" in props:
            self._pressables.append(Pressable(label, element, here, href=str(props.get("href", "")), listens=listens))


def _marks(element: Element, props: Mapping[str, Any], classes: Iterable[str]) -> Iterator[str]:
    """Yield what else names an element: a header, a footer, a card, a row, and the group that it is about."""
    if element.tag in ("header", "footer"):
        yield element.tag
    if "card" in classes:
        yield f"{CARD}{element.id}"
    if props.get("data-testid") in ROWS:
        yield f"{ROW}{element.id}"
    if props.get("data-group"):
        yield f"{GROUP}{props['data-group']}"


def _inputs(form: Element) -> Iterator[Element]:
    for child in _children(form):
        if child.tag == "input" and "name" in _props(child):
            yield child
        yield from _inputs(child)


def _inline(element: Element) -> str:
    if "hidden" in _props(element) or element.tag in SILENT:
        return ""
    return (element._text or "") + "".join(_inline(child) for child in _children(element))


def _has_blocks(element: Element) -> bool:
    return any(child.tag not in INLINE or not APART.isdisjoint(_classes(child)) for child in _children(element))


def _children(element: Element) -> Iterable[Element]:
    return tuple(element) if isinstance(element, PackedElement) else tuple(element.default_slot.children)


def _props(element: Element) -> Mapping[str, Any]:
    return element.prop_dict() if isinstance(element, PackedElement) else element._props


def _classes(element: Element) -> Iterable[str]:
    return element.class_list() if isinstance(element, PackedElement) else element._classes
