"""The small pictures of a brand: the tab's icon, the touch icon of phones, the preview of shared links.

All are made of the logo, if it is about as wide as it is high, else of the name's initial on the brand's colour. PNGs
are drawn from the same SVG by resvg, with a font of ours, since a container has none.
"""

import base64
from functools import lru_cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Final

import resvg_py

from settings import Settings
from ui.theme.colors import text_on
from ui.theme.image_size import ratio
from ui.theme.style_sheet import light_palette

ICON_PATH: Final = "/brand/icon.svg"
TOUCH_ICON_PATH: Final = "/brand/touch-icon.png"
PREVIEW_PATH: Final = "/brand/preview.png"
FAVICON_PATH: Final = "/favicon.ico"
"""Where browsers and crawlers look that read no head; a PNG does."""

TOUCH_SIZE, FAVICON_SIZE = 180, 48
PREVIEW_SIZE: Final = (1200, 630)
WIDEST_ICON: Final = 1.5
"""Wider logos hold words, which nobody could read in a tab."""

FONT: Final = Path(__file__).parent.parent / "static" / "fonts" / "NotoSans-Bold.ttf"
BEYOND_OUR_FONT: Final = 0x460
"""Latin, Greek and Cyrillic stand before it."""
FAMILY: Final = "system-ui, 'Noto Sans', sans-serif"
TYPES: Final = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}

_SVG: Final = 'xmlns="http://www.w3.org/2000/svg"'


def icon_address(settings: Settings) -> str:
    """Return where the tab's icon is: another address for another brand, so that browsers may keep it."""
    return f"{ICON_PATH}?v={_mark(settings)}"


def touch_icon_address(settings: Settings) -> str:
    """Return where the icon for a phone's home screen is."""
    return f"{TOUCH_ICON_PATH}?v={_mark(settings)}"


def preview_address(settings: Settings) -> str:
    """Return where the picture is that stands beside a shared link, with its host."""
    return f"{settings.public_url}{PREVIEW_PATH}?v={_mark(settings)}"


def icon_svg(settings: Settings) -> str:
    """Return the tab's icon: the logo, or the initial on the brand's colour, which reads on light and dark tabs."""
    logo = _square_logo(settings)
    inside = _image(logo, 0, 0, 30, 30) if logo else _initial(settings, 30, round_by=8)
    return f'<svg {_SVG} viewBox="0 0 30 30">{inside}</svg>'


def touch_icon(settings: Settings) -> bytes:
    """Return the touch icon as PNG. Phones cut its corners themselves, and have no transparency."""
    logo = _square_logo(settings)
    inside = _image(logo, 4, 4, 22, 22) if logo else _initial(settings, 30)
    return _png(f'<svg {_SVG} viewBox="0 0 30 30"><rect width="30" height="30" fill="#fff"/>{inside}</svg>', TOUCH_SIZE)


def favicon(settings: Settings) -> bytes:
    """Return the tab's icon as PNG."""
    return _png(icon_svg(settings), FAVICON_SIZE)


def preview(settings: Settings) -> bytes:
    """Return the picture of shared links (https://ogp.me) as PNG: mark and name over a band in the brand's colour."""
    width, height = PREVIEW_SIZE
    palette = light_palette(settings.brand_color)
    name = settings.brand_name
    logo = Path(settings.brand_logo) if settings.brand_logo else None
    if logo and (settings.brand_logo_only or ratio(logo) > WIDEST_ICON):
        inside = _image(logo, 200, 195, 800, 220)
    else:
        size = min(88, round(1500 / max(8, len(name))))
        mark = _image(logo, 530, 165, 140, 140) if logo else _initial(settings, 140, at=(530, 165), round_by=37)
        inside = (
            f'{mark}<text x="600" y="{380 + size / 2:g}" text-anchor="middle" font-family="{FAMILY}" font-weight="700" '
            f'font-size="{size}" fill="{palette["text"]}">{escape(name)}</text>'
        )
    return _png(
        f'<svg {_SVG} viewBox="0 0 {width} {height}">'
        f'<rect width="{width}" height="{height}" fill="{palette["ground"]}"/>'
        f'{inside}<rect y="{height - 20}" width="{width}" height="20" fill="{palette["brand"]}"/></svg>',
        width,
    )


def initial_of(name: str) -> str:
    """Return the letter or digit by which a name is known."""
    return next((letter for letter in name if letter.isalnum()), name[:1]).upper()[:1]


def _initial(settings: Settings, size: float, *, at: tuple[float, float] = (0, 0), round_by: float = 0) -> str:
    """Return a square in the brand's colour with the initial in its middle."""
    (x, y), fill = at, settings.brand_color
    letter = escape(initial_of(settings.brand_name))
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{size:g}" height="{size:g}" rx="{round_by:g}" fill="{fill}"/>'
        f'<text x="{x + size / 2:g}" y="{y + size * 0.7:g}" text-anchor="middle" font-family="{FAMILY}" '
        f'font-weight="700" font-size="{size * 0.56:g}" fill="{text_on(fill)}">{letter}</text>'
    )


def _image(path: Path, x: float, y: float, width: float, height: float) -> str:
    """Return an image as part of a drawing, as large as fits."""
    data = base64.b64encode(path.read_bytes()).decode()
    return (
        f'<image x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
        f'href="data:{TYPES[path.suffix.lower()]};base64,{data}"/>'
    )


def _square_logo(settings: Settings) -> Path | None:
    logo = Path(settings.brand_logo) if settings.brand_logo else None
    return logo if logo is not None and not settings.brand_logo_only and ratio(logo) <= WIDEST_ICON else None


@lru_cache(maxsize=8)
def _png(svg: str, width: int) -> bytes:
    """Return a drawing as PNG; only letters that our font lacks are looked for in the machine's, which takes 0.1 s."""
    return resvg_py.svg_to_bytes(
        svg_string=svg, width=width, font_files=[str(FONT)], sans_serif_family="Noto Sans",
        skip_system_fonts=all(ord(letter) < BEYOND_OUR_FONT for letter in svg),
    )  # fmt: skip


def _mark(settings: Settings) -> str:
    """Return what changes with anything that the pictures are made of."""
    return _mark_of(settings.brand_name, settings.brand_color, settings.brand_logo, settings.brand_logo_only)


@lru_cache(maxsize=8)
def _mark_of(name: str, color: str, logo: str, alone: bool) -> str:
    content = Path(logo).read_bytes() if logo else b""
    return sha256(repr((name, color, alone)).encode() + content).hexdigest()[:10]
