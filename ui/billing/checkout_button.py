"""The button that starts a checkout, and everything a press can lead to.

It is a form; over the socket the press runs the same use case and then opens Stripe. A press that is refused says so
beside the button, with the way on (`ui/billing/problem.py`). Wherever a checkout is offered to go on with, so is a new
one, in words that name the danger: the page of the other one may still be open.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from nicegui import ui

from catalog import NotInCatalog
from services.checkout_record import Checkout, CheckoutEvent
from services.claims import Claim, ClaimKind, beside_claims, question_claims
from services.errors import (
    AlreadySubscribed,
    CatalogChanged,
    CheckoutInProgress,
    FrontendError,
    NotSignedIn,
    PortalNewsDue,
    PriceNotSold,
    PurchaseUnconfirmed,
    SubscriptionOnRecord,
    SubscriptionUnderEmail,
)
from services.purchase import CheckoutKind, Purchase
from services.sessions.service import sign_in_path
from ui.billing.portal_button import portal_button
from ui.billing.problem import ProblemPlace, money_claims
from ui.billing.purchase_words import bought_name
from ui.billing.subscription_card import contact_button
from ui.components.button import ActionForm, Look, button
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.page.current_user import known_status, session_now
from ui.text.claim_words import Reader, checkout_sentence, claims_attribute
from ui.text.i18n import _, sentence_gap

CART_ACTION: Final = "/cart/checkout"
ACTION: Final = "/payment/checkout"

Explain = Callable[[FrontendError], None]
"""What a page says of an error that only it can put into words."""


def checkout_button(
    context: PageContext,
    purchase: Purchase,
    label: str,
    problems: ProblemPlace,
    *,
    look: Look = "primary",
    wide: bool = False,
    large: bool = False,
    testid: str = "",
    explain: Explain | None = None,
) -> ActionForm:
    """Draw the button of one purchase."""

    async def press() -> None:
        await press_checkout(context, purchase, problems, form.release, explain)

    cart = purchase.kind is CheckoutKind.CART
    form = ActionForm(
        CART_ACTION if cart else ACTION, purchase.cart_fields if cart else purchase.fields, label,
        busy_label=_("Opening secure checkout…"), look=look, wide=wide, large=large, testid=testid, on_press=press,
    )  # fmt: skip
    return form


async def press_checkout(
    context: PageContext,
    purchase: Purchase,
    problems: ProblemPlace,
    release: Callable[[], None],
    explain: Explain | None = None,
) -> None:
    """Start the checkout and open it, or say why not and let the button be pressed again."""
    try:
        session = await session_now(context)
        checkout = await context.container.checkout.start(session, purchase, locale=context.locale)
    except NotSignedIn:
        ui.navigate.to(sign_in_path(way_back(purchase)))
    except FrontendError as error:
        release()
        if explain is not None and not isinstance(error, CheckoutInProgress):
            explain(error)
        else:
            show_refusal(context, purchase, error, problems)
    else:
        context.leaving = True
        problems.clear()
        ui.navigate.to(checkout.url)


def way_back(purchase: Purchase) -> str:
    """Return the page on which that purchase waits after a sign-in."""
    if purchase.kind is CheckoutKind.CART:
        return "/cart"
    if purchase.kind is CheckoutKind.ITEM:
        return f"/shop?{urlencode({'price': purchase.price_id, 'quantity': purchase.lines[0].quantity})}"
    return f"/payment?{urlencode({'price': purchase.price_id})}"


def show_refusal(context: PageContext, purchase: Purchase | None, error: FrontendError, problems: ProblemPlace) -> None:
    """Say why a checkout was not started; `purchase` is what to go on with where that is possible."""
    sentence, claims = "", money_claims(error)
    if isinstance(error, CheckoutInProgress) and not isinstance(error, PurchaseUnconfirmed):
        checkout = _under_way(context, error)
        if checkout is not None:
            sentence, claims = question_words(context, checkout, purchase), question_claims(checkout, datetime.now(UTC))
    problems.show(error, lambda: _way_on(context, purchase, error, problems), sentence=sentence, claims=claims)


def _way_on(context: PageContext, purchase: Purchase | None, error: FrontendError, problems: ProblemPlace) -> None:
    """Draw the buttons that lead on from a refusal."""
    if isinstance(error, SubscriptionOnRecord | PurchaseUnconfirmed):
        if isinstance(error, SubscriptionUnderEmail):  # the portal knows this user by another id
            contact_button(context, _("Contact us"), "primary")
        if purchase is not None:
            _answer_button(context, purchase.answered(), error, problems)
        if not isinstance(error, SubscriptionUnderEmail):
            portal_button(context, _("Open billing portal"), problems=problems)
    elif isinstance(error, AlreadySubscribed):
        portal_button(context, _("Open billing portal"), look="primary", problems=problems)
    elif isinstance(error, CheckoutInProgress):
        checkout = _under_way(context, error)
        if checkout is not None:
            draw_ways(context, checkout, purchase or checkout.purchase, problems)
    elif isinstance(error, CatalogChanged | PriceNotSold):
        plan = purchase is None or purchase.kind is CheckoutKind.SUBSCRIPTION
        button(_("Show the new prices"), "secondary", href="/payment" if plan else "/shop")
    elif purchase is not None and error.retryable:
        checkout_button(context, purchase, _("Try again"), problems, look="secondary", testid="try-again")


def _answer_button(
    context: PageContext,
    purchase: Purchase,
    error: SubscriptionOnRecord | PurchaseUnconfirmed,
    problems: ProblemPlace,
) -> None:
    """Draw the answer to a plain question; it also gives up a checkout that is open beside what was asked about."""
    # Translators: button, after a question about an earlier checkout
    label = _("I wasn't charged – continue")
    if isinstance(error, PortalNewsDue):
        label = _("I chose no other plan there – continue")
    elif isinstance(error, SubscriptionOnRecord):
        # Translators: button, after "We found a subscription and can't tell if it has ended."
        label = _("It has ended – continue")
    if error.also_open is not None:
        purchase = purchase.instead(error.also_open.id)
    checkout_button(context, purchase, label, problems, look="secondary")
    if isinstance(error.also_open, Checkout):
        draw_also_started(context, error.also_open)
    elif error.also_open is not None:
        Tag("p", _("You also started another checkout."), classes="small danger-words")


def draw_also_started(context: PageContext, checkout: Checkout) -> None:
    """Draw that there is this checkout, too, which the answer to a question gives up."""
    _draw_beside(context, checkout, _("You also started another checkout."), classes="small danger-words")


def _draw_beside(context: PageContext, checkout: Checkout, words: str, *, classes: str) -> None:
    """Draw these words, and what to know of this checkout before another one is started, or what depends on it."""
    claims = beside_claims(checkout, datetime.now(UTC))
    said = [_in_words(context, claim, checkout) for claim in claims] or [_("Start a new one only if you didn't pay.")]
    text = sentence_gap().join(part for part in (words, *said) if part)
    Tag("p", text, classes=classes, data_claims=claims_attribute(claims))


def question_words(context: PageContext, checkout: Checkout, purchase: Purchase | None) -> str:
    """Return what was started when, and what to choose: "You started … 4 minutes ago. Continue, or …?"."""
    claims = question_claims(checkout, datetime.now(UTC))
    said = [words for claim in claims if (words := _in_words(context, claim, checkout))]
    return sentence_gap().join((*said, *_asked(context, checkout, purchase, claims[-1].says)))


def _asked(context: PageContext, checkout: Checkout, purchase: Purchase | None, known: ClaimKind) -> Iterator[str]:
    """Yield what is asked, or what to do, where that is known of a checkout."""
    if known is ClaimKind.ORDERED_BEFORE:
        # Translators: after "You ordered Sticker pack 4 minutes ago, and …"
        yield _("Order it again?")
    elif known is ClaimKind.NOT_CONFIRMED_YET:
        # Translators: "that" is the confirmation: after "Your checkout for Premium isn't confirmed yet."
        yield _("Wait for that before you buy again.")
    elif known is ClaimKind.PAYMENT_POSSIBLE:
        yield _("Did you pay there? It can take a while to show here.")
    elif known is ClaimKind.STARTED and (purchase is None or _same(checkout, purchase)):
        # Translators: a checkout; after "You started a checkout for Premium 4 minutes ago."
        yield _("Continue, or start a new one?")
    elif known is ClaimKind.STARTED and purchase is not None:
        yield _("Continue, or start {plan} instead?").format(plan=_purchase_name(context, purchase))


def _in_words(context: PageContext, claim: Claim, checkout: Checkout) -> str:
    reader = Reader.at(context.catalog, context.locale, context.timezone)
    return checkout_sentence(claim, reader, bought_name(context, checkout))


def draw_ways(context: PageContext, checkout: Checkout, purchase: Purchase, problems: ProblemPlace) -> None:
    """Draw the ways on from a checkout that may be paid: go on with it, or give it up for this purchase."""
    if checkout.at(CheckoutEvent.RETURNED) is not None:
        href = f"/payment/success?{urlencode({'session_id': checkout.session_id})}"
        again = checkout.ordered(datetime.now(UTC))
        button(_("View status"), "secondary" if again else "primary", href=href, testid="see-purchase")
        if again:
            checkout_button(
                context, purchase.instead(checkout.id), _("Order again"), problems, look="secondary",
                testid="order-again",
            )  # fmt: skip
        return
    payable, same = checkout.payable(datetime.now(UTC)), _same(checkout, purchase)
    if not same:  # the latest intention is the filled button
        # Translators: button: the checkout of another plan is given up for this one
        label = _("Go on with {plan}").format(plan=_purchase_name(context, purchase))
        checkout_button(context, purchase.instead(checkout.id), label, problems, testid="start-instead")
    if payable:
        draw_continue(context, checkout, problems, look="primary" if same else "secondary")
    if same:
        checkout_button(
            # Translators: button: a new checkout
            context,
            purchase.instead(checkout.id),
            _("Start a new one"),
            problems,
            look="secondary",
            testid="start-new",
        )
    if checkout.unheard(datetime.now(UTC)):
        contact_button(context, _("Contact us"))
        words = _("Start a new one only if you weren't charged, or if that subscription has ended.")
        Tag("p", words, classes="small muted danger-words")
    else:
        _draw_beside(context, checkout, "", classes="small muted danger-words")


def draw_continue(context: PageContext, checkout: Checkout, problems: ProblemPlace, *, look: Look = "primary") -> None:
    """Draw the button that goes on with a checkout: one that was left is looked at by the guards first."""
    if checkout.open(datetime.now(UTC)):
        button(_("Continue your checkout"), look, href=checkout.url, testid="continue-checkout")
        return
    resumed = checkout.purchase.resuming(checkout.id)
    checkout_button(context, resumed, _("Continue your checkout"), problems, look=look, testid="continue-checkout")


def _under_way(context: PageContext, error: CheckoutInProgress) -> Checkout | None:
    return error.checkout if isinstance(error.checkout, Checkout) else open_checkout(context)


def _same(checkout: Checkout, purchase: Purchase) -> bool:
    """Whether both are for the same thing, in whichever quantity."""
    return checkout.kind is purchase.kind and (
        purchase.kind is CheckoutKind.CART or checkout.price_id == purchase.price_id
    )


def open_checkout(context: PageContext) -> Checkout | None:
    """Return the checkout that this page's user may be in the middle of, as far as the page knows."""
    customer_status = known_status(context)
    return (customer_status.open or customer_status.confirming) if customer_status is not None else None


def _purchase_name(context: PageContext, purchase: Purchase) -> str:
    """Return what the press buys, as the catalog calls it now, else as it was called when the button was drawn."""
    try:
        return context.catalog.offer(purchase.price_id).name.in_(context.locale)
    except NotInCatalog:
        return purchase.lines[0].name
