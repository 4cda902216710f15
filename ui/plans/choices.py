"""What each plan card offers to a user with this status, so that no button ends in "you already have one".

The guard that sells (`services/checkout/guards.py`) is asked first; the cards only put its answer into words. For a
moment, on the first page of a user of whom nothing is known, there is no answer: the press has the guard ask.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from catalog import Interval, Plan
from services.checkout.guards import refusal
from services.checkout_record import Checkout
from services.claims import change_claims
from services.errors import AlreadySubscribed, NotSignedIn
from services.payment_contract.features import PortalFlow
from services.portal import PortalWay
from services.purchase import Purchase
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Reason, State, Subscription
from ui.billing.portal_button import way_there
from ui.billing.state_banner import show_in_frame
from ui.page.context import PageContext
from ui.page.current_user import find_status, words_of
from ui.plans.card import ButtonSpec, PlanOffer
from ui.plans.offers import closed, plan_offer, public_offers
from ui.plans.price import due_claims, due_words, plan_purchase, shown_price, starts_with_trial
from ui.plans.savings import saved_by_the_year
from ui.text.amounts import money
from ui.text.claim_words import Reader, sentence
from ui.text.i18n import N_, _, sentence_gap
from ui.text.state_words import subscription_name
from ui.text.states import Cards, Shown

NOTHING = ButtonSpec("none")

NO_EMAIL = N_("Your account has no email address, and checkout needs one.")


def plan_choices(
    context: PageContext,
    customer_status: CustomerStatus | None,
    *,
    has_ended: bool = False,
    given_up: Checkout | None = None,
) -> tuple[PlanOffer, ...]:
    """Return the offers of all plans for a signed-in user.

    Without a status no service has answered yet, and nothing is remembered: a plan can be chosen all the same, since
    the press asks both services before anything is sold. The cards follow once the answers are here. `has_ended` is the
    user's answer that a subscription on record has ended, or that they were never charged; `given_up` is the checkout
    of its group of which they were told beside that question.
    """
    answer = _Answer(given_up) if has_ended else None
    return tuple(_offer(context, customer_status, plan, answer) for plan in context.catalog.on_sale)


@dataclass(frozen=True, slots=True)
class _Answer:
    """That the plain question was answered, and which checkout is given up with it."""

    given_up: Checkout | None

    def put_into(self, purchase: Purchase, plan: Plan) -> Purchase:
        """Return the press of a plan with the answer in it."""
        answered = purchase.answered()
        if self.given_up is None or self.given_up.group != plan.group:
            return answered
        return answered.instead(self.given_up.id)


def _offer(
    context: PageContext, customer_status: CustomerStatus | None, plan: Plan, answer: _Answer | None
) -> PlanOffer:
    if plan.kind == "contact":
        return plan_offer(context, context.catalog, plan)
    buttons = {interval: _button(context, customer_status, plan, interval, answer) for interval in Interval}
    offer = plan_offer(context, context.catalog, plan, buttons)
    current = customer_status.in_group(plan.group) if customer_status is not None else None
    if current is not None and has_plan(current, plan):
        under = _price_notes(current, plan)
        return replace(offer, badge=_("Current plan"), badge_tone="brand", under=under)
    return offer


def _price_notes(current: Subscription, plan: Plan) -> dict[Interval, str]:
    """Return what stands below the prices of the plan that the user has: the catalog's may not be theirs."""
    notes: dict[Interval, str] = {}
    for interval in Interval:
        price = shown_price(plan, interval)
        if price is None:
            continue
        theirs = current.interval == price.interval and current.amount is not None
        same = (current.amount, current.currency) == (price.amount, price.currency)
        if (theirs and not same) or current.amount is None:
            # Translators: after a price that is another one than the customer pays
            notes[interval] = _("for new subscriptions")
    return notes


def has_plan(current: Subscription, plan: Plan) -> bool:
    """Whether this plan's card is the one that says "Current plan"."""
    if plan.kind == "free":
        return current.state is State.NONE and current.reason is Reason.NO_SUBSCRIPTION
    old = current.until is not None and current.until <= datetime.now(UTC)
    doubtful = current.state is State.ON_RECORD and (
        old or not current.access or current.reason is Reason.ACCOUNT_DIFFERS
    )
    if doubtful or current.state is State.CONFLICT:  # whether it still runs is not known, or the account says no
        return False
    return current.plan_id == plan.id and (current.access or current.live)


def _button(
    context: PageContext, customer_status: CustomerStatus | None, plan: Plan, interval: Interval, answer: _Answer | None
) -> ButtonSpec:
    if plan.kind == "free":
        return _free(context, customer_status.in_group(plan.group), plan) if customer_status is not None else NOTHING
    price = shown_price(plan, interval)
    if price is None:
        return NOTHING
    error = None
    if customer_status is not None:
        error = refusal(customer_status, plan, context.catalog, has_ended=answer is not None)
    if error is None and not context.settings.selling:
        return closed()
    if error is None:
        if context.user is not None and not context.user.email:
            return ButtonSpec("none", note=_(NO_EMAIL))
        claims = due_claims(context, plan, price)
        purchase = plan_purchase(plan, price, claims)
        trial = _("Start free trial") if starts_with_trial(claims) else ""
        return ButtonSpec(
            "checkout",
            trial or _("Subscribe to {plan}").format(plan=context.text(plan.name)),
            due=due_words(context, claims),
            claims=claims,
            busy_label=_("Opening secure checkout…"),
            purchase=answer.put_into(purchase, plan)
            if answer is not None and customer_status is not None
            else purchase,
        )
    if isinstance(error, AlreadySubscribed) and customer_status is not None:
        return _taken(context, customer_status.in_group(plan.group), plan, interval)
    return NOTHING


def _free(context: PageContext, current: Subscription, plan: Plan) -> ButtonSpec:
    """ "Current plan"; beside a plan that can end, when it comes to this one."""
    if has_plan(current, plan):
        return ButtonSpec("current", _("Current plan"))
    words = words_of(context, current)
    name = subscription_name(current, context.catalog, context.locale)
    if name and (words.cards is Cards.SWITCH or words.shown is Shown.PAID_UNTIL):
        free = context.text(plan.name)
        return ButtonSpec("none", note=_("You move to {free} when {plan} ends.").format(free=free, plan=name))
    return NOTHING


def _taken(context: PageContext, current: Subscription, plan: Plan, interval: Interval) -> ButtonSpec:
    """The user has a plan of this group: this one, or one from which the portal changes to this one."""
    words = words_of(context, current)
    if has_plan(current, plan):
        return _current(context, current, plan, interval)
    if words.shown is Shown.PAID_UNTIL and words.date_text:
        return ButtonSpec("none", note=_("Available from {date}.").format(date=words.date_text))
    if words.cards is Cards.SWITCH:
        return _change(context, current, _("Change to {plan}").format(plan=context.text(plan.name)))
    return NOTHING


def _current(context: PageContext, current: Subscription, plan: Plan, interval: Interval) -> ButtonSpec:
    """ "Current plan"; for the other interval, where both are known, the change to it."""
    other = current.interval is not None and current.interval != interval and interval in plan.offered
    if other and current.state in (State.ACTIVE, State.TRIALING) and not current.ends:
        return _change(context, current, _other_interval(context, current, plan, interval))
    return ButtonSpec("current", _("Current plan"))


def _other_interval(context: PageContext, current: Subscription, plan: Plan, interval: Interval) -> str:
    """Return the words on the button that changes the interval, with what a year saves where that is known."""
    if interval is Interval.MONTH:
        return _("Change to monthly billing")
    saved = saved_by_the_year(plan, current.amount, current.currency)
    if saved is None:
        return _("Change to yearly billing")
    amount = money(saved, plan.offered[interval].currency, context.locale, trim=True)
    return _("Change to yearly billing – save {amount}").format(amount=amount)


def _change(context: PageContext, current: Subscription, label: str) -> ButtonSpec:
    """A change in the portal, which of a subscription that ends may take the cancellation back."""
    note, claims = _("In the billing portal; you see the new amount before you confirm."), change_claims(current)
    reader = Reader.at(context.catalog, context.locale, context.timezone)
    return ButtonSpec(
        "portal",
        label,
        note=sentence_gap().join((note, *(sentence(claim, reader) for claim in claims))),
        claims=claims,
        busy_label=_("Opening billing portal…"),
        way=way_there(context, PortalWay(PortalFlow.CHANGE_PLAN, current.subscription_id or "")),
    )


async def offers_for(context: PageContext) -> tuple[PlanOffer, ...]:
    """Return what the public pages' cards offer: to a visitor a way in, to a user what fits what they have."""
    if context.user is None:
        return public_offers(context)
    try:
        customer_status = await find_status(context)
    except NotSignedIn:
        return public_offers(context)
    if customer_status is None:
        return public_offers(context)
    show_in_frame(context, customer_status)  # which was drawn from memory, before a service was asked
    return plan_choices(context, customer_status)
