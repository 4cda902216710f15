"""What the contract says of a subscription, read off Stripe's object once and kept; a status question reads it back."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import JsonValue
from sqlalchemy import select
from stripe import Invoice, Price, Subscription, SubscriptionItem, SubscriptionSchedule

from payment_service.database import ServiceDatabase, SubscriptionRow

Document = dict[str, JsonValue]

ENDED: Final = frozenset({"canceled", "incomplete_expired"})
"""Words of a subscription that is over; with any other it is live, and another one of its group is not sold."""

SHOWN_AFTER_END: Final = 90 * 86400
"""Seconds for which an ended subscription is still among all of a user."""


def moment(seconds: int | None) -> str | None:
    """Return a time of Stripe's as RFC 3339, None where there is none."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else None


def now_seconds() -> int:
    """Return the present in Stripe's form."""
    return int(time.time())


def documents_of(found: Subscription) -> list[JsonValue]:
    """Return a status object for each product of a subscription, its first one first; amounts in minor units."""
    return [_document(found, item) for item in found.items.data]


def period_end(found: Subscription) -> int | None:
    """Return when the current period ends: the latest of its items', as they may have periods of their own."""
    return max((item.current_period_end for item in found.items.data), default=None)


def charges_next(found: Subscription) -> bool:
    """Return whether Stripe's preview says what is charged next: it runs on, and Stripe charges by itself."""
    ends = found.cancel_at_period_end or (found.cancel_at is not None and found.cancel_at <= (period_end(found) or 0))
    runs = found.status in ("active", "trialing") and found.pause_collection is None
    return runs and not ends and found.collection_method == "charge_automatically"


def never_charges_again(found: Subscription) -> bool:
    """Return whether it is certain that nothing more is charged."""
    ends = found.cancel_at_period_end or (found.cancel_at is not None and found.cancel_at <= (period_end(found) or 0))
    return found.status in ENDED or (ends and found.status in ("active", "trialing"))


def may_still_be_charged(invoice: Invoice) -> bool:
    """Return whether an invoice waits for its money: a bank debit is under way, another attempt, or it is a draft.

    When that comes, and whether at all, Stripe's preview of the next invoice does not say.
    """
    return invoice.status == "open" or (invoice.status == "draft" and bool(invoice.auto_advance))


def next_charge(preview: Invoice, at: int | None) -> Document:
    """Return what Stripe's preview of the next invoice says is charged, and when."""
    return {
        "at": moment(at),
        "amount": preview.amount_due,
        "currency": preview.currency,
        "tax": sum(tax.amount for tax in preview.total_taxes or ()),
        "discount": sum(discount.amount for discount in preview.total_discount_amounts or ()),
    }


def _document(found: Subscription, item: SubscriptionItem) -> Document:
    price, pause = item.price, found.pause_collection
    recurring = price.recurring
    return {
        "exists": True,
        "status": found.status,
        "subscription_id": found.id,
        "customer_id": _id(found.customer),
        "current_period_end": moment(item.current_period_end),
        "product_id": _id(price.product),
        "price_id": price.id,
        "interval": recurring.interval if recurring else None,
        "interval_count": recurring.interval_count if recurring else 1,
        "quantity": item.quantity if item.quantity is not None else 1,
        "currency": found.currency,
        "list_amount": _list_amount(price, item.quantity),
        "cancel_at_period_end": found.cancel_at_period_end,
        "cancel_at": moment(found.cancel_at),
        "canceled_at": moment(found.canceled_at),
        "ended_at": moment(found.ended_at),
        "trial_end": moment(found.trial_end),
        "pause": None if pause is None else {"behavior": pause.behavior, "resumes_at": moment(pause.resumes_at)},
        "scheduled_change": _scheduled_change(found, item),
        "livemode": found.livemode,
    }


def _list_amount(price: Price, quantity: int | None) -> int | None:
    """Return what a period costs before discount and tax; None for tiers and usage, which have no one amount."""
    if price.unit_amount is None or (price.recurring and price.recurring.usage_type == "metered"):
        return None
    return price.unit_amount * (quantity if quantity is not None else 1)


def _scheduled_change(found: Subscription, item: SubscriptionItem) -> JsonValue:
    """Return the next phase of the subscription's schedule, if it has another price."""
    schedule = found.schedule
    if not isinstance(schedule, SubscriptionSchedule) or schedule.status not in ("active", "not_started"):
        return None
    now = now_seconds()
    phase = min((one for one in schedule.phases if one.start_date > now), key=lambda one: one.start_date, default=None)
    if phase is None or not phase.items:
        return None
    price = phase.items[0].price
    if _id(price) == item.price.id:
        return None
    change: Document = {"at": moment(phase.start_date), "price_id": _id(price)}
    if isinstance(price, Price):
        change |= {
            "product_id": _id(price.product),
            "interval": price.recurring.interval if price.recurring else None,
            "list_amount": _list_amount(price, phase.items[0].quantity),
            "currency": price.currency,
        }
    return change


def _id(found: object) -> str:
    """Return the id of what may be expanded or not."""
    return found if isinstance(found, str) else str(getattr(found, "id", ""))


class Subscriptions:
    """The subscriptions that are on record. Nothing here asks Stripe: a status is one read of the database."""

    def __init__(self, database: ServiceDatabase) -> None:
        self._database = database

    def status(self, user_id: str, product_id: str) -> Document:
        """Return the status object of a user's subscription to a product: the live one, else the newest."""
        for row in self._of(user_id):
            for document in row.documents:
                if isinstance(document, dict) and document.get("product_id") == product_id:
                    return _told(row, document)
        return {"exists": False}

    def all_of(self, user_id: str) -> Document:
        """Return all of a user's: live ones first, newest first; those that ended in the last 90 days too."""
        since = now_seconds() - SHOWN_AFTER_END
        shown = [row for row in self._of(user_id) if row.ended_at is None or row.ended_at >= since]
        told: list[JsonValue] = [_told(row, row.documents[0]) for row in shown if row.documents]
        return {"subscriptions": told, "as_of": moment(now_seconds())}

    def account(self, user_id: str) -> Document:
        """Return what an Auth MS is told of a user: status, plan and end of the first one, and all of them."""
        first = next(iter(self._of(user_id)), None)
        document = first.documents[0] if first and first.documents else None
        told = document if isinstance(document, dict) else {}
        return {
            "user_id": user_id,
            "status": first.status if first else "none",
            "plan": first.plan if first else None,
            "expires_at": told.get("current_period_end"),
            **self.all_of(user_id),
        }

    def live(self, user_id: str, group: str | None = None) -> list[SubscriptionRow]:
        """Return a user's live subscriptions, of one group or of all."""
        return [row for row in self._of(user_id) if row.status not in ENDED and group in (None, row.group_name)]

    def _of(self, user_id: str) -> Sequence[SubscriptionRow]:
        with self._database.reading() as session:
            rows = session.scalars(select(SubscriptionRow).where(SubscriptionRow.user_id == user_id)).all()
        return sorted(rows, key=lambda row: (row.status not in ENDED, row.created, row.id), reverse=True)


def _told(row: SubscriptionRow, document: JsonValue) -> Document:
    told: Document = {**document, "as_of": moment(row.as_of)} if isinstance(document, dict) else {}
    if row.charge_known:
        told["next_charge"] = row.next_charge
    return told
