"""What a user has bought here: each order by the names of what is in it, with what is known of it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from services.checkout_record import Checkout
from services.claims import Claim, ClaimKind, purchase_claims
from services.errors import FrontendError
from ui.billing.checkout_button import draw_ways
from ui.billing.problem import ProblemPlace
from ui.billing.purchase_words import amount_of, line_names
from ui.components.badge import badge
from ui.components.button import button
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.page.current_user import signed_in
from ui.text.claim_words import PURCHASE_BADGES, claims_attribute
from ui.text.formats import exact, full_date
from ui.text.i18n import _
from ui.theme.tones import Tone

MOST_ORDERS: Final = 20
TONES: Final[Mapping[ClaimKind, Tone]] = {
    ClaimKind.PURCHASE_ARRIVED: "success", ClaimKind.ORDER_PLACED: "neutral", ClaimKind.UNCONFIRMED: "warning",
    ClaimKind.NEVER_CONFIRMED: "warning",
}  # fmt: skip
"""The colour of each badge that is not one of waiting."""


async def checkouts_of(context: PageContext) -> tuple[Checkout, ...]:
    """Return the user's checkouts, newest first; none where the store can't say."""
    customer = context.container.status.refresher.customer_of(signed_in(context))
    try:
        return tuple(await context.container.checkouts.of(customer))
    except FrontendError:
        return ()


def orders_among(checkouts: Sequence[Checkout]) -> tuple[Checkout, ...]:
    """Return those that say something: not those that were left or replaced."""
    now = datetime.now(UTC)
    return tuple(checkout for checkout in checkouts if badge_claim(purchase_claims(checkout, now)))[:MOST_ORDERS]


def badge_claim(claims: Sequence[Claim]) -> Claim | None:
    """Return which claim of a purchase its badge says; None for a purchase that came to nothing."""
    return next((claim for claim in claims if claim.says in PURCHASE_BADGES), None)


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
                claims = purchase_claims(checkout, now)
                with Tag("li", classes="purchase", testid="purchase", data_claims=claims_attribute(claims)):
                    _draw_order(context, checkout, claims, now, with_ways=checkout.id != said_above)


def _draw_order(
    context: PageContext, checkout: Checkout, claims: Sequence[Claim], now: datetime, *, with_ways: bool
) -> None:
    with Tag("div", classes="purchase-words"):
        for name in line_names(context, checkout):
            Tag("p", name, classes="purchase-name", translate="no")
        day = full_date(checkout.started_at, context.locale, context.timezone)
        with Tag("p", classes="muted small"):
            Tag("span", f"{amount_of(context, checkout)} · ")
            instant = exact(checkout.started_at, context.locale, context.timezone)
            Tag("time", day, datetime=checkout.started_at.isoformat(), title=instant)
    said = badge_claim(claims)
    if said is not None:
        badge(_(PURCHASE_BADGES[said.says]), TONES.get(said.says, "info"))
    if checkout.open(now) and with_ways:
        problems = ProblemPlace(context)
        with Tag("div", classes="actions purchase-ways"):
            draw_ways(context, checkout, checkout.purchase, problems)
    elif checkout.confirming(now):
        button(_("View status"), "quiet", href=f"/payment/success?session_id={checkout.session_id}")
