"""What was found, one cause at a time, for those who own the service: as text for the terminal, and as a document."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from contract.explanations import EXPLANATIONS, Cause
from contract.results import ReportLine, Result, summary


def findings(lines: Sequence[ReportLine]) -> dict[Cause, list[ReportLine]]:
    """Return the lines that the owners should hear of, by what is likely behind them: failures before notes."""
    found = [(line.outcome.cause or Cause.OTHER_FORM, line) for line in lines if line.is_finding]
    worst = {
        cause: min(line.outcome.result is not Result.FAIL for other, line in found if other is cause)
        for cause, _line in found
    }
    order = list(Cause)
    found.sort(key=lambda one: (worst[one[0]], order.index(one[0])))
    return {cause: [line for _cause, line in group] for cause, group in groupby(found, key=lambda one: one[0])}


def as_text(lines: Sequence[ReportLine]) -> str:
    """Return the findings for a terminal; nothing where there are none."""
    parts = []
    for number, (cause, found) in enumerate(findings(lines).items(), start=1):
        explained = EXPLANATIONS[cause]
        rows = [f"{number}. {explained.title} ({cause})"]
        for line in found:
            rows.append(f"   {line.outcome.result} {line.name}: {line.outcome.detail}")
            for exchange in line.exchanges:
                rows += [f"     sent      {exchange.sent}", f"     answered  {exchange.answered}"]
            rows.append(f"     customers {line.matters}")
        rows += [f"   Likely cause: {explained.cause}", f"   Cure: {explained.cure}"]
        parts.append("\n".join(rows))
    return "\n\n".join(parts)


def as_document(lines: Sequence[ReportLine], address: str, at: datetime, left_behind: Sequence[str]) -> str:
    """Return the whole as Markdown, to be handed to the service's owners."""
    return "\n".join(_document(lines, address, at, left_behind)) + "\n"


def _document(lines: Sequence[ReportLine], address: str, at: datetime, left_behind: Sequence[str]) -> Iterator[str]:
    yield f"# What a billing front end found at the Payment MS\n\nAsked at {address}, {at:%Y-%m-%d %H:%M} UTC,"
    yield f"by `python -m contract`. {summary(lines)}\n"
    yield "A check fails where customers or operators of the front end are worse off for it; a note is a finding that"
    yield "it can live with. Causes are what is likely from outside, and yours to judge.\n"
    yield "## Left behind\n"
    yield from (f"- {line}" for line in left_behind)
    for number, (cause, found) in enumerate(findings(lines).items(), start=1):
        explained = EXPLANATIONS[cause]
        yield f"\n## {number}. {explained.title}\n"
        yield f"**Likely cause.** {explained.cause}\n\n**Cure.** {explained.cure}"
        for line in found:
            yield f"\n### `{line.name}`: {line.relies_on}\n"
            yield f"{'Failed' if line.outcome.result is Result.FAIL else 'Noted'}: {line.outcome.detail}\n"
            yield f"What it means to customers: {line.matters}"
            for exchange in line.exchanges:
                yield f"\n```\n> {exchange.sent}\n< {exchange.answered}\n```"
    yield "\n## All checks\n\n| check | result | relied on |\n|---|---|---|"
    yield from (f"| `{line.name}` | {line.outcome.result} | {line.relies_on} |" for line in lines)
