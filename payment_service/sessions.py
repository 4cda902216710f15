"""What the contract says of one checkout session."""

from stripe.checkout import Session as CheckoutSession

from payment_service.subscriptions import Document, moment, now_seconds


def session_document(found: CheckoutSession, user_id: str) -> Document:
    """Return the contract's object, all but `as_of`, which is added where it is told."""
    subscription = found.subscription
    return {
        "checkout_session_id": found.id,
        "status": found.status or "open",
        "payment_status": found.payment_status,
        "mode": found.mode,
        "user_id": user_id,
        "expires_at": moment(found.expires_at),
        "subscription_id": subscription if subscription is None or isinstance(subscription, str) else subscription.id,
        "amount_total": found.amount_total,
        "currency": found.currency,
        "livemode": found.livemode,
        "as_of": moment(now_seconds()),
    }
