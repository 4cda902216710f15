"""The calls about webhook endpoints (https://docs.stripe.com/api/webhook_endpoints)."""

from collections.abc import Iterable

from pydantic import Field

from sandbox.state import SandboxState
from sandbox.stripe.endpoints import CONFIGURED, WebhookEndpoint
from sandbox.stripe.rest.forms import Many
from sandbox.stripe.rest.gate import ApiCall, call
from sandbox.stripe.rest.lists import page_of
from sandbox.stripe.rest.params import CallParams, ListParams, Metadata, Text
from sandbox.stripe.rest.problems import bad_request, no_such
from sandbox.stripe.rest.shapes import VERSION, Shape, unix


class CreateEndpoint(CallParams):
    url: Text
    enabled_events: Many[Text] = Field(min_length=1)
    api_version: str = VERSION
    description: str = ""
    metadata: Metadata = Field(default_factory=dict)


def webhook_endpoint_calls(state: SandboxState) -> Iterable[ApiCall]:
    def create(params: CreateEndpoint, _: str) -> Shape:
        """The only answer that has the secret."""
        if not params.url.startswith(("http://", "https://")):
            raise bad_request("Invalid URL: An explicit scheme (such as https) must be provided.", "url_invalid", "url")
        if params.api_version != VERSION:
            raise bad_request(f"The sandbox's Stripe speaks {VERSION} alone.", param="api_version")
        made = state.endpoints.create(params.url, params.enabled_events)
        told = made.model_copy(update={"description": params.description, "metadata": params.metadata})
        return {**endpoint_shape(state.endpoints.keep(told)), "secret": told.secret}

    def every(params: ListParams, _: str) -> Shape:
        return page_of(state.endpoints.all(), params, "/v1/webhook_endpoints", lambda one: one.id, endpoint_shape)

    def retrieve(_: CallParams, key: str) -> Shape:
        return endpoint_shape(_endpoint_or_404(state, key))

    def delete(_: CallParams, key: str) -> Shape:
        if _endpoint_or_404(state, key).id == CONFIGURED:
            raise bad_request("This endpoint is set by SANDBOX_STRIPE_WEBHOOK_URL.")
        state.endpoints.drop(key)
        return {"id": key, "object": "webhook_endpoint", "deleted": True}

    return (
        call("POST", "/webhook_endpoints", CreateEndpoint, create),
        call("GET", "/webhook_endpoints", ListParams, every),
        call("GET", "/webhook_endpoints/{key}", CallParams, retrieve),
        call("DELETE", "/webhook_endpoints/{key}", CallParams, delete),
    )


def endpoint_shape(endpoint: WebhookEndpoint) -> Shape:
    return {
        "id": endpoint.id,
        "object": "webhook_endpoint",
        "api_version": VERSION,
        "application": None,
        "created": unix(endpoint.created),
        "description": endpoint.description or None,
        "enabled_events": endpoint.enabled_events,
        "livemode": False,
        "metadata": endpoint.metadata,
        "status": "enabled",
        "url": endpoint.url,
    }


def _endpoint_or_404(state: SandboxState, key: str) -> WebhookEndpoint:
    endpoint = state.endpoints.get(key)
    if endpoint is None:
        raise no_such("webhook endpoint", key)
    return endpoint
