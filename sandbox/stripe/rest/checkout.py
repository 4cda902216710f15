"""The calls about checkout sessions. They are paid on the sandbox's own pages, like any other."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from sandbox.state import SandboxState
from sandbox.stripe.objects import LineItem, SessionOptions, SessionStatus, StripeCheckoutSession, StripeCustomer
from sandbox.stripe.rest.customers import customer_or_404
from sandbox.stripe.rest.forms import Many
from sandbox.stripe.rest.gate import ApiCall, call
from sandbox.stripe.rest.lists import page_of
from sandbox.stripe.rest.params import CallParams, ListParams, Metadata, Moment, Params, Text
from sandbox.stripe.rest.problems import bad_request, no_such
from sandbox.stripe.rest.products import price_or_404
from sandbox.stripe.rest.shapes import Shape
from sandbox.stripe.rest.shapes.checkout import lines_shape, session_shape
from sandbox.stripe.rest.shapes.payments import intent_id
from sandbox.stripe.rest.shapes.promotions import code_of

_SOONEST: Final = timedelta(minutes=30)
_LATEST: Final = timedelta(hours=24)
_SLACK: Final = timedelta(seconds=60)
"""Clocks differ, and a call takes its time."""


class LineParams(Params):
    price: Text
    quantity: int = Field(default=1, ge=1, le=999_999)


class DiscountParams(Params):
    promotion_code: str = ""
    coupon: str = ""


class EndBehavior(Params):
    missing_payment_method: Literal["cancel", "create_invoice", "pause"]


class TrialSettings(Params):
    end_behavior: EndBehavior


class SubscriptionData(Params):
    """How a trial without a card ends goes by the runtime settings, whatever is asked for."""

    trial_period_days: int | None = Field(default=None, ge=1, le=730)
    trial_settings: TrialSettings | None = None
    description: str = ""
    metadata: Metadata = Field(default_factory=dict)


class PaymentIntentData(Params):
    description: str = ""
    metadata: Metadata = Field(default_factory=dict)


class ConsentParams(Params):
    terms_of_service: Literal["none", "required"] = "none"


class InvoiceCreationParams(Params):
    enabled: bool


class AutomaticTax(Params):
    """The sandbox's tax goes by the runtime settings."""

    enabled: bool


class CustomerUpdate(Params):
    address: Literal["auto", "never"] = "never"
    name: Literal["auto", "never"] = "never"


class CreateSession(CallParams):
    mode: Literal["payment", "subscription"]
    line_items: Many[LineParams] = Field(min_length=1, max_length=100)
    success_url: Text
    cancel_url: str = ""
    customer: str = ""
    customer_email: str = ""
    customer_creation: Literal["always", "if_required"] | None = None
    customer_update: CustomerUpdate | None = None
    client_reference_id: str = Field(default="", max_length=200)
    locale: str = Field(default="", max_length=10)
    expires_at: Moment | None = None
    allow_promotion_codes: bool = False
    discounts: Many[DiscountParams] = Field(default=[], max_length=1)
    consent_collection: ConsentParams = ConsentParams()
    payment_method_collection: Literal["always", "if_required"] = "always"
    subscription_data: SubscriptionData | None = None
    payment_intent_data: PaymentIntentData | None = None
    invoice_creation: InvoiceCreationParams | None = None
    automatic_tax: AutomaticTax | None = None
    billing_address_collection: Literal["auto", "required"] = "auto"
    metadata: Metadata = Field(default_factory=dict)


class CustomerDetails(Params):
    email: Text


class ListSessions(ListParams):
    customer: str = ""
    customer_details: CustomerDetails | None = None
    subscription: str = ""
    payment_intent: str = ""
    status: SessionStatus | None = None


class ListLines(ListParams):
    limit: Annotated[int, Field(ge=1, le=100)] = 10


def checkout_calls(state: SandboxState) -> Iterable[ApiCall]:
    def create(params: CreateSession, _: str) -> Shape:
        return session_shape(state, _open(state, params))

    def retrieve(_: CallParams, key: str) -> Shape:
        return session_shape(state, session_or_404(state, key))

    def expire(_: CallParams, key: str) -> Shape:
        session = session_or_404(state, key)
        if session.status is not SessionStatus.OPEN:
            text = 'Only Checkout Sessions with a status in ["open"] can be expired.'
            raise bad_request(f"{text} This Checkout Session has a status of {session.status}.")
        return session_shape(state, state.checkout.expire(session))

    def lines(params: ListLines, key: str) -> Shape:
        session = session_or_404(state, key)
        url = f"/v1/checkout/sessions/{session.id}/line_items"
        return page_of(lines_shape(state, session), params, url, lambda line: str(line["id"]), lambda line: line)

    def every(params: ListSessions, _: str) -> Shape:
        sessions = [one for one in state.checkout.newest(10_000) if _is_asked(one, params)]
        return page_of(
            sessions, params, "/v1/checkout/sessions", lambda one: one.id, lambda one: session_shape(state, one)
        )

    return (
        call("POST", "/checkout/sessions", CreateSession, create),
        call("GET", "/checkout/sessions", ListSessions, every),
        call("GET", "/checkout/sessions/{key}", CallParams, retrieve),
        call("POST", "/checkout/sessions/{key}/expire", CallParams, expire),
        call("GET", "/checkout/sessions/{key}/line_items", ListLines, lines),
    )


def session_or_404(state: SandboxState, key: str, param: str = "") -> StripeCheckoutSession:
    session = state.checkout.get(key)
    if session is None:
        raise no_such("checkout.session", key, param)
    return session


def _open(state: SandboxState, params: CreateSession) -> StripeCheckoutSession:
    _check_together(params)
    customer = customer_or_404(state, params.customer, "customer") if params.customer else None
    subscription = params.subscription_data or SubscriptionData()
    lines = [_line(state, params, place) for place in range(len(params.line_items))]
    if params.mode == "subscription" and len(lines) > 1:
        raise bad_request("The sandbox sells subscriptions to one price each.", param="line_items")
    user_id = _user_id(params, subscription, customer)
    if customer and user_id and not customer.user_id:
        customer = state.customers.keep(customer.model_copy(update={"user_id": user_id}))
    return state.checkout.open(
        params.mode,
        user_id,
        customer.email if customer else params.customer_email,
        lines,
        params.success_url,
        params.cancel_url,
        customer=customer.id if customer else "",
        locale=params.locale,
        promotion=_promotion(params),
        expires_at=_expiry(state, params),
        options=SessionOptions(
            client_reference_id=params.client_reference_id,
            metadata=params.metadata,
            subscription_metadata=subscription.metadata if params.mode == "subscription" else None,
            subscription_description=subscription.description,
            allow_promotion_codes=params.allow_promotion_codes,
            terms_of_service=params.consent_collection.terms_of_service == "required",
            card_if_required=params.payment_method_collection == "if_required",
            makes_invoice=bool(params.invoice_creation and params.invoice_creation.enabled),
        ),
    )


def _check_together(params: CreateSession) -> None:
    if params.customer and params.customer_email:
        raise bad_request("You may only specify one of these parameters: customer, customer_email.")
    if params.discounts and params.allow_promotion_codes:
        raise bad_request("You may only specify one of these parameters: allow_promotion_codes, discounts.")
    if params.mode == "payment" and params.subscription_data:
        text = "You can not pass `subscription_data` in `payment` mode."
        raise bad_request(text, param="subscription_data")
    if params.mode == "subscription" and (params.payment_intent_data or params.invoice_creation):
        name = "payment_intent_data" if params.payment_intent_data else "invoice_creation"
        raise bad_request(f"You can not pass `{name}` in `subscription` mode.", param=name)


def _line(state: SandboxState, params: CreateSession, place: int) -> LineItem:
    """An order line at the price's own sum. Only a call's trial counts, as at Stripe: not the catalog's."""
    asked, param = params.line_items[place], f"line_items[{place}][price]"
    price = price_or_404(state, asked.price, param)
    if not price.active:
        raise bad_request("The price specified is inactive. This field only accepts active prices.", param=param)
    recurring = params.mode == "subscription"
    if price.line.interval and not recurring:
        text = "You specified `payment` mode but passed a recurring price. Use one-time prices only."
        raise bad_request(text, param="mode")
    if recurring and not price.line.interval:
        text = "You must provide at least one recurring price in `subscription` mode when using prices."
        raise bad_request(text, param="line_items")
    trial = params.subscription_data.trial_period_days if params.subscription_data else None
    return price.line.model_copy(update={"quantity": asked.quantity, "trial_days": trial or 0})


def _promotion(params: CreateSession) -> str:
    if not params.discounts:
        return ""
    asked = params.discounts[0]
    if bool(asked.promotion_code) == bool(asked.coupon):
        raise bad_request("Pass one of coupon and promotion_code.", param="discounts[0]")
    code = code_of(asked.promotion_code or asked.coupon)
    if not code:
        kind, key = ("promotion code", asked.promotion_code) if asked.promotion_code else ("coupon", asked.coupon)
        raise no_such(kind, key, f"discounts[0][{kind.replace(' ', '_')}]")
    return code


def _expiry(state: SandboxState, params: CreateSession) -> "Moment | None":
    if params.expires_at is None:
        return None
    ahead = params.expires_at - state.clock.second()
    if not _SOONEST - _SLACK <= ahead <= _LATEST + _SLACK:
        text = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation."
        raise bad_request(text, param="expires_at")
    return params.expires_at


def _user_id(params: CreateSession, subscription: SubscriptionData, customer: StripeCustomer | None) -> str:
    """Whose it is, for the sandbox's own book-keeping: what the caller wrote on it, else the customer's."""
    named = (params.metadata.get("user_id"), subscription.metadata.get("user_id"), params.client_reference_id)
    return next((name for name in named if name), customer.user_id if customer else "")


def _is_asked(session: StripeCheckoutSession, params: ListSessions) -> bool:
    return (
        params.created.holds(session.created)
        and params.customer in ("", session.customer)
        and params.subscription in ("", session.subscription_id)
        and params.status in (None, session.status)
        and params.payment_intent in ("", intent_id(session.invoice_id) if not session.recurring else None)
        and (params.customer_details is None or params.customer_details.email == session.email)
    )
