"""The brand's mark beside its name: the image of BRAND_LOGO in its own width, or the name's initial.

The tab's icon and its siblings are made in `ui/theme/icon_files.py`.
"""

from pathlib import Path
from typing import Final

import structlog

from settings import Settings
from ui.nicegui_ext.html import Tag
from ui.theme.colors import contrast, text_on
from ui.theme.icon_files import icon_address
from ui.theme.image_size import ratio
from ui.theme.look import content_mark

LOGO_PATH: Final = "/brand/logo"
DARK_LOGO_PATH: Final = "/brand/logo-dark"
HEIGHT: Final = 28
WIDEST: Final = 200

_log = structlog.get_logger(__name__)


def brand_mark(settings: Settings, theme: str) -> None:
    """Draw the mark, and the name unless the logo holds it."""
    logo, dark = settings.brand_logo, settings.brand_logo_dark
    alone = settings.brand_name if settings.brand_logo_only else ""
    if not logo:
        Tag("img", classes="brand-mark", src=icon_address(settings), alt="", width=HEIGHT, height=HEIGHT)
    elif not dark:
        _logo(logo, LOGO_PATH, alone)
    else:
        _logo(logo, LOGO_PATH, alone, "on-light", waits=theme == "dark")
        _logo(dark, DARK_LOGO_PATH, alone, "on-dark", waits=theme == "light")
    if not alone:
        Tag("span", settings.brand_name, classes="brand-name", translate="no")


def _logo(file: str, path: str, alt: str, classes: str = "", *, waits: bool = False) -> None:
    """Draw a logo; one that `waits` is loaded when its theme is chosen."""
    width = min(WIDEST, max(HEIGHT, round(HEIGHT * ratio(Path(file)))))
    source = f"{path}?v={content_mark(Path(file))}"
    Tag(
        "img", classes=f"brand-logo {classes}".strip(), src=source, alt=alt, width=width, height=HEIGHT,
        loading="lazy" if waits else None,
    )  # fmt: skip


def tell_dark_text(settings: Settings) -> None:
    """Log that text on the brand's colour is dark, where white would not read: nobody need wonder about the buttons."""
    color = settings.brand_color
    if text_on(color) != "#ffffff":
        white = round(contrast("#ffffff", color), 1)
        _log.info("brand_text_is_dark", setting="BRAND_COLOR", color=color, white_reads_at=white, needed=4.5)
