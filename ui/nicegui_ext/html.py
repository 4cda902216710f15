"""Plain HTML elements as NiceGUI elements, so that what the server sends first is what the browser keeps.

No Quasar component and nothing whose code is compiled in the browser: `ui/serving/document.py` says why.

    with Tag("section", classes="plans", aria_labelledby="plans-title"):
        Tag("h2", _("Plans"), id="plans-title")
        Tag("button", _("Subscribe"), type="submit", testid="subscribe-basic").on("click.prevent", subscribe, args=[])

Written against NiceGUI 3.18, whose `Element` takes an element's text, classes and attributes from these fields only.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Self

from nicegui.element import Element

from services.web.base_path import at
from ui.nicegui_ext import optimizations
from ui.nicegui_ext.packed_element import PackedElement

Attribute = str | int | float | bool | None

VOID_TAGS: Final = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
FORBIDDEN_TAGS: Final = frozenset({"script", "style", "iframe", "object", "embed"})
ENUMERATED: Final = ("aria-", "data-")
"""Attributes whose values are the words true and false; for all others, true means present and false absent."""
URL_ATTRIBUTES: Final = frozenset({"href", "src", "action", "formaction", "poster"})


class Tag(Element):
    """One HTML element. Keyword arguments are its attributes: `aria_label` is `aria-label`, `for_` is `for`.

    `None` and `False` leave an attribute out, `True` writes it without a value, except for `aria-` and `data-`
    attributes, which get the words. `testid` sets `data-testid` and NiceGUI's marker of the same name. What is made is
    a `PackedTag`, or a `PlainTag` where packed elements are off.
    """

    def __new__(cls, *_args: object, **_attributes: object) -> Self:
        """Return an element of the kind in force."""
        kind: Any = cls
        if cls is Tag:
            kind = PackedTag if optimizations.in_force().packed_elements else PlainTag
        made: Self = object.__new__(kind)
        return made

    def __init__(
        self, tag: str, text: str | None = None, *, classes: str = "", testid: str = "", **attributes: Attribute
    ) -> None:
        if tag in FORBIDDEN_TAGS:
            raise ValueError(f"<{tag}> can't be part of a page's content")
        values = attribute_values(attributes)
        if testid:
            values["data-testid"] = testid
        self._make(tag, text, classes, values)

    @property
    def text(self) -> str:
        """The text in front of the element's children; empty without one."""
        return self._text or ""

    def set_text(self, text: str) -> Self:
        """Change the text, in the browser too. Returns the element."""
        if text != self._text:
            self._text = text
            self.update()
        return self

    def set(self, **attributes: Attribute) -> Self:
        """Change attributes, in the browser too; None or False removes one. Returns the element."""
        changed = attribute_values(attributes)
        removed = {attribute_name(name) for name in attributes} - changed.keys()
        now = self.prop_dict()
        if any(now.get(name) != value for name, value in changed.items()) or removed & now.keys():
            self.change_props(changed, removed)
        return self

    if TYPE_CHECKING:  # what each kind does in its own way

        def _make(self, tag: str, text: str | None, classes: str, props: Mapping[str, Any]) -> None: ...

        def class_list(self) -> list[str]:
            """Return the classes."""

        def style_dict(self) -> dict[str, str]:
            """Return the styles."""

        def prop_dict(self) -> dict[str, Any]:
            """Return the attributes."""

        def change_props(self, changed: Mapping[str, Any], removed: Collection[str]) -> None:
            """Change attributes and tell the browser."""

    def _displayed_contents(self, *, only_visible: bool) -> list[Any]:
        """Return what the simulated user of NiceGUI's tests can see of this element."""
        props = self.prop_dict()
        return [*(props.get(key) for key in ("text", "label", "icon", "placeholder", "error-message")), self._text]


class PackedTag(Tag, PackedElement):
    """A tag that is one small object until code changes it."""

    def _make(self, tag: str, text: str | None, classes: str, props: Mapping[str, Any]) -> None:
        self.pack(tag, text, classes, props)


class PlainTag(Tag):
    """A tag as heavy as any element of NiceGUI's, which keeps all of it where those do."""

    def _make(self, tag: str, text: str | None, classes: str, props: Mapping[str, Any]) -> None:
        Element.__init__(self, tag)
        self._text = text
        self._classes.extend(classes.split())
        self._props.update(props)
        self._markers = [props["data-testid"]] if "data-testid" in props else []

    def class_list(self) -> list[str]:
        """Return the classes."""
        return self._classes

    def style_dict(self) -> dict[str, str]:
        """Return the styles."""
        return self._style

    def prop_dict(self) -> dict[str, Any]:
        """Return the attributes."""
        return self._props

    def change_props(self, changed: Mapping[str, Any], removed: Collection[str]) -> None:
        """Change attributes and tell the browser."""
        with self._props.suspend_updates():
            self._props.update(changed)
            for name in removed:
                self._props.pop(name, None)
        self.update()


@lru_cache(maxsize=512)
def attribute_name(name: str) -> str:
    """Return the HTML name of an attribute written as a Python identifier: `aria_label` is `aria-label`."""
    return name.rstrip("_").replace("_", "-")


def attribute_values(attributes: Mapping[str, Attribute]) -> dict[str, Any]:
    """Return what is to be written; refuses event handlers and addresses that run code."""
    values: dict[str, Any] = {}
    for key, value in attributes.items():
        name = attribute_name(key)
        if name.startswith(("on", ":")):
            raise ValueError(f"{name} is no plain attribute; use .on()")
        if name.startswith(ENUMERATED):
            if value is not None:
                values[name] = str(value).lower() if isinstance(value, bool) else str(value)
        elif value is not None and value is not False:
            text = value if value is True else str(value)
            if name in URL_ATTRIBUTES and not is_safe_url(str(text)):
                raise ValueError(f"{name} must be a path or an http(s), mailto or image data address")
            values[name] = at(str(text)) if name in URL_ATTRIBUTES else text
    return values


def is_safe_url(url: str) -> bool:
    """Whether an address opens a page or an image and can't run code (`javascript:` and its disguises)."""
    bare = url.strip().lower()
    if any(ord(char) < 32 for char in bare):
        return False
    scheme, colon, _rest = bare.partition(":")
    has_scheme = bool(colon) and not any(char in scheme for char in "/?#")
    return not has_scheme or scheme in {"http", "https", "mailto"} or bare.startswith("data:image/")
