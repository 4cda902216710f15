"""Whether the service can do its work: true, and read from what was seen, so that asking costs nothing."""

from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from payment_service.documents import Document, moment, now_seconds
from payment_service.service import PaymentService

FEATURES: Final = (
    "status_details", "next_charge", "subscriptions", "checkout_sessions", "idempotency", "locale", "trial_days",
    "promotion", "quantity", "consent", "portal_flows", "invoices", "events", "register_items",
    "concurrency",
)  # fmt: skip
SILENT: Final = 120
"""Seconds without any answer of Stripe's after which it counts as out of reach (the worker asks every 30)."""


def health(service: PaymentService) -> tuple[Document, bool]:
    """Return what `/health` says, and whether the database works: without it nothing does."""
    database, last = "", None
    try:
        last = service.webhooks.last_done()
    except SQLAlchemyError as error:
        database = type(error).__name__
    stripe = service.stripe.http.problem
    if not stripe and service.stripe.http.answered_at < now_seconds() - SILENT:
        stripe = "it has not answered lately"
    told: Document = {
        "status": "degraded" if database or stripe else "healthy",
        "timestamp": moment(now_seconds()),
        "service": "billing-service",
        "contract": {"version": 2, "features": list(FEATURES)},
        "livemode": service.settings.livemode,
        "database": {"ok": not database, "problem": database},
        "stripe": {"ok": not stripe, "problem": stripe},
        "last_event_at": moment(last),
        "last_event_age": None if last is None else now_seconds() - last,
    }
    return told, not database
