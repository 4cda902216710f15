"""An element that is small: what NiceGUI's would keep in five objects of its own, it keeps in one, until it is asked.

A tab of `/payment` has 342 elements that the server keeps for as long as it is open, and nearly none of them changes.
NiceGUI's `Element` has for each a slot, three observable collections, and five more lists and dictionaries. This one
has its classes as the string they were given as and its attributes as one tuple. `_classes`, `_style` and `_props`
become NiceGUI's collections the first time that code asks for them, and are the truth from then on. A plain
element has one slot, so it is its own slot.

It takes the place of `Element.__init__`, so it must set what that sets. `verify` compares the two and says what
differs; `tests/ui/nicegui_ext/test_packed_element.py` compares what the browser is told of both.

Written against NiceGUI 3.18, whose `Element`, `Slot` and `Visibility` have no lighter form: a connected tab of
`/payment` takes 1,750 kB with them and 280 kB with these.
"""

import dis
import sys
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import FunctionType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, Self

from nicegui import context
from nicegui.classes import Classes
from nicegui.element import TAG_PATTERN, Element
from nicegui.elements.mixins.visibility import Visibility
from nicegui.event_listener import EventListener
from nicegui.props import Props
from nicegui.slot import Slot
from nicegui.style import Style
from nicegui.version import __version__ as NICEGUI_VERSION

LONGEST_SHARED: Final = 60
"""Attribute values up to this length are kept once for all elements: most are the same in every tab."""

KNOWN: Final = (
    (Element.__init__, frozenset({
        "_client", "id", "next_element_id", "tag", "_classes", "_style", "_props", "_markers", "_event_listeners",
        "_text", "slots", "default_slot", "_update_method", "_deleted", "_parent_slot",
    })),
    (Visibility.__init__, frozenset({"visible", "ignores_events_when_hidden"})),
    (Slot.__init__, frozenset({"name", "_parent", "template", "children"})),
)  # fmt: skip
"""What NiceGUI's constructors set, which `PackedElement` has in another shape."""


class ElementsChanged(RuntimeError):
    """NiceGUI's elements are made in another way: its release does not fit this app."""


def verify(known: Sequence[tuple[Callable[..., None], frozenset[str]]] = KNOWN) -> None:
    """Raise ElementsChanged if one of NiceGUI's constructors sets more or less than is known here."""
    for constructor, names in known:
        if found := _sets(constructor) ^ names:
            raise ElementsChanged(f"NiceGUI {NICEGUI_VERSION}: {constructor.__qualname__} and {sorted(found)}")


def _sets(constructor: Callable[..., None]) -> set[str]:
    code = constructor.__code__ if isinstance(constructor, FunctionType) else None
    return {str(step.argval) for step in dis.get_instructions(code) if step.opname == "STORE_ATTR"} if code else set()


_NOTHING_WAITS: Final = SimpleNamespace(_suspend_count=0)
"""Stands for the attributes of an element that nothing but `on` asks for: no code holds their updates back."""


class Unpacked:
    """A collection of an element that is made when code asks for it, and kept from then on."""

    def __init__(self, make: Callable[["PackedElement"], Any]) -> None:
        self._make = make
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, element: "PackedElement | None", owner: type) -> Any:
        if element is None:
            return self
        made = element.unpacked
        if made is None:
            made = element.unpacked = {}
        if self._name not in made:
            made[self._name] = self._make(element)
        return made[self._name]

    def __set__(self, element: "PackedElement", value: Any) -> None:
        element.unpacked = {**(element.unpacked or {}), self._name: value}


class PackedElement(Element):
    """See the module. `unpacked` holds the collections that code has asked for, by name."""

    __slots__ = (
        "_children", "_client", "_listeners", "_packed_classes", "_packed_props", "_parent_slot", "_text", "id", "tag",
        "unpacked",
    )  # fmt: skip

    visible = True  # NiceGUI's is registered for bindings; `hidden` is the attribute here
    ignores_events_when_hidden = True
    _deleted = False
    _update_method = None
    _classes: Any = Unpacked(lambda element: Classes(element.class_list(), element=element))
    _style: Any = Unpacked(lambda element: Style(element=element))
    _props: Any = Unpacked(lambda element: Props(element.prop_dict(), element=element))
    _markers: Any = Unpacked(lambda element: element.marker_list())

    def pack(self, tag: str, text: str | None, classes: str, props: Mapping[str, Any]) -> None:
        """Do what `Element.__init__` would, in its place."""
        slot = context.slot
        parent = slot.parent
        client = parent.client
        self._client = weakref.ref(client)
        self.id = client.next_element_id
        client.next_element_id += 1
        self.tag = _checked(tag)
        self._text = text
        self._packed_classes = _names_in(classes)
        self._packed_props = _packed(props)
        self._listeners: dict[str, EventListener] | None = None
        self._children: list[Element] | None = None
        self.unpacked: dict[str, Any] | None = None
        dict.__setitem__(client.elements, self.id, self)  # what `light_page.py` would ask is known of these
        slot.children.append(self)
        self._parent_slot = weakref.ref(slot)
        client.outbox.enqueue_update(self)
        client.outbox.enqueue_update(parent)

    def class_list(self) -> list[str]:
        """Return the classes, without unpacking them."""
        made: dict[str, list[str]] | None = self.unpacked
        return made["_classes"] if made is not None and "_classes" in made else self._packed_classes.split()

    def prop_dict(self) -> dict[str, Any]:
        """Return the attributes, without unpacking them. What is returned may be changed only through `_props`."""
        made = self.unpacked
        if made is not None and "_props" in made:
            found: dict[str, Any] = made["_props"]
            return found
        pairs = self._packed_props
        return dict(zip(pairs[::2], pairs[1::2], strict=True))

    def style_dict(self) -> dict[str, str]:
        """Return the styles, without unpacking them."""
        made = self.unpacked
        return made["_style"] if made is not None and "_style" in made else {}

    def marker_list(self) -> list[str]:
        """Return NiceGUI's markers, without unpacking them: the test id."""
        made = self.unpacked
        if made is not None and "_markers" in made:
            found: list[str] = made["_markers"]
            return found
        testid = self.prop_dict().get("data-testid")
        return [] if testid is None else [testid]

    def change_props(self, changed: Mapping[str, Any], removed: Collection[str]) -> None:
        """Change attributes and tell the browser."""
        if self.unpacked is not None and "_props" in self.unpacked:
            with self._props.suspend_updates():
                self._props.update(changed)
                for name in removed:
                    self._props.pop(name, None)
        else:
            kept = {name: value for name, value in self.prop_dict().items() if name not in removed}
            self._packed_props = _packed({**kept, **changed})
        self.update()

    if not TYPE_CHECKING:  # a checker sees NiceGUI's signature

        def on(self, *args: Any, **options: Any) -> Self:
            """Subscribe to an event, as NiceGUI's does: it asks the attributes whether updates wait, and no more."""
            before = self.unpacked
            if before is not None and "_props" in before:
                return super().on(*args, **options)
            self.unpacked = {**(before or {}), "_props": _NOTHING_WAITS}
            try:
                return super().on(*args, **options)
            finally:
                self.unpacked = before

    @property
    def _event_listeners(self) -> dict[str, EventListener]:  # type: ignore[override]
        if self._listeners is None:
            self._listeners = {}
        return self._listeners

    # What NiceGUI's slots have. An element refers to itself nowhere, so that it goes with its last reference.

    name = "default"
    template = None

    @property
    def parent(self) -> Self:
        """The element that this slot belongs to."""
        return self

    @property
    def children(self) -> list[Element]:
        """The elements in this one."""
        if self._children is None:
            self._children = []
        return self._children

    @property
    def default_slot(self) -> Any:  # type: ignore[override]
        """The element itself."""
        return self

    @property
    def slots(self) -> dict[str, Any]:  # type: ignore[override]
        """The element itself, as its only slot."""
        return {"default": self}

    def add_slot(self, name: str, template: str | None = None) -> Slot:
        """Refuse: only Vue components have more slots than one."""
        raise ValueError(f"<{self.tag}> has one slot, and {name!r} would be another")

    def __enter__(self) -> Self:
        Slot.get_stack().append(self)  # type: ignore[arg-type]
        return self

    def __exit__(self, *_: object) -> None:
        Slot.get_stack().pop()
        Slot.prune_stack()

    def __iter__(self) -> Iterator[Element]:
        return iter(self._children or ())

    def _handle_delete(self) -> None:
        self._children = None
        self._listeners = None

    def _to_dict(self) -> dict[str, Any]:
        """Return what the browser is told, as `Element._to_dict` would."""
        told: dict[str, Any] = {"tag": self.tag}
        if self._text is not None:
            told["text"] = self._text
        if classes := self.class_list():
            told["class"] = classes
        if self.unpacked is not None and (style := self.style_dict()):
            told["style"] = style
        if props := self.prop_dict():
            told["props"] = props
        if self._children:
            told["children"] = [child.id for child in self._children]
        if self._listeners:
            told["events"] = [listener.to_dict() for listener in self._listeners.values()]
        if self._update_method:
            told["update_method"] = self._update_method
        return told

    @property
    def html_attributes(self) -> tuple[str, Iterable[tuple[str, Any]]]:
        """The classes as one string, and the names and values of the attributes."""
        if self.unpacked is None:
            pairs = self._packed_props
            return self._packed_classes, zip(pairs[::2], pairs[1::2], strict=True)
        return " ".join(self.class_list()), self.prop_dict().items()


@lru_cache(maxsize=256)
def _checked(tag: str) -> str:
    if not TAG_PATTERN.match(tag):
        raise ValueError(f"Invalid HTML tag: {tag}")
    return sys.intern(tag)


@lru_cache(maxsize=1024)
def _names_in(classes: str) -> str:
    """Return the one copy of a string of classes, with a space between two of them."""
    return sys.intern(" ".join(classes.split()))


def _shared(value: Any) -> Any:
    """Return the one copy of a short string that all elements share; it goes with the last of them."""
    return sys.intern(value) if type(value) is str and len(value) <= LONGEST_SHARED else value


def _packed(props: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return names and values in turns; the names are of one copy by `attribute_name`."""
    parts: list[Any] = []
    for name, value in props.items():
        parts += (name, _shared(value))
    return tuple(parts)
