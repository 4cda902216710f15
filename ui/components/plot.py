"""A line plot as inline SVG: no script, no library. It has a time axis, a scale of round numbers, and words beside it.

    plot("Calls", "per second", [PlotLine("All", rates), PlotLine("Not answered", failed, bad=True)], axis)

What is drawn stretches with its card, so the labels are HTML beside the SVG. Red is for what should not be, and the
second line is dashed: nothing is told by colour alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

from ui.nicegui_ext.html import Tag

WIDTH: Final = 300
HEIGHT: Final = 90
STEPS: Final = (1.0, 2.0, 4.0, 10.0)
"""Ends of scales, times a power of ten; half of each is a number that reads well too."""
SPANS: Final = (
    (timedelta(minutes=1), timedelta(seconds=15)),
    (timedelta(minutes=5), timedelta(minutes=1)),
    (timedelta(minutes=20), timedelta(minutes=5)),
)
"""How much time an axis may show, each with the distance of its marks."""
NOT_BEGUN: Final = "The line begins with the second reading."
MARGIN: Final = 0.12
"""A mark's label has to be so far from either end, in parts of the axis."""

Value = float | None


@dataclass(frozen=True, slots=True)
class PlotLine:
    """Values in the order of the readings, the last at the last reading; None where there was nothing to measure.

    `bad` counts what should not be: it is red as soon as there is any.
    """

    name: str
    values: Sequence[Value]
    bad: bool = False

    @property
    def look(self) -> str:
        """How it is drawn."""
        return "bad" if self.bad and any(self.values) else "second" if self.bad else "line"


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """When the readings were taken, and the marks between `start` and `end`, each with its place from 0 to 1."""

    moments: tuple[datetime, ...]
    start: datetime
    end: datetime
    marks: tuple[tuple[float, str], ...]

    def place(self, moment: datetime) -> float:
        """Return where on the axis a moment is: 0 at its start, 1 at its end."""
        return (moment - self.start) / (self.end - self.start)


def time_axis(moments: Sequence[datetime]) -> TimeAxis:
    """Return the axis of these readings (at least one), the oldest first: as short as holds them all."""
    end = moments[-1]
    span, step = next((each for each in SPANS if end - moments[0] <= each[0]), SPANS[-1])
    start = end - span
    form = "%H:%M:%S" if step < timedelta(minutes=1) else "%H:%M"
    marks = tuple(
        (place, f"{mark.astimezone(UTC):{form}}")
        for mark in _round_moments(start, end, step)
        if MARGIN <= (place := (mark - start) / span) <= 1 - MARGIN
    )
    return TimeAxis(tuple(moments), start, end, marks)


def scale_end(peak: float) -> float:
    """Return the least round number that is not below `peak`; 1 for 0."""
    power = 1.0
    while peak > 0 and power > peak:
        power /= 10
    while power * 10 < peak:
        power *= 10
    return next(step * power for step in STEPS if step * power >= peak or step == STEPS[-1])


def plot(title: str, unit: str, lines: Sequence[PlotLine], axis: TimeAxis) -> None:
    """Draw lines of one scale, which starts at 0. Fewer than two values draw no line, and say so."""
    peak = max((value for line in lines for value in line.values if value is not None), default=0.0)
    top = scale_end(peak)
    begun = any(len(line.values) > 1 for line in lines)
    words = ", ".join(f"{line.name} {_last(line)}" for line in lines)
    with Tag("figure", classes="card plot", testid="plot"):
        with Tag("figcaption", classes="plot-title"):
            Tag("span", title, classes="plot-name")
            Tag("span", unit, classes="small muted")
        with Tag("ul", classes="plot-legend small"):
            for place, line in enumerate(lines):
                with Tag("li"):
                    Tag("span", classes=f"plot-key plot-{_look(line, place)}", aria_hidden="true")
                    Tag("span", line.name, classes="muted")
                    Tag("span", _last(line), classes="plot-value")
        with Tag("div", classes="plot-area"):
            _draw_scale(top, whole=all(not (value or 0.0) % 1 for line in lines for value in line.values))
            with Tag(
                "svg", viewBox=f"0 0 {WIDTH} {HEIGHT}", preserveAspectRatio="none", role="img",
                aria_label=f"{title}, {unit}: now {words}; at most {short(peak)}.",
            ):  # fmt: skip
                _draw_grid(axis)
                for place, line in enumerate(lines):
                    look = f"plot-{_look(line, place)}"
                    for points, alone in segments(line.values, axis, top):
                        dot = " plot-dot" if alone else ""
                        Tag("polyline", points=points, classes=look + dot, vector_effect="non-scaling-stroke")
            if not begun:
                Tag("p", NOT_BEGUN, classes="plot-empty small muted")
        _draw_times(axis)


def segments(values: Sequence[Value], axis: TimeAxis, top: float) -> Iterator[tuple[str, bool]]:
    """Yield the points of each unbroken piece of a line, and whether it is of one value alone, which is a dot.

    They are in the plot's own units; `top` is at the upper edge.
    """
    placed = list(zip(axis.moments[-len(values) :], values, strict=True)) if len(values) > 1 else []
    for known, piece in groupby(placed, key=lambda each: each[1] is not None):
        if known:
            points = [(axis.place(moment), (value or 0.0) / top) for moment, value in piece]
            alone = len(points) == 1
            if alone:  # what has no length is not drawn
                (across, up), half = points[0], 0.5 / WIDTH
                points = [(across - half, up), (across + half, up)]
            yield " ".join(_point(*point) for point in points), alone


def short(number: float) -> str:
    """Return a number in three digits or as a whole one."""
    if number == 0:
        return "0"
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _round_moments(start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    """Yield the moments between two others at which a clock shows a multiple of `step`."""
    seconds = step.total_seconds()
    mark = datetime.fromtimestamp((start.timestamp() // seconds + 1) * seconds, UTC)
    while mark < end:
        yield mark
        mark += step


def _point(across: float, up: float) -> str:
    return f"{WIDTH * across:.1f},{HEIGHT - 1 - (HEIGHT - 2) * up:.1f}"


def _look(line: PlotLine, place: int) -> str:
    return "second" if place and line.look == "line" else line.look


def _last(line: PlotLine) -> str:
    """Return the latest value in words; a dash where there was nothing to measure."""
    value = line.values[-1] if line.values else 0.0
    return short(value) if value is not None else "–"


def _draw_scale(top: float, *, whole: bool) -> None:
    """Write the scale's numbers; `whole` things have no halves."""
    with Tag("div", classes="plot-scale small muted", aria_hidden="true"):
        for value in (top, top / 2, 0.0):
            Tag("span", short(value) if not whole or not value % 1 else "")


def _draw_grid(axis: TimeAxis) -> None:
    across = [(0.0, WIDTH, y, y) for y in (1.0, HEIGHT / 2, HEIGHT - 1.0)]
    down = [(WIDTH * place, WIDTH * place, 0.0, float(HEIGHT)) for place, _words in axis.marks]
    for x1, x2, y1, y2 in across + down:
        Tag("line", x1=x1, x2=x2, y1=y1, y2=y2, classes="plot-grid", vector_effect="non-scaling-stroke")


def _draw_times(axis: TimeAxis) -> None:
    with Tag("div", classes="plot-times small muted", aria_hidden="true"):
        for place, words in axis.marks:
            Tag("span", words).style(f"inset-inline-start:{100 * place:.1f}%")
        Tag("span", "now", classes="plot-now")
