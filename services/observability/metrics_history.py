"""What happened lately, for the operator's page: the figures of the last twenty minutes, and the last problems logged.

One sampler a process, whoever looks; it costs a reading of the metrics each five seconds.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, Protocol

import structlog

from services.concurrency.tasks import end
from services.observability.logs import LineWriter

EVERY: Final = 5.0
KEPT: Final = 240
PROBLEMS_KEPT: Final = 40
LONGEST_LINE: Final = 1000

Labels = Mapping[str, str]

_log = structlog.get_logger(__name__)


class Sample(Protocol):
    """One value of a metric, as prometheus_client has it."""

    @property
    def name(self) -> str: ...
    @property
    def labels(self) -> Labels: ...
    @property
    def value(self) -> float: ...


@dataclass(frozen=True, slots=True)
class MetricsSnapshot:
    """All values at one moment: `at` in monotonic seconds, `when` by the clock."""

    at: float
    values: tuple[tuple[str, Labels, float], ...]
    when: datetime = field(default_factory=lambda: datetime.now(UTC))

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's values whose labels are these, whatever their others."""
        wanted = labels.items()
        return sum(value for known, having, value in self.values if known == name and wanted <= having.items())


class MetricsHistory:
    """Reads the figures at a steady pace and keeps the latest."""

    def __init__(
        self,
        read: Callable[[], Iterable[Sample]],
        *,
        before: Callable[[], Awaitable[None]] | None = None,
        every: float = EVERY,
        kept: int = KEPT,
    ) -> None:
        """`before` is awaited before each reading: what has to be asked for what is then read."""
        self._read = read
        self._before = before
        self._every = every
        self._readings: deque[MetricsSnapshot] = deque(maxlen=kept)
        self._listeners: set[Callable[[], None]] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def readings(self) -> tuple[MetricsSnapshot, ...]:
        """The readings kept, the oldest first."""
        return tuple(self._readings)

    @property
    def latest(self) -> MetricsSnapshot:
        """The latest reading; one without values before the first."""
        return self._readings[-1] if self._readings else MetricsSnapshot(time.monotonic(), ())

    @property
    def listeners(self) -> int:
        """How many are told of each new reading."""
        return len(self._listeners)

    def listen(self, callback: Callable[[], None]) -> None:
        """Call after each reading, until `forget`."""
        self._listeners.add(callback)

    def forget(self, callback: Callable[[], None]) -> None:
        """Call no more."""
        self._listeners.discard(callback)

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._task = asyncio.create_task(self._run(), name="samples")

    async def stop(self) -> None:
        """End."""
        await end(self._task)

    def take(self) -> None:
        """Take one reading now and tell the listeners."""
        values = tuple(
            (sample.name, sample.labels, sample.value)
            for sample in self._read()
            if not sample.name.endswith(("_bucket", "_created"))
        )
        self._readings.append(MetricsSnapshot(time.monotonic(), values))
        for callback in tuple(self._listeners):
            try:
                callback()
            except Exception:
                _log.exception("operations_page_failed")

    def levels(self, name: str, **labels: str) -> list[float]:
        """Return a gauge over time."""
        return [reading.total(name, **labels) for reading in self._readings]

    def rates(self, name: str, **labels: str) -> list[float]:
        """Return how fast a counter grew between two readings each, in units a second."""
        kept = self.readings
        return [
            max(0.0, later.total(name, **labels) - earlier.total(name, **labels)) / max(later.at - earlier.at, 0.001)
            for earlier, later in pairwise(kept)
        ]

    def averages(self, name: str, **labels: str) -> list[float | None]:
        """Return a histogram's mean between two readings each; None where nothing was counted."""
        counts, sums = self.rates(f"{name}_count", **labels), self.rates(f"{name}_sum", **labels)
        return [total / count if count else None for total, count in zip(sums, counts, strict=True)]

    async def _run(self) -> None:
        while True:
            try:
                if self._before is not None:
                    await self._before()
                self.take()
            except Exception:
                _log.exception("metrics_reading_failed")
            await asyncio.sleep(self._every)


class RecentProblems(logging.Handler):
    """Keeps the last lines of warnings and errors as they are written: what is secret is out of them already."""

    def __init__(self, kept: int = PROBLEMS_KEPT) -> None:
        super().__init__(logging.WARNING)
        self._lines: deque[str] = deque(maxlen=kept)

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines, the newest first."""
        return tuple(reversed(self._lines))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line, in the form in which the log has it; nothing until the log has a form."""
        writer = next((each for each in logging.getLogger().handlers if isinstance(each, LineWriter)), None)
        if writer is None:
            return
        try:
            self._lines.append(writer.format(record)[:LONGEST_LINE])
        except Exception:
            self.handleError(record)
