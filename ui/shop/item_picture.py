"""The pictures of what the shop sells, drawn by us in the theme's colours, so that they fit any brand, light or dark.

Each file of `ui/static/items/` is one picture, by the name that an item's `image` in the catalog has. All of them reach
the browser as one file, which it keeps for a year; a name without a picture shows a parcel.
"""

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from nicegui import app
from starlette.responses import Response

from ui.nicegui_ext.html import Tag
from ui.page.assets import FOR_A_YEAR

FOLDER: Final = Path(__file__).parent.parent / "static" / "items"
PATH: Final = "/assets/items.svg"
PARCEL: Final = "box"

_OPENING: Final = re.compile(r"^\s*<svg ")


def item_picture(image: str, *, classes: str = "") -> Tag:
    """Draw the picture of an item; its name stands beside it, so it is hidden from assistive technology."""
    name = image.removesuffix(".svg")
    shown = name if name in _pictures() else PARCEL
    box = Tag("span", classes=f"item-picture {classes}", aria_hidden="true", data_picture=shown)
    with box, Tag("svg", viewBox="0 0 160 112", focusable="false"):
        Tag("use", href=f"{sprite_address()}#{shown}")
    return box


def register() -> None:
    """Serve the pictures."""

    @app.get(PATH, include_in_schema=False)
    def pictures() -> Response:
        return Response(sprite(), media_type="image/svg+xml", headers=FOR_A_YEAR)


@lru_cache(maxsize=1)
def sprite() -> str:
    """Return all pictures as the symbols of one SVG."""
    symbols = (
        _OPENING.sub(f'<symbol id="{name}" ', drawing).replace("</svg>", "</symbol>")
        for name, drawing in _pictures().items()
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>'


@lru_cache(maxsize=1)
def sprite_address() -> str:
    """Return where pages load the pictures from."""
    return f"{PATH}?v={hashlib.sha256(sprite().encode()).hexdigest()[:10]}"


@lru_cache(maxsize=1)
def _pictures() -> dict[str, str]:
    return {path.stem: " ".join(path.read_text(encoding="utf-8").split()) for path in sorted(FOLDER.glob("*.svg"))}
