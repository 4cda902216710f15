"""What a check found, and the table of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """How a check ended. A note is allowed by the contract but worth knowing."""

    OK = "ok"
    NOTE = "note"
    FAIL = "FAIL"
    SKIPPED = "skipped"


class Unmet(Exception):
    """The service does not do what is relied on; the text says what it did instead."""


@dataclass(frozen=True)
class CheckOutcome:
    """How a check ended, and what it saw."""

    result: Result
    detail: str = ""


def fine(detail: str = "") -> CheckOutcome:
    """Return that all is as it should be."""
    return CheckOutcome(Result.OK, detail)


def noted(detail: str) -> CheckOutcome:
    """Return that something is as the contract allows, but not as it is at its best."""
    return CheckOutcome(Result.NOTE, detail)


def skipped(detail: str) -> CheckOutcome:
    """Return that nothing was asked, and why."""
    return CheckOutcome(Result.SKIPPED, detail)


@dataclass(frozen=True)
class ReportLine:
    """A check by name, what the front end relies on there, and how it ended."""

    name: str
    relies_on: str
    outcome: CheckOutcome


def table(lines: Sequence[ReportLine]) -> str:
    """Return the lines as a table in plain text, with what was seen below each."""
    width = max(len(line.name) for line in lines)
    rows = []
    for line in lines:
        rows.append(f"{line.outcome.result:<8} {line.name:<{width}}  {line.relies_on}")
        if line.outcome.detail:
            rows.append(f"{'':<8} {'':<{width}}  -> {line.outcome.detail}")
    return "\n".join(rows)


def summary(lines: Sequence[ReportLine]) -> str:
    """Return the count of each result, and the names of what failed."""
    counts = [(result, sum(line.outcome.result is result for line in lines)) for result in Result]
    text = ", ".join(f"{count} {result}" for result, count in counts if count)
    broken = [line.name for line in lines if line.outcome.result is Result.FAIL]
    if broken:
        return f"{text}. Broken: {', '.join(broken)}."
    unseen = any(line.outcome.result is Result.SKIPPED for line in lines)
    return f"{text}. The front end can rely on this service{', as far as it was asked' if unseen else ''}."


def passed(lines: Sequence[ReportLine]) -> bool:
    """Return whether nothing failed."""
    return all(line.outcome.result is not Result.FAIL for line in lines)
