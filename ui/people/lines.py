"""An explanation as sections of lines: what `python app.py person` prints, and `/ops/people` draws. In English only.

First what a page says, then why, then what that was made of.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ui.people.explanation import ExplainedCheckout, ExplainedSubscription, PersonExplanation
from ui.text.formats import relative

MOST_LISTED: Final = 12
"""How many lines of one kind stand on a screen; `--json` has all."""


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """One line: when, what of (an id to copy), and what there is to say."""

    text: str
    when: str = ""
    code: str = ""
    below: bool = False
    """Whether it belongs to the line before it."""

    def __str__(self) -> str:
        return ("  " if self.below else "") + " ".join(part for part in (self.when, self.code, self.text) if part)


@dataclass(frozen=True, slots=True)
class ExplainedSection:
    """Lines under a title."""

    title: str
    lines: tuple[ExplainedLine, ...]


def sections_of(explained: PersonExplanation) -> tuple[ExplainedSection, ...]:
    """Return the explanation in sections, what matters most first."""
    parts: dict[str, Iterable[ExplainedLine]] = {
        "The page says": _said(explained),
        "Why": _why(explained),
        "What the services said": _answers(explained),
        "Checkouts opened here": _checkouts(explained),
        "Told to other services": _events(explained),
        "What was shown when": _shown(explained),
    }
    return tuple(ExplainedSection(title, tuple(lines)) for title, lines in parts.items())


def who(explained: PersonExplanation) -> str:
    """Return whom it is about, by which ids, and how they were found."""
    email = f", first came as {explained.email}" if explained.email else ""
    billing = f", known to billing as {explained.customer}" if explained.customer != explained.user_id else ""
    return f"{explained.user_id or 'user id not known'}{email}{billing} (found by {explained.found_by})"


def as_lines(explained: PersonExplanation) -> Iterator[str]:
    """Yield the lines of one screen."""
    yield who(explained)
    for section in sections_of(explained):
        yield ""
        yield section.title
        whole = section.title == "Why"
        yield from (f"  {line}" for line in (section.lines if whole else section.lines[:MOST_LISTED]))
        if not section.lines:
            yield "  nothing"
        elif len(section.lines) > MOST_LISTED and not whole:
            yield f"  … and {len(section.lines) - MOST_LISTED} more (--json has all)"


def _said(explained: PersonExplanation) -> Iterator[ExplainedLine]:
    if explained.twice:
        yield ExplainedLine(explained.twice)
    for one in explained.says:
        access = "access" if one.access else "no access"
        yield ExplainedLine(
            " ".join(text for text in (f"[{one.badge}]", f"{one.headline}.", one.sentence, f"({access})") if text)
        )


def _why(explained: PersonExplanation) -> Iterator[ExplainedLine]:
    for one in explained.says:
        yield from _rule(one, explained)
    for cause in explained.causes:
        yield ExplainedLine(f"→ {cause.text}")


def _rule(one: ExplainedSubscription, explained: PersonExplanation) -> Iterator[ExplainedLine]:
    about = f"{one.plan}: " if len(explained.says) > 1 and one.plan else ""
    yield ExplainedLine(f"{about}{one.state} by the rule {one.rule}. {one.because}")
    for claim in one.claims:
        age = relative(claim.as_of, "en", now=explained.at)
        yield ExplainedLine(f"on {claim.evidence}, {age}: {claim.only_on}", code=claim.says, below=True)


def _answers(explained: PersonExplanation) -> Iterator[ExplainedLine]:
    for one in explained.answers:
        yield ExplainedLine(f"{one.service}, {one.about}: {one.said}, {one.age}")
    if explained.portal_left_at is not None:
        yield ExplainedLine("last in the billing portal", when=second(explained.portal_left_at))


def _checkouts(explained: PersonExplanation) -> Iterator[ExplainedLine]:
    for one in explained.checkouts:
        text = f"{one.what}, {one.asked_for}: {one.stands}{_became(one)}"
        yield ExplainedLine(text, when=second(one.opened_at), code=one.session_id)


def _became(checkout: ExplainedCheckout) -> str:
    events = ", ".join(f"{one.event} {second(one.at)}" for one in checkout.events)
    return f" [{events}]" if events else ""


def _events(explained: PersonExplanation) -> Iterator[ExplainedLine]:
    for one in explained.events:
        yield ExplainedLine(f"{one.kind}: {one.became}", when=second(one.at), code=one.id)


def _shown(explained: PersonExplanation) -> Iterator[ExplainedLine]:
    return (ExplainedLine(f"{one.subject}: {one.words}", when=second(one.at)) for one in explained.shown)


def second(moment: datetime) -> str:
    """Return a time as operators' pages write it, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"
