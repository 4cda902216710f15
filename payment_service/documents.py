"""What the contract says of Stripe's objects: a subscription, a checkout session, an invoice, the next charge.

Amounts are in minor units, times RFC 3339. Nothing here asks anybody.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from pydantic import JsonValue
from stripe import Invoice, Price, Subscription, SubscriptionItem, SubscriptionSchedule
from stripe.checkout import Session as CheckoutSession

Document = dict[str, JsonValue]

ENDED: Final = frozenset({"canceled", "incomplete_expired"})
"""Words of a subscription that is over; with any other it is live, and another one of its group is not sold."""

DEFAULT_GROUP: Final = "default"


def moment(seconds: int | None) -> str | None:
    """Return a time of Stripe's as RFC 3339, None where there is none."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else None


def now_seconds() -> int:
    """Return the present in Stripe's form."""
    return int(time.time())


def id_of(found: object) -> str:
    """Return the id of what Stripe may have told in full, by its id, or not at all."""
    if isinstance(found, Mapping):
        found = found.get("id", "")
    return found if isinstance(found, str) else str(getattr(found, "id", ""))


def metadata_of(found: object) -> Mapping[str, str]:
    """Return the metadata of an object, none for one that was deleted or is told by its id."""
    metadata = getattr(found, "metadata", None)
    return metadata.to_dict() if metadata else {}


def group_of(product: object) -> str:
    """Return the group of a product: a customer has one subscription of it at a time."""
    return metadata_of(product).get("group") or DEFAULT_GROUP


def period_end(found: Subscription) -> int:
    """Return when the current period ends: the latest of its items', as they may have periods of their own."""
    return max((item.current_period_end for item in found.items.data), default=0)


def never_charges_again(found: Subscription) -> bool:
    """Return whether it is certain that nothing more is charged."""
    return found.status in ENDED or (found.status in ("active", "trialing") and _ends_with_its_period(found))


def charges_next(found: Subscription) -> bool:
    """Return whether Stripe's preview says what is charged next: it runs on, and Stripe charges by itself."""
    runs = found.status in ("active", "trialing") and not _ends_with_its_period(found)
    return runs and found.pause_collection is None and found.collection_method == "charge_automatically"


def may_still_be_charged(invoice: Invoice) -> bool:
    """Return whether an invoice waits for its money: a bank debit is under way, another attempt, or it is a draft.

    When that comes, and whether at all, Stripe's preview of the next invoice does not say.
    """
    return invoice.status == "open" or (invoice.status == "draft" and bool(invoice.auto_advance))


def next_charge(preview: Invoice, at: int) -> Document:
    """Return what Stripe's preview of the next invoice says is charged, and when."""
    return {
        "at": moment(at),
        "amount": preview.amount_due,
        "currency": preview.currency,
        "tax": sum(tax.amount for tax in preview.total_taxes or ()),
        "discount": sum(discount.amount for discount in preview.total_discount_amounts or ()),
    }


def subscription_document(found: Subscription, item: SubscriptionItem) -> Document:
    """Return the status object for one product of a subscription."""
    price, pause, recurring = item.price, found.pause_collection, item.price.recurring
    return {
        "exists": True,
        "status": found.status,
        "subscription_id": found.id,
        "customer_id": id_of(found.customer),
        "current_period_end": moment(item.current_period_end),
        "product_id": id_of(price.product),
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


def session_document(found: CheckoutSession, user_id: str) -> Document:
    """Return the object of a checkout session."""
    return {
        "checkout_session_id": found.id,
        "status": found.status or "open",
        "payment_status": found.payment_status,
        "mode": found.mode,
        "user_id": user_id,
        "expires_at": moment(found.expires_at),
        "subscription_id": id_of(found.subscription) or None,
        "amount_total": found.amount_total,
        "currency": found.currency,
        "livemode": found.livemode,
        "as_of": moment(now_seconds()),
    }


def invoice_document(found: Invoice) -> Document:
    """Return the object of an invoice."""
    details = found.parent.subscription_details if found.parent else None
    address = found.hosted_invoice_url or ""
    return {
        "number": found.number,
        "created": moment(found.created),
        "amount": found.total,
        "amount_paid": found.amount_paid,
        "currency": found.currency,
        "status": found.status,
        "hosted_invoice_url": address if address.startswith("https://") else None,
        "subscription_id": id_of(details.subscription) or None if details else None,
        "livemode": found.livemode,
    }


def _ends_with_its_period(found: Subscription) -> bool:
    return found.cancel_at_period_end or (found.cancel_at is not None and found.cancel_at <= period_end(found))


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
    coming = [phase for phase in schedule.phases if phase.start_date > now_seconds()]
    phase = min(coming, key=lambda one: one.start_date, default=None)
    if phase is None or not phase.items or id_of(phase.items[0].price) == item.price.id:
        return None
    price = phase.items[0].price
    change: Document = {"at": moment(phase.start_date), "price_id": id_of(price)}
    if isinstance(price, Price):
        change |= {
            "product_id": id_of(price.product),
            "interval": price.recurring.interval if price.recurring else None,
            "list_amount": _list_amount(price, phase.items[0].quantity),
            "currency": price.currency,
        }
    return change
