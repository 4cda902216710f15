"""Colours, type and spacing as CSS variables, and the one style sheet of all pages."""

from functools import lru_cache
from pathlib import Path

STYLES = Path(__file__).parent / "styles"


@lru_cache(maxsize=4)
def style_sheet(brand_color: str) -> str:
    """Return the style sheet."""
    return "".join(path.read_text(encoding="utf-8") for path in sorted(STYLES.glob("*.css")))
