"""How often a user is asked about: each second after a return from Stripe, then in steps down to once a minute."""

import asyncio
import random
from collections.abc import Awaitable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, Protocol

from services.checkout_record import CheckoutEvent
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import DELAYED_AFTER, LOST_AFTER

POLL_INTERVALS: Final = ((30.0, 1.0), (60.0, 2.0), (120.0, 5.0), (300.0, 15.0))
"""Until how many seconds after a return from Stripe to ask, and how often (seconds)."""

IDLE_INTERVAL: Final = 60.0
"""How often to ask when nothing is expected to change, in seconds."""

FULL_LOOK_EVERY: Final = timedelta(minutes=5)
"""How often to ask about all products, not only those with a subscription or a checkout."""

FULL_LOOK_WHILE_FAST: Final = timedelta(seconds=5)
"""The same in the first two minutes after a return: a change of plan shows under another product."""

_FAST_FOR: Final = POLL_INTERVALS[2][0]
_MOST_DOUBLINGS: Final = 6
_JITTER: Final = 0.1


class WaitForEvent(Protocol):
    """What a poller does between two questions."""

    def __call__(self, event: asyncio.Event, seconds: float) -> Awaitable[None]:
        """Return when the event is set or the seconds have passed."""
        ...


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Return when the event is set or the seconds have passed."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def jitter(seconds: float) -> float:
    """Return the pause, a tenth longer or shorter: tabs that were opened together are not asked about together."""
    return seconds * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - only spreads the load


def interval_after(seconds: float) -> float:
    """Return how many seconds to leave between two questions, so long after a return from Stripe."""
    return next((interval for until, interval in POLL_INTERVALS if seconds < until), IDLE_INTERVAL)


class PollSchedule:
    """One user's schedule: when they came back, how many questions failed, when all products were asked about."""

    def __init__(self, fast_since: datetime | None) -> None:
        self._polled_fast_at = fast_since
        self._full_at: datetime | None = None
        self._failures = 0

    def poll_fast(self, now: datetime) -> None:
        """The user is back from Stripe."""
        self._polled_fast_at = now

    def look_at_all(self) -> None:
        """Something changed, and it is not known where."""
        self._full_at = None

    def full_look_due(self, now: datetime) -> bool:
        """Whether the next question is to be about all products."""
        if self._full_at is None:
            return True
        polled_fast = self._polled_fast_at is not None and (now - self._polled_fast_at).total_seconds() < _FAST_FOR
        return now - self._full_at >= (FULL_LOOK_WHILE_FAST if polled_fast else FULL_LOOK_EVERY)

    def asked(self, customer_status: CustomerStatus, at: datetime, *, full: bool) -> None:
        """Take note of an answer to a question that was asked at that time."""
        self._full_at = at if full else self._full_at
        self._failures = self._failures + 1 if customer_status.stale else 0

    def interval(self, customer_status: CustomerStatus, now: datetime) -> float:
        """Seconds until the next question: by the time since a return, doubled with each failure in a row."""
        confirming = customer_status.confirming
        returned = confirming.at(CheckoutEvent.RETURNED) if confirming is not None else None
        since = [(now - moment).total_seconds() for moment in (self._polled_fast_at, returned) if moment is not None]
        interval = interval_after(min(since)) if since else IDLE_INTERVAL
        interval = min(interval * 2 ** min(self._failures, _MOST_DOUBLINGS), IDLE_INTERVAL)
        if returned is not None:
            for limit in (DELAYED_AFTER, LOST_AFTER):
                left = (returned + limit - now).total_seconds()  # the words change then, whoever answers
                interval = left if 0 < left < interval else interval
        return interval
