"""What an operator decides of the look: the brand's colour, font, corners, and a style sheet of their own."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from brand_rules import FONT_FILES
from services.web.base_path import at
from settings import Settings

FONT_PATH: Final = "/brand/font"
OWN_FAMILY: Final = "Brand"
"""What the font of a file is called in our style sheet."""
DEFAULT_RADIUS: Final = 12


@dataclass(frozen=True, slots=True)
class Look:
    """All that one style sheet is made of; `font_file` is the address that a font is loaded from, if it is a file's."""

    color: str
    radius: int = DEFAULT_RADIUS
    font: str = ""
    font_file: str = ""
    font_format: str = ""
    css: str = ""

    @property
    def declarations(self) -> str:
        """Return the rules that stand behind ours: what differs from the variables of `styles/00_base.css`."""
        changed = {}
        if self.font:
            changed["font"] = f'"{self.font}",system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif'
        if self.radius != DEFAULT_RADIUS:
            changed |= {
                "radius-card": f"{self.radius}px",
                "radius-control": f"{max(0, self.radius - 2)}px",
                "radius-badge": "999px" if self.radius >= 4 else f"{self.radius}px",
            }
        face = (
            f'@font-face{{font-family:"{self.font}";src:url("{self.font_file}") format("{self.font_format}");'
            "font-weight:100 900;font-display:optional}"
            if self.font_file
            else ""
        )
        variables = "".join(f"--{name}:{value};" for name, value in changed.items())
        return face + (f":root{{{variables}}}" if variables else "")


def look_of(settings: Settings) -> Look:
    """Return the look that the settings say."""
    return _look(settings.brand_color, settings.brand_radius, settings.brand_font, settings.brand_css)


@lru_cache(maxsize=8)
def _look(color: str, radius: int, font: str, css: str) -> Look:
    own = Path(css).read_text(encoding="utf-8") if css else ""
    suffix = Path(font).suffix.lower()
    if suffix in FONT_FILES:
        address = at(f"{FONT_PATH}?v={content_mark(Path(font))}")
        return Look(color, radius, OWN_FAMILY, address, FONT_FILES[suffix], css=own)
    return Look(color, radius, font, css=own)


@lru_cache(maxsize=16)
def content_mark(path: Path) -> str:
    """Return what changes with a file's content; read once, for its address has to stay while the process runs."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]
