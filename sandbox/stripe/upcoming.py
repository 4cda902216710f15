"""What time will do to a subscription next, if nobody does anything: pure, so that truth and renewals say one thing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sandbox.settings import Renewals, RuntimeSettings, TrialEnd
from sandbox.stripe.amounts import AmountDue, amount_due
from sandbox.stripe.objects import LineItem, StripeSubscription

FIRST_PAYMENT: Final = timedelta(hours=23)
"""An incomplete subscription expires after 23 hours (https://docs.stripe.com/billing/subscriptions/overview)."""
RENEWING: Final = ("active", "trialing")


@dataclass(frozen=True)
class Renewal:
    """The next period: its plan (changed, where a change was booked), its dates, its invoice."""

    at: datetime
    end: datetime
    line: LineItem
    due: AmountDue
    collected: bool
    """False while collection is paused: the period comes, the money does not move."""


def next_moment(subscription: StripeSubscription) -> datetime | None:
    """When time changes this subscription next; None when it will not."""
    if subscription.status == "incomplete":
        return None if subscription.awaits_payment else subscription.changed.replace(microsecond=0) + FIRST_PAYMENT
    moments = [subscription.ends_at]
    if subscription.status in RENEWING:
        moments.append(subscription.period_end)
        moments.append(subscription.pause_collection.resumes_at if subscription.pause_collection else None)
    if subscription.status == "past_due":
        moments.append(subscription.retry_at)
    return min((moment for moment in moments if moment), default=None)


def current_line(subscription: StripeSubscription) -> LineItem:
    """What it is for now."""
    return LineItem(
        price_id=subscription.price_id,
        product_id=subscription.product_id,
        name=subscription.name,
        amount=subscription.amount // max(subscription.quantity, 1),
        currency=subscription.currency,
        interval=subscription.interval,
        quantity=subscription.quantity,
        plan=subscription.plan,
        group=subscription.group,
    )


def next_renewal(subscription: StripeSubscription, settings: RuntimeSettings) -> Renewal | None:
    """The period after this one with its invoice; None where there will be none."""
    ends_at = subscription.ends_at
    start = subscription.period_end
    if subscription.status not in RENEWING or (ends_at and ends_at <= start):
        return None
    ends_with_trial = settings.trial_end_without_card is not TrialEnd.CREATE_INVOICE
    if subscription.status == "trialing" and not subscription.has_payment_method and ends_with_trial:
        return None
    change = subscription.scheduled_change
    line = change.line if change and change.at <= start else current_line(subscription)
    after = subscription.model_copy(update={"interval": line.interval or "month"})
    full_end = after.period_after(start)
    end = min(full_end, ends_at) if ends_at else full_end
    full = line.amount * subscription.quantity
    # A last period that a booked end cuts short costs its share.
    part = full if end == full_end else round(full * ((end - start) / (full_end - start)))
    due = amount_due(
        part + subscription.proration,
        line.currency,
        subscription.terms,
        settings.exchange_rate,
        subscription.discount,
        start,
    )
    pause = subscription.pause_collection
    collected = pause is None or (pause.resumes_at is not None and pause.resumes_at <= start)
    return Renewal(start, end, line, due, collected)


def card_pays(subscription: StripeSubscription, settings: RuntimeSettings) -> bool:
    """Whether an attempt to take money goes through, by the card on file and the settings."""
    works = subscription.card_works and subscription.has_payment_method
    return works and settings.renewals is Renewals.SUCCEED


def proration(subscription: StripeSubscription, line: LineItem, now: datetime) -> int:
    """What a change of plan now is worth for the rest of this period, before discount and tax; negative is a credit."""
    length = subscription.period_end - subscription.period_start
    rest = max(subscription.period_end - now, timedelta()) / length if length else 0.0
    price = line.amount * subscription.quantity if line.interval == subscription.interval else 0
    return round((price - subscription.amount) * rest)
