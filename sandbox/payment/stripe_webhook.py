"""`POST /webhooks/stripe` of the Payment MS: an event that somebody posts as Stripe would, signed as Stripe signs.

The sandbox's own events don't come this way (`sandbox.stripe.webhooks`): this door is for checks from outside.
"""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import Response

from sandbox.payment.go_json import go_json, problem
from sandbox.state import SandboxState
from sandbox.stripe.objects import StripeEvent, StripeSubscription, new_id

PATH: Final = "/webhooks/stripe"


def take_event(state: SandboxState, body: bytes, signature: str) -> Response:
    """Return what the service answers to a posted event."""
    settings = state.runtime_settings.current
    if not settings.accepts_unsigned_webhooks and not _is_signed(state, body, signature):
        return problem(400, "invalid_request", "INVALID_SIGNATURE", "Invalid signature", "Signature does not match")
    try:
        event = _read(state, json.loads(body))
    except (ValueError, TypeError, KeyError, LookupError):
        return problem(400, "invalid_request", "INVALID_BODY", "Invalid request body", "Failed to decode event")
    if event is not None and not state.webhooks.accept(event) and not settings.failed_writes_answer_200:
        return problem(500, "internal_error", "DATABASE_ERROR", "Failed to store event", "conn closed")
    return go_json({"received": True})


def _is_signed(state: SandboxState, body: bytes, signature: str) -> bool:
    """Whether `Stripe-Signature` is right (https://docs.stripe.com/webhooks#verify-manually)."""
    parts = dict(part.partition("=")[::2] for part in signature.split(","))
    secret = state.settings.webhook_secret.get_secret_value().encode()
    expected = hmac.new(secret, f"{parts.get('t', '')}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), parts.get("v1", "").encode())


def _read(state: SandboxState, content: dict[str, Any]) -> StripeEvent | None:
    """Return the event as the sandbox keeps one; None for a type that is nothing to the service."""
    about, kind = content["data"]["object"], str(content["type"])
    event = StripeEvent(
        id=new_id("evt"),
        type=kind,
        created=datetime.fromtimestamp(content["created"], UTC),
        user_id=(about.get("metadata") or {}).get("user_id", ""),
        customer=about.get("customer") or "",
    )
    if kind == "checkout.session.completed":
        return event
    if not kind.startswith("customer.subscription."):
        return None
    return event.model_copy(update={"subscription": _subscription(state, event, about)})


def _subscription(state: SandboxState, event: StripeEvent, about: dict[str, Any]) -> StripeSubscription:
    item = about["items"]["data"][0]
    product = item["price"]["product"]
    line = next(line for line in state.prices.plans() if line.product_id == product)
    sold = line.model_dump(include={"product_id", "price_id", "plan", "group", "name", "currency"})
    end = datetime.fromtimestamp(item["current_period_end"], UTC)
    changes = {**sold, "status": about["status"], "changed": event.created, "period_end": end}
    known = next((r.subscription for r in state.records.of(event.user_id) if r.subscription.id == about["id"]), None)
    if known is not None:
        return known.model_copy(update=changes)
    return StripeSubscription(
        id=about["id"],
        user_id=event.user_id,
        email="",
        customer=event.customer,
        amount=line.amount,
        interval=line.interval or "month",
        created=event.created,
        billing_cycle_anchor=event.created,
        period_start=event.created,
        **changes,
    )
