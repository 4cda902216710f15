"""An explanation as lines for a terminal: one screen, what a page says first, then why, then what it was made of."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from ui.people.explanation import ExplainedCheckout, PersonExplanation
from ui.text.formats import relative

MOST_LISTED = 12
"""How many checkouts, events and shown lines stand on the screen; `--json` has all."""


def as_lines(explanation: PersonExplanation) -> Iterator[str]:
    """Yield the lines of one screen."""
    who = explanation.user_id or "user id not known"
    email = f", first came as {explanation.email}" if explanation.email else ""
    billing = f", known to billing as {explanation.customer}" if explanation.customer != explanation.user_id else ""
    yield f"{who}{email}{billing} (found by {explanation.found_by})"
    yield from _section("The page says", _said(explanation))
    yield from _section("Why", _why(explanation))
    yield from _section("What the services said", _answers(explanation))
    yield from _section("Checkouts opened here", _most(_checkouts(explanation)))
    yield from _section("Told to other services", _most(_events(explanation)))
    yield from _section("What was shown when", _most(_shown(explanation)))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    yield ""
    yield title
    yield from (f"  {line}" for line in found or ["nothing"])


def _most(lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    yield from found[:MOST_LISTED]
    if len(found) > MOST_LISTED:
        yield f"… and {len(found) - MOST_LISTED} more (--json has all)"


def _said(explanation: PersonExplanation) -> Iterator[str]:
    if explanation.twice:
        yield f"You're paying twice. {explanation.twice}"
    for one in explanation.says:
        access = "access" if one.access else "no access"
        yield " ".join(text for text in (f"[{one.badge}] {one.headline}.", one.sentence, f"({access})") if text)


def _why(explanation: PersonExplanation) -> Iterator[str]:
    for one in explanation.says:
        about = f"{one.plan}: " if len(explanation.says) > 1 and one.plan else ""
        yield f"{about}{one.state} by the rule {one.rule}. {one.because}"
        for claim in one.claims:
            age = relative(claim.as_of, "en", now=explanation.at)
            yield f"  {claim.says} on {claim.evidence}, {age}: {claim.only_on}"
    for cause in explanation.causes:
        yield f"→ {cause.text}"


def _answers(explanation: PersonExplanation) -> Iterator[str]:
    for one in explanation.answers:
        yield f"{one.service}, {one.about}: {one.said}, {one.age}"
    if explanation.portal_left_at is not None:
        yield f"Last in the billing portal: {minute(explanation.portal_left_at)}"


def _checkouts(explanation: PersonExplanation) -> Iterator[str]:
    for one in explanation.checkouts:
        yield f"{minute(one.opened_at)} {one.session_id} {one.what}, {one.asked_for}: {one.stands}{_became(one)}"


def _became(checkout: ExplainedCheckout) -> str:
    events = ", ".join(f"{one.event} {minute(one.at)}" for one in checkout.events)
    return f" [{events}]" if events else ""


def _events(explanation: PersonExplanation) -> Iterator[str]:
    return (f"{minute(one.at)} {one.kind} {one.id}: {one.became}" for one in explanation.events)


def _shown(explanation: PersonExplanation) -> Iterator[str]:
    return (f"{minute(one.at)} {one.subject}: {one.words}" for one in explanation.shown)


def minute(moment: datetime) -> str:
    """Return a time as operators' pages write it."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"
