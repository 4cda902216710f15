"""How far this machine's clock is off, judged by the `Date` headers of both services' answers (RFC 9110, 6.6.1).

A clock that is wrong makes tokens that have expired when they are issued, or are believed too long, and refuses pushes.
One service that agrees with us is enough to trust our clock; if none does, the difference that they agree on is ours.
If each says something else, nobody knows what time it is.
"""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from statistics import median
from typing import Final

import structlog

TOLERANCE: Final = timedelta(seconds=10)
"""Up to this difference a clock counts as right: headers have whole seconds, and answers take a while."""

_KEPT: Final = 5
_HALF_A_SECOND: Final = 0.5

_log = structlog.get_logger(__name__)


class ClockSkew:
    """What both services' clocks say of ours."""

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        self._now = now or (lambda: datetime.now(UTC))
        self._heard: dict[str, deque[float]] = {}
        self._told: str | None = None

    def note(self, service: str, date_header: str | None, elapsed: float) -> None:
        """Compare the time in an answer's header with ours, `elapsed` seconds after it was asked for."""
        if not date_header:
            return
        try:
            said = parsedate_to_datetime(date_header)
        except (TypeError, ValueError):
            return
        if said.tzinfo is None:
            return
        ahead = (said - self._now()).total_seconds() + _HALF_A_SECOND + elapsed / 2
        self._heard.setdefault(service, deque(maxlen=_KEPT)).append(ahead)
        self._tell_operator()

    @property
    def offset(self) -> timedelta | None:
        """What to add to our clock to get the time; None where that is not known."""
        ahead = [timedelta(seconds=median(heard)) for heard in self._heard.values()]
        if not ahead or any(abs(one) <= TOLERANCE for one in ahead):
            return timedelta()
        agreed = max(ahead) - min(ahead) <= TOLERANCE
        return sum(ahead, timedelta()) / len(ahead) if agreed else None

    @property
    def is_off(self) -> bool:
        """Whether our clock is wrong, or nobody knows what time it is."""
        return self.offset != timedelta()

    @property
    def problem(self) -> str:
        """Return what is wrong in a sentence for the operator; nothing while the clock is right."""
        offset = self.offset
        if offset is None:
            return "This machine's clock and those of both services differ; set all three by NTP. No tokens are issued."
        if not offset:
            return ""
        seconds = abs(round(offset.total_seconds()))
        side = "behind" if offset > timedelta() else "ahead of"
        return f"This machine's clock is {seconds} s {side} the services'; set it by NTP. Tokens go by the services'."

    def now(self) -> datetime | None:
        """Return the corrected time, or None where nobody knows it."""
        offset = self.offset
        return None if offset is None else self._now() + offset

    def _tell_operator(self) -> None:
        offset = self.offset
        state = "unknown" if offset is None else "off" if offset else "right"
        if state == (self._told or "right"):
            return
        self._told = state
        if state == "right":
            _log.info("clock_right_again")
        else:
            _log.error(
                "clock_off", seconds=None if offset is None else round(offset.total_seconds()), cure="set by NTP"
            )
