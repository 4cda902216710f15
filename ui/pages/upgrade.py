"""`/upgrade`: for whom a page did not open: which plan opens it, what it costs, and the way there."""

from catalog import Plan
from services.session import safe_next
from ui.components.button import button
from ui.components.card_page import card_page
from ui.components.checkout_button import attempt_for, checkout_button
from ui.components.portal_button import portal_button
from ui.components.problem import ProblemPlace
from ui.document import Visit, page
from ui.frame import frame
from ui.html import Tag
from ui.i18n import N_, _
from ui.icons import icon
from ui.knowledge import find_standing
from ui.plan_choices import plan_choices
from ui.site import Site


def register(site: Site) -> None:
    """Add the page."""

    @page(site, "/upgrade", title=N_("This needs another plan"), robots="noindex", requires_sign_in=True)
    async def upgrade(visit: Visit) -> None:
        await find_standing(visit)
        plan = wanted_plan(visit)
        with frame(visit, narrow=True):
            draw_upgrade(visit, plan) if plan is not None else draw_unknown()


def wanted_plan(visit: Visit) -> Plan | None:
    """Return the plan in the address, if it is one that can be bought."""
    return next((plan for plan in visit.site.catalog.plans if plan.id == visit.query.get("plan") and plan.prices), None)


def draw_upgrade(visit: Visit, plan: Plan) -> None:
    """Draw what the plan is and the one button that is right for this user."""
    name = visit.text(plan.name)
    with card_page("info", "sparkles", _("This page needs {plan}").format(plan=name), testid="upgrade"):
        Tag("p", visit.text(plan.tagline), classes="center muted")
        with Tag("ul", classes="features"):
            for feature in plan.features:
                with Tag("li"):
                    icon("check")
                    Tag("span", visit.text(feature.text))
        draw_way(visit, plan)


def draw_way(visit: Visit, plan: Plan) -> None:
    """Draw the button by what the user has: checkout, change in the portal, or a look at their billing."""
    price = next(iter(plan.prices.values()))
    offer = next(offer for offer in plan_choices(visit, visit.extras.get("standing")) if offer.plan.id == plan.id)
    spec = next(iter(offer.buttons.values()))
    problems = ProblemPlace(visit)
    with Tag("div", classes="actions card-actions"):
        if spec.kind == "form" and spec.url == "/payment/checkout":
            checkout_button(visit, attempt_for(visit, price), spec.label, problems, testid=f"subscribe-{plan.id}")
        elif spec.kind == "form":
            portal_button(visit, spec.label, look="primary", problems=problems, testid=f"subscribe-{plan.id}")
        elif spec.kind == "current":
            button(_("Try the page again"), href=safe_next(visit.query.get("next")))
        else:
            button(_("See your billing"), href="/payment")
        if spec.note:
            Tag("p", spec.note, classes="muted small center")
        button(_("Compare plans"), "quiet", href="/pricing")


def draw_unknown() -> None:
    """The address names no plan that can be bought."""
    with card_page("neutral", "information-circle", _("This needs another plan")):
        Tag("p", _("See what each plan includes."), classes="center")
        with Tag("div", classes="actions card-actions"):
            button(_("Compare plans"), href="/pricing")
