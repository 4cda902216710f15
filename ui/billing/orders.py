"""What a user has bought here: each order by the names of what is in it, with what is known of it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind
from services.claims import purchase_claims
from services.errors import FrontendError
from ui.billing.checkout_button import draw_ways
from ui.billing.problem import ProblemPlace
from ui.billing.purchase_words import amount_of, line_names
from ui.components.badge import badge
from ui.components.button import button
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.page.current_user import signed_in
from ui.text.claim_words import claims_attribute
from ui.text.formats import exact, full_date
from ui.text.i18n import N_, _
from ui.theme.tones import Tone

MOST_ORDERS: Final = 20


async def orders_of(context: PageContext) -> tuple[Checkout, ...]:
    """Return the user's checkouts, newest first, that say something: not those that were left or replaced."""
    customer = context.container.status.refresher.customer_of(signed_in(context))
    try:
        found = await context.container.checkouts.of(customer)
    except FrontendError:
        return ()
    now = datetime.now(UTC)
    return tuple(checkout for checkout in found if order_state(checkout, now) is not None)[:MOST_ORDERS]


def order_state(checkout: Checkout, now: datetime) -> tuple[Tone, str] | None:
    """Return what is known of a checkout in a word, with its colour; None for one that came to nothing."""
    if checkout.went_through or checkout.paid_order:
        # Translators: badge of an order: paid for
        return "success", N_("Confirmed")
    if checkout.open(now):
        # whether it was paid in a browser that never came back nobody has said: not even that it was not
        return "info", N_("Not confirmed")
    if checkout.at(CheckoutEvent.RETURNED) is None:
        return None
    if checkout.kind is not CheckoutKind.SUBSCRIPTION:
        # Translators: badge of an order of items, paid for at Stripe; not an order of sorting
        return "neutral", N_("Order placed")
    # Translators: badge: we wait for the confirmation of a payment
    return ("info", N_("Confirming")) if checkout.confirming(now) else ("warning", N_("Not confirmed"))


def draw_orders(context: PageContext, orders: Sequence[Checkout], said_above: str = "") -> None:
    """Draw the orders; nothing for a user who has none. The page has offered the ways on from `said_above` (an id)."""
    if not orders:
        return
    now = datetime.now(UTC)
    with Tag("section", classes="card orders", aria_labelledby="orders-title"):
        # Translators: headline over what a customer bought
        Tag("h2", _("Orders"), id="orders-title", classes="card-heading")
        with Tag("ul", classes="purchases"):
            for checkout in orders:
                claims = claims_attribute(purchase_claims(checkout, now))
                with Tag("li", classes="purchase", testid="purchase", data_claims=claims):
                    _draw_order(context, checkout, now, with_ways=checkout.id != said_above)


def _draw_order(context: PageContext, checkout: Checkout, now: datetime, *, with_ways: bool) -> None:
    with Tag("div", classes="purchase-words"):
        for name in line_names(context, checkout):
            Tag("p", name, classes="purchase-name", translate="no")
        day = full_date(checkout.started_at, context.locale, context.timezone)
        with Tag("p", classes="muted small"):
            Tag("span", f"{amount_of(context, checkout)} · ")
            instant = exact(checkout.started_at, context.locale, context.timezone)
            Tag("time", day, datetime=checkout.started_at.isoformat(), title=instant)
    state = order_state(checkout, now)
    if state is not None:
        badge(_(state[1]), state[0])
    if checkout.open(now) and with_ways:
        problems = ProblemPlace(context)
        with Tag("div", classes="actions purchase-ways"):
            draw_ways(context, checkout, checkout.purchase, problems)
    elif checkout.confirming(now):
        button(_("View status"), "quiet", href=f"/payment/success?session_id={checkout.session_id}")
