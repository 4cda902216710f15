"""The brand's mark: a drawing of its own in the brand's colour, or the image of BRAND_LOGO; and the tab's icon."""

from pathlib import Path
from typing import Final

from settings import Settings
from ui.nicegui_ext.html import Tag
from ui.theme.colors import text_on
from ui.theme.style_sheet import light_palette

LOGO_PATH: Final = "/brand/logo"
ICON_PATH: Final = "/brand/icon.svg"

_SHAPE: Final = "M8.2 21.5V11.2c0-1.3 1.6-1.9 2.5-.9l8.1 9.4c.9 1 2.5.4 2.5-.9V8.5"
"""One stroke: a letter N whose ends point up and down."""


def icon_address(settings: Settings) -> str:
    """Return where the tab's icon is: another address for another colour, so that browsers may keep it."""
    return f"{ICON_PATH}?c={settings.brand_color.lstrip('#').lower()}"


def brand_mark(settings: Settings) -> Tag:
    """Draw the mark; the name stands beside it, so it needs no words of its own."""
    source = LOGO_PATH if settings.brand_logo else icon_address(settings)
    return Tag("img", classes="brand-mark", src=source, alt="", width=28, height=28)


def icon_svg(settings: Settings) -> str:
    """Return the tab's icon: the mark on the brand's colour, which reads on light and dark tabs."""
    fill = light_palette(settings.brand_color)["brand"]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30 30">'
        f'<rect width="30" height="30" rx="8" fill="{fill}"/>'
        f'<path d="{_SHAPE}" fill="none" stroke="{text_on(fill)}" stroke-width="2.6" stroke-linecap="round"/></svg>'
    )


def logo_file(settings: Settings) -> Path | None:
    """Return the file of BRAND_LOGO, or None without one."""
    return Path(settings.brand_logo) if settings.brand_logo else None
