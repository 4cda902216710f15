"""The calls about events: what a service asks that has missed some."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from pydantic import Field

from sandbox.state import SandboxState
from sandbox.stripe.objects import StripeEvent
from sandbox.stripe.rest.forms import Many
from sandbox.stripe.rest.gate import ApiCall, call
from sandbox.stripe.rest.lists import page_of
from sandbox.stripe.rest.params import CallParams, ListParams
from sandbox.stripe.rest.problems import no_such
from sandbox.stripe.rest.shapes import Shape
from sandbox.stripe.rest.shapes.events import event_shape

_KEPT: Final = timedelta(days=30)
"""Older events are not listed (https://docs.stripe.com/api/events)."""


class ListEvents(ListParams):
    type: str = ""
    types: Many[str] = Field(default_factory=list)
    delivery_success: bool | None = None


def event_calls(state: SandboxState) -> Iterable[ApiCall]:
    def retrieve(_: CallParams, key: str) -> Shape:
        event = state.webhooks.event(key)
        if event is None:
            raise no_such("event", key)
        return event_shape(state, event)

    def every(params: ListEvents, _: str) -> Shape:
        since = state.clock.now() - _KEPT
        known = [
            one for one in state.webhooks.log(limit=10_000) if one.created >= since and _is_asked(state, one, params)
        ]
        return page_of(known, params, "/v1/events", lambda one: one.id, lambda one: event_shape(state, one))

    return (
        call("GET", "/events", ListEvents, every),
        call("GET", "/events/{key}", CallParams, retrieve),
    )


def _is_asked(state: SandboxState, event: StripeEvent, params: ListEvents) -> bool:
    types = [*params.types, *([params.type] if params.type else [])]
    return (
        params.created.holds(event.created)
        and (not types or any(_matches(event.type, asked) for asked in types))
        and params.delivery_success in (None, event.state == "delivered")
    )


def _matches(kind: str, asked: str) -> bool:
    """`customer.subscription.*` is all that begins so."""
    return kind.startswith(asked[:-1]) if asked.endswith("*") else kind == asked
