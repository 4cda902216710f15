"""What a user's subscription costs by the catalog it was bought from: said only as long as the evidence holds.

No service says what a subscription costs, and what is charged is Stripe's: promotion codes, tax and changes in the
billing portal are known there alone. So this is the list price, of a purchase here that was confirmed, as long as the
period's end fits it and nobody opened the portal since.
"""

import calendar
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind, newest
from services.subscription.model import LIVE, State, Subscription

FITS_WITHIN: Final = timedelta(days=3)
"""How far a period's end may be from the purchase plus whole intervals: a payment that failed at first, a time zone."""

_PRICED: Final = LIVE - {State.ON_RECORD}
"""Of a record alone nobody knows whether there is still something that costs."""

_MONTHS: Final = {"month": 1, "year": 12}


def purchase_with_price(
    subscription: Subscription, checkouts: Iterable[Checkout], portal_left_at: datetime | None, now: datetime
) -> Checkout | None:
    """Return the purchase whose list price is still this subscription's, or None where that is not known."""
    if subscription.plan_id is None or subscription.state not in _PRICED:
        return None
    plan_id = subscription.plan_id
    bought = newest(checkouts, lambda c: c.kind is CheckoutKind.SUBSCRIPTION and c.plan_id == plan_id and c.confirmed)
    if bought is None or subscription.subscription_id in bought.known_subscriptions or not bought.went_through:
        return None
    if portal_left_at is not None and portal_left_at >= bought.started_at:
        return None
    return bought if _period_fits(subscription, bought, now) else None


def _period_fits(subscription: Subscription, bought: Checkout, now: datetime) -> bool:
    """Whether the period's end is one that this purchase leads to, and the period no longer than its interval."""
    until, months = subscription.until, _MONTHS.get(bought.interval or "")
    if until is None or months is None or subscription.ends:
        return False
    returned_at = bought.at(CheckoutEvent.RETURNED)
    first = (returned_at or bought.handed_out_at) + timedelta(days=bought.free_days)
    if subscription.state is State.TRIALING:
        # It ends on the same day by the month and by the year: only a return tells that it is this purchase's.
        return returned_at is not None and bought.free_days > 0 and abs(until - first) <= FITS_WITHIN
    if until > months_later(now, months) + FITS_WITHIN:
        return False
    passed = max(0, (until.year - first.year) * 12 + until.month - first.month)
    near = {max(1, passed // months + step) for step in (-1, 0, 1)}
    return any(abs(until - months_later(first, months * count)) <= FITS_WITHIN for count in near)


def months_later(moment: datetime, months: int) -> datetime:
    """Return the same day so many months later, or that month's last day where it has no such day, as Stripe does."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))
