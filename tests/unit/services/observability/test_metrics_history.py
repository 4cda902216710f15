"""What the operator's page is drawn from: readings over time, plots as SVG, the last problems without secrets."""

import asyncio
import io
import logging
from collections.abc import Iterator

import pytest
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.samples import Sample
from pydantic import SecretStr

from services.observability.logs import configure_logs
from services.observability.metrics_history import MetricsHistory, RecentProblems


class CountedCalls:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.calls = Histogram("calls_seconds", "Calls.", ("service",), registry=self.registry)
        self.done = Counter("done", "Done.", ("outcome",), registry=self.registry)
        self.tabs = Gauge("tabs", "Tabs.", registry=self.registry)

    def samples(self) -> MetricsHistory:
        return MetricsHistory(
            lambda: [s for metric in self.registry.collect() for s in metric.samples], every=0.01, kept=3
        )


def test_levels_rates_and_means_over_time(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = CountedCalls()
    samples = metrics.samples()
    moments = iter((10.0, 20.0))
    monkeypatch.setattr("services.observability.metrics_history.time.monotonic", lambda: next(moments))
    metrics.tabs.set(3)
    samples.take()
    metrics.tabs.set(5)
    metrics.done.labels("opened").inc(20)
    metrics.done.labels("refused").inc(10)
    for seconds in (0.1, 0.3):
        metrics.calls.labels("payment_ms").observe(seconds)
    samples.take()

    assert samples.levels("tabs") == [3, 5]
    assert samples.rates("done_total") == [3.0]
    assert samples.rates("done_total", outcome="opened") == [2.0]
    assert samples.averages("calls_seconds", service="payment_ms") == [pytest.approx(0.2)]
    assert samples.averages("calls_seconds", service="auth_ms") == [None]


async def test_it_keeps_so_many_tells_who_listens_and_ends() -> None:
    samples = CountedCalls().samples()
    told: list[int] = []

    def note() -> None:
        told.append(len(samples.readings))

    def broken() -> None:
        raise RuntimeError("a page that can't be drawn")

    samples.listen(broken)
    samples.listen(note)
    for _reading in range(5):
        samples.take()
    samples.forget(note)
    samples.take()

    assert sorted(told) == [1, 2, 3, 3, 3]
    assert samples.listeners == 1
    samples.forget(broken)
    samples.start()
    await samples.stop()


@pytest.fixture
def problems() -> Iterator[RecentProblems]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    writer = configure_logs("INFO", secrets=(SecretStr("a-secret-nobody-may-see"),), stream=io.StringIO())
    recent = RecentProblems(kept=2)
    root.addHandler(recent)
    yield recent
    root.removeHandler(recent)
    root.removeHandler(writer)
    writer.close()
    root.handlers[:], root.level = before, level
    structlog.reset_defaults()


def test_the_last_problems_are_kept_without_secrets_and_without_good_news(problems: RecentProblems) -> None:
    log = structlog.get_logger("test")
    log.warning("first")
    log.warning("second", detail="a-secret-nobody-may-see")
    log.info("fine")
    log.error("third")

    assert ["third" in problems.lines[0], "second" in problems.lines[1]] == [True, True]
    assert len(problems.lines) == 2
    assert "nobody-may-see" not in "".join(problems.lines)


async def test_a_figure_that_can_not_be_read_is_not_the_end_of_reading() -> None:
    asked = 0
    read = asyncio.Event()

    def figures() -> list[Sample]:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise RuntimeError("a bug in a figure")
        read.set()
        return []

    history = MetricsHistory(figures, every=0.001)
    with structlog.testing.capture_logs() as logged:
        history.start()
        async with asyncio.timeout(5):
            await read.wait()
        await history.stop()

    assert [line["event"] for line in logged] == ["metrics_reading_failed"]
    assert history.readings
