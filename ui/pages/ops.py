"""`/ops`: the live state of this replica for those who run it, with OPS_TOKEN as the password. In English only.

It shows the alarms that stand, what `/metrics` counts, as plots of the last twenty minutes, the circuits of both
services, and the last problems of the log. One sampler serves all who look; a page is told of each new reading and
draws itself anew. How its parts are drawn is in `ui/components/operations.py`.
"""

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from nicegui import app, context
from starlette.responses import PlainTextResponse, Response

from services.container import Container
from services.errors import PageNotFound
from services.observability.metrics_history import MetricsHistory, RecentProblems, Sample
from services.readiness import Check, readiness
from services.upstream.client import Upstream
from services.web.operator_token import shows_token
from ui.billing.live import Part
from ui.components.badge import badge
from ui.components.operations import (
    OperationRow,
    draw_alarms,
    draw_dead,
    draw_facts,
    draw_operations,
    draw_problems,
    draw_unwell,
    duration,
    minute,
)
from ui.components.plot import PlotLine, plot, time_axis
from ui.nicegui_ext.html import Tag
from ui.page.frame import frame
from ui.serving.document import PageContext, page
from ui.theme.style_sheet import page_style

TITLE: Final = "Operations"
CALM: Final = "No alarms"
UNWELL: Final = "Not all is well"
CUSTOMERS: Final = "Customers"
CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="Operations", charset="UTF-8"', "Cache-Control": "no-store"}
REFUSED: Final = "This needs OPS_TOKEN: as a bearer token, or as the password of any user."
SERVICES: Final = {"payment_ms": "Payment MS", "auth_ms": "Auth MS"}
GOOD: Final = ("ok", "rejected")
CALLS: Final = "billing_upstream_calls_total"
SECONDS: Final = "billing_upstream_seconds"
IN_FLIGHT: Final = "billing_upstream_in_flight"
WAITING: Final = "billing_upstream_waiting"
CHECKOUTS: Final = "billing_checkouts_total"
TABS: Final = "billing_tabs"
PEOPLE: Final = "billing_watchers"
VIEWS: Final = "billing_page_views"
UNCONNECTED: Final = "billing_unconnected_views"
CONFIRMATIONS: Final = "billing_confirmations_total"
AWAITED: Final = "billing_confirmations_waiting"
EVENTS: Final = "billing_outbox_events"
OLDEST: Final = "billing_outbox_oldest_seconds"
OFF: Final = "billing_optimization_off"
DRAWN: Final = frozenset(
    {
        CALLS, f"{SECONDS}_count", f"{SECONDS}_sum", IN_FLIGHT, WAITING, CHECKOUTS, TABS, PEOPLE, VIEWS, UNCONNECTED,
        CONFIRMATIONS, AWAITED, EVENTS, OLDEST, OFF,
    }
)  # fmt: skip
"""What is remembered for twenty minutes: all of it would be ten times as much."""


def register(container: Container) -> None:
    """Add the page; without OPS_TOKEN it is not there, and nothing is sampled."""
    token = container.settings.ops_token
    board = Board(container) if token is not None else None

    @page(container, "/ops", title=TITLE, robots="noindex")
    def ops(context: PageContext) -> Response | None:
        if token is None or board is None:
            raise PageNotFound
        if not shows_token(context.request.headers.get("authorization", ""), token):
            return PlainTextResponse(REFUSED, 401, CHALLENGE)
        context.head.style = page_style("ops")
        with frame(context):
            board.show()
        return None


def _notice_words(container: Container) -> str:
    """Return which notice stands on all pages, in English."""
    current, coming = container.notice.current, container.notice.coming
    if current is not None:
        return f"“{current.text}”" + (f" until {minute(current.until)}" if current.until is not None else "")
    if coming is not None and coming.begins is not None and coming.begins > datetime.now(UTC):
        return f"“{coming.text}” from {minute(coming.begins)}"
    return "none"


class Board:
    """What all open pages show, read from the parts of this process."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self.problems = RecentProblems()
        self.samples = MetricsHistory(self._figures, before=self._look)
        self._checks: Mapping[str, Check] = {}
        self._began = time.time()
        logging.getLogger().addHandler(self.problems)
        app.on_startup(self.samples.start)
        app.on_shutdown(self.samples.stop)

    def show(self) -> None:
        """Draw the page, and draw it anew after each reading while its tab is connected."""
        client = context.client
        with Tag("div", classes="ops", lang="en", dir="ltr"):
            with Tag("div", classes="ops-live", testid="ops") as box:
                self._draw()
            problems = Part(draw_problems)
            problems.show(self.problems.lines)

        def again() -> None:
            box.clear()
            with box:
                self._draw()
            problems.show(self.problems.lines)

        client.on_connect(lambda: self.samples.listen(again))
        client.on_delete(lambda: self.samples.forget(again))

    def _figures(self) -> list[Sample]:
        metrics = self._container.metrics.registry.collect()
        return [sample for metric in metrics for sample in metric.samples if sample.name in DRAWN]

    async def _look(self) -> None:
        self._checks = await readiness(self._container)

    @property
    def _unwell(self) -> dict[str, Check]:
        return {name: check for name, check in self._checks.items() if check["status"] != "ok"}

    def _draw(self) -> None:
        container = self._container
        self._draw_head()
        draw_unwell(self._unwell)
        draw_alarms(container.alarms.standing)
        draw_dead(container.webhooks.dead)
        draw_facts(self._facts())
        for upstream in (container.payment_upstream, container.auth_upstream):
            with Tag("section", classes="ops-section"):
                Tag("h2", SERVICES[upstream.name], classes="ops-heading")
                self._draw_service_plots(upstream.name)
                draw_operations(upstream.name, self._operations(upstream))
        with Tag("section", classes="ops-section"):
            Tag("h2", CUSTOMERS, classes="ops-heading")
            self._draw_customer_plots()

    def _draw_head(self) -> None:
        standing = len(self._container.alarms.standing)
        readings = self.samples.readings
        with Tag("div", classes="ops-head"):
            Tag("h1", TITLE)
            if standing:
                badge(f"{standing} alarm{'s' if standing > 1 else ''}", "danger", icon_name="exclamation-circle")
            elif self._unwell:
                failing = any(check["status"] == "failing" for check in self._unwell.values())
                badge(UNWELL, "danger" if failing else "warning", icon_name="exclamation-circle")
            else:
                badge(CALM, "success", icon_name="check-circle")
            taken = f" Last reading {readings[-1].when:%H:%M:%S}." if readings else ""
            Tag("p", f"This replica, the last 20 minutes at most. Times are UTC.{taken}", classes="muted")

    def _facts(self) -> dict[str, str]:
        container = self._container
        return {
            "Up for": duration(time.time() - self._began),
            "Catalog": container.catalogs.problem or f"version {container.catalog.version}",
            "Store": type(container.store).__name__,
            "Clock": container.payment_upstream.clock_skew.problem or "right, by the services' own",
            "Purchases": self._purchases(),
            "Events to other services": self._events(),
            "Optimizations off": ", ".join(self._off()) or "none",
            "Unknown plans of accounts": ", ".join(container.refresher.unknown_plans.names) or "none",
            "Selling": "on" if container.settings.selling else "off (SELLING)",
            "Notice": container.notice.problem or _notice_words(container),
            "Limits": "counted by this replica alone" if container.limits.degraded else "shared or local, working",
        }

    def _purchases(self) -> str:
        """Return what became of the plans that this replica counted, and how many wait for a word on theirs."""
        latest = self.samples.latest
        counted = {
            word: round(latest.total(CONFIRMATIONS, outcome=word)) for word in ("confirmed", "no_access", "lost")
        }
        told = f"{counted['confirmed']} confirmed, {counted['no_access']} without access, {counted['lost']} lost"
        return f"{told}; {round(latest.total(AWAITED))} wait"

    def _events(self) -> str:
        latest = self.samples.latest
        waiting = round(latest.total(EVENTS))
        return f"{waiting} wait, the oldest for {duration(latest.total(OLDEST))}" if waiting else "none waits"

    def _off(self) -> list[str]:
        return [labels["optimization"] for name, labels, value in self.samples.latest.values if name == OFF and value]

    def _plot(self, title: str, unit: str, *lines: PlotLine) -> None:
        moments = [reading.when for reading in self.samples.readings] or [datetime.now(UTC)]
        plot(title, unit, lines, time_axis(moments))

    def _draw_service_plots(self, service: str) -> None:
        samples = self.samples
        rates = samples.rates(CALLS, service=service)
        good = [samples.rates(CALLS, service=service, outcome=word) for word in GOOD]
        failed = [max(0.0, whole - sum(part)) for whole, *part in zip(rates, *good, strict=True)]
        means = samples.averages(SECONDS, service=service)
        with Tag("div", classes="plots"):
            self._plot("Calls", "per second", PlotLine("All", rates), PlotLine("Not answered", failed, bad=True))
            self._plot(
                "Mean time of a call", "ms",
                PlotLine("Mean", [None if mean is None else mean * 1000 for mean in means]),
            )  # fmt: skip
            self._plot(
                "Queue", "calls",
                PlotLine("In flight", samples.levels(IN_FLIGHT, service=service)),
                PlotLine("Waiting", samples.levels(WAITING, service=service)),
            )  # fmt: skip

    def _draw_customer_plots(self) -> None:
        samples = self.samples
        opened = samples.rates(CHECKOUTS, outcome="opened")
        every = samples.rates(CHECKOUTS)
        with Tag("div", classes="plots"):
            self._plot(
                "Checkouts", "per minute",
                PlotLine("Asked for", [rate * 60 for rate in every]),
                PlotLine("Opened", [rate * 60 for rate in opened]),
            )  # fmt: skip
            self._plot(
                "Tabs", "open",
                PlotLine("Tabs", samples.levels(TABS)),
                PlotLine("People", samples.levels(PEOPLE)),
            )  # fmt: skip
            self._plot(
                "Page views", "in memory",
                PlotLine("Kept", samples.levels(VIEWS)),
                PlotLine("Without a socket", samples.levels(UNCONNECTED)),
            )  # fmt: skip

    def _operations(self, upstream: Upstream) -> list[OperationRow]:
        return [
            OperationRow(operation, circuit.state, *self._counts(upstream.name, operation))
            for operation, circuit in sorted(upstream.circuits.items())
        ]

    def _counts(self, service: str, operation: str) -> tuple[int, int, float | None]:
        """Return how many calls there were since the start, how many were not answered, and their mean seconds."""
        labels, latest = {"service": service, "operation": operation}, self.samples.latest
        count, seconds = latest.total(f"{SECONDS}_count", **labels), latest.total(f"{SECONDS}_sum", **labels)
        good = sum(latest.total(CALLS, **labels, outcome=word) for word in GOOD)
        return round(count), round(count - good), seconds / count if count else None
