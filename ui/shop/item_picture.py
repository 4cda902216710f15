"""The pictures of what the shop sells: ours, drawn in the theme's colours to fit any brand, or the operator's.

Each file of `ui/static/items/` is one picture, by the name that an item's `image` in the catalog has. All of them reach
the browser as one file, which it keeps for a year; a name without a picture shows a parcel. A name with a suffix is a
file beside the catalog.
"""

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from nicegui import app
from starlette.responses import FileResponse, Response

from catalog import Item
from services.container import Container
from ui.nicegui_ext.html import Tag
from ui.page.assets import FOR_A_YEAR
from ui.page.context import PageContext
from ui.theme.item_drawings import drawings

PATH: Final = "/assets/items.svg"
PARCEL: Final = "box"

_OPENING: Final = re.compile(r"^\s*<svg ")


def item_picture(context: PageContext, item: Item, *, classes: str = "") -> Tag:
    """Draw the picture of an item; its name stands beside it, so it is hidden from assistive technology."""
    file = _file(context.container, item)
    if file is not None:
        box = Tag("span", classes=f"item-picture item-picture-own {classes}", aria_hidden="true")
        with box:
            Tag("img", src=f"/items/{item.id}/picture?v={_stamp(file)}", alt="", width=160, height=112, loading="lazy")
        return box
    name = item.image.removesuffix(".svg")
    shown = name if name in drawings() else PARCEL
    box = Tag("span", classes=f"item-picture {classes}", aria_hidden="true", data_picture=shown)
    with box, Tag("svg", viewBox="0 0 160 112", focusable="false"):
        Tag("use", href=f"{sprite_address()}#{shown}")
    return box


def register(container: Container) -> None:
    """Serve the pictures."""

    @app.get("/items/{item_id}/picture", include_in_schema=False)
    def picture(item_id: str) -> Response:
        item = next((item for item in container.catalog.items if item.id == item_id), None)
        file = _file(container, item) if item is not None else None
        return FileResponse(file, headers=FOR_A_YEAR) if file is not None else Response(status_code=404)

    @app.get(PATH, include_in_schema=False)
    def pictures() -> Response:
        return Response(sprite(), media_type="image/svg+xml", headers=FOR_A_YEAR)


def _file(container: Container, item: Item) -> Path | None:
    """Return the operator's picture of an item; None for a drawing of ours, or where the file is gone."""
    file = Path(container.settings.catalog_path).parent / item.picture_file
    return file if item.picture_file and file.is_file() else None


def _stamp(file: Path) -> str:
    known = file.stat()
    return f"{known.st_mtime_ns:x}-{known.st_size:x}"


@lru_cache(maxsize=1)
def sprite() -> str:
    """Return all pictures as the symbols of one SVG."""
    symbols = (
        _OPENING.sub(f'<symbol id="{name}" ', drawing).replace("</svg>", "</symbol>")
        for name, drawing in drawings().items()
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>'


@lru_cache(maxsize=1)
def sprite_address() -> str:
    """Return where pages load the pictures from."""
    return f"{PATH}?v={hashlib.sha256(sprite().encode()).hexdigest()[:10]}"
