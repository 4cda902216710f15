"""How many requests there were, how they ended and how long they took: counted on each, so as cheaply as can be.

Plain numbers, which only the event loop's thread changes; prometheus_client's own counters take a lock for each.
"""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from typing import Final

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from services.web.route_class import STATUS_CLASSES, RouteClass, status_class

BOUNDS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Seconds. The objective for pages is one of them."""


class RequestFigures:
    """A collector for Prometheus's registry. Every combination of labels is there from the start."""

    def __init__(self) -> None:
        self._ended = {(route, status): 0 for route in RouteClass for status in STATUS_CLASSES}
        self._took = {route: [0] * (len(BOUNDS) + 1) for route in RouteClass}
        self._seconds = dict.fromkeys(RouteClass, 0.0)

    def count(self, route: RouteClass, status: int, seconds: float) -> None:
        """Count a request; `status` 0 is that of one whose sender left before it was answered."""
        self._ended[route, status_class(status)] += 1
        self._took[route][bisect_left(BOUNDS, seconds)] += 1
        self._seconds[route] += seconds

    def collect(self) -> Iterable[Metric]:
        """Return the figures as they are now."""
        ended = CounterMetricFamily(
            "billing_requests", "Requests, by what was asked for and how it ended.", labels=("route", "status")
        )
        for (route, status), count in self._ended.items():
            ended.add_metric((route, status), count)
        took = HistogramMetricFamily(
            "billing_request_seconds", "How long requests took, by what was asked for.", labels=("route",)
        )
        names = [*map(str, BOUNDS), "+Inf"]
        for route, counts in self._took.items():
            took.add_metric((route,), list(zip(names, accumulate(counts), strict=True)), self._seconds[route])
        return ended, took
