"""The event: what it is about, as that was when it happened (https://docs.stripe.com/api/events/object)."""

from sandbox.state import SandboxState
from sandbox.stripe.objects import StripeEvent
from sandbox.stripe.rest.shapes import VERSION, Shape, nulls, unix
from sandbox.stripe.rest.shapes.checkout import session_shape
from sandbox.stripe.rest.shapes.customers import customer_shape
from sandbox.stripe.rest.shapes.invoices import invoice_shape
from sandbox.stripe.rest.shapes.payments import charge_shape, dispute_shape
from sandbox.stripe.rest.shapes.subscriptions import subscription_shape


def event_shape(state: SandboxState, event: StripeEvent) -> Shape:
    return {
        "id": event.id,
        "object": "event",
        "api_version": VERSION,
        "created": unix(event.created),
        "data": {"object": event.about or about_shape(state, event)},
        "livemode": False,
        "pending_webhooks": 1 if event.state == "pending" else 0,
        "request": nulls("id idempotency_key"),
        "type": event.type,
    }


def about_shape(state: SandboxState, event: StripeEvent) -> Shape:
    """What an event is about: the subscription of that moment, anything else as it is now."""
    if event.subscription:
        return subscription_shape(event.subscription, state.products, state.runtime_settings.current)
    session = state.checkout.get(event.session_id) if event.session_id else None
    if session:
        return session_shape(state, session)
    invoice = state.invoices.get(event.invoice_id) if event.invoice_id else None
    if invoice:
        if event.type.startswith("invoice."):
            return invoice_shape(state, invoice)
        return dispute_shape(invoice) if event.type.startswith("charge.dispute.") else charge_shape(invoice)
    customer = state.customers.get(event.customer)
    return customer_shape(customer) if customer else {}
