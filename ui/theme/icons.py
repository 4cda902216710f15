"""Icons: Heroicons (MIT, from the package `heroicons`) as CSS masks, so that they take the text's colour.

    icon("check")            draws one beside words that say the same
    icon_rules()             the CSS of all icons in use, for the style sheet

An icon is never the only carrier of a meaning: it is hidden from assistive technology, and words stand beside it.
"""

from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final
from urllib.parse import quote
from zipfile import ZipFile

from ui.nicegui_ext.html import Tag

IN_USE: Final = {
    "arrow-path": "mini",
    "arrow-right": "mini",
    "arrow-top-right-on-square": "mini",
    "bars-3": "outline",
    "bolt": "outline",
    "check": "mini",
    "check-circle": "mini",
    "chevron-down": "mini",
    "clock": "mini",
    "credit-card": "outline",
    "envelope": "mini",
    "exclamation-circle": "mini",
    "exclamation-triangle": "mini",
    "information-circle": "mini",
    "lock-closed": "mini",
    "magnifying-glass": "outline",
    "minus": "mini",
    "moon": "mini",
    "no-symbol": "mini",
    "pause-circle": "mini",
    "plus": "mini",
    "question-mark-circle": "mini",
    "shopping-cart": "outline",
    "sparkles": "mini",
    "squares-2x2": "outline",
    "sun": "mini",
    "computer-desktop": "mini",
    "trash": "mini",
    "user-circle": "outline",
    "user-group": "outline",
    "wrench-screwdriver": "outline",
    "x-circle": "mini",
    "x-mark": "mini",
    "arrow-up-tray": "outline",
    "tag": "outline",
    "gift": "mini",
    "shield-check": "outline",
}
"""The icons that pages may draw, each with its Heroicons style: `mini` (20 px, solid) or `outline` (24 px)."""


MARKS: Final = Path(__file__).parent.parent / "static" / "marks"
"""Marks of the sign-in providers (Simple Icons, CC0), drawn the same way."""


def icon(name: str, *, classes: str = "") -> Tag:
    """Draw an icon in the colour and size of the text around it. Raises KeyError for one that we do not have."""
    if name not in _rules():
        raise KeyError(name)
    return Tag("span", classes=f"icon icon-{name} {classes}", aria_hidden="true")


def icon_rules(names: Iterable[str] | None = None) -> str:
    """Return a CSS rule for each of the named icons (all without names; names of no icon are passed over)."""
    rules = _rules()
    return "".join(rules[name] for name in sorted(rules.keys() if names is None else rules.keys() & set(names)))


@lru_cache(maxsize=1)
def _rules() -> dict[str, str]:
    """Return the drawings as masks over the current colour, by name."""
    with (files("heroicons") / "heroicons.zip").open("rb") as archive, ZipFile(archive) as icons:
        drawings = {name: icons.read(f"{style}/{name}.svg").decode() for name, style in IN_USE.items()}
    drawings |= {path.stem: path.read_text(encoding="utf-8") for path in MARKS.glob("*.svg")}
    return {name: f'.icon-{name}{{--icon:url("{_data_address(drawing)}")}}' for name, drawing in drawings.items()}


def _data_address(svg: str) -> str:
    drawing = svg.replace(' aria-hidden="true"', "").replace("currentColor", "#000").replace('"', "'")
    compact = " ".join(drawing.split()).replace("> <", "><")
    return "data:image/svg+xml," + quote(compact, safe=" '=:/,;()-.")
