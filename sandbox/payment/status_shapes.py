"""How the Payment MS answers for one subscription: three shapes it is known for, and one with all it knows."""

from datetime import datetime
from typing import Any

from sandbox.clock import rfc3339
from sandbox.payment.records import Record
from sandbox.settings import StatusShape


def subscription_answer(record: Record | None, shape: StatusShape) -> dict[str, Any]:
    """The JSON of a status call; the running service's shape has no status."""
    if record is None:
        if shape in (StatusShape.OPENAPI, StatusShape.RUNNING):
            return {"exists": False}
        return {
            "status": "none",
            "subscription_id": "",
            "current_period_end": "0001-01-01T00:00:00Z",
            "product_id": "",
        }
    known = record.subscription
    end = rfc3339(known.period_end)
    if shape is StatusShape.OPENAPI:
        return {
            "exists": True,
            "status": known.status,
            "subscription_id": known.id,
            "customer_id": record.customer_id,
            "current_period_end": end,
        }
    if shape is StatusShape.RUNNING:
        return {
            "customer_id": record.customer_id,
            "exists": True,
            "period_end": end,
            "stripe_subscription_id": known.id,
        }
    documented: dict[str, Any] = {
        "status": known.status,
        "subscription_id": known.id,
        "current_period_end": end,
        "product_id": known.product_id,
    }
    return documented if shape is StatusShape.DOCUMENTED else documented | details_of(record)


def details_of(record: Record) -> dict[str, Any]:
    """Return Stripe's own fields, under Stripe's names."""
    known = record.subscription
    pause = known.pause_collection
    return {
        "price_id": known.price_id,
        "current_period_start": rfc3339(known.period_start),
        "trial_end": _or_null(known.trial_end),
        "cancel_at_period_end": known.cancel_at_period_end,
        "cancel_at": _or_null(known.cancel_at),
        "canceled_at": _or_null(known.canceled_at),
        "ended_at": _or_null(known.ended_at),
        "pause_collection": {"behavior": pause.behavior, "resumes_at": _or_null(pause.resumes_at)} if pause else None,
    }


def _or_null(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None
