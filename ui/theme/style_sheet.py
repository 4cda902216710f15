"""The look in numbers: colours from one brand colour, as CSS variables, and the one style sheet of all pages.

Everything else in `ui/theme/styles/` refers to these variables. The brand's colour itself stays as it is given: what
is written on it turns dark where white would not read, and an edge of a kindred colour sets it off where the ground is
too much like it. Every text colour reads at 4.5:1 or better on every ground that it stands on, in light and dark,
whatever the brand colour (`tests/ui/theme/test_theme.py`).
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from ui.theme.colors import Oklch, contrast, parse, readable, text_on
from ui.theme.look import Look

STYLES: Final = Path(__file__).parent / "styles"
PAGES: Final = Path(__file__).parent / "pages"
"""Rules that one page alone needs, so that no other carries them."""
QUASAR: Final = Path(__file__).parent / "quasar.css"
STATE_HUES: Final = {"success": 155.0, "warning": 70.0, "danger": 25.0, "info": 245.0}

Palette = Mapping[str, str]


@lru_cache(maxsize=8)
def style_sheet(look: Look) -> str:
    """Return the style sheet that every page carries in its head: variables, then `styles/*.css`, then the brand's own.

    Paper is light in every theme.
    """
    light, dark = _declarations(light_palette(look.color)), _declarations(dark_palette(look.color))
    variables = (
        f":root{{color-scheme:light;{light}}}"
        f"@media screen{{:root[data-theme=dark]{{color-scheme:dark;{dark}}}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root[data-theme=system]{{color-scheme:dark;{dark}}}}}"
    )
    rules = "".join(path.read_text(encoding="utf-8") for path in sorted(STYLES.glob("*.css")))
    return variables + _without_layout(rules) + look.declarations + look.css


@lru_cache(maxsize=1)
def quasar_style() -> str:
    """Return what gives Quasar's elements our look, for pages that have them: after the style sheet of all pages."""
    return _without_layout(QUASAR.read_text(encoding="utf-8"))


@lru_cache(maxsize=8)
def page_style(name: str) -> str:
    """Return the rules of one page alone, for its head."""
    return _without_layout((PAGES / f"{name}.css").read_text(encoding="utf-8"))


@lru_cache(maxsize=8)
def light_palette(brand_color: str) -> Palette:
    """Return the colours on a light ground, by name of their CSS variable."""
    brand = parse(brand_color)
    tint = min(brand.chroma, 0.2)
    palette: dict[str, str] = {
        "ground": Oklch(0.985, tint * 0.02, brand.hue).hex(),
        "surface": "#ffffff",
        "sunken": Oklch(0.967, tint * 0.045, brand.hue).hex(),
        "trough": Oklch(0.967, tint * 0.045, brand.hue).hex(),
        "chosen": "#ffffff",
        "line": Oklch(0.915, tint * 0.06, brand.hue).hex(),
        "line-strong": Oklch(0.62, tint * 0.1, brand.hue).hex(),
        "brand-tint": Oklch(0.955, min(brand.chroma * 0.25, 0.035), brand.hue).hex(),
        "brand-line": Oklch(0.86, min(brand.chroma * 0.5, 0.07), brand.hue).hex(),
    }
    grounds = (palette["surface"], palette["ground"], palette["sunken"], palette["brand-tint"])
    palette["text"] = Oklch(0.23, tint * 0.13, brand.hue).hex()
    palette["muted"] = readable(Oklch(0.5, tint * 0.13, brand.hue), grounds, 5.0)
    palette["link"] = readable(brand, grounds, 5.0)
    return {**palette, **_fill(brand_color.lower(), palette["surface"]), **_states(light=True)}


@lru_cache(maxsize=8)
def dark_palette(brand_color: str) -> Palette:
    """Return the colours on a dark ground, by name of their CSS variable."""
    brand = parse(brand_color)
    tint = min(brand.chroma, 0.2)
    palette: dict[str, str] = {
        "ground": Oklch(0.165, tint * 0.07, brand.hue).hex(),
        "surface": Oklch(0.205, tint * 0.08, brand.hue).hex(),
        "sunken": Oklch(0.245, tint * 0.09, brand.hue).hex(),
        "trough": Oklch(0.185, tint * 0.075, brand.hue).hex(),
        "chosen": Oklch(0.315, tint * 0.1, brand.hue).hex(),
        "line": Oklch(0.315, tint * 0.1, brand.hue).hex(),
        "line-strong": Oklch(0.6, tint * 0.12, brand.hue).hex(),
        "brand-tint": Oklch(0.275, min(brand.chroma * 0.4, 0.06), brand.hue).hex(),
        "brand-line": Oklch(0.42, min(brand.chroma * 0.6, 0.1), brand.hue).hex(),
    }
    grounds = (palette["brand-tint"], palette["sunken"], palette["surface"], palette["ground"])
    palette["text"] = Oklch(0.955, tint * 0.03, brand.hue).hex()
    palette["muted"] = readable(Oklch(0.72, tint * 0.08, brand.hue), grounds, 5.0)
    palette["link"] = readable(replace(brand, lightness=max(brand.lightness, 0.7)), grounds, 5.0)
    return {**palette, **_fill(brand_color.lower(), palette["surface"]), **_states(light=False)}


def _fill(brand: str, surface: str) -> Palette:
    """Return the primary button's colours. Its edge stands out from the surface at 3:1 (WCAG 2.2, 1.4.11)."""
    given = parse(brand)
    edge = readable(given, (surface,), 3.0)
    on_brand = text_on(brand)
    step = -0.05 if on_brand == "#ffffff" else 0.05
    hover = replace(given, lightness=min(0.97, max(0.05, given.lightness + step))).hex()
    return {
        "brand": brand,
        "brand-edge": edge if contrast(brand, surface) < 3 else brand,
        "on-brand": on_brand,
        "brand-hover": hover if contrast(hover, on_brand) >= 4.5 else brand,
        "focus": edge,
    }


def _states(*, light: bool) -> Palette:
    """Return text, ground and border for each kind of news."""
    palette: dict[str, str] = {}
    for name, hue in STATE_HUES.items():
        tint = Oklch(0.965, 0.025, hue) if light else Oklch(0.265, 0.04, hue)
        line = Oklch(0.87, 0.07, hue) if light else Oklch(0.4, 0.07, hue)
        text = Oklch(0.46, 0.12, hue) if light else Oklch(0.83, 0.11, hue)
        palette[f"{name}-tint"], palette[f"{name}-line"] = tint.hex(), line.hex()
        palette[name] = readable(text, (tint.hex(), "#ffffff" if light else Oklch(0.245, 0.02, hue).hex()), 5.0)
    return palette


def _declarations(palette: Palette) -> str:
    return "".join(f"--{name}:{value};" for name, value in palette.items())


def _without_layout(css: str) -> str:
    """Return a style sheet without its comments and the white space that means nothing."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    return re.sub(r" ?([{};,>]) ?", r"\1", css).replace(";}", "}").strip()
