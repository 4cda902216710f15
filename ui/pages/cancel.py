"""`/payment/cancel`: where Stripe's back link leads. The choice is kept, and what is said of money is what is known.

The link can be pressed in one tab after the checkout was paid in another. So both services are looked at first, and
what they can't know yet is said: whoever goes on with something else is asked (`ui/billing/checkout_button.py`). A
Payment MS that tells of sessions knows it: then what was so at that moment is said, since the page may stay open.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind
from services.claims import (
    Claim,
    ClaimKind,
    NotChargedEvidence,
    arrived_claim,
    ended_claim,
    not_charged_claim,
    not_charged_then_claim,
)
from services.container import Container
from services.sessions.service import Session, sign_in_path
from services.subscription.customer_status import CustomerStatus
from ui.billing.checkout_button import checkout_button, draw_ways
from ui.billing.problem import ProblemPlace
from ui.billing.purchase_words import bought_name, draw_bought
from ui.components.button import button
from ui.components.card_page import card_page
from ui.nicegui_ext.html import Tag
from ui.page.current_user import find_status
from ui.page.frame import frame
from ui.serving.document import PageContext, page
from ui.text.claim_words import SENTENCES, claims_attribute
from ui.text.i18n import N_, _, sentence_gap

WAY_BACK: Final = N_("Checkout canceled. Sign in to return to what you chose.")
JUST_NOW: Final = timedelta(seconds=15)

ARRIVED: Final = frozenset(
    {CheckoutEvent.BILLING_HAS_IT, CheckoutEvent.ACCOUNT_HAS_IT, CheckoutEvent.ACCESS_ON, CheckoutEvent.COMPLETE}
)
"""What a service has said of a checkout that was paid."""


def register(container: Container) -> None:
    """Add the page."""

    # Translators: headline: the user left Stripe without paying; nothing to do with ending a subscription
    @page(container, "/payment/cancel", title=N_("Checkout canceled"), robots="noindex")
    async def cancel(context: PageContext) -> None:
        if not isinstance(context.session, Session):
            with frame(context, narrow=True):
                draw_signed_out(context)
            return
        checkout = await container.checkout.record_cancel(context.session, context.query.get("checkout"))
        customer_status, is_open = None, False
        if checkout is not None:
            customer_status = await find_status(context, fresh=True)
            checkout = await container.checkout.find(context.session, checkout.id) or checkout
            if not (checkout.seen_back or checkout.dead):
                checkout, is_open = await container.checkout.look_at(checkout)
        with frame(context, narrow=True):
            draw_cancel(context, checkout, customer_status, is_open=is_open)


def draw_cancel(
    context: PageContext, checkout: Checkout | None, customer_status: CustomerStatus | None, *, is_open: bool
) -> None:
    """Draw the card for a checkout of this user, or for an address that names none.

    `is_open` is whether billing said just now that its session can still be paid, and was not.
    """
    if checkout is None:
        draw_unknown()
    elif checkout.seen_back:
        draw_finished(checkout)
    elif checkout.dead:
        draw_ended(context, checkout)
    elif not checkout.events.keys().isdisjoint(ARRIVED):
        draw_arrived(context, checkout, is_open=is_open)
    else:
        draw_left(context, checkout, known=_is_known(checkout, customer_status), is_open=is_open)


def _is_known(checkout: Checkout, customer_status: CustomerStatus | None) -> bool:
    """Whether both services have answered just now. Of an item or a cart neither of them ever says anything."""
    if checkout.kind is not CheckoutKind.SUBSCRIPTION:
        return True
    if customer_status is None or customer_status.stale:
        return False
    return datetime.now(UTC) - customer_status.as_of < JUST_NOW


def draw_left(context: PageContext, checkout: Checkout, *, known: bool, is_open: bool) -> None:
    """The user came back without paying in this tab: say what is known, keep the choice, and lead on."""
    with card_page("neutral", "information-circle", _("Checkout canceled"), testid="cancel-state") as card:
        card.box.set(data_state="left")
        claim = left_claim(checkout, is_open=is_open)
        sentence = _(SENTENCES[claim.says][0]) if is_open else left_words(checkout, known=known)
        Tag("p", sentence, classes="center card-sentence", data_claims=claims_attribute([claim]))
        draw_bought(context, checkout)
        problems = ProblemPlace(context)
        with Tag("div", classes="actions card-actions"):
            draw_ways(context, checkout, checkout.purchase, problems)
            if checkout.kind is CheckoutKind.CART:
                button(_("Back to your cart"), "quiet", href="/cart")
            elif checkout.kind is CheckoutKind.ITEM:
                button(_("Back to the shop"), "quiet", href="/shop")
            else:
                interval = f"?interval={checkout.interval}" if checkout.interval else ""
                button(_("See plans"), "quiet", href=f"/payment{interval}#plans")


def draw_ended(context: PageContext, checkout: Checkout) -> None:
    """Billing says that its session ended unpaid: it can't be gone on with, and nothing was charged for it."""
    # Translators: headline: the page at Stripe on which one pays can't be used any more
    with card_page("neutral", "information-circle", _("This checkout has ended"), testid="cancel-state") as card:
        card.box.set(data_state="ended")
        claim = ended_claim(checkout, datetime.now(UTC))
        sentence = _(SENTENCES[claim.says][0])
        Tag("p", sentence, classes="center card-sentence", data_claims=claims_attribute([claim]))
        draw_bought(context, checkout)
        problems = ProblemPlace(context)
        with Tag("div", classes="actions card-actions"):
            # Translators: button: a new checkout
            checkout_button(context, checkout.purchase, _("Start a new one"), problems, testid="start-new")
            button(_("Go to billing"), "quiet", href="/payment")


def left_claim(checkout: Checkout, *, is_open: bool) -> Claim:
    """Return what is so of the money: billing's word for this moment, which no later payment makes false, or less."""
    now = datetime.now(UTC)
    if is_open:
        return not_charged_then_claim(checkout, now)
    return not_charged_claim(NotChargedEvidence.NONE, now, checkout)


def left_words(checkout: Checkout, *, known: bool) -> str:
    """Return what may be said of money: another tab may have paid, and no service needs to know of it yet."""
    if not known:
        return _("We can't check right now whether you paid in another tab. If you didn't, nothing was charged.")
    words = _(SENTENCES[ClaimKind.NOTHING_CHARGED_HERE][0])
    if checkout.kind is not CheckoutKind.SUBSCRIPTION:
        # Translators: after "Unless you paid in another tab, nothing was charged."
        return words + sentence_gap() + _("If you did, Stripe emails you the receipt.")
    # Translators: after "Unless you paid in another tab, nothing was charged."
    return words + sentence_gap() + _("If you did, it can take a while to show here.")


def draw_arrived(context: PageContext, checkout: Checkout, *, is_open: bool) -> None:
    """A service has it: billing by a new record or its session, or the account alone, which may have it from
    elsewhere."""
    if checkout.events.keys().isdisjoint((CheckoutEvent.BILLING_HAS_IT, CheckoutEvent.COMPLETE)):
        draw_granted(context, checkout, is_open=is_open)
        return
    with card_page("success", "check-circle", _("This checkout went through")) as card:
        card.box.set(data_state="arrived")
        sentence = _("You bought {plan} in another tab.")
        sentence = sentence.format(plan=bought_name(context, checkout))
        claims = claims_attribute([arrived_claim(checkout, datetime.now(UTC))])
        Tag("p", sentence, classes="center card-sentence", data_claims=claims)
        with Tag("div", classes="actions card-actions"):
            button(_("Go to billing"), href="/payment")


def draw_granted(context: PageContext, checkout: Checkout, *, is_open: bool) -> None:
    """The account has the plan, and nobody says whether by this checkout."""
    headline = _("{plan} is on your account").format(plan=bought_name(context, checkout))
    with card_page("info", "information-circle", headline) as card:
        card.box.set(data_state="granted")
        claim = left_claim(checkout, is_open=is_open)
        sentence = _(SENTENCES[claim.says][0])
        Tag("p", sentence, classes="center card-sentence", data_claims=claims_attribute([claim]))
        with Tag("div", classes="actions card-actions"):
            button(_("Go to billing"), href="/payment")


def draw_finished(checkout: Checkout) -> None:
    """The user was back through the success address before: what became of it stands there."""
    with card_page("info", "information-circle", _("You already came back from this checkout")) as card:
        card.box.set(data_state="finished")
        Tag("p", _("See what happened to this payment."), classes="center card-sentence")
        with Tag("div", classes="actions card-actions"):
            button(_("See your purchase"), href=f"/payment/success?session_id={checkout.session_id}")
            button(_("Go to billing"), "quiet", href="/payment")


def draw_unknown() -> None:
    """No checkout that is known of this user is meant: say nothing about any, nor of what they have."""
    with card_page("neutral", "information-circle", _("We couldn't find this checkout")) as card:
        card.box.set(data_state="unknown")
        Tag("p", _("Your billing page shows what you have and what's in progress."), classes="center card-sentence")
        with Tag("div", classes="actions card-actions"):
            button(_("Go to billing"), href="/payment")
            button(_("See plans"), "quiet", href="/payment#plans")


def draw_signed_out(context: PageContext) -> None:
    """No user is signed in here: say nothing about any checkout."""
    context.head.description = WAY_BACK
    with card_page("neutral", "lock-closed", _("Sign in to continue your checkout")) as card:
        card.box.set(data_state="signed_out")
        Tag(
            "p",
            _(WAY_BACK),
            classes="center card-sentence",
        )
        with Tag("div", classes="actions card-actions"):
            button(_("Sign in"), href=sign_in_path(context.here))
            button(_("See plans"), "quiet", href="/pricing")
