"""The few files a page loads from us: the script, the icons' style sheet, the tab's icon and the logo.

Their addresses hold a hash of their content, so that browsers may keep them for a year and still never have an old one.
"""

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from nicegui import app
from starlette.responses import FileResponse, Response

from settings import Settings
from ui.theme import icon_files
from ui.theme.brand import DARK_LOGO_PATH, LOGO_PATH, tell_dark_text
from ui.theme.icons import icon_rules
from ui.theme.look import FONT_PATH

SCRIPTS: Final = Path(__file__).parent.parent / "static"
FOR_A_YEAR: Final = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
FOR_A_DAY: Final = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}


def script_address() -> str:
    """Return where pages load `app.js` from."""
    return _script_address("app.js")


def document_script_address() -> str:
    """Return where documents for strangers load what they do beside `app.js` from."""
    return _script_address("document.js")


def full_script_address() -> str:
    """Return where pages in NiceGUI's own document load what `app.js` needs there."""
    return _script_address("full.js")


@lru_cache(maxsize=3)
def script_text(name: str = "app.js") -> str:
    """Return a script as it travels: without its comments, which stand on lines of their own, and its indentation."""
    text = re.sub(r"^ */\*.*?\*/\n", "", (SCRIPTS / name).read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"^ +", "", text, flags=re.MULTILINE)


@lru_cache(maxsize=3)
def _script_address(name: str) -> str:
    return f"/assets/{name}?v={_hash(script_text(name))}"


@lru_cache(maxsize=1)
def icons_address() -> str:
    """Return where pages load the icons from that are not in their first HTML."""
    return f"/assets/icons.css?v={_hash(icon_rules())}"


def register(settings: Settings) -> None:
    """Serve the files. None of these routes knows who asks."""

    @app.get("/assets/app.js", include_in_schema=False)
    def script() -> Response:
        return Response(script_text(), media_type="text/javascript", headers=FOR_A_YEAR)

    @app.get("/assets/document.js", include_in_schema=False)
    def document_script() -> Response:
        return Response(script_text("document.js"), media_type="text/javascript", headers=FOR_A_YEAR)

    @app.get("/assets/full.js", include_in_schema=False)
    def full_script() -> Response:
        return Response(script_text("full.js"), media_type="text/javascript", headers=FOR_A_YEAR)

    @app.get("/assets/icons.css", include_in_schema=False)
    def icons() -> Response:
        return Response(icon_rules(), media_type="text/css", headers=FOR_A_YEAR)

    _serve_brand(settings)


def _serve_brand(settings: Settings) -> None:
    """Serve the brand's files, and those that are made of them."""
    tell_dark_text(settings)

    @app.get(icon_files.ICON_PATH, include_in_schema=False)
    def tab_icon() -> Response:
        return Response(icon_files.icon_svg(settings), media_type="image/svg+xml", headers=FOR_A_YEAR)

    @app.get(icon_files.TOUCH_ICON_PATH, include_in_schema=False)
    def touch_icon() -> Response:
        return Response(icon_files.touch_icon(settings), media_type="image/png", headers=FOR_A_YEAR)

    @app.get(icon_files.PREVIEW_PATH, include_in_schema=False)
    def preview() -> Response:
        return Response(icon_files.preview(settings), media_type="image/png", headers=FOR_A_YEAR)

    @app.get(icon_files.FAVICON_PATH, include_in_schema=False)
    def favicon() -> Response:
        return Response(icon_files.favicon(settings), media_type="image/png", headers=FOR_A_DAY)

    files = {LOGO_PATH: settings.brand_logo, DARK_LOGO_PATH: settings.brand_logo_dark, FONT_PATH: settings.brand_font}
    for path, file in files.items():
        if Path(file).suffix:
            _serve_file(path, file)


def _serve_file(path: str, file: str) -> None:
    @app.get(path, include_in_schema=False)
    def given() -> FileResponse:
        return FileResponse(file, headers=FOR_A_YEAR)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]
