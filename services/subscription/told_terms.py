"""What billing tells of a subscription's money beyond its status: price, next payment, a booked change, a pause's end.

Only a service of the contract's second version does. Of a payment is said what the service names for the end of this
period, and how it is made up only where its own numbers prove it.
"""

from datetime import datetime, timedelta
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from catalog import Plan
from services.payment_contract.details import ListPrice, SubscriptionDetails

WITHIN: Final = timedelta(days=1)
"""How far a charge may be from the period's end that it is for: Stripe takes it about an hour later."""


class NextPayment(BaseModel):
    """What will be charged at the period's end, in minor units; `percent_off` and `tax` where they are proven."""

    model_config = ConfigDict(frozen=True)

    amount: int
    currency: str
    percent_off: int | None = None
    tax: Literal["included", "added"] | None = None
    tax_amount: int | None = None


class BookedChange(BaseModel):
    """A change that is booked: when, to which plan of the catalog (None: one that it does not know), at which price."""

    model_config = ConfigDict(frozen=True)

    at: AwareDatetime
    plan_id: str | None = None
    price: ListPrice | None = None


class ToldTerms(BaseModel):
    """What was told, as far as it may be repeated. None is "not told"."""

    model_config = ConfigDict(frozen=True)

    price: ListPrice | None = None
    payment: NextPayment | None = None
    change: BookedChange | None = None
    resumes_at: AwareDatetime | None = None


def told_terms(
    details: SubscriptionDetails | None, changes_to: Plan | None, until: datetime | None, now: datetime
) -> ToldTerms | None:
    """Return what may be repeated of a running subscription; `until` is the end of its period or trial."""
    if details is None:
        return None
    change = None
    if details.change is not None and details.change.at > now:
        plan_id = changes_to.id if changes_to is not None else None
        change = BookedChange(at=details.change.at, plan_id=plan_id, price=details.change.price)
    resumes_at = details.resumes_at if details.resumes_at is not None and details.resumes_at > now else None
    terms = ToldTerms(price=details.price, payment=_payment(details, until), change=change, resumes_at=resumes_at)
    return terms if terms != ToldTerms() else None


def _payment(details: SubscriptionDetails, until: datetime | None) -> NextPayment | None:
    """Return the charge at the end of this period: one at another time is another's, such as a failed one's retry."""
    charge, change = details.next_charge, details.change
    if charge is None or until is None or abs(charge.at - until) > WITHIN or charge.amount == 0:
        return None
    price = change.price if change is not None and change.at <= charge.at else details.price
    form = charge.tax_form(price)
    return NextPayment(
        amount=charge.amount,
        currency=charge.currency,
        percent_off=charge.percent_off(price),
        tax=form,
        tax_amount=charge.tax if form is not None else None,
    )
