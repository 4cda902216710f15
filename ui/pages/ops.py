"""`/ops`: the live state of this replica for those who run it, with OPS_TOKEN as the password. In English only.

It shows the alarms that stand, what `/metrics` counts, as plots of the last twenty minutes, the circuits of both
services, and the last problems of the log. One sampler serves all who look; a page is told of each new reading and
draws itself anew.
"""

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from nicegui import app, context
from starlette.responses import PlainTextResponse, Response

from services.alarms.evidence import StandingAlarm
from services.container import Container
from services.errors import PageNotFound
from services.observability.metrics_history import MetricsHistory, RecentProblems, Sample
from services.upstream.client import Upstream
from services.web.operator_token import shows_token
from services.webhooks.model import WebhookDelivery
from ui.billing.live import Part
from ui.components.notice import ICONS
from ui.components.plot import plot
from ui.nicegui_ext.html import Tag
from ui.page.frame import frame
from ui.serving.document import PageContext, page
from ui.theme.icons import icon

TITLE: Final = "Operations"
CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="Operations", charset="UTF-8"', "Cache-Control": "no-store"}
WORDS: Final = {
    "alarms": "Alarms", "quiet": "None stands.", "customers_see": "Customers see", "cure": "What cures it",
    "seen": "Seen", "otherwise": "Last seen otherwise",
    "replica": "This replica", "services": "Services", "problems": "Last warnings and errors", "none": "None so far.",
    "refused": "This needs OPS_TOKEN: as a bearer token, or as the password of any user.",
    "dead": "Events that were not taken",
    "replay": "Each was tried for a day. Tell one again: python app.py events replay ID",
    "operation": "Operation", "circuit": "Circuit", "calls": "Calls", "failures": "Not answered", "mean": "Mean",
}  # fmt: skip
MOST_DEAD: Final = 50
SERVICES: Final = ("payment_ms", "auth_ms")
GOOD: Final = ("ok", "rejected")


def register(container: Container) -> None:
    """Add the page; without OPS_TOKEN it is not there, and nothing is sampled."""
    token = container.settings.ops_token
    board = Board(container) if token is not None else None

    @page(container, "/ops", title=TITLE, robots="noindex")
    def ops(context: PageContext) -> Response | None:
        if token is None or board is None:
            raise PageNotFound
        if not shows_token(context.request.headers.get("authorization", ""), token):
            return PlainTextResponse(WORDS["refused"], 401, CHALLENGE)
        with frame(context):
            board.show()
        return None


class Board:
    """What all open pages show, read from the parts of this process."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self.problems = RecentProblems()
        self.samples = MetricsHistory(self._figures)
        self._began = time.time()
        logging.getLogger().addHandler(self.problems)
        app.on_startup(self.samples.start)
        app.on_shutdown(self.samples.stop)

    def show(self) -> None:
        """Draw the page, and draw it anew after each reading while its tab is connected."""
        client = context.client
        with Tag("div", classes="page-head"):
            Tag("h1", TITLE)
        with Tag("div", classes="stack", testid="ops") as box:
            self._draw()
        problems = Part(self._draw_problems)
        problems.show(self.problems.lines)

        def again() -> None:
            box.clear()
            with box:
                self._draw()
            problems.show(self.problems.lines)

        client.on_connect(lambda: self.samples.listen(again))
        client.on_delete(lambda: self.samples.forget(again))

    def _figures(self) -> list[Sample]:
        return [sample for metric in self._container.metrics.registry.collect() for sample in metric.samples]

    def _draw(self) -> None:
        draw_alarms(self._container.alarms.standing)
        draw_dead(self._container.webhooks.dead)
        self._draw_facts()
        with Tag("div").style("display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr))"):
            self._draw_plots()
        for upstream in (self._container.payment_upstream, self._container.auth_upstream):
            self._draw_circuits(upstream)

    def _draw_facts(self) -> None:
        container = self._container
        facts = {
            "up for": f"{(time.time() - self._began) / 3600:.1f} h",
            "catalog": container.catalogs.problem or f"version {container.catalog.version}",
            "store": type(container.store).__name__,
            "clock": container.payment_upstream.clock_skew.problem or "right, by the services' own",
            "unknown plans of accounts": ", ".join(container.refresher.unknown_plans.names) or "none",
            "limits": "counted by this replica alone" if container.limits.degraded else "shared or local, working",
        }
        Tag("h2", WORDS["replica"], classes="card-heading")
        with Tag("dl", classes="facts small"):
            for name, value in facts.items():
                with Tag("div", classes="fact"):
                    Tag("dt", name)
                    Tag("dd", value)

    def _draw_plots(self) -> None:
        samples = self.samples
        for service in SERVICES:
            rates = samples.rates("billing_upstream_seconds_count", service=service)
            good = [samples.rates("billing_upstream_seconds_count", service=service, outcome=word) for word in GOOD]
            failed = [max(0.0, whole - sum(part)) for whole, *part in zip(rates, *good, strict=True)]
            plot(f"{service}: calls", [("all", rates), ("not answered", failed)], "/s")
            mean = [value * 1000 for value in samples.averages("billing_upstream_seconds", service=service)]
            plot(f"{service}: time of a call", [("mean", mean)], " ms")
            plot(
                f"{service}: queue",
                [
                    ("waiting", samples.levels("billing_upstream_waiting", service=service)),
                    ("in flight", samples.levels("billing_upstream_in_flight", service=service)),
                ],
            )
        opened = samples.rates("billing_checkouts_total", outcome="opened")
        every = samples.rates("billing_checkouts_total")
        plot("checkouts", [("opened", [r * 60 for r in opened]), ("all", [r * 60 for r in every])], "/min")
        plot("tabs", [("tabs", samples.levels("billing_tabs")), ("people", samples.levels("billing_watchers"))])
        views = [("kept", samples.levels("billing_page_views"))]
        plot("page views", [*views, ("without a socket", samples.levels("billing_unconnected_views"))])

    def _draw_circuits(self, upstream: Upstream) -> None:
        Tag("h2", f"{upstream.name}", classes="card-heading")
        with Tag("table", testid=f"ops-{upstream.name}").style("width:100%;text-align:start"):
            with Tag("thead"), Tag("tr"):
                for word in ("operation", "circuit", "calls", "failures", "mean"):
                    Tag("th", WORDS[word], scope="col")
            with Tag("tbody"):
                for operation, circuit in sorted(upstream.circuits.items()):
                    with Tag("tr", data_state=str(circuit.state)):
                        for cell in (operation, str(circuit.state), *self._counts(upstream.name, operation)):
                            Tag("td", cell)

    def _counts(self, service: str, operation: str) -> tuple[str, str, str]:
        """Return how many calls there were since the start, how many were not answered, and their mean time."""
        labels = {"service": service, "operation": operation}
        count, seconds, good = 0.0, 0.0, 0.0
        if self.samples.readings:
            latest, name = self.samples.readings[-1], "billing_upstream_seconds"
            count, seconds = latest.total(f"{name}_count", **labels), latest.total(f"{name}_sum", **labels)
            good = sum(latest.total(f"{name}_count", **labels, outcome=word) for word in GOOD)
        return f"{count:.0f}", f"{count - good:.0f}", f"{1000 * seconds / count:.0f} ms" if count else "–"

    def _draw_problems(self, lines: tuple[str, ...]) -> None:
        Tag("h2", WORDS["problems"], classes="card-heading")
        if not lines:
            Tag("p", WORDS["none"], classes="muted")
        for text in lines:
            event = _parsed(text)
            with Tag("details", classes="small"):
                Tag("summary", f"{event.get('timestamp', '')} {event.get('level', '')} {event.get('event', text)}")
                Tag("pre", text).style("white-space:pre-wrap;overflow-wrap:anywhere")


def draw_alarms(standing: Sequence[StandingAlarm]) -> None:
    """Draw a card for each alarm: what is so, since when, what customers see, what cures it."""
    Tag("h2", WORDS["alarms"], classes="card-heading")
    with Tag("div", classes="stack", testid="ops-alarms"):
        if not standing:
            Tag("p", WORDS["quiet"], classes="muted")
        for one in standing:
            with Tag("section", classes="notice notice-danger", testid=f"alarm-{one.alarm.key}"):
                icon(ICONS["danger"])
                with Tag("div", classes="notice-body"):
                    with Tag("p", classes="notice-title"):
                        _draw_words(one.alarm.what_is_so)
                    with Tag("dl", classes="facts small"):
                        for name, value in _facts(one):
                            with Tag("div", classes="fact"):
                                Tag("dt", name)
                                with Tag("dd"):
                                    _draw_words(value)


def draw_dead(dead: Sequence[WebhookDelivery]) -> None:
    """List the events that no endpoint took in a day; where there are none, say nothing."""
    if not dead:
        return
    Tag("h2", WORDS["dead"], classes="card-heading")
    Tag("p", WORDS["replay"], classes="muted small")
    with Tag("ul", classes="small", testid="ops-dead"):
        for one in dead[:MOST_DEAD]:
            Tag("li", f"{_minute(one.event.at)} {one.event.kind} to {one.endpoint}: {one.last} ({one.event.id})")


def _draw_words(text: str) -> None:
    """Draw a text in which names stand in backticks, as the log has it."""
    for place, part in enumerate(text.split("`")):
        Tag("code" if place % 2 else "span", part)


def _facts(one: StandingAlarm) -> Iterator[tuple[str, str]]:
    yield WORDS["customers_see"], one.alarm.customers_see
    yield WORDS["cure"], one.alarm.cure
    told = [case for case in one.cases if " " in case]  # a case in words; the others are digests
    number = f"{len(one.cases)} since {_minute(one.since)}" if not told else "; ".join(told)
    yield WORDS["seen"], number
    if one.last_contrary is not None:
        yield WORDS["otherwise"], _minute(one.last_contrary)


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _parsed(text: str) -> Mapping[str, object]:
    """Return the fields of a line of JSON; nothing for a line for the console, or one that was cut."""
    try:
        event = json.loads(text)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
