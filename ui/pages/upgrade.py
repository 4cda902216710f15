"""`/upgrade`: for whom a page did not open: which plan opens it, what it costs, and the way there."""

from catalog import Plan
from catalog_features import unlocking
from services.container import Container
from services.web.safe_paths import safe_next
from ui.billing.checkout_button import checkout_button
from ui.billing.portal_button import portal_button
from ui.billing.problem import ProblemPlace
from ui.components.button import button
from ui.components.card_page import card_page
from ui.nicegui_ext.html import Tag
from ui.page.current_user import find_status
from ui.page.frame import frame
from ui.plans.choices import plan_choices
from ui.plans.feature_words import card_lines
from ui.plans.live_catalog import live_catalog
from ui.serving.document import PageContext, page
from ui.text.i18n import N_, _
from ui.theme.icons import icon


def register(container: Container) -> None:
    """Add the page."""

    @page(container, "/upgrade", title=N_("This needs another plan"), robots="noindex", requires_sign_in=True)
    async def upgrade(context: PageContext) -> None:
        await find_status(context)

        def draw() -> None:
            plan = wanted_plan(context)
            draw_upgrade(context, plan) if plan is not None else draw_unknown()

        with frame(context, narrow=True):
            await live_catalog(context, draw)


def wanted_plan(context: PageContext) -> Plan | None:
    """Return the plan in the address, if it is one that can be bought, or the first that unlocks the feature there."""
    if feature := context.query.get("feature"):
        return unlocking(context.catalog, feature)
    return next(
        (plan for plan in context.catalog.on_sale if plan.id == context.query.get("plan") and plan.offered), None
    )


def draw_upgrade(context: PageContext, plan: Plan) -> None:
    """Draw what the plan is and the one button that is right for this user."""
    name = context.text(plan.name)
    with card_page("info", "sparkles", _("This page needs {plan}").format(plan=name), testid="upgrade"):
        Tag("p", context.text(plan.tagline), classes="center muted")
        with Tag("ul", classes="features"):
            for feature in card_lines(context, context.catalog, plan):
                with Tag("li"):
                    icon("check")
                    Tag("span", context.text(feature.text))
        draw_way(context, plan)


def draw_way(context: PageContext, plan: Plan) -> None:
    """Draw the button by what the user has: checkout, change in the portal, or a look at their billing."""
    offer = next(offer for offer in plan_choices(context, context.customer_status) if offer.plan.id == plan.id)
    spec = next(iter(offer.buttons.values()))
    problems = ProblemPlace(context)
    with Tag("div", classes="actions card-actions"):
        if spec.purchase is not None:
            checkout_button(context, spec.purchase, spec.label, problems, testid=f"subscribe-{plan.id}")
        elif spec.kind == "portal":
            portal_button(
                context, spec.label, look="primary", problems=problems, testid=f"subscribe-{plan.id}", way=spec.way
            )
        elif spec.kind == "current":
            button(_("Open the page again"), href=safe_next(context.query.get("next")))
        else:
            button(_("Go to billing"), href="/payment")
        for words in (spec.due, spec.note):
            if words:
                Tag("p", words, classes="muted small center")
        button(_("Compare plans"), "quiet", href="/pricing")


def draw_unknown() -> None:
    """The address names no plan that can be bought."""
    with card_page("neutral", "information-circle", _("This needs another plan")):
        Tag("p", _("See what each plan includes."), classes="center")
        with Tag("div", classes="actions card-actions"):
            button(_("Compare plans"), href="/pricing")
