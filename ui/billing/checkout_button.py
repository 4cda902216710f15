"""The button that starts a checkout, and everything a press can lead to.

It is a form that posts to `/payment/checkout`; over the socket the press runs the same use case and then opens Stripe.
A press that is refused says so beside the button, with the way on (`ui/billing/problem.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from nicegui import ui

from catalog import Interval, Plan, Price
from services.checkout.service import Wanted
from services.checkout_record import Checkout, CheckoutEvent
from services.errors import (
    AlreadySubscribed,
    CatalogChanged,
    CheckoutInProgress,
    FrontendError,
    NotSignedIn,
    PriceNotSold,
    PurchaseUnconfirmed,
    SubscriptionOnRecord,
)
from services.sessions.service import sign_in_path
from ui.billing.portal_button import portal_button
from ui.billing.problem import ProblemPlace
from ui.components.button import ActionForm, Look, button
from ui.page.context import PageContext
from ui.page.current_user import known_status, session_now
from ui.text.formats import relative
from ui.text.i18n import _
from ui.text.state_words import plan_name

ACTION = "/payment/checkout"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One press: the price, the amount the page showed for it (minor units), and what the user has answered so far."""

    price_id: str
    amount: int
    catalog: str
    quantity: int = 1
    instead_of: str | None = None
    has_ended: bool = False

    @property
    def wanted(self) -> Wanted:
        """What the use case is asked for."""
        return Wanted(self.price_id, self.quantity, self.amount)

    @property
    def fields(self) -> dict[str, str]:
        """What the form posts."""
        fields = {"price_id": self.price_id, "amount": str(self.amount), "catalog": self.catalog}
        if self.quantity != 1:
            fields["quantity"] = str(self.quantity)
        if self.instead_of is not None:
            fields["instead_of"] = self.instead_of
        if self.has_ended:
            fields["has_ended"] = "true"
        return fields


def attempt_for(context: PageContext, price: Price, *, has_ended: bool = False) -> Attempt:
    """Return a first press on a price."""
    return Attempt(price.price_id, price.amount, context.catalog.version, has_ended=has_ended)


def checkout_button(
    context: PageContext,
    attempt: Attempt,
    label: str,
    problems: ProblemPlace,
    *,
    look: Look = "primary",
    wide: bool = False,
    large: bool = False,
    testid: str = "",
) -> ActionForm:
    """Draw the button of one attempt."""

    async def press() -> None:
        await press_checkout(context, attempt, problems, form.release)

    form = ActionForm(
        ACTION, attempt.fields, label, busy_label=_("Opening secure checkout…"), look=look, wide=wide, large=large,
        testid=testid, on_press=press,
    )  # fmt: skip
    return form


async def press_checkout(
    context: PageContext, attempt: Attempt, problems: ProblemPlace, release: Callable[[], None]
) -> None:
    """Start the checkout and open it, or say why not and let the button be pressed again."""
    try:
        session = await session_now(context)
        checkout = await context.container.checkout.start(
            session, attempt.wanted, instead_of=attempt.instead_of, has_ended=attempt.has_ended
        )
    except NotSignedIn:
        ui.navigate.to(sign_in_path(f"/payment?price={attempt.price_id}"))
    except FrontendError as error:
        release()
        show_refusal(context, attempt, error, problems)
    else:
        problems.clear()
        context.leaving = True
        ui.navigate.to(checkout.url)


def show_refusal(context: PageContext, attempt: Attempt | None, error: FrontendError, problems: ProblemPlace) -> None:
    """Say why a checkout was not started; `attempt` is what to go on with where that is possible."""
    sentence = _question(context, attempt, error) if type(error) is CheckoutInProgress else ""
    problems.show(error, lambda: _way_on(context, attempt, error, problems), sentence=sentence)


def _way_on(context: PageContext, attempt: Attempt | None, error: FrontendError, problems: ProblemPlace) -> None:
    """Draw the buttons that lead on from a refusal."""
    if isinstance(error, SubscriptionOnRecord | PurchaseUnconfirmed):
        if attempt is not None:
            ended = isinstance(error, SubscriptionOnRecord)
            label = _("It has ended: go on") if ended else _("I wasn't charged: go on")
            checkout_button(context, replace(attempt, has_ended=True), label, problems, look="secondary")
        portal_button(context, _("Open billing portal"), problems=problems)
    elif isinstance(error, AlreadySubscribed):
        portal_button(context, _("Open billing portal"), look="primary", problems=problems)
    elif isinstance(error, CheckoutInProgress):
        _continue_or_replace(context, attempt, error, problems)
    elif isinstance(error, CatalogChanged | PriceNotSold):
        button(_("Show the new prices"), "secondary", href="/payment")
    elif attempt is not None and error.retryable:
        checkout_button(context, attempt, _("Try again"), problems, look="secondary", testid="try-again")


def _question(context: PageContext, attempt: Attempt | None, error: CheckoutInProgress) -> str:
    """Return "You started Premium 4 minutes ago. Continue, or start Basic instead?"; nothing where it is no choice."""
    checkout = _under_way(context, error)
    if checkout is None or attempt is None or not _replaceable(checkout, attempt):
        return ""
    question = _("Continue, or start {plan} instead?").format(plan=_offered_name(context, attempt.price_id))
    return f"{started_words(context, checkout)} {question}"


def _continue_or_replace(
    context: PageContext, attempt: Attempt | None, error: CheckoutInProgress, problems: ProblemPlace
) -> None:
    checkout = _under_way(context, error)
    if checkout is None:
        return
    button(_("Continue your checkout"), href=checkout.url, testid="continue-checkout")
    if attempt is not None and _replaceable(checkout, attempt):
        label = _("Start {plan} instead").format(plan=_offered_name(context, attempt.price_id))
        instead = replace(attempt, instead_of=checkout.id)
        checkout_button(context, instead, label, problems, look="secondary", testid="start-instead")


def _under_way(context: PageContext, error: CheckoutInProgress) -> Checkout | None:
    return error.checkout if isinstance(error.checkout, Checkout) else open_checkout(context)


def _replaceable(checkout: Checkout, attempt: Attempt) -> bool:
    """Whether the user may give that checkout up for this one: it is for something else, and not paid perhaps."""
    return checkout.price_id != attempt.price_id and checkout.at(CheckoutEvent.RETURNED) is None


def open_checkout(context: PageContext) -> Checkout | None:
    """Return the checkout that this page's user may be in the middle of, as far as the page knows."""
    customer_status = known_status(context)
    return (customer_status.open or customer_status.confirming) if customer_status is not None else None


def started_words(context: PageContext, checkout: Checkout, *, now: datetime | None = None) -> str:
    """Return what was started when: "You started Premium 4 minutes ago"."""
    name = plan_name(checkout.plan_id, context.catalog, context.locale) or checkout.lines[0].name
    ago = relative(checkout.started_at, context.locale, now=now or datetime.now(UTC))
    return _("You started {plan} {ago}.").format(plan=name, ago=ago)


def price_of(plan: Plan, interval: Interval) -> Price | None:
    """Return the plan's price of an interval, else the one it has."""
    return plan.offered.get(interval) or next(iter(plan.offered.values()), None)


def _offered_name(context: PageContext, price_id: str) -> str:
    return context.catalog.offer(price_id).name.in_(context.locale)
