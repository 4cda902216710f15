"""One live subscription a group: what happens when somebody paid two sessions all the same.

The second is told to operators (log, metric, event). With `REFUND_SECOND=true` it is canceled and all that was paid for
it refunded: only if this service's own checkout made it, in the last day, and the first one still lives.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from stripe import InvalidRequestError, StripeError

from payment_service.database import SecondRow, ServiceDatabase, SubscriptionRow, insert
from payment_service.documents import ENDED, id_of, now_seconds
from payment_service.metrics import ServiceMetrics
from payment_service.outbox import EventOutbox
from payment_service.stripe_api import StripeAPI

PAID_FOR: Final = ("active", "trialing", "past_due", "unpaid", "paused")
RECENT: Final = 86400
"""Seconds: an older subscription that came into a group by a change of plan is no purchase made by mistake."""

TOLD, FOUND, REFUNDING, REFUNDED, SINGLE = "told", "found", "refunding", "refunded", "single"
"""What became of a second one. `refunding` is written before anything is canceled: a crash is taken up again."""

_PAUSES: Final = (5, 15, 60, 300, 900)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SecondSubscriptions:
    """Finds second subscriptions where they are written, and takes them back where that is wanted."""

    database: ServiceDatabase
    stripe: StripeAPI
    outbox: EventOutbox
    metrics: ServiceMetrics
    refund: bool

    def look(self, session: Session, user_id: str, subscription_id: str) -> None:
        """Note the second of two live subscriptions of a group; `session` has just written one of them."""
        mine = session.get_one(SubscriptionRow, subscription_id)
        if mine.status not in PAID_FOR:
            return
        group = (SubscriptionRow.user_id == user_id, SubscriptionRow.group_name == mine.group_name)
        rows = session.scalars(select(SubscriptionRow).where(*group, SubscriptionRow.status.in_(PAID_FOR))).all()
        first, *others = sorted(rows, key=lambda row: (row.created, row.id))
        for second in others:
            self._note(session, first, second)

    def _note(self, session: Session, first: SubscriptionRow, second: SubscriptionRow) -> None:
        now = now_seconds()
        ours = second.sold_here and second.created > now - RECENT
        state = FOUND if self.refund and ours else TOLD
        row = {"subscription_id": second.id, "first_id": first.id, "user_id": second.user_id, "state": state}
        if not insert(session, SecondRow, {**row, "found": now, "attempts": 0, "due": now}):
            return
        _log.error("second_subscription", subscription=second.id, first=first.id, group=second.group_name, then=state)
        self.metrics.seconds.labels("found").inc()
        product = str(second.documents[0]["product_id"]) if second.documents else ""
        self.outbox.add(session, f"second_{second.id}", "subscription.second_found", second.user_id, product)

    def due(self) -> list[str]:
        """Return the second subscriptions that are to be taken back now."""
        wanted = select(SecondRow.subscription_id).where(
            SecondRow.state.in_((FOUND, REFUNDING)), SecondRow.due <= now_seconds()
        )
        with self.database.reading() as session:
            return list(session.scalars(wanted))

    def take_back(self, subscription_id: str) -> bool:
        """Cancel and refund one second subscription; return whether anything changed. May be repeated at any step."""
        with self.database.reading() as session:
            row = session.get_one(SecondRow, subscription_id)
        try:
            if row.state == FOUND and not (self._lives(row.first_id) and self._lives(subscription_id)):
                self._mark(subscription_id, state=SINGLE)
                return False
            self._mark(subscription_id, state=REFUNDING)
            self._cancel(subscription_id)
            amounts = [*self._refund_all(subscription_id)]
        except StripeError as error:
            _log.error("refund_failed", subscription=subscription_id, reason=type(error).__name__)
            pause = _PAUSES[min(row.attempts, len(_PAUSES) - 1)]
            self._mark(subscription_id, attempts=row.attempts + 1, due=now_seconds() + pause)
            return False
        with self.database.writing() as session:
            session.get_one(SecondRow, subscription_id).state = REFUNDED
            self.outbox.add(session, f"refund_{subscription_id}", "subscription.second_refunded", row.user_id, "")
        _log.warning("second_subscription_refunded", subscription=subscription_id, first=row.first_id, amounts=amounts)
        self.metrics.seconds.labels("refunded").inc()
        return True

    def _mark(self, subscription_id: str, **values: str | int) -> None:
        with self.database.writing() as session:
            session.execute(update(SecondRow).where(SecondRow.subscription_id == subscription_id).values(values))

    def _status(self, subscription_id: str) -> str:
        found = self.stripe.v1.subscriptions.retrieve(subscription_id)
        self.stripe.same_mode(found)
        return found.status

    def _lives(self, subscription_id: str) -> bool:
        return self._status(subscription_id) in PAID_FOR

    def _cancel(self, subscription_id: str) -> None:
        if self._status(subscription_id) not in ENDED:
            self.stripe.v1.subscriptions.cancel(
                subscription_id, {"prorate": False, "invoice_now": False},
                {"idempotency_key": f"second-cancel-{subscription_id}"},
            )  # fmt: skip

    def _refund_all(self, subscription_id: str) -> Iterator[int]:
        """Refund every payment of the subscription's invoices in full; yield the amounts."""
        v1 = self.stripe.v1
        invoices = v1.invoices.list({"subscription": subscription_id, "limit": 100}).data
        for invoice in (one.id for one in invoices if one.amount_paid and one.id):
            for paid in v1.invoice_payments.list({"invoice": invoice, "status": "paid"}).data:
                intent = id_of(paid.payment.payment_intent)
                if not intent:
                    continue
                key = f"second-refund-{intent}"
                try:
                    refund = v1.refunds.create(
                        {"payment_intent": intent, "reason": "duplicate"}, {"idempotency_key": key}
                    )
                except InvalidRequestError as error:
                    if error.code != "charge_already_refunded":
                        raise
                else:
                    yield refund.amount
