"""A figure, the file of all figures, and their table in the documents."""

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = ROOT / "bench" / "results.json"
PAGE: Final = ROOT / "docs" / "performance.md"
GROWTH: Final = ROOT / "docs" / "scaling.md"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value beside its reference. `target` bounds `ratio` or `value`, as `bounds` says; None: none."""

    bench: int
    name: str
    value: float
    unit: str
    reference: float | None = None
    ratio: float | None = None
    target: str = ""
    met: bool | None = None
    note: str = ""
    load: float = 0.0
    """The machine's load average when it was measured: above the number of cores, times are those of a queue."""


def at_most(figure: Figure, limit: float, *, of: str = "value") -> Figure:
    """Return the figure with a target of at most `limit` for its value or ratio."""
    return _judged(figure, of, "≤", limit, _measured(figure, of) <= limit)


def at_least(figure: Figure, limit: float, *, of: str = "value") -> Figure:
    """Return the figure with a target of at least `limit` for its value or ratio."""
    return _judged(figure, of, "≥", limit, _measured(figure, of) >= limit)


def against(
    bench: int, name: str, values: Sequence[float], references: Sequence[float], unit: str, note: str = ""
) -> Figure:
    """Return the medians of both, and the median of the ratios of each pair."""
    ratio = statistics.median(value / reference for value, reference in zip(values, references, strict=True))
    value, reference = statistics.median(values), statistics.median(references)
    return Figure(bench, name, round(value, 3), unit, round(reference, 3), round(ratio, 3), note=note)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that so many percent are not above."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def write(figures: Sequence[Figure]) -> None:
    """Write both; figures of benches that were not run this time stay as they were."""
    run = {figure.bench for figure in figures}
    kept = [Figure(**old) for old in json.loads(RESULTS.read_text())] if RESULTS.exists() else []
    merged = sorted([*(old for old in kept if old.bench not in run), *figures], key=lambda figure: figure.bench)
    RESULTS.write_text(json.dumps([asdict(figure) for figure in merged], indent=1, ensure_ascii=False) + "\n")
    put(PAGE, "bench", table(merged))


def put(page: Path, name: str, text: str) -> None:
    """Replace what stands between the marks of that name in a document."""
    before, _old, after = parts(page, name)
    page.write_text(f"{before}{text}{after}", encoding="utf-8")


def parts(page: Path, name: str) -> tuple[str, str, str]:
    """Return a document in three parts: up to the first mark of that name, what the marks enclose, and the rest."""
    begin, end = f"<!-- {name}:begin -->\n", f"\n<!-- {name}:end -->"
    before, rest = page.read_text(encoding="utf-8").split(begin)
    inside, after = rest.split(end)
    return before + begin, inside, end + after


def table(figures: Sequence[Figure]) -> str:
    """Return the Markdown table."""
    lines = ["| # | figure | measured | reference | ratio | target | met | load |", "|--:|---|--:|--:|--:|---|---|--:|"]
    for f in figures:
        reference = "" if f.reference is None else f"{_short(f.reference)} {f.unit}"
        ratio = "" if f.ratio is None else f"{_short(f.ratio)} ×"
        met = "" if f.met is None else "yes" if f.met else "**missed**"
        name = f"{f.name} ({f.note})" if f.note else f.name
        cells = (str(f.bench), name, f"{_short(f.value)} {f.unit}", reference, ratio, f.target, met, f"{f.load:.1f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _measured(figure: Figure, of: str) -> float:
    measured = figure.ratio if of == "ratio" else figure.value
    if measured is None:
        raise ValueError(f"{figure.name} has no ratio")
    return measured


def _judged(figure: Figure, of: str, sign: str, limit: float, met: bool) -> Figure:
    unit = "×" if of == "ratio" else figure.unit
    both = f"{figure.target}, " if figure.target else ""
    return replace(figure, target=f"{both}{sign} {_short(limit)} {unit}", met=met and figure.met is not False)


def _short(number: float) -> str:
    if number == int(number) or abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.2f}".rstrip("0").rstrip(".")
