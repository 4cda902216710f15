"""What is done without being asked: taking back, looking for lost events, tidying up in one thread, telling in others.

Each kind has a lease, so that of several instances one does it. Whatever fails is tried again at the next round.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
from sqlalchemy import delete, or_, select
from stripe import StripeError

from payment_service.database import SessionRow, SubscriptionRow
from payment_service.documents import ENDED, now_seconds
from payment_service.leases import Busy
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
_A_ROUND: Final = 20

_log = structlog.get_logger(__name__)


@dataclass
class _Task:
    """Something to do every so many seconds; `shared` where one instance does it for all.

    Nothing is written, a lease neither, where it is not `needed`.
    """

    name: str
    every: float
    run: Callable[[], object]
    shared: bool = True
    needed: Callable[[], object] = lambda: True
    due: float = 0.0


class _Rounds(threading.Thread):
    """Does something every second, or at once when it is hurried, until it is ended."""

    def __init__(self, name: str, one_round: Callable[[], None]) -> None:
        super().__init__(name=name, daemon=True)
        self._one_round = one_round
        self._wake, self._ending = threading.Event(), threading.Event()

    def run(self) -> None:
        while not self._ending.is_set():
            self._one_round()
            self._wake.wait(ROUND)
            self._wake.clear()

    def hurry(self) -> None:
        self._wake.set()

    def end(self) -> None:
        self._ending.set()
        self._wake.set()


class Worker:
    """The threads: one for all that is done here, one for each target that is told. `hurry` has those look at once."""

    def __init__(self, service: PaymentService) -> None:
        self._service = service
        self._tasks = [
            _Task("seconds", ROUND, self.take_back, needed=service.seconds.due),
            _Task("stripe", LOOK_AT_STRIPE, service.stripe.look, shared=False),
            _Task("stale", 60.0, self.look_at_old_ones),
            _Task("tidy", 3600.0, self.tidy),
        ]
        self._tellers = [_Rounds(f"tell {target}", partial(self._tell, target)) for target in service.outbox.targets]
        self._threads = [_Rounds("worker", self._do_due), *self._tellers]
        every = service.settings.poll_events or float("inf")  # once at the start in any case
        self._tasks.append(_Task("events", every, self.read_events))

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End after what is under way."""
        for thread in self._threads:
            thread.end()
        patience = time.monotonic() + PATIENCE
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, patience - time.monotonic()))

    def hurry(self) -> None:
        """Look at what is to be told now, instead of at the next round."""
        for teller in self._tellers:
            teller.hurry()

    def take_back(self) -> None:
        """Cancel and refund the second subscriptions that are due."""
        for subscription in self._service.seconds.due():
            if self._service.seconds.take_back(subscription):
                self._service.sync.subscription(subscription)

    def read_events(self) -> None:
        """Take the events that Stripe lists and that are not on record: lost on the way here, or with this machine."""
        self._service.webhooks.resync(self._service.webhooks.newest())

    def look_at_old_ones(self) -> None:
        """Fetch live subscriptions again that nobody spoke of for a day, or whose next charge could not be had."""
        now = now_seconds()
        with self._service.database.reading() as session:
            old = select(SubscriptionRow.id).where(
                SubscriptionRow.status.not_in(ENDED),
                or_(
                    SubscriptionRow.as_of < now - OLD,
                    SubscriptionRow.charge_known.is_(False) & (SubscriptionRow.as_of < now - CHARGE_UNKNOWN),
                ),
            )
            found = list(session.scalars(old.order_by(SubscriptionRow.as_of).limit(_A_ROUND)))
        for subscription in found:
            self._service.sync.subscription(subscription, look_again=True)

    def tidy(self) -> None:
        """Drop what nobody asks for any more."""
        before = now_seconds() - SESSIONS_KEPT
        with self._service.database.writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.settled, SessionRow.as_of < before))
        self._service.idempotency.prune()
        self._service.webhooks.prune()
        self._service.outbox.prune(now_seconds() - 7 * 86400)

    def _tell(self, target: str) -> None:
        def send() -> None:
            if self._service.outbox.send_due(target):
                self.hurry()  # there may be more, and what the Auth MS was told the app may be told now

        self._do(_Task(f"tell_{target}", ROUND, send, shared=False))

    def _do_due(self) -> None:
        now = time.monotonic()
        for task in self._tasks:
            if task.due <= now:
                task.due = now + task.every
                self._do(task)

    def _do(self, task: _Task) -> None:
        try:
            if not task.needed():
                return
            if task.shared:
                with self._service.leases.hold(f"task:{task.name}", seconds=TASK_LEASE):
                    task.run()
            else:
                task.run()
        except Busy:
            pass
        except StripeError as error:
            _log.warning("task_failed", task=task.name, reason=type(error).__name__)
        except Exception:
            _log.exception("task_failed", task=task.name)
