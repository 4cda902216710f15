"""`/pricing`: what each plan costs, which one is for whom, and what the button does. Public."""

from services.container import Container
from ui.components.button import button
from ui.nicegui_ext.html import Tag
from ui.page import structured_data
from ui.page.frame import frame
from ui.plans import catalog_words
from ui.plans.comparison import compared, comparison_table
from ui.plans.live_catalog import LivePlans, live_catalog, live_plans
from ui.plans.price import tax_words
from ui.plans.questions import questions
from ui.serving.document import PageContext, page
from ui.text.i18n import N_, _, sentence_gap
from ui.theme.icons import icon


def register(container: Container) -> None:
    """Add the page."""

    @page(
        container,
        "/pricing",
        title=N_("Pricing"),
    )
    async def pricing(context: PageContext) -> None:
        catalog = container.catalog
        context.head.description = catalog_words.description(catalog)
        context.head.text_version = "/pricing.md"
        context.head.json_ld = structured_data.products(context, catalog)
        if catalog.questions:
            context.head.json_ld += (structured_data.answers(context, catalog),)
        with frame(context):
            await live_catalog(context, lambda: _head(context), classes="page-head center")
            plans = await live_plans(context)
            await live_catalog(context, lambda: _below(context, plans))


def _head(context: PageContext) -> None:
    Tag("h1", catalog_words.pricing_title(context.catalog))
    Tag("p", catalog_words.lead(context.catalog), classes="lead")


def _below(context: PageContext, plans: LivePlans) -> None:
    """Draw all that stands below the cards: it speaks of what is sold, and changes with it."""
    catalog = context.catalog
    trust_line(context)
    if (catalog.comparison.groups or catalog.features) and len(compared(catalog)) > 1:
        with Tag("section", classes="section", aria_labelledby="comparison-title"):
            Tag("h2", _("Compare plans"), id="comparison-title", classes="section-title")
            comparison_table(context, catalog, plans)
    if catalog.questions:
        with Tag("section", classes="section", aria_labelledby="questions-title"):
            questions(context, catalog.questions)
    with Tag("section", classes="section", aria_labelledby="closing-title"):
        closing(context)


def trust_line(context: PageContext, *, alone: bool = False) -> None:
    """Say what the prices leave open, who handles the money, and what else the operator promises.

    `alone` is without a lead above the prices that says how to cancel.
    """
    cancel = _("Cancel any time.") if alone and context.catalog.promises.cancel_any_time else ""
    Tag("p", sentence_gap().join(filter(None, (cancel, tax_words(context.catalog)))), classes="trust")
    with Tag("p", classes="trust trust-stripe"):
        icon("lock-closed")
        Tag("span", _("Billing is handled by Stripe. We never see your card."))
    for promise in context.catalog.promises.others:
        with Tag("p", classes="trust"):
            icon("check")
            Tag("span", context.text(promise))


def start_button(context: PageContext) -> None:
    """Draw a visitor's way in."""
    label = _("Start free") if context.catalog.free_plan is not None else _("Sign in and choose")
    button(label, href="/login?next=/payment", large=True)


def closing(context: PageContext) -> None:
    """Draw the last call to action."""
    with Tag("div", classes="closing"):
        if context.user is None:
            head, sentence = catalog_words.closing_words(context.catalog)
            Tag("h2", head, id="closing-title")
            Tag("p", sentence, classes="lead")
            with Tag("div", classes="actions"):
                start_button(context)
        else:
            Tag("h2", _("Your plan, your invoices, your card"), id="closing-title")
            Tag("p", catalog_words.portal_words(context.catalog), classes="lead")
            with Tag("div", classes="actions"):
                button(_("Go to billing"), href="/payment", large=True)
