"""What each plan card offers to somebody with this standing, so that no button ends in "you already have one".

The guard that sells (`services/checkout_guards.py`) is asked first; the cards only put its answer into words.
"""

from dataclasses import replace

from catalog import Interval, Plan
from services.checkout_guards import guard_subscription
from services.errors import AlreadySubscribed, FrontendError, NotSignedIn
from services.standing import Standing
from services.subscription import State, Subscription
from ui.components.checkout_button import attempt_for, price_of
from ui.components.plan_card import ButtonSpec, PlanOffer
from ui.components.portal_button import ACTION as PORTAL
from ui.components.portal_button import return_path
from ui.components.price import due_words
from ui.formats import short_date
from ui.i18n import _
from ui.knowledge import find_standing
from ui.offers import plan_offer, public_offers
from ui.state_words import describe, plan_name
from ui.states import Cards, Shown
from ui.visit import Visit

NOTHING = ButtonSpec("none")


def plan_choices(visit: Visit, standing: Standing | None, *, has_ended: bool = False) -> tuple[PlanOffer, ...]:
    """Return the offers of all plans for somebody signed in; without a standing no button starts anything.

    `has_ended` is the user's answer that a subscription on record has ended, or that they were never charged.
    """
    return tuple(_offer(visit, standing, plan, has_ended) for plan in visit.site.catalog.plans)


def group_products(visit: Visit, plan: Plan) -> tuple[str, ...]:
    """Return the products of which somebody can have one at a time, `plan`'s among them."""
    return tuple(other.product_id for other in visit.site.catalog.group(plan) if other.product_id)


def refused(visit: Visit, standing: Standing, plan: Plan, *, has_ended: bool = False) -> FrontendError | None:
    """Return why a plan can't be sold to somebody now, or None."""
    try:
        guard_subscription(standing, plan, group_products(visit, plan), has_ended=has_ended)
    except FrontendError as error:
        return error
    return None


def _offer(visit: Visit, standing: Standing | None, plan: Plan, has_ended: bool) -> PlanOffer:
    offer = plan_offer(visit, visit.site.catalog, plan)
    if plan.kind == "contact":
        return offer
    buttons = {interval: _button(visit, standing, plan, interval, has_ended) for interval in Interval}
    if standing is not None and has_plan(standing.current, plan):
        return replace(offer, buttons=buttons, badge=_("Current plan"), badge_tone="brand")
    return replace(offer, buttons=buttons)


def has_plan(current: Subscription, plan: Plan) -> bool:
    """Whether this plan's card is the one that says "Current plan"."""
    if plan.kind == "free":
        return current.plan_id is None and current.state is State.NONE
    return current.plan_id == plan.id and (current.access or current.live) and current.state is not State.CONFLICT


def _button(visit: Visit, standing: Standing | None, plan: Plan, interval: Interval, has_ended: bool) -> ButtonSpec:
    if standing is None:
        return ButtonSpec("waiting", note=_("Checking what you have…")) if plan.kind == "paid" else NOTHING
    if plan.kind == "free":
        return _free(visit, standing.current, plan)
    price = price_of(plan, interval)
    if price is None:
        return NOTHING
    error = refused(visit, standing, plan, has_ended=has_ended)
    if error is None:
        attempt = attempt_for(visit, price, has_ended=has_ended)
        trial = _("Start free trial") if price.trial_days else ""
        return ButtonSpec(
            "form",
            trial or _("Subscribe to {plan}").format(plan=visit.text(plan.name)),
            note=due_words(price, visit.locale),
            busy_label=_("Opening secure checkout…"),
            url="/payment/checkout",
            fields=attempt.fields,
        )
    if isinstance(error, AlreadySubscribed):
        return _taken(visit, standing.current, plan, interval)
    return NOTHING


def _free(visit: Visit, current: Subscription, plan: Plan) -> ButtonSpec:
    """ "Current plan"; beside a plan that can end, when it comes to this one."""
    if has_plan(current, plan):
        return ButtonSpec("current", _("Current plan"))
    words = describe(current, visit.site.catalog, visit.locale, visit.timezone)
    name = plan_name(current.plan_id, visit.site.catalog, visit.locale)
    if name and (words.cards is Cards.SWITCH or words.shown is Shown.PAID_UNTIL):
        free = visit.text(plan.name)
        return ButtonSpec("none", note=_("You move to {free} when {plan} ends.").format(free=free, plan=name))
    return NOTHING


def _taken(visit: Visit, current: Subscription, plan: Plan, interval: Interval) -> ButtonSpec:
    """The user has a plan of this group: this one, or one from which the portal changes to this one."""
    words = describe(current, visit.site.catalog, visit.locale, visit.timezone)
    if has_plan(current, plan):
        return _current(visit, current, plan, interval)
    if words.shown is Shown.PAID_UNTIL and current.until is not None:
        day = short_date(current.until, visit.locale, visit.timezone)
        return ButtonSpec("none", note=_("Available from {date}, when your paid time is over.").format(date=day))
    if words.cards is Cards.SWITCH:
        return _change(visit, _("Change to {plan}").format(plan=visit.text(plan.name)))
    return NOTHING


def _current(visit: Visit, current: Subscription, plan: Plan, interval: Interval) -> ButtonSpec:
    """ "Current plan"; for the other interval, where both are known, the change to it."""
    other = current.interval is not None and current.interval != interval and interval in plan.prices
    if other and current.state in (State.ACTIVE, State.TRIALING) and not current.ends:
        yearly = interval is Interval.YEAR
        return _change(visit, _("Change to yearly billing") if yearly else _("Change to monthly billing"))
    return ButtonSpec("current", _("Current plan"))


def _change(visit: Visit, label: str) -> ButtonSpec:
    return ButtonSpec(
        "form",
        label,
        note=_("In the billing portal; you see the new amount before you confirm."),
        busy_label=_("Opening billing portal…"),
        url=PORTAL,
        fields={"return_to": return_path(visit)},
    )


async def offers_for(visit: Visit) -> tuple[PlanOffer, ...]:
    """Return what the public pages' cards offer to somebody signed in (`site.offers_for`)."""
    try:
        standing = await find_standing(visit)
    except NotSignedIn:
        return public_offers(visit)
    return plan_choices(visit, standing) if standing is not None else public_offers(visit)
