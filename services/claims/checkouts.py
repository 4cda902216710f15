"""What may be said of a checkout and of the money in it. That the browser came back proves nothing about money."""

from datetime import datetime
from enum import StrEnum

from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind
from services.claims.model import Claim, ClaimKind, Evidence
from services.claims.status import waiting_kind
from services.payment_contract.invoices import Invoice
from services.subscription.current import confirmation_wait
from services.subscription.model import Source, Subscription


class NotChargedEvidence(StrEnum):
    """What there is to say that nothing was charged."""

    STOPPED_HERE = "stopped_here"
    """The browser was never sent to Stripe."""
    LOOKED_NOW = "looked_now"
    """Both services were asked now and know of no payment, and nobody else can have paid: no second tab, and no
    browser that never came back."""
    NONE = "none"


def not_charged_claim(evidence: NotChargedEvidence, now: datetime, checkout: Checkout | None = None) -> Claim:
    """Return "nothing was charged", or that only as far as it is known."""
    says = ClaimKind.NOTHING_CHARGED_HERE if evidence is NotChargedEvidence.NONE else ClaimKind.NOTHING_CHARGED
    rests_on = Evidence.CHECKOUT if evidence is NotChargedEvidence.NONE else Evidence(evidence.value)
    return Claim(says=says, evidence=rests_on, as_of=now, **_about(checkout))


def invoice_claim(invoice: Invoice, now: datetime) -> Claim:
    """Return what billing tells of an invoice."""
    return Claim(
        says=ClaimKind.INVOICE, evidence=Evidence.BILLING, as_of=now, date=invoice.created, amount=invoice.amount,
        currency=invoice.currency, word=invoice.status,
    )  # fmt: skip


def no_invoices_claim(now: datetime) -> Claim:
    """Return that billing, asked `now`, lists no invoice."""
    return Claim(says=ClaimKind.NO_INVOICES, evidence=Evidence.BILLING, as_of=now)


def not_charged_then_claim(checkout: Checkout, now: datetime) -> Claim:
    """Return that nothing had been charged for a checkout when billing was asked, `now`: its session was open."""
    return Claim(says=ClaimKind.NOT_CHARGED_THEN, evidence=Evidence.BILLING, as_of=now, **_about(checkout))


def ended_claim(checkout: Checkout, now: datetime) -> Claim:
    """Return that a checkout's session ended unpaid, as billing says."""
    return Claim(says=ClaimKind.CHECKOUT_ENDED, evidence=Evidence.BILLING, as_of=now, **_about(checkout))


def checkout_claims(checkout: Checkout, now: datetime) -> tuple[Claim, ...]:
    """Return what may be said of a checkout whose success page the user looks at, and what it asked for.

    An order is called placed only where a return is on record: then its address carried what only Stripe knows.
    """
    returned = checkout.at(CheckoutEvent.RETURNED)
    if returned is not None and checkout.kind is CheckoutKind.SUBSCRIPTION:
        return (price_claim(checkout),)
    if checkout.paid_order:
        paid = Claim(says=ClaimKind.RECEIPT, evidence=Evidence.BILLING, as_of=now, **_about(checkout))
        return (paid, price_claim(checkout))
    says = ClaimKind.ORDER_PLACED if returned is not None else ClaimKind.BACK_FROM_CHECKOUT
    said = Claim(says=says, evidence=Evidence.CHECKOUT, as_of=now, date=returned, **_about(checkout))
    return (said, price_claim(checkout))


def purchase_claims(checkout: Checkout, now: datetime) -> tuple[Claim, ...]:
    """Return what may be said of a checkout in a list of purchases: what became of it, and what it asked for.

    Of one that was left, or that another took the place of, nothing is said but what it asked for.
    """
    returned, price = checkout.at(CheckoutEvent.RETURNED), price_claim(checkout)
    if checkout.went_through or checkout.paid_order:
        return (arrived_claim(checkout, now), price)
    wait = confirmation_wait(checkout, now, arrived=CheckoutEvent.BILLING_HAS_IT in checkout.events)
    given_up = checkout.disclaimed and checkout.kind is CheckoutKind.SUBSCRIPTION
    if checkout.open(now) or given_up:
        unheard = Claim(says=ClaimKind.NO_WORD_YET, evidence=Evidence.CHECKOUT, as_of=now, **_about(checkout))
        return (unheard, price)
    if wait is None:
        return (price,)
    if checkout.kind is not CheckoutKind.SUBSCRIPTION:
        return checkout_claims(checkout, now)
    says = waiting_kind(wait, alone=False, seen_back=checkout.seen_back)  # what else can charge is not looked at
    said = Claim(says=says, evidence=Evidence.CHECKOUT, as_of=now, date=returned, **_about(checkout))
    return (said, price)


def question_claims(checkout: Checkout, now: datetime) -> tuple[Claim, ...]:
    """Return what may be said of a checkout before another one is started beside it: what is asked follows from it."""
    returned, about = checkout.at(CheckoutEvent.RETURNED), _about(checkout)

    def claim(says: ClaimKind, date: datetime | None = None) -> Claim:
        return Claim(says=says, evidence=Evidence.CHECKOUT, as_of=now, date=date, **about)

    if checkout.ordered(now):
        return (claim(ClaimKind.ORDERED_BEFORE, returned),)
    if returned is not None:
        return (claim(ClaimKind.NOT_CONFIRMED_YET, returned),)
    started = claim(ClaimKind.STARTED, checkout.started_at)
    if checkout.unheard(now):
        return (started, claim(ClaimKind.PAYMENT_UNHEARD))
    if not checkout.payable(now) or checkout.at(CheckoutEvent.CANCELED) is not None:
        return (started, claim(ClaimKind.PAYMENT_POSSIBLE))
    return (started,)


def beside_claims(checkout: Checkout, now: datetime) -> tuple[Claim, ...]:
    """Return what whoever starts another checkout has to know of this one: that it can be paid, or may have been."""
    if checkout.unheard(now):
        says = ClaimKind.PAYMENT_UNHEARD
    elif checkout.payable(now):
        says = ClaimKind.STILL_PAYABLE
    else:
        return ()
    return (Claim(says=says, evidence=Evidence.CHECKOUT, as_of=now, **_about(checkout)),)


def unanswered_claims(checkout: Checkout, now: datetime) -> tuple[Claim, ...]:
    """Return what is asked about of a purchase that was never confirmed: that the user came back, or only started it.

    The first is dated by what is said: the return, or the start.
    """
    about = _about(checkout)
    if checkout.seen_back:
        date = checkout.at(CheckoutEvent.RETURNED)
        return (Claim(says=ClaimKind.UNCONFIRMED, evidence=Evidence.CHECKOUT, as_of=now, date=date, **about),)
    started = Claim(
        says=ClaimKind.STARTED, evidence=Evidence.CHECKOUT, as_of=now, date=checkout.started_at, **about
    )  # fmt: skip
    return (started, started.model_copy(update={"says": ClaimKind.NEVER_CONFIRMED, "date": None}))


def on_top_claim(plan_id: str | None, now: datetime) -> Claim:
    """Return that a new subscription would be charged on top of one that no service calls ended."""
    return Claim(says=ClaimKind.CHARGED_ON_TOP, evidence=Evidence.BILLING, as_of=now, plan=plan_id)


def changed_since_claim(checkout: Checkout, current: Subscription, now: datetime) -> Claim:
    """Return that what was bought is not what the user has now, as a service says of `current`."""
    evidence = Evidence.ACCOUNT if current.source is Source.ACCOUNT else Evidence.BILLING
    return Claim(says=ClaimKind.CHANGED_SINCE, evidence=evidence, as_of=current.as_of, **_about(checkout))


def price_claim(checkout: Checkout) -> Claim:
    """Return what a checkout asked for."""
    return Claim(
        says=ClaimKind.LIST_PRICE, evidence=Evidence.CATALOG, as_of=checkout.started_at, amount=checkout.total,
        currency=checkout.currency, interval=checkout.interval, days=checkout.free_days or None, **_about(checkout),
    )  # fmt: skip


def arrived_claim(checkout: Checkout, now: datetime) -> Claim:
    """Return that a service has what was bought: the account where it grants the plan, else billing."""
    granted = checkout.at(CheckoutEvent.ACCOUNT_HAS_IT) is not None
    evidence = Evidence.ACCOUNT if granted else Evidence.BILLING
    return Claim(says=ClaimKind.PURCHASE_ARRIVED, evidence=evidence, as_of=now, **_about(checkout))


def receipt_claim(checkout: Checkout, now: datetime, *, paid: bool) -> Claim | None:
    """Return that there is a receipt: a service confirms the purchase, it is `paid`, and it began without a trial."""
    if not (checkout.went_through and paid) or checkout.free_days:
        return None
    return Claim(says=ClaimKind.RECEIPT, evidence=Evidence.BOUGHT_HERE, as_of=now, **_about(checkout))


def _about(checkout: Checkout | None) -> dict[str, str | None]:
    if checkout is None:
        return {}
    return {
        "checkout_id": checkout.id,
        "plan": checkout.plan_id,
        "group": checkout.group,
        "product_id": checkout.product_id,
    }
