"""`/payment/cancel`: where Stripe's back link leads. The chosen plan is kept, and nothing was charged."""

from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind
from services.container import Container
from services.sessions.service import Session, sign_in_path
from ui.billing.checkout_button import Attempt, checkout_button
from ui.billing.problem import ProblemPlace
from ui.billing.purchase_words import purchase_words
from ui.components.button import button
from ui.components.card_page import card_page
from ui.nicegui_ext.html import Tag
from ui.page.frame import frame
from ui.serving.document import PageContext, page
from ui.text.i18n import N_, _


def register(container: Container) -> None:
    """Add the page."""

    @page(container, "/payment/cancel", title=N_("Checkout left"), robots="noindex")
    async def cancel(context: PageContext) -> None:
        if not isinstance(context.session, Session):
            with frame(context, narrow=True):
                draw_signed_out(context)
            return
        checkout = await container.checkout.record_cancel(context.session, context.query.get("checkout"))
        with frame(context, narrow=True):
            draw_cancel(context, checkout)


def draw_cancel(context: PageContext, checkout: Checkout | None) -> None:
    """Draw the card for a checkout of this user, or for an address that names none."""
    if checkout is None:
        draw_unknown()
    elif checkout.confirmed or checkout.at(CheckoutEvent.RETURNED) is not None:
        draw_finished(checkout)
    else:
        draw_left(context, checkout)


def draw_left(context: PageContext, checkout: Checkout) -> None:
    """The user came back without paying: say so, keep the choice, and lead on to the same checkout."""
    with card_page("neutral", "information-circle", _("You left the checkout"), testid="cancel-state") as card:
        card.box.set(data_state="left")
        Tag("p", _("Nothing was charged, and your plan is unchanged."), classes="center card-sentence")
        name, amount = purchase_words(context, checkout)
        with Tag("p", classes="bought center"):
            Tag("strong", name)
            Tag("span", f" {amount}", classes="muted")
        problems = ProblemPlace(context)
        with Tag("div", classes="actions card-actions"):
            if checkout.kind is CheckoutKind.CART:
                button(_("Back to your cart"), href="/cart", testid="go-on")
            else:
                _go_on(context, checkout, problems)
            if checkout.kind is CheckoutKind.SUBSCRIPTION:
                interval = f"?interval={checkout.interval}" if checkout.interval else ""
                button(_("See plans"), "quiet", href=f"/payment{interval}#plans")
            else:
                button(_("Back to the shop"), "quiet", href="/shop")


def _go_on(context: PageContext, checkout: Checkout, problems: ProblemPlace) -> None:
    line = checkout.lines[0]
    attempt = Attempt(line.price_id, line.amount, context.catalog.version, quantity=line.quantity)
    checkout_button(context, attempt, _("Continue to checkout"), problems, testid="go-on")


def draw_finished(checkout: Checkout) -> None:
    """The user was back through the success address before: what became of it stands there."""
    with card_page("info", "information-circle", _("You already came back from this checkout")) as card:
        card.box.set(data_state="finished")
        Tag("p", _("What has become of it is on its own page."), classes="center card-sentence")
        with Tag("div", classes="actions card-actions"):
            button(_("See your purchase"), href=f"/payment/success?session_id={checkout.session_id}")
            button(_("See your billing"), "quiet", href="/payment")


def draw_unknown() -> None:
    """No checkout of this user is meant: say nothing about any."""
    with card_page("neutral", "information-circle", _("No checkout of yours is open here")) as card:
        card.box.set(data_state="unknown")
        Tag("p", _("Your plan is unchanged. You can choose one at any time."), classes="center card-sentence")
        with Tag("div", classes="actions card-actions"):
            button(_("See plans"), href="/payment#plans")
            button(_("Go to your account"), "quiet", href="/account")


def draw_signed_out(context: PageContext) -> None:
    """Nobody is signed in here: say nothing about any checkout."""
    with card_page("neutral", "lock-closed", _("Sign in to go on with your checkout")) as card:
        card.box.set(data_state="signed_out")
        Tag(
            "p",
            _("You left the checkout. Sign in, and you come back to what you chose."),
            classes="center card-sentence",
        )
        with Tag("div", classes="actions card-actions"):
            button(_("Sign in"), href=sign_in_path(context.here))
            button(_("See plans"), "quiet", href="/pricing")
