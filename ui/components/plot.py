"""A small line plot as inline SVG: no script, no library. Its last value and its peak stand beside it as text."""

from collections.abc import Sequence
from typing import Final

from ui.nicegui_ext.html import Tag

WIDTH: Final = 320
HEIGHT: Final = 72
COLORS: Final = ("var(--brand-edge)", "var(--danger)", "var(--warning)", "var(--success)")


def plot(title: str, series: Sequence[tuple[str, Sequence[float]]], unit: str = "") -> None:
    """Draw lines of one scale, which starts at 0; each has a name. Fewer than two values draw no line."""
    peak = max((value for _name, values in series for value in values), default=0.0)
    words = [f"{name} {_short(values[-1] if values else 0.0)}{unit}" for name, values in series]
    with Tag("figure", classes="card", testid="plot").style("margin:0;padding:1rem"):
        Tag("figcaption", title, classes="card-heading")
        label = f"{title}: {', '.join(words)}"
        with Tag("svg", viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=label, width="100%", height=HEIGHT):
            Tag("line", x1=0, y1=HEIGHT - 1, x2=WIDTH, y2=HEIGHT - 1, stroke="var(--line)")
            for (_name, values), color in zip(series, _colors(len(series)), strict=True):
                if len(values) > 1:
                    points = line(values, peak)
                    Tag("polyline", points=points, fill="none", stroke=color, stroke_width=1.5)
        for word, color in zip(words, _colors(len(series)), strict=True):
            mark = f"border-left:.6rem solid {color};padding-left:.4rem;margin-right:1rem"
            Tag("span", word, classes="small").style(mark)
        Tag("span", f"max {_short(peak)}{unit}", classes="small muted")


def line(values: Sequence[float], peak: float) -> str:
    """Return the points of a line from left to right, in the plot's own units; `peak` is at the top."""
    step = WIDTH / (len(values) - 1)
    scale = (HEIGHT - 4) / peak if peak > 0 else 0.0
    return " ".join(f"{at * step:.1f},{HEIGHT - 2 - value * scale:.1f}" for at, value in enumerate(values))


def _colors(number: int) -> list[str]:
    return [COLORS[at % len(COLORS)] for at in range(number)]


def _short(number: float) -> str:
    if number == 0:
        return "0"
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
