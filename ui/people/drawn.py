"""An explanation as a part of an operators' page: the same lines as on a terminal. In English only."""

from collections.abc import Sequence
from typing import Final

from services.people.record import FoundPerson
from ui.components.badge import badge
from ui.nicegui_ext.html import Tag
from ui.people.explanation import PersonExplanation
from ui.people.lines import ExplainedLine, ExplainedSection, sections_of, who

NOTHING: Final = "Nothing."
NOBODY: Final = "Nothing is kept of that: no user's id, checkout, subscription, reference or address."
SEVERAL: Final = "On record for {count} people. Ask for one of them:"
SAYS: Final = "The page says"
ACCESS: Final = "Access"
NO_ACCESS: Final = "No access"


def draw_explanation(explained: PersonExplanation) -> None:
    """Draw everything about one person."""
    with Tag("div", classes="ops-live", testid="person"):
        Tag("p", who(explained), classes="person-who")
        for section in sections_of(explained):
            with Tag("section", classes="ops-section"):
                Tag("h2", section.title, classes="ops-heading")
                if section.title == SAYS:
                    _draw_badges(explained)
                _draw_section(section)


def draw_not_found(found: Sequence[FoundPerson]) -> None:
    """Say that nobody was found, or who may be meant."""
    with Tag("div", classes="card", testid="person-not-found"):
        if not found:
            Tag("p", NOBODY)
            return
        Tag("p", SEVERAL.format(count=len(found)))
        with Tag("ul", classes="ops-dead"):
            for person in found:
                with Tag("li"):
                    Tag("code", person.user_id or person.customer)
                    Tag("span", f" (found by {person.by})", classes="muted")


def _draw_badges(explained: PersonExplanation) -> None:
    """Say at a glance who has access to what."""
    with Tag("p", classes="person-badges"):
        for one in explained.says:
            words = " · ".join(text for text in (one.plan, one.badge, ACCESS if one.access else NO_ACCESS) if text)
            badge(words, "success" if one.access else "neutral", data_state=one.state)


def _draw_section(section: ExplainedSection) -> None:
    if not section.lines:
        Tag("p", NOTHING, classes="card muted")
        return
    with Tag("ul", classes="card ops-dead person-lines"):
        for line in section.lines:
            _draw_line(line)


def _draw_line(line: ExplainedLine) -> None:
    with Tag("li", classes="person-below small muted" if line.below else ""):
        if line.when:
            Tag("time", line.when, classes="muted small")
        if line.code:
            Tag("code", line.code)
        Tag("span", line.text)
