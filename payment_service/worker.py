"""What is done without being asked: telling, taking back, looking for lost events, tidying up, each in a thread.

What one instance of several does for all is done under a lease. Whatever fails is tried again at the next round.
"""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog
from sqlalchemy import delete, or_, select
from stripe import StripeError

from payment_service.database import AnswerRow, EventRow, SessionRow, SubscriptionRow, ToldRow
from payment_service.documents import ENDED, now_seconds
from payment_service.idempotency import KEPT as ANSWERS_KEPT
from payment_service.leases import Busy
from payment_service.outbox import WAITING
from payment_service.service import PaymentService

ROUND: Final = 1.0
PATIENCE: Final = 15.0
"""Seconds in which everything has to end when the service stops."""
LOOK_AT_STRIPE: Final = 30.0
TASK_LEASE: Final = 15.0
"""Seconds after which another instance takes up what one that was killed did: lost webhooks are waited for. Two that do
the same do it right, only twice."""
OLD: Final = 86400
"""Seconds after which a live subscription is looked at again, in case its event was lost."""
CHARGE_UNKNOWN: Final = 900
SESSIONS_KEPT: Final = 90 * 86400
EVENTS_KEPT: Final = 35 * 86400
"""Seconds for which an event's id is remembered: Stripe lists events for 30 days."""
TOLD_KEPT: Final = 7 * 86400
_A_ROUND: Final = 20

_log = structlog.get_logger(__name__)


class _Rounds(threading.Thread):
    """Does something every so many seconds (None: once), or at once when it is hurried, until it is ended."""

    def __init__(self, name: str, every: float | None, one_round: Callable[[], object]) -> None:
        super().__init__(name=name, daemon=True)
        self._every, self._one_round = every, one_round
        self._wake, self._ending = threading.Event(), False

    def run(self) -> None:
        while not self._ending:
            try:
                self._one_round()
            except Busy:
                pass  # another instance does it
            except StripeError as error:
                _log.warning("task_failed", task=self.name, reason=type(error).__name__)
            except Exception:
                _log.exception("task_failed", task=self.name)
            self._wake.wait(self._every)
            self._wake.clear()

    def hurry(self) -> None:
        self._wake.set()

    def end(self) -> None:
        self._ending = True
        self._wake.set()


class Worker:
    """The threads. `hurry` has those that tell look at once."""

    def __init__(self, service: PaymentService) -> None:
        self._service = service
        self._tellers = [
            _Rounds(f"tell_{target}", ROUND, partial(self._tell, target)) for target in service.outbox.targets
        ]
        self._threads = [
            *self._tellers,
            _Rounds("seconds", ROUND, self.take_back),
            _Rounds("stripe", LOOK_AT_STRIPE, service.stripe.look),
            _Rounds("stale", 60.0, self.look_at_old_ones),
            _Rounds("tidy", 3600.0, self.tidy),
            _Rounds("events", service.settings.poll_events or None, self.read_events),
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End after what is under way."""
        started = [thread for thread in self._threads if thread.is_alive()]
        for thread in started:
            thread.end()
        patience = time.monotonic() + PATIENCE
        for thread in started:
            thread.join(max(0.0, patience - time.monotonic()))

    def hurry(self) -> None:
        """Look at what is to be told now, instead of at the next round."""
        for teller in self._tellers:
            teller.hurry()

    def take_back(self) -> None:
        """Cancel and refund the second subscriptions that are due."""
        if not self._service.seconds.due():
            return
        with self._service.leases.hold("task:seconds", seconds=TASK_LEASE):
            for subscription in self._service.seconds.due():  # another instance may have been faster
                if self._service.seconds.take_back(subscription):
                    self._service.sync.subscription(subscription)

    def read_events(self) -> None:
        """Take the events that Stripe lists and that are not on record: lost on the way here, or with this machine."""
        with self._service.leases.hold("task:events", seconds=TASK_LEASE):
            self._service.webhooks.resync(self._service.webhooks.newest())

    def look_at_old_ones(self) -> None:
        """Fetch live subscriptions again that nobody spoke of for a day, or whose next charge could not be had."""
        now = now_seconds()
        unknown = SubscriptionRow.charge_known.is_(False) & (SubscriptionRow.as_of < now - CHARGE_UNKNOWN)
        old = select(SubscriptionRow.id).where(
            SubscriptionRow.status.not_in(ENDED), or_(SubscriptionRow.as_of < now - OLD, unknown)
        )
        with self._service.leases.hold("task:stale", seconds=TASK_LEASE):
            with self._service.database.reading() as session:
                found = list(session.scalars(old.order_by(SubscriptionRow.as_of).limit(_A_ROUND)))
            for subscription in found:
                self._service.sync.subscription(subscription, look_again=True)

    def tidy(self) -> None:
        """Drop what nobody asks for any more."""
        now = now_seconds()
        over = (
            delete(SessionRow).where(SessionRow.settled, SessionRow.as_of < now - SESSIONS_KEPT),
            delete(AnswerRow).where(AnswerRow.created < now - ANSWERS_KEPT),
            delete(EventRow).where(EventRow.created < now - EVENTS_KEPT),
            delete(ToldRow).where(ToldRow.state != WAITING, ToldRow.due < now - TOLD_KEPT),
        )
        with self._service.database.writing() as session:
            for rows in over:
                session.execute(rows)

    def _tell(self, target: str) -> None:
        if self._service.outbox.send_due(target):
            self.hurry()  # there may be more, and what the Auth MS was told the app may be told now
