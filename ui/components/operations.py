"""The parts of the operator's page: alarms, events that nobody took, facts, a service's calls, the last problems."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.alarms.evidence import StandingAlarm
from services.upstream.circuit import CircuitState
from services.webhooks.model import WebhookDelivery
from ui.components.badge import badge
from ui.components.notice import ICONS, Kind
from ui.nicegui_ext.html import Tag
from ui.theme.icons import icon
from ui.theme.tones import Tone

WORDS: Final = {
    "unwell": "Not well", "alarms": "Alarms", "quiet": "None stands.", "customers_see": "Customers see",
    "cure": "What cures it",
    "seen": "Seen", "otherwise": "Last seen otherwise", "dead": "Events that were not taken",
    "replay": "Each was tried for a day. Tell one again: `python app.py events replay ID`",
    "replica": "This replica", "idle": "Not asked for anything yet.", "since": "Since the start",
    "problems": "Last warnings and errors", "none": "None so far.",
}  # fmt: skip
"""In English only, as the page is."""
MOST_DEAD: Final = 50
COLUMNS: Final = ("Operation", "Circuit", "Calls", "Not answered", "Mean")
CIRCUITS: Final[Mapping[CircuitState, tuple[str, Tone, str]]] = {
    CircuitState.CLOSED: ("Closed", "neutral", "check"),
    CircuitState.HALF_OPEN: ("Half open", "warning", "clock"),
    CircuitState.OPEN: ("Open", "danger", "exclamation-circle"),
}
LEVELS: Final[Mapping[str, Tone]] = {"warning": "warning", "error": "danger", "critical": "danger"}
SHOWN_FIRST: Final = frozenset({"timestamp", "level", "event"})
TELLING: Final = ("service", "operation", "outcome", "path", "code", "alarm", "status")
"""What of a line of the log stands beside its event, before it is unfolded."""


@dataclass(frozen=True, slots=True)
class OperationRow:
    """What is known of one call of a service: its counts since the start, and its mean time in seconds."""

    operation: str
    circuit: CircuitState
    calls: int
    not_answered: int
    mean: float | None


def draw_alarms(standing: Sequence[StandingAlarm]) -> None:
    """Draw a card for each alarm: what is so, since when, what customers see, what cures it."""
    with Tag("section", classes="ops-section", testid="ops-alarms"):
        Tag("h2", WORDS["alarms"], classes="ops-heading")
        if not standing:
            with Tag("p", classes="card ops-calm"):
                icon("check-circle")
                Tag("span", WORDS["quiet"])
        for one in standing:
            with Tag("section", classes="notice notice-danger", testid=f"alarm-{one.alarm.key}"):
                icon(ICONS["danger"])
                with Tag("div", classes="notice-body"):
                    with Tag("h3", classes="notice-title"):
                        _draw_words(one.alarm.what_is_so)
                    with Tag("dl", classes="ops-alarm-facts"):
                        for name, value in _facts(one):
                            Tag("dt", name, classes="muted")
                            with Tag("dd"):
                                _draw_words(value)


def draw_unwell(checks: Mapping[str, Mapping[str, object]]) -> None:
    """Draw a card for each part of this replica that is not well, by its name in `/readyz`; for none, nothing."""
    if not checks:
        return
    with Tag("section", classes="ops-section", testid="ops-unwell"):
        Tag("h2", WORDS["unwell"], classes="ops-heading")
        for name, check in checks.items():
            tone: Kind = "danger" if check["status"] == "failing" else "warning"
            with Tag("section", classes=f"notice notice-{tone}", testid=f"unwell-{name}"):
                icon(ICONS[tone])
                with Tag("div", classes="notice-body"):
                    with Tag("h3", classes="notice-title"):
                        _draw_words(f"`{name}` {check['problem']}")
                    with Tag("dl", classes="ops-alarm-facts"):
                        Tag("dt", WORDS["cure"], classes="muted")
                        with Tag("dd"):
                            _draw_words(str(check["cure"]))


def draw_dead(dead: Sequence[WebhookDelivery]) -> None:
    """List the events that no endpoint took in a day; where there are none, say nothing."""
    if not dead:
        return
    with Tag("section", classes="ops-section"):
        Tag("h2", WORDS["dead"], classes="ops-heading")
        with Tag("p", classes="muted small"):
            _draw_words(WORDS["replay"])
        with Tag("ul", classes="card ops-dead small", testid="ops-dead"):
            for one in dead[:MOST_DEAD]:
                with Tag("li"):
                    Tag("time", minute(one.event.at), datetime=one.event.at.isoformat(), classes="muted")
                    Tag("span", f" {one.event.kind} to {one.endpoint}: {one.last} ")
                    Tag("code", one.event.id)


def draw_facts(facts: Mapping[str, str]) -> None:
    """Draw what is known of this replica."""
    with Tag("section", classes="ops-section"):
        Tag("h2", WORDS["replica"], classes="ops-heading")
        with Tag("dl", classes="card ops-facts"):
            for name, value in facts.items():
                with Tag("div"):
                    Tag("dt", name, classes="small muted")
                    Tag("dd", value)


def draw_operations(service: str, rows: Sequence[OperationRow]) -> None:
    """Draw the calls of a service as a table; on a phone each is a block of its own, with its columns' names."""
    if not rows:
        Tag("p", WORDS["idle"], classes="card muted", testid=f"ops-{service}")
        return
    with Tag("div", classes="card"), Tag("table", classes="ops-table", testid=f"ops-{service}"):
        Tag("caption", WORDS["since"], classes="small muted")
        with Tag("thead"), Tag("tr"):
            for place, word in enumerate(COLUMNS):
                Tag("th", word, scope="col", classes="number" if place > 1 else "")
        with Tag("tbody"):
            for row in rows:
                _draw_operation(row)


def _draw_operation(row: OperationRow) -> None:
    mean = "–" if row.mean is None else f"{1000 * row.mean:,.0f} ms"
    with Tag("tr", data_state=str(row.circuit)):
        with Tag("th", scope="row"):
            Tag("code", row.operation)
        with Tag("td", data_label=COLUMNS[1]):
            words, tone, drawing = CIRCUITS[row.circuit]
            badge(words, tone, icon_name=drawing)
        Tag("td", f"{row.calls:,}", data_label=COLUMNS[2], classes="number")
        Tag(
            "td", f"{row.not_answered:,}", data_label=COLUMNS[3], classes="number bad" if row.not_answered else "number"
        )
        Tag("td", mean, data_label=COLUMNS[4], classes="number")


def draw_problems(lines: tuple[str, ...]) -> None:
    """Draw the last lines of the log that were no good news, the newest first, each to be unfolded."""
    with Tag("section", classes="ops-section"):
        Tag("h2", WORDS["problems"], classes="ops-heading")
        if not lines:
            with Tag("p", classes="card ops-calm"):
                icon("check-circle")
                Tag("span", WORDS["none"])
            return
        with Tag("div", classes="card ops-problems"):
            for text in lines:
                _draw_problem(text)


def _draw_problem(text: str) -> None:
    event = _parsed(text)
    level = str(event.get("level", ""))
    with Tag("details"):
        with Tag("summary"):
            Tag("span", _clock(str(event.get("timestamp", ""))), classes="ops-clock muted")
            if level:
                badge(level.capitalize(), LEVELS.get(level, "neutral"))
            with Tag("span", classes="ops-event"):
                Tag("code", str(event.get("event", text)))
                told = " · ".join(str(event[name]) for name in TELLING if event.get(name) not in (None, ""))
                if told:
                    Tag("span", told, classes="small muted")
            icon("chevron-down")
        if not event:
            Tag("pre", text)
            return
        with Tag("dl", classes="ops-fields small"):
            for name, value in event.items():
                if name not in SHOWN_FIRST:
                    Tag("dt", name, classes="muted")
                    Tag("dd", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def duration(seconds: float) -> str:
    """Return how long in its two largest units: "3 min", "2 h 5 min", "4 d 1 h"."""
    minutes = int(seconds // 60)
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"{days} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min" if minutes else "less than a minute"


def minute(moment: datetime) -> str:
    """Return a moment to the minute, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _draw_words(text: str) -> None:
    """Draw a text in which names stand in backticks, as the log has it."""
    for place, part in enumerate(text.split("`")):
        if part:
            Tag("code" if place % 2 else "span", part)


def _facts(one: StandingAlarm) -> Iterator[tuple[str, str]]:
    yield WORDS["customers_see"], one.alarm.customers_see
    yield WORDS["cure"], one.alarm.cure
    told = [case for case in one.cases if " " in case]  # a case in words; the others are digests
    number = f"{len(one.cases)} since {minute(one.since)}" if not told else "; ".join(told)
    yield WORDS["seen"], number
    if one.last_contrary is not None:
        yield WORDS["otherwise"], minute(one.last_contrary)


def _clock(timestamp: str) -> str:
    """Return the time of day of a line of the log, as precisely as a reader wants it."""
    try:
        return f"{datetime.fromisoformat(timestamp).astimezone(UTC):%H:%M:%S}"
    except ValueError:
        return timestamp


def _parsed(text: str) -> Mapping[str, object]:
    """Return the fields of a line of JSON; nothing for a line for the console, or one that was cut."""
    try:
        event = json.loads(text)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
