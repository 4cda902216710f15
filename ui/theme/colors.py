"""Colour arithmetic: OKLCH (https://bottosson.github.io/posts/oklab/) to sRGB and back, and contrast as WCAG has it.

Knows nothing of the theme; `ui/theme/style_sheet.py` decides which colours there are.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Oklch:
    """A colour by lightness (0 black to 1 white), chroma (0 grey to about 0.3) and hue in degrees."""

    lightness: float
    chroma: float
    hue: float

    def hex(self) -> str:
        """Return the nearest sRGB colour of the same lightness and hue, as `#rrggbb`."""
        chroma = self.chroma
        while chroma > 0.001:
            channels = _to_linear(replace(self, chroma=chroma))
            if all(-0.0005 <= channel <= 1.0005 for channel in channels):
                break
            chroma *= 0.95
        else:
            channels = _to_linear(replace(self, chroma=0.0))
        return "#" + "".join(f"{round(255 * _encode(min(1.0, max(0.0, channel)))):02x}" for channel in channels)


def parse(color: str) -> Oklch:
    """Return `#rrggbb` as OKLCH."""
    red, green, blue = _linear_channels(color)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return Oklch(lightness, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, 1.4.3)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    """Return the relative luminance of `#rrggbb` (WCAG 2.2)."""
    red, green, blue = _linear_channels(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def readable(color: Oklch, grounds: Iterable[str], ratio: float = 4.5) -> str:
    """Return `color`, made darker or lighter in small steps until it reads at `ratio` on every one of `grounds`."""
    grounds = tuple(grounds)
    darker = luminance(grounds[0]) > 0.18
    lightness = color.lightness
    while 0 < lightness < 1:
        candidate = replace(color, lightness=lightness).hex()
        if all(contrast(candidate, ground) >= ratio for ground in grounds):
            return candidate
        lightness += -0.01 if darker else 0.01
    return "#000000" if darker else "#ffffff"


def text_on(fill: str) -> str:
    """Return white or near-black, whichever reads better on `fill`; white wins when it reaches 4.5:1."""
    if contrast("#ffffff", fill) >= 4.5:
        return "#ffffff"
    return "#0b0d12" if contrast("#0b0d12", fill) >= 4.5 else "#000000"


def _linear_channels(color: str) -> tuple[float, float, float]:
    red, green, blue = (_decode(int(color[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return red, green, blue


def _to_linear(color: Oklch) -> tuple[float, float, float]:
    a = color.chroma * math.cos(math.radians(color.hue))
    b = color.chroma * math.sin(math.radians(color.hue))
    long = (color.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (color.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (color.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _decode(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _encode(channel: float) -> float:
    return 12.92 * channel if channel <= 0.0031308 else float(1.055 * channel ** (1 / 2.4) - 0.055)
