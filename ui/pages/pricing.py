"""`/pricing`: what each plan costs, which one is for whom, and what the button does. Public."""

from catalog import Interval
from services.container import Container
from ui.components.button import button
from ui.nicegui_ext.html import Tag
from ui.page import structured_data
from ui.page.frame import frame
from ui.plans.comparison import comparison_table
from ui.plans.live_catalog import live_plans
from ui.plans.questions import questions
from ui.serving.document import PageContext, page
from ui.text.i18n import N_, _
from ui.theme.icons import icon


def register(container: Container) -> None:
    """Add the page."""

    @page(
        container,
        "/pricing",
        title=N_("Pricing"),
        description=N_("Compare plans and prices. Start free, pay by month or year, cancel any time."),
    )
    async def pricing(context: PageContext) -> None:
        catalog = container.catalog
        context.head.json_ld = structured_data.products(context, catalog)
        if catalog.questions:
            context.head.json_ld += (structured_data.answers(context, catalog),)
        with frame(context):
            with Tag("div", classes="page-head center"):
                Tag("h1", _("Choose the plan that fits"))
                Tag("p", _("Start free, move up when you need more, and cancel any time."), classes="lead")
            await live_plans(context, chosen_interval(context))
            trust_line()
            if catalog.comparison.groups:
                with Tag("section", classes="section", aria_labelledby="comparison-title"):
                    Tag("h2", _("Compare plans"), id="comparison-title", classes="section-title")
                    comparison_table(context, catalog)
            if catalog.questions:
                with Tag("section", classes="section", aria_labelledby="questions-title"):
                    questions(context, catalog.questions)
            with Tag("section", classes="section", aria_labelledby="closing-title"):
                closing(context)


def chosen_interval(context: PageContext) -> Interval:
    """Return the interval of the address (`?interval=year`), monthly by default."""
    return Interval.YEAR if context.query.get("interval") == Interval.YEAR else Interval.MONTH


def trust_line() -> None:
    """Say who handles the money."""
    with Tag("p", classes="trust"):
        icon("lock-closed")
        Tag("span", _("Billing is handled by Stripe. We never see your card."))


def closing(context: PageContext) -> None:
    """Draw the last call to action."""
    with Tag("div", classes="closing"):
        if context.user is None:
            Tag("h2", _("Start with the free plan"), id="closing-title")
            Tag("p", _("It takes a minute and no card. Change to another plan whenever you like."), classes="lead")
            with Tag("div", classes="actions"):
                button(_("Start free"), href="/login?next=/payment", large=True)
        else:
            Tag("h2", _("Your plan, your invoices, your card"), id="closing-title")
            Tag("p", _("See what you have, change it or cancel it on the billing page."), classes="lead")
            with Tag("div", classes="actions"):
                button(_("Go to billing"), href="/payment", large=True)
