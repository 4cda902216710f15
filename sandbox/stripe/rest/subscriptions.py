"""The calls about subscriptions, and about the schedules of booked changes."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from sandbox.state import SandboxState
from sandbox.stripe.amounts import terms_of
from sandbox.stripe.objects import PauseBehavior, PauseCollection, StripeSubscription
from sandbox.stripe.products import StripePrice
from sandbox.stripe.rest.customers import customer_or_404
from sandbox.stripe.rest.forms import Many
from sandbox.stripe.rest.gate import ApiCall, call
from sandbox.stripe.rest.lists import page_of
from sandbox.stripe.rest.params import CallParams, ListParams, Metadata, Moment, Params, Text, merged
from sandbox.stripe.rest.problems import bad_request, no_such
from sandbox.stripe.rest.products import price_or_404
from sandbox.stripe.rest.searches import SearchParams, found
from sandbox.stripe.rest.shapes import Shape
from sandbox.stripe.rest.shapes.subscriptions import (
    item_id,
    schedule_shape,
    subscription_metadata,
    subscription_shape,
)


class CommentParams(Params):
    comment: str = ""
    feedback: str = ""


class ItemParams(Params):
    """One of the subscription's items (without an `id`, its only one)."""

    id: str = ""
    price: str = ""
    quantity: int | None = Field(default=None, ge=1, le=999_999)


class CreateSubscription(CallParams):
    """A subscription that no checkout made. Only as a trial: the sandbox's customers have no card before one."""

    customer: Text
    items: Many[ItemParams] = Field(min_length=1, max_length=1)
    trial_period_days: int | None = Field(default=None, ge=1, le=730)
    description: str = ""
    metadata: Metadata = Field(default_factory=dict)


class PauseParams(Params):
    behavior: PauseBehavior
    resumes_at: Moment | None = None


class UpdateSubscription(CallParams):
    """An empty text for `cancel_at` or `pause_collection` unsets it. Sums go by the sandbox's own proration setting."""

    cancel_at_period_end: bool | None = None
    cancel_at: Moment | Literal[""] | None = None
    cancellation_details: CommentParams | None = None
    description: str | None = None
    items: Many[ItemParams] = Field(default=[], max_length=1)
    metadata: Metadata | None = None
    pause_collection: Annotated[PauseParams | None, BeforeValidator(lambda value: value or None)] = None
    proration_behavior: Literal["always_invoice", "create_prorations", "none"] = "create_prorations"


class CancelSubscription(CallParams):
    """Nothing is refunded by it, as at Stripe."""

    cancellation_details: CommentParams | None = None
    invoice_now: Literal["false"] = "false"
    prorate: Literal["false"] = "false"


class ResumeSubscription(CallParams):
    billing_cycle_anchor: Literal["now", "unchanged"] = "now"
    proration_behavior: Literal["always_invoice", "create_prorations", "none"] = "create_prorations"


class ListSubscriptions(ListParams):
    """Without a status, all but the canceled ones."""

    customer: str = ""
    price: str = ""
    status: str = ""


def subscription_calls(state: SandboxState) -> Iterable[ApiCall]:
    def shape(one: StripeSubscription) -> Shape:
        return subscription_shape(one, state.products, state.runtime_settings.current)

    def create(params: CreateSubscription, _: str) -> Shape:
        return shape(_created(state, params))

    def retrieve(_: CallParams, key: str) -> Shape:
        return shape(subscription_or_404(state, key))

    def every(params: ListSubscriptions, _: str) -> Shape:
        known = (
            state.subscriptions.of_customer(params.customer) if params.customer else state.subscriptions.newest(10_000)
        )
        asked = [one for one in known if _is_asked(one, params)]
        return page_of(asked, params, "/v1/subscriptions", lambda one: one.id, shape)

    def search(params: SearchParams, _: str) -> Shape:
        known = state.subscriptions.newest(10_000)
        return found(params, known, "/v1/subscriptions/search", shape, state.clock.now())

    def update(params: UpdateSubscription, key: str) -> Shape:
        subscription = subscription_or_404(state, key)
        if not subscription.live:
            raise bad_request("A canceled subscription can only update its cancellation_details and metadata.")
        return shape(_updated(state, subscription, params))

    def cancel(_: CancelSubscription, key: str) -> Shape:
        subscription = subscription_or_404(state, key)
        if not subscription.live:
            raise no_such("subscription", key)
        return shape(state.subscriptions.cancel_now(subscription))

    def resume(_: ResumeSubscription, key: str) -> Shape:
        subscription = subscription_or_404(state, key)
        if subscription.status != "paused":
            text = "Subscription must be in `paused` status to be resumed."
            raise bad_request(text)
        return shape(state.subscriptions.resume(subscription))

    def schedule(_: CallParams, key: str) -> Shape:
        return schedule_or_404(state, key)

    return (
        call("POST", "/subscriptions", CreateSubscription, create),
        call("GET", "/subscriptions", ListSubscriptions, every),
        call("GET", "/subscriptions/search", SearchParams, search),
        call("GET", "/subscriptions/{key}", CallParams, retrieve),
        call("POST", "/subscriptions/{key}", UpdateSubscription, update),
        call("DELETE", "/subscriptions/{key}", CancelSubscription, cancel),
        call("POST", "/subscriptions/{key}/resume", ResumeSubscription, resume),
        call("GET", "/subscription_schedules/{key}", CallParams, schedule),
    )


def subscription_or_404(state: SandboxState, key: str, param: str = "") -> StripeSubscription:
    subscription = state.subscriptions.get(key)
    if subscription is None:
        raise no_such("subscription", key, param)
    return subscription


def schedule_or_404(state: SandboxState, key: str) -> Shape:
    subscription = state.subscriptions.get(f"sub_{key.removeprefix('sub_sched_')}")
    shape = schedule_shape(subscription) if subscription else None
    if shape is None:
        raise no_such("subscription_schedule", key)
    return shape


def _created(state: SandboxState, params: CreateSubscription) -> StripeSubscription:
    customer = customer_or_404(state, params.customer, "customer")
    line = _recurring(state, params.items[0].price).line
    if params.trial_period_days is None:
        text = "This customer has no attached payment source or default payment method."
        raise bad_request(text, "resource_missing")
    quantity = params.items[0].quantity or 1
    owner = params.metadata.get("user_id") or customer.user_id
    made = state.subscriptions.begin(
        line.model_copy(update={"quantity": quantity, "trial_days": params.trial_period_days}),
        customer.model_copy(update={"user_id": owner}),
        None,
        terms=terms_of(state.runtime_settings.current),
        metadata=params.metadata,
        description=params.description,
    )
    state.webhooks.emit([state.subscriptions.event(made, "created")])
    return made


def _recurring(state: SandboxState, price_id: str) -> StripePrice:
    price = price_or_404(state, price_id, "items[0][price]")
    if not price.line.interval or not price.active:
        raise bad_request("The price must be recurring and active.", param="items[0][price]")
    return price


def _updated(state: SandboxState, subscription: StripeSubscription, params: UpdateSubscription) -> StripeSubscription:
    """The subscription after all that was asked for; one event for each kind of change."""
    if params.items:
        subscription = _with_item(state, subscription, params.items[0])
    if params.cancel_at_period_end and not subscription.cancel_at_period_end:
        subscription = state.subscriptions.cancel_at_period_end(subscription, by_flag=True)
    elif isinstance(params.cancel_at, str) or params.cancel_at_period_end is False:
        if subscription.will_end:
            subscription = state.subscriptions.resume(subscription)
    elif params.cancel_at is not None:
        if params.cancel_at <= state.clock.now():
            raise bad_request("`cancel_at` must be a timestamp in the future.", param="cancel_at")
        subscription = state.subscriptions.cancel_at(subscription, params.cancel_at)
    values: dict[str, object] = {}
    if params.metadata is not None:
        values["metadata"] = merged(subscription_metadata(subscription), params.metadata)
    if params.description is not None:
        values["description"] = params.description
    if "pause_collection" in params.model_fields_set:
        pause = params.pause_collection
        values["pause_collection"] = PauseCollection(**pause.model_dump()) if pause else None
    return state.subscriptions.change(subscription, values) if values else subscription


def _with_item(state: SandboxState, subscription: StripeSubscription, item: ItemParams) -> StripeSubscription:
    """Another price, or another quantity of it."""
    if item.id and item.id != item_id(subscription.id):
        raise no_such("subscription item", item.id, "items[0][id]")
    quantity = item.quantity or subscription.quantity
    if quantity != subscription.quantity:
        amount = subscription.amount // max(subscription.quantity, 1) * quantity
        subscription = state.subscriptions.change(subscription, {"quantity": quantity, "amount": amount})
    if not item.price or item.price == subscription.price_id:
        return subscription
    return state.subscriptions.switch(subscription, _recurring(state, item.price).line, at_once=True)


def _is_asked(one: StripeSubscription, params: ListSubscriptions) -> bool:
    states = {"": one.status != "canceled", "all": True, "ended": not one.live}
    return (
        params.created.holds(one.created)
        and params.customer in ("", one.customer)
        and params.price in ("", one.price_id)
        and states.get(params.status, one.status == params.status)
    )
