"""What is counted, for Prometheus: `/metrics` in `api/operations/routes.py` shows it, `docs/operations.md` explains it.

Labels are words of ours (operation, outcome, state), never ids of users, prices or requests. Every count of something
that can fail stands at 0 from the start: a rate is only seen between two readings, so a first failure that brought its
own label along would be seen by nobody.
"""

import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric

from services.errors import FrontendError, SellingOff, SignInFailed, UnusableSetting
from services.observability.request_figures import RequestFigures
from services.upstream.client import CircuitState, Upstream
from services.upstream.outcomes import CallOutcome
from version import VERSION

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LAGS: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 5.0)
_CONFIRMATIONS: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_AGES: Final = (1.0, 5.0, 15.0, 60.0, 120.0, 300.0, 600.0, 3600.0, 86400.0)
_STATES: Final = {CircuitState.CLOSED: 0, CircuitState.HALF_OPEN: 1, CircuitState.OPEN: 2}

SOLD: Final = ("opened", "reused")
CACHES: Final = ("shared_documents", "entitlements")
CACHE_OUTCOMES: Final = ("hit", "miss", "stale")

# Else each count comes with the time of its first one, which doubles what is sent and says less than our start.
disable_created_metrics()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSets:
    """The words of rooms above this one that labels are made of."""

    kinds: Iterable[str] = ()
    operations: Mapping[str, Iterable[str]] = field(default_factory=dict)
    confirmations: Iterable[str] = ()
    disagreements: Iterable[str] = ()
    refused_events: Iterable[str] = ()


@dataclass(frozen=True, slots=True)
class GaugeReading:
    """One figure that is read when the metrics are asked for; those of one name differ in their labels' values."""

    name: str
    help: str
    read: Callable[[], float]
    labels: Mapping[str, str] = field(default_factory=dict)


class Metrics:
    """The counters of one app, and the gauges read from its parts at each scrape."""

    def __init__(self, labels: LabelSets | None = None) -> None:
        self.registry = CollectorRegistry()
        build = Info("billing_build", "The release that runs.", registry=self.registry)
        build.info({"version": VERSION, "python": platform.python_version()})
        ProcessCollector(registry=self.registry)  # memory, processor time, open files
        self._upstreams: tuple[Upstream, ...] = ()
        self._readings: tuple[GaugeReading, ...] = ()
        self._checkouts = Counter(
            "billing_checkouts",
            "Checkouts asked for, by outcome.",
            ("kind", "outcome", "result"),
            registry=self.registry,
        )
        self._sign_ins = Counter("billing_sign_ins", "Sign-ins, by outcome.", ("outcome",), registry=self.registry)
        self._floods = Counter("billing_page_views_refused", "Page views answered with 429.", registry=self.registry)
        self._events = Counter(
            "billing_socket_events_refused",
            "Socket messages that were dropped, by why.",
            ("why",),
            registry=self.registry,
        )
        self._ages = Histogram(
            "billing_status_age_seconds",
            "How old what a page or route shows of a user's status is.",
            buckets=_AGES,
            registry=self.registry,
        )
        self._calls = Counter(
            "billing_upstream_calls",
            "Attempts at calls to other services, by outcome.",
            ("service", "operation", "outcome"),
            registry=self.registry,
        )
        self._call_seconds = Histogram(
            "billing_upstream_seconds",
            "How long attempts at calls to other services took, however they ended.",
            ("service", "operation"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.requests = RequestFigures()
        self.registry.register(self.requests)
        self._lag = Histogram(
            "billing_event_loop_lag_seconds",
            "How late the event loop came to something that was due, looked at once a second.",
            buckets=_LAGS,
            registry=self.registry,
        )
        self._confirmations = Counter(
            "billing_confirmations",
            "Plans bought, by what had become of them ten minutes after the browser came back.",
            ("outcome",),
            registry=self.registry,
        )
        self._confirmation_seconds = Histogram(
            "billing_confirmation_seconds",
            "How long it took from the browser's return until the plan was in force.",
            buckets=_CONFIRMATIONS,
            registry=self.registry,
        )
        self._disagreements = Counter(
            "billing_disagreements",
            "Looks that found the two services contradicting each other, where they did not before.",
            ("reason",),
            registry=self.registry,
        )
        self._cache = Counter(
            "billing_cache_answers",
            "What was answered from memory, and what was not.",
            ("cache", "outcome"),
            registry=self.registry,
        )
        self._documents = Gauge(
            "billing_shared_documents_bytes", "What finished documents keep in memory.", registry=self.registry
        )
        self._readiness = Gauge(
            "billing_readiness",
            "What /readyz says of each part: 0 ok, 1 degraded, 2 failing.",
            ("check",),
            registry=self.registry,
        )
        labels = labels or LabelSets()
        self._operations = labels.operations
        self.registry.register(self)
        self._begin_at_nothing(labels)

    def _begin_at_nothing(self, labels: LabelSets) -> None:
        """Count 0 of what can go wrong, and of what goes right beside it."""
        failures = [code for code in _codes() if result_of(code) == "failed"]
        for kind in labels.kinds:
            for outcome in (*SOLD, "crashed", *failures):
                self._checkouts.labels(kind, outcome, result_of(outcome))
        for outcome in ("completed", SignInFailed.code, *failures):
            self._sign_ins.labels(outcome)
        for service, operations in labels.operations.items():
            for operation in operations:
                self._call_seconds.labels(service, operation)
                for ended in CallOutcome:
                    self._calls.labels(service, operation, ended)
        for why in labels.refused_events:
            self._events.labels(why)
        for outcome in labels.confirmations:
            self._confirmations.labels(outcome)
        for reason in labels.disagreements:
            self._disagreements.labels(reason)
        for name in CACHES:
            for outcome in CACHE_OUTCOMES:
                self._cache.labels(name, outcome)

    def observe(self, upstreams: Iterable[Upstream], readings: Iterable[GaugeReading]) -> None:
        """Read these at each scrape from now on."""
        self._upstreams, self._readings = tuple(upstreams), tuple(readings)

    def count_checkout(self, kind: str, outcome: str) -> None:
        """Count a checkout that was asked for."""
        self._checkouts.labels(kind, outcome, result_of(outcome)).inc()

    def count_sign_in(self, outcome: str) -> None:
        """Count a sign-in: `completed`, or the error's code."""
        self._sign_ins.labels(outcome).inc()

    def count_refused_view(self) -> None:
        """Count a page view that was answered with 429."""
        self._floods.inc()

    def count_refused_event(self, why: str) -> None:
        """Count a message over a socket that was dropped."""
        self._events.labels(why).inc()

    def observe_age(self, seconds: float) -> None:
        """Count how old a status was when it was shown."""
        self._ages.observe(max(seconds, 0.0))

    def count_call(self, service: str, operation: str, outcome: str, seconds: float) -> None:
        """Count an attempt at an upstream call."""
        self._calls.labels(service, operation, outcome).inc()
        self._call_seconds.labels(service, operation).observe(seconds)

    def observe_lag(self, seconds: float) -> None:
        """Count how late the event loop was."""
        self._lag.observe(seconds)

    def count_confirmation(self, outcome: str, seconds: float | None) -> None:
        """Count what became of a purchase; `seconds` from the return until it was in force, None while it is not."""
        self._confirmations.labels(outcome).inc()
        if seconds is not None:
            self._confirmation_seconds.observe(max(seconds, 0.0))

    def count_disagreement(self, reason: str) -> None:
        """Count a customer of whom the two services began to contradict each other."""
        self._disagreements.labels(reason).inc()

    def count_cache(self, cache: str, outcome: str) -> None:
        """Count an answer: `hit` from memory, `miss` made anew, `stale` from memory since nobody could be asked."""
        self._cache.labels(cache, outcome).inc()

    def note_documents(self, size: int) -> None:
        """Note how many bytes finished documents keep."""
        self._documents.set(size)

    def note_readiness(self, levels: Mapping[str, int]) -> None:
        """Note what was just found of each part."""
        for check, level in levels.items():
            self._readiness.labels(check).set(level)

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self.registry)

    def collect(self) -> Iterable[Metric]:
        """Give the registry the figures that are read, not counted."""
        in_flight = GaugeMetricFamily("billing_upstream_in_flight", "Requests under way.", labels=("service",))
        waiting = GaugeMetricFamily("billing_upstream_waiting", "Calls that wait for their turn.", labels=("service",))
        circuits = GaugeMetricFamily(
            "billing_circuit_state", "0 closed, 1 half open, 2 open.", labels=("service", "operation")
        )
        keys = GaugeMetricFamily(
            "billing_key_refused", "1 while this service refuses the key that it was sent.", labels=("service",)
        )
        for upstream in self._upstreams:
            keys.add_metric((upstream.name,), 1.0 if upstream.key_problem else 0.0)
            in_flight.add_metric((upstream.name,), upstream.in_flight)
            waiting.add_metric((upstream.name,), upstream.waiting)
            untried = dict.fromkeys(self._operations.get(upstream.name, ()), CircuitState.CLOSED)
            for operation, state in (untried | {name: one.state for name, one in upstream.circuits.items()}).items():
                circuits.add_metric((upstream.name, operation), _STATES[state])
        yield from (in_flight, waiting, circuits, keys)
        gauges: dict[str, GaugeMetricFamily] = {}
        for reading in self._readings:
            family = GaugeMetricFamily(reading.name, reading.help, labels=tuple(reading.labels))
            gauges.setdefault(reading.name, family).add_metric(tuple(reading.labels.values()), reading.read())
        yield from gauges.values()


def result_of(outcome: str) -> str:
    """Return what an outcome of a checkout comes to: `sold`, `failed` by us or a service, or `asked`.

    A question and what only the user can change (codes whose status is below 500) are no failures, and neither is
    that the operator sells nothing just now.
    """
    if outcome in SOLD:
        return "sold"
    wanted = outcome == SellingOff.code or _codes().get(outcome, 500) < 500
    return "asked" if wanted else "failed"


@cache
def _codes() -> Mapping[str, int]:
    """Return the codes of all errors that can meet a user, with their statuses."""
    found: dict[str, int] = {}
    waiting: list[type[FrontendError]] = [FrontendError]
    while waiting:
        error = waiting.pop()
        if not issubclass(error, UnusableSetting):
            found[error.code] = error.status
            waiting += error.__subclasses__()
    return found
