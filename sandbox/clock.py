"""The sandbox's own clock: the real one plus an offset that can only grow, kept across restarts.

Billing goes by this clock (trials, renewals, expiry, webhooks). Sign-in goes by the real one: moving time by a
month must not sign everybody out.
"""

import calendar
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel

from sandbox.database import Database, DocumentStore


class _Offset(BaseModel):
    seconds: float = 0.0


class SandboxClock:
    """`real` tells POSIX seconds; only tests give another one."""

    def __init__(self, database: Database, real: Callable[[], float] = time.time) -> None:
        self._real = real
        self._documents = DocumentStore(database, "clock", _Offset)
        self._offset = (self._documents.get("offset") or _Offset()).seconds

    @property
    def offset(self) -> timedelta:
        return timedelta(seconds=self._offset)

    def real(self) -> float:
        """The time that sign-ins and portal links go by, which no control call moves."""
        return self._real()

    def timestamp(self) -> float:
        return self._real() + self._offset

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.timestamp(), UTC)

    def second(self) -> datetime:
        """Now in whole seconds, as Stripe keeps its times."""
        return self.now().replace(microsecond=0)

    def move_to(self, moment: float) -> None:
        """Go forward to this POSIX time; an earlier one changes nothing."""
        real = self._real()
        offset = max(self._offset, moment - real)
        while real + offset < moment:  # a sum of floats may fall short by a hair, and then nothing is due
            offset = math.nextafter(offset, math.inf)
        self._set(offset)

    def reset(self) -> None:
        self._set(0.0)

    def _set(self, seconds: float) -> None:
        self._offset = seconds
        self._documents.put("offset", _Offset(seconds=seconds))


def rfc3339(moment: datetime) -> str:
    """As the Payment MS writes dates: whole seconds and a Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_nano() -> str:
    """Now, as a Go program writes it: nine digits of a second."""
    nanoseconds = time.time_ns()
    whole = datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{nanoseconds % 1_000_000_000:09d}Z"


def add_interval(moment: datetime, interval: str, anchor_day: int = 0) -> datetime:
    """One month or year later, on the same day where that month has it (Stripe's billing anchor rule)."""
    return add_months(moment, 12 if interval == "year" else 1, anchor_day)


def add_months(moment: datetime, months: int, anchor_day: int = 0) -> datetime:
    """So many months later, on the anchor's day of the month (else the moment's), or the last day before it."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(anchor_day or moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
