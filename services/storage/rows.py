"""Reading back what was written to the store: perhaps by an older release, or by a newer one during a deployment.

A row that this release can't read counts as absent: whoever asked goes on as if it had never been written, and one line
in the log says of which kind it was. Every read of a stored row goes through `read_row`.
"""

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, TypeVar

import structlog
from pydantic import AfterValidator, AwareDatetime, ValidationError

T = TypeVar("T")

LOG_EVERY: Final = 60.0
"""Seconds between two log lines about one kind of row: pages that look every second read the same row again."""

_log = structlog.get_logger(__name__)


class RowKind(StrEnum):
    """The kinds of rows that are read back, named by what their keys begin with; events stand beside their checkout."""

    SESSION = "session"
    USER_SESSION = "sessions-of"
    SIGN_IN = "login"
    FIRST_EMAIL = "first_email"
    CART_LINE = "cart"
    CHECKOUT = "checkouts"
    CHECKOUT_EVENT = "checkout_event"
    IDEMPOTENCY_KEY = "attempt"
    PORTAL_VISIT = "portal"
    PORTAL_TRACE = "portal-trace"
    UPSTREAM_SNAPSHOT = "evidence"
    STRIPE_MODE = "money_mode"
    ALARM = "alarm"
    OUTBOX = "outbox"
    OUTBOX_DUE = "outbox-due"
    OUTBOX_BEGAN = "outbox-began"
    OUTBOX_DEAD = "outbox-dead"
    SCHEMA = "schema"
    SHOWN = "shown"
    OUTBOX_WAITING = "outbox-waiting"
    CONFIRMATION = "confirmation"
    RECONCILED = "reconciled"


MARKERS: Final = frozenset(
    {"alarm-told", "cart-taken", "confirmation-counted", "event", "key-proof", "lease", "mark", "store"}
)
"""What the keys begin with whose values are never read: that they are there says all, or they are only compared."""


def _of_this_age(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 3000:
        raise ValueError("no time of this age, and too far away to calculate with")
    return moment


StoredMoment = Annotated[AwareDatetime, AfterValidator(_of_this_age)]
"""A moment that this app noted itself: aware, and such that a lifetime can be added to it."""


class UnreadableRows:
    """Says in the log that rows can't be read: one line a kind and minute, with how many reads failed since the last.

    Neither keys nor contents are named: keys hold session ids, contents hold secrets.
    """

    def __init__(self, every: float = LOG_EVERY, clock: Callable[[], float] = time.monotonic) -> None:
        self._every = every
        self._clock = clock
        self._logged_at: dict[RowKind, float] = {}
        self._reads: Counter[RowKind] = Counter()

    def note(self, kind: RowKind, error: Exception) -> None:
        """Count one, and log it unless one of this kind was logged a moment ago."""
        self._reads[kind] += 1
        now = self._clock()
        if now - self._logged_at.get(kind, float("-inf")) < self._every:
            return
        self._logged_at[kind] = now
        _log.warning("row_unreadable", kind=kind.value, reason=_reason(error), reads=self._reads.pop(kind))


unreadable_rows = UnreadableRows()


def read_row(kind: RowKind, text: str | None, parse: Callable[[str], T]) -> T | None:
    """Return what `parse` makes of a row's text; None for no row, and for one that it raises at."""
    if text is None:
        return None
    try:
        return parse(text)
    except Exception as error:  # a parser may raise anything at what it does not know, and none of that is a failure
        unreadable_rows.note(kind, error)
        return None


def _reason(error: Exception) -> str:
    """Return one word that quotes nothing of the row: pydantic's for the first thing wrong, or the error's name."""
    if isinstance(error, ValidationError):
        return error.errors(include_url=False, include_context=False, include_input=False)[0]["type"]
    return type(error).__name__
