"""When a failed call may be made again, and how long to wait before it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from services.upstream.outcomes import PASSING, UNSENT, CallOutcome

LONGEST_ADVICE = 60.0
LONGEST_HONOURED = 2.0


class Retry(StrEnum):
    """What a call allows: ``never``; ``unsent`` once, if no byte was sent; ``reads`` twice; ``idempotent`` once."""

    NEVER = "never"
    UNSENT = "unsent"
    READS = "reads"
    IDEMPOTENT = "idempotent"

    @property
    def attempts(self) -> int:
        """Return how often the call may be made, the first time included."""
        return {Retry.NEVER: 1, Retry.UNSENT: 2, Retry.READS: 3, Retry.IDEMPOTENT: 2}[self]

    def allows(self, outcome: str) -> bool:
        """Return whether a call that ended with ``outcome`` may be made again."""
        if self is Retry.NEVER:
            return False
        return outcome in (UNSENT if self is Retry.UNSENT else PASSING)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Full jitter between ``shortest`` and a bound that doubles up to ``longest`` (seconds)."""

    shortest: float = 0.1
    longest: float = 1.0

    def delay(self, attempt: int, outcome: str, retry_after: float | None) -> float | None:
        """Return the seconds to wait after attempt number ``attempt`` (from 1); None: it isn't worth waiting.

        A connection that was closed under a reused request is tried again at once, the first time.
        """
        if retry_after is not None:
            return retry_after if retry_after <= LONGEST_HONOURED else None
        if outcome == CallOutcome.RESET and attempt == 1:
            return 0.0
        bound = min(self.longest, self.shortest * 2 ** (attempt + 1))
        return random.uniform(min(self.shortest, bound), bound)  # noqa: S311 - jitter, not a secret


class RetryBudget:
    """Keeps retries below a share of all calls, so that they can't multiply an outage's load."""

    def __init__(self, share: float = 0.1, reserve: float = 10.0) -> None:
        self._share = share
        self._reserve = reserve
        self._left = reserve

    def earn(self) -> None:
        """Count a first attempt."""
        self._left = min(self._reserve, self._left + self._share)

    def spend(self) -> bool:
        """Take one retry out of the budget; return whether there was one."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


def read_retry_after(value: str | None, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> float | None:
    """Return a ``Retry-After`` header (RFC 9110 §10.2.3: seconds or a date) as 0 to 60 seconds; None if unusable."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), LONGEST_ADVICE))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now()).total_seconds(), 0.0), LONGEST_ADVICE)
