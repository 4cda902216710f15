"""A circuit breaker for one operation of one upstream.

It opens after five failures in a row, or when at least half of at least ten calls in the last 30 s
failed. While open it lets nothing through; after 5 s (doubling with each failed probe, up to 60 s) one
call may probe. It knows nothing of HTTP: the caller says what counts as a failure.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class CircuitState(StrEnum):
    """``closed`` lets calls through, ``open`` none, ``half_open`` one at a time."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class CircuitPolicy:
    """When to open and for how long. Times in seconds."""

    failures_in_a_row: int = 5
    window: float = 30.0
    window_calls: int = 10
    window_failure_share: float = 0.5
    first_pause: float = 5.0
    longest_pause: float = 60.0


class Circuit:
    """Ask ``admit`` before a call; tell ``succeed``, ``fail`` or ``forget`` after it."""

    def __init__(self, policy: CircuitPolicy | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._policy = policy or CircuitPolicy()
        self._clock = clock
        self._recent: deque[tuple[float, bool]] = deque()
        self._failures_in_a_row = 0
        self._pause = self._policy.first_pause
        self._opened_at: float | None = None
        self._probing = False

    @property
    def state(self) -> CircuitState:
        """Return the state at this moment."""
        if self._opened_at is None:
            return CircuitState.CLOSED
        return CircuitState.OPEN if self._time_left() > 0 else CircuitState.HALF_OPEN

    @property
    def retry_after(self) -> float:
        """Return the seconds until a probe is allowed; 0 when calls are let through."""
        return max(0.0, self._time_left())

    def refuses(self) -> bool:
        """Return whether a call made now would be turned away; changes nothing."""
        state = self.state
        return state is CircuitState.OPEN or (state is CircuitState.HALF_OPEN and self._probing)

    def admit(self) -> bool:
        """Return whether a call may start now. A half-open circuit counts the admitted call as its probe."""
        if self.refuses():
            return False
        self._probing = self.state is CircuitState.HALF_OPEN
        return True

    def succeed(self) -> None:
        """Record a call that went well; a good probe closes the circuit."""
        if self._opened_at is not None:
            if not self._probing:
                return
            self._close()
        self._failures_in_a_row = 0
        self._record(failed=False)

    def fail(self) -> bool:
        """Record a failed call; return whether the circuit opened (or opened again) because of it."""
        if self._opened_at is not None:
            if not self._probing:
                return False
            self._open(min(self._pause * 2, self._policy.longest_pause))
            return True
        self._failures_in_a_row += 1
        self._record(failed=True)
        if self._failures_in_a_row < self._policy.failures_in_a_row and not self._window_is_bad():
            return False
        self._open(self._policy.first_pause)
        return True

    def forget(self) -> None:
        """Record a call that says nothing about the service's health (a 4xx, a cancelled call)."""
        self._probing = False

    def trip(self) -> bool:
        """Open at once, whatever was counted; return whether that opened it (or failed its probe)."""
        if self._opened_at is not None:
            return self.fail()
        self._open(self._policy.first_pause)
        return True

    def reset(self) -> None:
        """Close at once and forget what was counted: its cause is known to be gone."""
        self._failures_in_a_row = 0
        self._close()

    def _time_left(self) -> float:
        return 0.0 if self._opened_at is None else self._opened_at + self._pause - self._clock()

    def _open(self, pause: float) -> None:
        self._opened_at = self._clock()
        self._pause = pause
        self._probing = False

    def _close(self) -> None:
        self._opened_at = None
        self._pause = self._policy.first_pause
        self._probing = False
        self._recent.clear()

    def _record(self, *, failed: bool) -> None:
        now = self._clock()
        self._recent.append((now, failed))
        while self._recent and self._recent[0][0] < now - self._policy.window:
            self._recent.popleft()

    def _window_is_bad(self) -> bool:
        failures = sum(failed for _, failed in self._recent)
        enough = len(self._recent) >= self._policy.window_calls
        return enough and failures >= self._policy.window_failure_share * len(self._recent)
