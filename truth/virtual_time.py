"""Time that passes only when a story says so, or when everybody in the process waits for it.

The wall clock is `time_machine`'s, the loop's own clock is counted here, and both move together. A loop with nothing to
do jumps to the next moment that somebody waits for instead of sleeping there; what would run in a thread runs at once.
"""

import asyncio
import selectors
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import time_machine

T = TypeVar("T")

SHORTEST: Final = 0.001
"""Seconds that a jump takes at least: the wall clock counts microseconds, and what is less would never pass there."""


class VirtualTime(AbstractContextManager["VirtualTime"]):
    """The clock of everything in this process, inside its `with` block."""

    def __init__(self, start: datetime) -> None:
        self._travel = time_machine.travel(start, tick=False)
        self._traveller: time_machine.Traveller | None = None
        self.passed = 0.0
        """Seconds since the start: what the loop goes by."""

    def __enter__(self) -> Self:
        self._traveller = self._travel.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._travel.stop()

    def now(self) -> datetime:
        """Return the time on the wall."""
        return datetime.now(UTC)

    def jump(self, seconds: float) -> None:
        """Let that much time pass at once. Whoever waited for a moment on the way wakes after it."""
        if self._traveller is None:
            raise RuntimeError("time passes only inside the block")
        self.passed += seconds
        self._traveller.shift(timedelta(seconds=seconds))

    @contextmanager
    def ahead(self, seconds: float) -> Iterator[None]:
        """Have the wall clock of a machine whose clock is so far ahead, while nobody else runs."""
        if self._traveller is None:
            raise RuntimeError("time passes only inside the block")
        if seconds:
            self._traveller.shift(timedelta(seconds=seconds))
        try:
            yield
        finally:
            if seconds:
                self._traveller.shift(timedelta(seconds=-seconds))


class _JumpingSelector(selectors.DefaultSelector):
    """Where a loop would sleep, time jumps."""

    def __init__(self, time: VirtualTime) -> None:
        super().__init__()
        self._time = time

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if timeout is None:
            raise RuntimeError("everybody waits for somebody else: nothing in this process will ever happen")
        self._time.jump(max(timeout, SHORTEST))
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is a `VirtualTime`."""

    def __init__(self, time: VirtualTime) -> None:
        super().__init__(_JumpingSelector(time))
        self._virtual_time = time
        self._clock_resolution = 1e-6  # after years a float no longer tells nanoseconds apart, and the loop would spin

    def time(self) -> float:
        """Return the loop's time: seconds since the start."""
        return self._virtual_time.passed

    def run_in_executor(  # type: ignore[override]  # what runs at once has nothing to wait for
        self, executor: Executor | ThreadPoolExecutor | None, func: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        """Run it now, in this thread: a story has no moments that depend on threads."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future
