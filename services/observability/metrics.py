"""What is counted, for Prometheus: `/metrics` in `api/operations.py` shows it, `docs/operations.md` explains it.

Labels are words of ours (operation, outcome, state), never ids of users, prices or requests.
"""

import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from services.upstream.client import CircuitState, Upstream
from version import VERSION

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_AGES: Final = (1.0, 5.0, 15.0, 60.0, 120.0, 300.0, 600.0, 3600.0, 86400.0)
_STATES: Final = {CircuitState.CLOSED: 0, CircuitState.HALF_OPEN: 1, CircuitState.OPEN: 2}


@dataclass(frozen=True, slots=True)
class GaugeReading:
    """One figure that is read when the metrics are asked for; those of one name differ in their labels' values."""

    name: str
    help: str
    read: Callable[[], float]
    labels: Mapping[str, str] = field(default_factory=dict)


class Metrics:
    """The counters of one app, and the gauges read from its parts at each scrape."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        build = Info("billing_build", "The release that runs.", registry=self.registry)
        build.info({"version": VERSION, "python": platform.python_version()})
        ProcessCollector(registry=self.registry)  # memory, processor time, open files
        self._upstreams: tuple[Upstream, ...] = ()
        self._readings: tuple[GaugeReading, ...] = ()
        self._checkouts = Counter(
            "billing_checkouts", "Checkouts asked for, by outcome.", ("kind", "outcome"), registry=self.registry
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
        self._calls = Histogram(
            "billing_upstream_seconds",
            "Attempts at calls to other services, by outcome.",
            ("service", "operation", "outcome"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.registry.register(self)

    def observe(self, upstreams: Iterable[Upstream], readings: Iterable[GaugeReading]) -> None:
        """Read these at each scrape from now on."""
        self._upstreams, self._readings = tuple(upstreams), tuple(readings)

    def count_checkout(self, kind: str, outcome: str) -> None:
        """Count a checkout that was asked for."""
        self._checkouts.labels(kind, outcome).inc()

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
        self._calls.labels(service, operation, outcome).observe(seconds)

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
        for upstream in self._upstreams:
            in_flight.add_metric((upstream.name,), upstream.in_flight)
            waiting.add_metric((upstream.name,), upstream.waiting)
            for operation, circuit in upstream.circuits.items():
                circuits.add_metric((upstream.name, operation), _STATES[circuit.state])
        yield from (in_flight, waiting, circuits)
        gauges: dict[str, GaugeMetricFamily] = {}
        for reading in self._readings:
            family = GaugeMetricFamily(reading.name, reading.help, labels=tuple(reading.labels))
            gauges.setdefault(reading.name, family).add_metric(tuple(reading.labels.values()), reading.read())
        yield from gauges.values()
