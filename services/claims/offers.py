"""What may be said before a press: what is due today, what follows, and who gets a trial."""

from datetime import datetime

from catalog import Plan, Price, Promises
from services.claims.model import Claim, ClaimKind, Evidence, Tax
from services.subscription.customer_status import CustomerStatus


def offer_claims(
    plan: Plan, price: Price, customer_status: CustomerStatus | None, now: datetime, *, tax: Tax | None = None
) -> tuple[Claim, ...]:
    """Return what may be said of a plan's price to a customer, or to a visitor (None).

    The amount is the catalog's, with what the operator says of tax; what a promotion code takes off is Stripe's. A
    trial is for somebody of whom no trial or subscription of that plan is on record.
    """
    base = Claim(
        says=ClaimKind.DUE_TODAY, evidence=Evidence.CATALOG, as_of=now, group=plan.group, plan=plan.id,
        product_id=plan.product_id, amount=price.amount, currency=price.currency, interval=price.interval, tax=tax,
    )  # fmt: skip
    if price.trial_days and has_had(plan, customer_status):
        return (_without_amount(base, ClaimKind.TRIAL_FOR_NEW),)
    if price.trial_days:
        return (base.model_copy(update={"says": ClaimKind.TRIAL_OFFERED, "days": price.trial_days}),)
    return (base, _without_amount(base, ClaimKind.THEN_EACH))


def item_claim(product_id: str | None, amount: int, currency: str, now: datetime, *, tax: Tax | None = None) -> Claim:
    """Return what a press asks for that buys items, paid once; without a product that is all of a cart."""
    return Claim(
        says=ClaimKind.DUE_TODAY, evidence=Evidence.CATALOG, as_of=now, product_id=product_id, amount=amount,
        currency=currency, tax=tax,
    )  # fmt: skip


def promise_claims(promises: Promises, now: datetime) -> tuple[Claim, ...]:
    """Return what the operator promises about every plan; the field's name in the catalog is the claim's `word`."""
    return tuple(
        Claim(says=ClaimKind.PROMISED, evidence=Evidence.OPERATOR, as_of=now, word=name)
        for name in ("cancel_any_time", "change_any_time", "free_without_card")
        if getattr(promises, name)
    )


def has_had(plan: Plan, customer_status: CustomerStatus | None) -> bool:
    """Whether a trial or a subscription of that plan is on record for this customer, here or in billing."""
    return customer_status is not None and plan.id in customer_status.had_plans


def _without_amount(claim: Claim, says: ClaimKind) -> Claim:
    return claim.model_copy(update={"says": says, "amount": None, "currency": None, "tax": None})
