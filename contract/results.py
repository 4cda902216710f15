"""What a check found, and the table of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from contract.explanations import Cause


class Result(StrEnum):
    """How a check ended. A note is allowed by the contract but worth knowing."""

    OK = "ok"
    NOTE = "note"
    FAIL = "FAIL"
    SKIPPED = "skipped"


class Unmet(Exception):
    """The service does not do what is relied on: the text says what it did instead, `cause` what is likely behind."""

    def __init__(self, text: str, cause: Cause | None = None) -> None:
        super().__init__(text)
        self.cause = cause


@dataclass(frozen=True)
class CheckOutcome:
    """How a check ended, and what it saw; `cause` is what is likely behind what is not as it should be."""

    result: Result
    detail: str = ""
    cause: Cause | None = None


def fine(detail: str = "") -> CheckOutcome:
    """Return that all is as it should be."""
    return CheckOutcome(Result.OK, detail)


def noted(detail: str, cause: Cause | None = None) -> CheckOutcome:
    """Return that something is as the contract allows, but not as it is at its best."""
    return CheckOutcome(Result.NOTE, detail, cause)


def skipped(detail: str) -> CheckOutcome:
    """Return that nothing was asked, and why."""
    return CheckOutcome(Result.SKIPPED, detail)


@dataclass(frozen=True)
class Exchange:
    """One call as it was sent and answered, in words that may be shown: no key, no session."""

    sent: str
    answered: str


@dataclass(frozen=True)
class ReportLine:
    """A check by name, what the front end relies on there, why that matters, how it ended, and its last calls."""

    name: str
    relies_on: str
    outcome: CheckOutcome
    matters: str = ""
    exchanges: tuple[Exchange, ...] = ()

    @property
    def is_finding(self) -> bool:
        """Whether the service's owners should hear of it."""
        return self.outcome.result is Result.FAIL or self.outcome.cause is not None


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
