"""`/`: what this is, what it costs, and the way in. Public."""

from nicegui import app
from starlette.responses import RedirectResponse

from catalog import Interval
from services.container import Container
from ui.components.badge import badge
from ui.components.button import button
from ui.nicegui_ext.html import Tag
from ui.page import structured_data
from ui.page.frame import frame
from ui.pages.pricing import closing, start_button, trust_line
from ui.plans import catalog_words
from ui.plans.live_catalog import live_catalog, live_plans
from ui.plans.offers import catalog_currency
from ui.plans.price import price_words
from ui.serving.document import PageContext, page
from ui.text.i18n import N_, _
from ui.theme.icons import icon


def register(container: Container) -> None:
    """Add the page, or what leads to where the operator's own is."""
    if container.settings.home_page != "page":

        @app.get("/", include_in_schema=False)
        def elsewhere() -> RedirectResponse:
            return RedirectResponse(container.settings.home_address, 302)

        return

    @page(
        container,
        "/",
        title=N_("Plans and prices"),
    )
    async def home(context: PageContext) -> None:
        context.head.title, context.head.description = catalog_words.home_head(context.catalog)
        context.head.json_ld = structured_data.products(context, container.catalog)
        with frame(context):
            await live_catalog(context, lambda: _hero(context))
            with Tag("section", classes="section ways-section", aria_labelledby="ways-title"):
                Tag("h2", _("How it works"), id="ways-title", classes="visually-hidden")
                _ways(context)
            with Tag("section", classes="section", aria_labelledby="plans-title"):
                await live_catalog(context, lambda: _plans_head(context), classes="page-head center")
                await live_plans(context, heading="h3")
                await live_catalog(context, lambda: trust_line(context))
            with Tag("section", classes="section", aria_labelledby="closing-title"):
                await live_catalog(context, lambda: closing(context))


def _plans_head(context: PageContext) -> None:
    Tag("h2", _("Plans and prices"), id="plans-title")
    if words := catalog_words.plans_lead(context.catalog):
        Tag("p", words, classes="lead")


def _hero(context: PageContext) -> None:
    with Tag("div", classes="hero"):
        with Tag("div", classes="hero-words"):
            Tag("h1", catalog_words.home_title(context.catalog))
            Tag("p", catalog_words.lead(context.catalog), classes="lead")
            with Tag("div", classes="actions"):
                if context.user is None:
                    start_button(context)
                else:
                    button(_("Go to billing"), href="/payment", large=True)
                several = len(context.catalog.on_sale) > 1
                label = _("Compare plans") if several else _("Plans and prices")
                button(label, "secondary", href="/pricing", large=True)
        _picture(context)


def _picture(context: PageContext) -> None:
    """Draw a look at the billing page: a subscription card and the four steps of a payment. For show only."""
    plans = context.catalog.on_sale or context.catalog.plans
    plan = next((plan for plan in plans if plan.highlighted), plans[0])
    words = price_words(plan, Interval.MONTH, context.locale, catalog_currency(context.catalog))
    with Tag("div", classes="picture", aria_hidden="true"):
        with Tag("div", classes="picture-card card"):
            with Tag("div", classes="picture-head"):
                Tag("span", context.text(plan.name), classes="picture-title")
                # Translators: badge of a subscription that is in force
                badge(_("Active"), "success", icon_name="check-circle")
            if plan.offered:
                with Tag("p", classes="price"):
                    Tag("span", words.amount, classes="amount")
                    Tag("span", f" {words.per}", classes="per muted")
            Tag("p", _("Everything about it in one place."), classes="muted small")
            with Tag("div", classes="picture-buttons"):
                Tag("span", _("Manage subscription"), classes="picture-button picture-button-filled")
                Tag("span", _("Change plan"), classes="picture-button")
        with Tag("div", classes="picture-steps card"):
            steps = (_("Payment submitted"), _("Payment confirmed"), _("Plan added to your account"), _("Ready to use"))
            for step in steps:
                with Tag("div", classes="picture-step"):
                    icon("check-circle")
                    Tag("span", step)


def _ways(context: PageContext) -> None:
    steps = (
        ("user-circle", _("Sign in"), _("With an account you already have.")),
        ("credit-card", _("Pay at Stripe"), _("Pick a plan and pay on Stripe's page. Your card never reaches us.")),
        # Translators: headline of the last of three steps: manage what one has
        ("shield-check", _("Stay in control"), catalog_words.portal_words(context.catalog)),
    )
    with Tag("ol", classes="ways"):
        for drawing, title, sentence in steps:
            with Tag("li", classes="way"):
                with Tag("span", classes="way-icon"):
                    icon(drawing)
                Tag("h3", title)
                Tag("p", sentence, classes="muted")
