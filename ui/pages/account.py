"""`/account`: who the user is here, what they have, what they bought here, their preferences."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind
from services.claims import purchase_claims
from services.container import Container
from services.errors import FrontendError
from services.sessions.service import Session
from services.subscription.customer_status import CustomerStatus
from ui.billing.checkout_button import draw_ways
from ui.billing.live import Part, live
from ui.billing.overview import Overview
from ui.billing.portal_news import portal_news, portal_words
from ui.billing.portal_row import portal_row
from ui.billing.problem import ProblemPlace, problem_code, problem_named
from ui.billing.purchase_words import purchase_words
from ui.components.badge import badge
from ui.components.button import button
from ui.nicegui_ext.html import Tag
from ui.page.current_user import find_status, signed_in
from ui.page.frame import frame, has_choices, language_choice, theme_choice
from ui.serving.document import PageContext, page
from ui.text.claim_words import claims_attribute
from ui.text.formats import exact, full_date
from ui.text.i18n import N_, _
from ui.theme.tones import Tone

MOST_PURCHASES: Final = 20


def register(container: Container) -> None:
    """Add the page."""

    @page(
        container,
        "/account",
        title=N_("Account"),
        description=N_("Your plan, your invoices, your card"),
        requires_sign_in=True,
    )
    async def account(context: PageContext) -> None:
        session = signed_in(context)
        from_portal = context.query.get("from") == "portal"
        stay = await container.portal.record_return(session) if from_portal else None
        customer_status = await find_status(context, fresh=from_portal)
        purchases = await purchases_of(context, session)
        with frame(context):
            with Tag("div", classes="page-head"):
                Tag("h1", _("Account"))
            with Tag("div", classes="billing"):
                news = Part(portal_news)
                problems = ProblemPlace(context)
                problem = problem_named(problem_code(context))
                if problem is not None:
                    problems.show(problem)
                overview = Overview(context, live(context), problems)
                portal_row(context)
                bought: Part[Sequence[Checkout]] = Part(lambda found: draw_purchases(context, found))
                with Tag("div", classes="two-columns"):
                    draw_profile(context, session)
                    draw_preferences(context)

        def show(new: CustomerStatus | None) -> None:
            overview.show(new)
            news.show(portal_words(context, stay, new))

        async def changed(new: CustomerStatus) -> None:
            show(new)
            bought.show(await purchases_of(context, session))

        show(customer_status)
        bought.show(purchases)
        live(context).on_change(changed)


async def purchases_of(context: PageContext, session: Session) -> tuple[Checkout, ...]:
    """Return the user's checkouts, newest first, that say something: not those that were left or replaced."""
    try:
        found = await context.container.checkouts.of(context.container.status.refresher.customer_of(session))
    except FrontendError:
        return ()
    now = datetime.now(UTC)
    return tuple(checkout for checkout in found if purchase_state(checkout, now) is not None)[:MOST_PURCHASES]


def purchase_state(checkout: Checkout, now: datetime) -> "tuple[Tone, str] | None":
    """Return what is known of a checkout in a word, with its colour; None for one that came to nothing.

    That the account has the plan confirms a checkout that the user came back from: it may have the plan from elsewhere.
    """
    came = {CheckoutEvent.RETURNED, CheckoutEvent.BILLING_HAS_IT} & checkout.events.keys()
    if checkout.confirmed and came:
        return "success", N_("Confirmed")
    if checkout.open(now):
        return "info", N_("Not paid yet")
    if checkout.at(CheckoutEvent.RETURNED) is None:
        return None
    if checkout.kind is not CheckoutKind.SUBSCRIPTION:
        return "neutral", N_("Order placed")
    return ("info", N_("Confirming")) if checkout.confirming(now) else ("warning", N_("Not confirmed"))


def draw_profile(context: PageContext, session: Session) -> None:
    """Draw who is signed in, and the way out."""
    user = session.user
    with Tag("section", classes="card", aria_labelledby="profile-title"):
        Tag("h2", _("Profile"), id="profile-title", classes="card-heading")
        with Tag("dl", classes="profile"):
            for name, value in ((_("Name"), user.name), (_("E-mail"), user.email)):
                if value:
                    Tag("dt", name, classes="muted small")
                    Tag("dd", value)
        with Tag("form", method="post", action="/auth/sign-out"):
            button(_("Sign out"), "secondary", submit=True, testid="sign-out-here")


def draw_preferences(context: PageContext) -> None:
    """Draw language and theme, where there is something to choose."""
    if not has_choices(context.settings):
        return
    with Tag("section", classes="card", aria_labelledby="preferences-title"):
        Tag("h2", _("Language and theme"), id="preferences-title", classes="card-heading")
        with Tag("div", classes="preferences"):
            language_choice(context)
            theme_choice(context)
        Tag("p", _("Remembered in this browser."), classes="muted small")


def draw_purchases(context: PageContext, purchases: Sequence[Checkout]) -> None:
    """Draw what was bought here, each with what is known of it."""
    now = datetime.now(UTC)
    with Tag("section", classes="card", aria_labelledby="purchases-title"):
        Tag("h2", _("Purchases"), id="purchases-title", classes="card-heading")
        if not purchases:
            Tag("p", _("Nothing bought here yet."), classes="muted")
            return
        with Tag("ul", classes="purchases"):
            for checkout in purchases:
                claims = claims_attribute(purchase_claims(checkout, now))
                with Tag("li", classes="purchase", testid="purchase", data_claims=claims):
                    _draw_purchase(context, checkout, now)
        Tag("p", _("Invoices and older purchases are in the billing portal."), classes="muted small")


def _draw_purchase(context: PageContext, checkout: Checkout, now: datetime) -> None:
    name, amount = purchase_words(context, checkout)
    with Tag("div", classes="purchase-words"):
        Tag("p", name, classes="purchase-name")
        day = full_date(checkout.started_at, context.locale, context.timezone)
        with Tag("p", classes="muted small"):
            Tag("span", f"{amount} · ")
            instant = exact(checkout.started_at, context.locale, context.timezone)
            Tag("time", day, datetime=checkout.started_at.isoformat(), title=instant)
    state = purchase_state(checkout, now)
    if state is not None:
        badge(_(state[1]), state[0])
    if checkout.open(now):
        with Tag("div", classes="purchase-ways"):
            problems = ProblemPlace(context)
            draw_ways(context, checkout, checkout.purchase, problems)
    elif checkout.confirming(now):
        button(_("View status"), "quiet", href=f"/payment/success?session_id={checkout.session_id}")
