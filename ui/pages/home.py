"""`/`: what this is, what it costs, and the way in. Public."""

from services.container import Container
from ui.components.badge import badge
from ui.components.button import button
from ui.nicegui_ext.html import Tag
from ui.page import structured_data
from ui.page.frame import frame
from ui.pages.pricing import chosen_interval, closing, trust_line
from ui.plans.live_catalog import live_plans
from ui.serving.document import PageContext, page
from ui.text.i18n import N_, _
from ui.theme.icons import icon


def register(container: Container) -> None:
    """Add the page."""

    @page(
        container,
        "/",
        title=N_("Plans that grow with your work"),
        description=N_("Start free. Move up when you need more room, and change or cancel whenever you like."),
    )
    async def home(context: PageContext) -> None:
        context.head.json_ld = structured_data.products(context, container.catalog)
        with frame(context):
            _hero(context)
            with Tag("section", classes="section ways-section", aria_labelledby="ways-title"):
                Tag("h2", _("How it works"), id="ways-title", classes="visually-hidden")
                _ways()
            with Tag("section", classes="section", aria_labelledby="plans-title"):
                with Tag("div", classes="page-head center"):
                    Tag("h2", _("Plans and prices"), id="plans-title")
                    Tag("p", _("Every plan has everything of the one before it."), classes="lead")
                await live_plans(context, chosen_interval(context), heading="h3")
                trust_line()
            with Tag("section", classes="section", aria_labelledby="closing-title"):
                closing(context)


def _hero(context: PageContext) -> None:
    with Tag("div", classes="hero"):
        with Tag("div", classes="hero-words"):
            Tag("h1", _("Plans that grow with your work"))
            Tag(
                "p",
                _("Start free. Move up when you need more room, and change or cancel whenever you like."),
                classes="lead",
            )
            with Tag("div", classes="actions"):
                if context.user is None:
                    button(_("Start free"), href="/login?next=/payment", large=True)
                else:
                    button(_("Go to billing"), href="/payment", large=True)
                button(_("Compare plans"), "secondary", href="/pricing", large=True)
        _picture(context)


def _picture(context: PageContext) -> None:
    """Draw a look at the billing page: a subscription card and the four steps of a payment. For show only."""
    plan = next((plan for plan in context.catalog.plans if plan.highlighted), context.catalog.plans[0])
    price = next(iter(plan.prices.values()), None)
    with Tag("div", classes="picture", aria_hidden="true"):
        with Tag("div", classes="picture-card card"):
            with Tag("div", classes="picture-head"):
                Tag("span", context.text(plan.name), classes="picture-title")
                badge(_("Active"), "success", icon_name="check-circle")
            if price is not None:
                with Tag("p", classes="price"):
                    Tag("span", price.format(context.locale, trim=True), classes="amount")
                    Tag("span", " " + _("per month"), classes="per muted")
            Tag("p", _("Renews every month until you cancel."), classes="muted small")
            with Tag("div", classes="picture-buttons"):
                Tag("span", _("Manage"), classes="picture-button picture-button-filled")
                Tag("span", _("Change plan"), classes="picture-button")
        with Tag("div", classes="picture-steps card"):
            steps = (_("Paid at Stripe"), _("Payment confirmed"), _("Your account has it"), _("Features on"))
            for step in steps:
                with Tag("div", classes="picture-step"):
                    icon("check-circle")
                    Tag("span", step)


def _ways() -> None:
    steps = (
        ("user-circle", _("Sign in"), _("With an account you already have. Nothing to pay, nothing to install.")),
        ("credit-card", _("Pay at Stripe"), _("Pick a plan and pay on Stripe's page. Your card never reaches us.")),
        ("shield-check", _("Stay in charge"), _("Change plan, card or address, or cancel, on your billing page.")),
    )
    with Tag("ol", classes="ways"):
        for drawing, title, sentence in steps:
            with Tag("li", classes="way"):
                with Tag("span", classes="way-icon"):
                    icon(drawing)
                Tag("h3", title)
                Tag("p", sentence, classes="muted")
