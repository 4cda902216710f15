"""How often a user is asked about: after a return from Stripe the account each second, then in steps down to a minute.

The Payment MS is asked far less often than the account. Its webhooks are due just then, and the running one breaks for
good when one of them meets a call of ours: each question that need not be asked is one chance less to break it.
"""

import asyncio
import random
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from services.checkout_record import CheckoutEvent
from services.concurrency.limit import Priority
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import DELAYED_AFTER, LOST_AFTER, ConfirmationWait, Source

POLL_INTERVALS: Final = ((30.0, 1.0), (60.0, 2.0), (120.0, 5.0), (300.0, 15.0))
"""Until how many seconds after a return from Stripe to ask, and how often (seconds)."""

IDLE_INTERVAL: Final = 60.0
"""How often to ask when nothing is expected to change, in seconds."""

BILLING_INTERVALS: Final = ((30.0, 5.0), (60.0, 10.0), (300.0, 15.0))
"""The same for the question to the Payment MS about what was bought."""

FULL_LOOK_EVERY: Final = timedelta(minutes=5)
"""How often to ask about all products, not only those with a subscription or a checkout."""

FULL_LOOK_WHILE_FAST: Final = timedelta(minutes=1)
"""The same in the minutes after a return: a change of plan shows under another product."""

Scope = Literal["account", "relevant", "shown", "all"]
"""Whom to ask: the account alone; billing too, about what can differ; besides about that of which its last answer alone
says that there is none, for somebody who is told so now; or about every product."""

_FAST_FOR: Final = POLL_INTERVALS[-1][0]
_SLACK: Final = timedelta(seconds=0.5)
"""A look that is due within half a pause of the account is made with it, not after the next."""

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


def interval_after(seconds: float, intervals: Sequence[tuple[float, float]] = POLL_INTERVALS) -> float:
    """Return how many seconds to leave between two questions, so long after a return from Stripe."""
    return next((interval for until, interval in intervals if seconds < until), IDLE_INTERVAL)


@dataclass(frozen=True, slots=True)
class StripeReturn:
    """When a user came back from Stripe; from the portal anything may have changed, from Checkout one record is due."""

    at: datetime
    from_portal: bool = False


class PollSchedule:
    """One user's schedule: when they came back, how many questions failed, when billing was asked about what.

    The press that led to Stripe has asked about all products, so a return counts as a full look, and so does the one of
    the page that begins to watch: it was at `looked_at_all`.
    """

    def __init__(self, returned: "StripeReturn | None", looked_at_all: datetime | None = None) -> None:
        self._polled_fast_at = self._billing_at = returned.at if returned is not None else None
        self._full_at = self._polled_fast_at or looked_at_all
        self._from_portal = returned is not None and returned.from_portal
        self._failures = 0
        self._record_arrived = False

    def poll_fast(self, returned: "StripeReturn") -> None:
        """The user is back from Stripe."""
        self._polled_fast_at = self._billing_at = returned.at
        self._from_portal = returned.from_portal
        self._full_at = self._full_at or returned.at
        self._record_arrived = False

    def look_at_all(self) -> None:
        """Something changed, and it is not known where."""
        self._full_at = None

    def scope(self, now: datetime) -> Scope:
        """Whom the next question is for."""
        since = self._since_return(now)
        if self._full_at is None:
            return "all"
        if since is None or since >= _FAST_FOR:
            return "all" if now - self._full_at >= FULL_LOOK_EVERY else "relevant"
        if now - self._full_at >= FULL_LOOK_WHILE_FAST:
            return "all"
        pause = IDLE_INTERVAL if self._record_arrived else interval_after(since, BILLING_INTERVALS)
        pause *= 2 ** min(self._failures, _MOST_DOUBLINGS)
        due = self._billing_at is None or now - self._billing_at >= timedelta(seconds=pause) - _SLACK
        return "relevant" if due else "account"

    def priority(self, now: datetime) -> Priority:
        """Return the place in the queue: who is back from Stripe waits in front of a page that says so."""
        since = self._since_return(now)
        return Priority.LOOK if since is None or since >= _FAST_FOR else Priority.PRESS

    def asked(self, customer_status: CustomerStatus, at: datetime, scope: Scope) -> None:
        """Take note of an answer to a question that was asked at that time."""
        if scope == "all":
            self._full_at = at
        if scope != "account":
            self._billing_at = at
        if scope != "account" or customer_status.account_failed is not None:  # else billing's failure is an old one
            self._failures = self._failures + 1 if customer_status.stale else 0
        if not customer_status.stale:
            self._note_arrival(customer_status)

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

    def _note_arrival(self, customer_status: CustomerStatus) -> None:
        """Slow down once what was bought is known: billing when one service has it, both when both have."""
        confirming = customer_status.confirming
        if confirming is not None and self._polled_fast_at is None:  # the return was noted by another replica
            self._polled_fast_at, self._from_portal = confirming.at(CheckoutEvent.RETURNED), False
        waits = confirming is not None and customer_status.wait is not ConfirmationWait.ARRIVED
        waits = waits or customer_status.open is not None
        if self._from_portal or self._polled_fast_at is None:
            return
        self._record_arrived = not waits
        if self._record_arrived and customer_status.current.source is Source.BOTH:
            self._polled_fast_at = None

    def _since_return(self, now: datetime) -> float | None:
        return None if self._polled_fast_at is None else (now - self._polled_fast_at).total_seconds()
