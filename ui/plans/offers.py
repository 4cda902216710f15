"""What each plan offers to a visitor, of whom nothing is known: the public pages' buttons.

What a signed-in user is offered depends on what they have: `ui/plans/choices.py`.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from catalog import Catalog, Interval, Plan
from ui.page.catalog_reader import CatalogReader
from ui.page.context import PageContext
from ui.plans import catalog_words
from ui.plans.card import ButtonSpec, PlanOffer
from ui.plans.feature_words import card_lines
from ui.plans.price import due_claims, due_words, plan_purchase, shown_price, starts_with_trial
from ui.text.i18n import _

START: Final = "/start"
"""Where whoever is signed in goes on into the product (`ui/pages/start.py`)."""


def public_offers(context: PageContext) -> tuple[PlanOffer, ...]:
    """Return every plan with a button that leads through sign-in to its checkout."""
    catalog = context.catalog
    return tuple(plan_offer(context, catalog, plan) for plan in catalog.on_sale)


def plan_offer(
    context: PageContext, catalog: Catalog, plan: Plan, buttons: Mapping[Interval, ButtonSpec] | None = None
) -> PlanOffer:
    """Return the offer of one plan; `buttons` replaces the public ones."""
    shown, included = unfolded(context, catalog, plan)
    return PlanOffer(
        plan=shown,
        buttons=buttons or {interval: _button(context, catalog, plan, interval) for interval in Interval},
        currency=catalog_currency(catalog),
        badge=catalog_words.most_popular(catalog) if plan.highlighted and len(_beside(catalog, plan)) > 1 else "",
        includes_name=context.text(included.name) if included is not None else "",
    )


def _beside(catalog: Catalog, plan: Plan) -> tuple[Plan, ...]:
    """Return the plans on sale of the plan's group, itself among them."""
    return tuple(other for other in catalog.group(plan) if other.on_sale)


def unfolded(context: CatalogReader, catalog: Catalog, plan: Plan) -> tuple[Plan, Plan | None]:
    """Return the plan with the lines of its card, and the plan on sale of which it has everything.

    What it has of a plan that is sold no more stands on its own card: no visitor could look that up.
    """
    features, included, said = card_lines(context, catalog, plan), plan.includes, set(plan.grants)
    while included is not None and not catalog.plan(included).on_sale:
        former = catalog.plan(included)
        lines = card_lines(context, catalog, former, but=said)
        features, included, said = (*lines, *features), former.includes, said | former.grants.keys()
    return plan.model_copy(update={"features": features}), catalog.plan(included) if included is not None else None


def catalog_currency(catalog: Catalog) -> str:
    """Return the currency of the first price, in which the free plan says that it costs nothing."""
    return next((offer.price.currency for offer in catalog.offers()), "usd")


def _button(context: PageContext, catalog: Catalog, plan: Plan, interval: Interval) -> ButtonSpec:
    name = context.text(plan.name)
    price = shown_price(plan, interval)
    if plan.kind == "contact":
        return ButtonSpec("link", _("Talk to us"), url=plan.contact_url or context.settings.support_url or "/")
    if price is None:
        if context.user is not None:
            label, url = (_("Start free"), START) if context.settings.app_url else (_("Go to billing"), "/payment")
            return ButtonSpec("link", label, url=url, due=_("Included with every account."))
        return ButtonSpec(
            "link",
            _("Start free"),
            url=f"/login?next={START if context.settings.app_url else '/payment'}",
            due=free_words(catalog),
        )
    if not context.settings.selling:
        return closed()
    if context.user is not None:
        query = urlencode({"plan": plan.id, "interval": interval})
        label, claims = _("Choose {plan}").format(plan=name), due_claims(context, plan, price)
        return ButtonSpec("link", label, url=f"/payment?{query}", due=due_words(context, claims), claims=claims)
    return checkout_button(context, catalog, plan, interval)


def checkout_button(
    context: PageContext, catalog: Catalog, plan: Plan, interval: Interval, label: str = ""
) -> ButtonSpec:
    """Return the button that starts a plan's checkout: its price and the catalog's version are checked there."""
    price = shown_price(plan, interval)
    if price is None:
        raise ValueError(f"{plan.id} has no price")
    if not context.settings.selling:
        return closed()
    claims = due_claims(context, plan, price)
    trial = _("Start free trial") if starts_with_trial(claims) else ""
    return ButtonSpec(
        "checkout",
        label or trial or _("Subscribe to {plan}").format(plan=context.text(plan.name)),
        due=due_words(context, claims),
        claims=claims,
        busy_label=_("Opening secure checkout…"),
        purchase=plan_purchase(plan, price, claims),
    )


def closed() -> ButtonSpec:
    """Return what stands in place of a button while nothing is sold at all."""
    # Translators: in place of a button that buys, while the operator sells nothing
    return ButtonSpec("closed", _("Not for sale right now"))


def free_words(catalog: Catalog) -> str:
    """Return the one line under the price of the free plan."""
    always, no_card = _("Always free"), _("No card needed.")
    return f"{always}. {no_card}" if catalog.promises.free_without_card else always
