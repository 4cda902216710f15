"""The few files a page loads from us: the scripts, the style sheets, the tab's icon and the logo.

Their addresses hold a hash of their content, so that browsers may keep them for a year and still never have an old one.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Self

from nicegui import app
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response

from settings import Settings
from ui.theme import icon_files
from ui.theme.brand import DARK_LOGO_PATH, LOGO_PATH, tell_dark_text
from ui.theme.icons import icon_rules
from ui.theme.look import FONT_PATH, Look, look_of
from ui.theme.style_sheet import style_sheet

SCRIPTS: Final = Path(__file__).parent.parent / "static"
FOR_A_YEAR: Final = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
NOT_KEPT: Final = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
FOR_A_DAY: Final = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that is the same for all: its path, its kind, its text as it travels, and the hash of that."""

    path: str
    media_type: str
    text: str
    mark: str

    @classmethod
    def of(cls, path: str, media_type: str, text: str) -> Self:
        """Return the file with its hash."""
        return cls(path, media_type, text, hashlib.sha256(text.encode()).hexdigest()[:10])

    @property
    def address(self) -> str:
        """Where pages load it from."""
        return f"{self.path}?v={self.mark}"

    def answer(self, version: str) -> Response:
        """Return the file. Under the address of another release's it is not to be kept: a rollout may be under way."""
        headers = FOR_A_YEAR if version == self.mark else NOT_KEPT
        return Response(self.text, media_type=self.media_type, headers=headers)


@lru_cache(maxsize=4)
def script(name: str = "app.js") -> Asset:
    """Return a script without its comments, which stand on lines of their own, and its indentation."""
    text = re.sub(r"^ */\*.*?\*/\n", "", (SCRIPTS / name).read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return Asset.of(f"/assets/{name}", "text/javascript", re.sub(r"^ +", "", text, flags=re.MULTILINE))


@lru_cache(maxsize=1)
def icons() -> Asset:
    """Return the icons that are not in a page's first HTML."""
    return Asset.of("/assets/icons.css", "text/css", icon_rules())


@lru_cache(maxsize=8)
def style(look: Look) -> Asset:
    """Return the style sheet of all pages."""
    return Asset.of("/assets/style.css", "text/css", style_sheet(look))


def has_style_sheet(request: Headers) -> bool:
    """Whether a browser has the style sheet by now: it comes from a page of ours, which asked for it.

    Whoever comes from elsewhere gets it within the page, since a file of its own would hold up the first paint for as
    long as it takes to ask for one. It is a guess: who has it not asks for it then.
    """
    return request.get("sec-fetch-site") == "same-origin"


def register(settings: Settings) -> None:
    """Serve the files. None of these routes knows who asks."""
    for asset in (
        script("app.js"),
        script("document.js"),
        script("line.js"),
        script("full.js"),
        icons(),
        style(look_of(settings)),
    ):
        _serve(asset)

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


def _serve(asset: Asset) -> None:
    @app.get(asset.path, include_in_schema=False)
    async def file(v: str = "") -> Response:
        return asset.answer(v)
