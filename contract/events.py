"""Events as Stripe sends them: its JSON, `customer` as text, signed as https://docs.stripe.com/webhooks says."""

import hashlib
import hmac
import json
import math
import time
from typing import Any

from contract.target import ContractTarget, Sale, WebhookDoor
from contract.wire import ServiceReply


def post(subject: ContractTarget, door: WebhookDoor, event: dict[str, Any], *, secret: str = "") -> ServiceReply:
    """Return the answer to an event, signed with the door's secret or another one."""
    body = json.dumps(event).encode()
    moment = str(int(time.time()))
    digest = hmac.new((secret or door.secret).encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Stripe-Signature": f"t={moment},v1={digest}"}
    return subject.wire.ask("POST", door.path, key="", headers=headers, content=body)


def session_completed(subject: ContractTarget, user_id: str, customer: str) -> dict[str, Any]:
    """Return the event by which a paid checkout names the customer of a user."""
    about = {
        "id": f"cs_test_contract{subject.run}",
        "object": "checkout.session",
        "mode": "subscription",
        "status": "complete",
        "payment_status": "paid",
        "customer": customer,
        "client_reference_id": user_id,
        "metadata": {"user_id": user_id},
    }
    return _event(subject, "checkout.session.completed", about)


def subscription(
    subject: ContractTarget, kind: str, user_id: str, customer: str, name: str, sale: Sale, *, status: str = "active"
) -> dict[str, Any]:
    """Return an event about a subscription, such as `created`, to the product of a sale."""
    now = math.ceil(time.time())
    period = {"current_period_start": now, "current_period_end": now + 30 * 86_400}
    price = {"id": sale.price_id, "object": "price", "product": sale.product_id, "recurring": {"interval": "month"}}
    about = {
        "id": name,
        "object": "subscription",
        "customer": customer,
        "status": status,
        "cancel_at_period_end": False,
        **period,
        "items": {"object": "list", "data": [{"object": "subscription_item", "quantity": 1, "price": price, **period}]},
        "metadata": {"user_id": user_id, "product_id": sale.product_id},
    }
    return _event(subject, f"customer.subscription.{kind}", about)


def of_stripe(subject: ContractTarget, kind: str, subscription: dict[str, Any]) -> dict[str, Any]:
    """Return the event about a subscription that Stripe really has, as it has it."""
    return _event(subject, f"customer.subscription.{kind}", subscription)


def _event(subject: ContractTarget, kind: str, about: dict[str, Any]) -> dict[str, Any]:
    subject.events += 1
    return {
        "id": f"evt_contract{subject.run}{subject.events}",
        "object": "event",
        "type": kind,
        "created": math.ceil(time.time()) + subject.events,
        "livemode": False,
        "data": {"object": about},
    }
