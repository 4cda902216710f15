"""The calls about the customer portal."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from sandbox.state import SandboxState
from sandbox.stripe.rest.customers import customer_or_404
from sandbox.stripe.rest.gate import ApiCall, call
from sandbox.stripe.rest.lists import page_of
from sandbox.stripe.rest.params import CallParams, ListParams, Params, Text
from sandbox.stripe.rest.problems import bad_request, no_such
from sandbox.stripe.rest.shapes import Shape
from sandbox.stripe.rest.shapes.portal import CONFIGURATION, configuration_shape, portal_session_shape
from sandbox.stripe.rest.subscriptions import subscription_or_404


class RedirectParams(Params):
    return_url: Text


class AfterCompletionParams(Params):
    type: Literal["hosted_confirmation", "portal_homepage", "redirect"]
    redirect: RedirectParams | None = None


class FlowSubscription(Params):
    subscription: Text


class FlowParams(Params):
    type: Literal["payment_method_update", "subscription_cancel", "subscription_update"]
    after_completion: AfterCompletionParams | None = None
    subscription_cancel: FlowSubscription | None = None
    subscription_update: FlowSubscription | None = None


class CreatePortalSession(CallParams):
    customer: Text
    return_url: str = ""
    locale: str = Field(default="", max_length=10)
    configuration: str = CONFIGURATION
    flow_data: FlowParams | None = None


class ListConfigurations(ListParams):
    active: bool | None = None
    is_default: bool | None = None


def portal_calls(state: SandboxState) -> Iterable[ApiCall]:
    def create(params: CreatePortalSession, _: str) -> Shape:
        customer = customer_or_404(state, params.customer, "customer")
        if params.configuration != CONFIGURATION:
            raise no_such("configuration", params.configuration, "configuration")
        flow = params.flow_data
        after = flow.after_completion.redirect if flow and flow.after_completion else None
        session = state.portal.open(
            customer.user_id,
            customer.id,
            params.return_url,
            locale=params.locale,
            flow=flow.type if flow else "",
            flow_subscription=_subscription_of(state, flow, customer.id) if flow else "",
            flow_return_url=after.return_url if after else "",
        )
        return portal_session_shape(state, session)

    def shape() -> Shape:
        return configuration_shape(state, state.runtime_settings.current)

    def configurations(params: ListConfigurations, _: str) -> Shape:
        known = [] if False in (params.active, params.is_default) else [shape()]
        return page_of(known, params, "/v1/billing_portal/configurations", lambda _: CONFIGURATION, lambda one: one)

    def configuration(_: CallParams, key: str) -> Shape:
        if key != CONFIGURATION:
            raise no_such("configuration", key)
        return shape()

    return (
        call("POST", "/billing_portal/sessions", CreatePortalSession, create),
        call("GET", "/billing_portal/configurations", ListConfigurations, configurations),
        call("GET", "/billing_portal/configurations/{key}", CallParams, configuration),
    )


def _subscription_of(state: SandboxState, flow: FlowParams, customer_id: str) -> str:
    """The subscription that a flow is about; refused where the portal can't do that with it."""
    if flow.type == "payment_method_update":
        return ""
    about = flow.subscription_cancel if flow.type == "subscription_cancel" else flow.subscription_update
    param = f"flow_data[{flow.type}][subscription]"
    if about is None:
        raise bad_request(f"Missing required param: {param}.", "parameter_missing", param)
    subscription = subscription_or_404(state, about.subscription, param)
    settings = state.runtime_settings.current
    if subscription.customer != customer_id:
        raise bad_request(f"Subscription {subscription.id} does not belong to customer {customer_id}.", param=param)
    if not subscription.live:
        raise bad_request(f"Subscription {subscription.id} cannot be changed: it has ended.", param=param)
    if flow.type == "subscription_cancel" and subscription.will_end:
        raise bad_request(f"Subscription {subscription.id} is already set to be canceled.", param=param)
    if not (settings.portal_cancel if flow.type == "subscription_cancel" else settings.portal_plan_change):
        text = f"This feature is disabled in the portal configuration: {flow.type}."
        raise bad_request(text, param="flow_data[type]")
    return subscription.id
