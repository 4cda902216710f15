"""Stripe's things as the sandbox keeps them: sessions, subscriptions, invoices, events. Data only, no behaviour."""

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from sandbox.settings import Reach

LIVE: Final = frozenset({"active", "trialing", "past_due", "unpaid", "incomplete", "paused"})
"""Status words of a subscription that has not ended (Stripe: everything but canceled and incomplete_expired)."""


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"


class Document(BaseModel):
    model_config = ConfigDict(extra="ignore")


class LineItem(Document):
    """What is being bought, with everything the page shows, as it was when the session was opened."""

    price_id: str
    product_id: str
    name: str
    amount: int
    currency: str
    interval: str | None = None
    trial_days: int = 0
    quantity: int = 1
    plan: str = ""


class SessionStatus(StrEnum):
    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


class StripeCheckoutSession(Document):
    id: str
    mode: str
    user_id: str
    email: str
    lines: list[LineItem]
    success_url: str
    cancel_url: str
    created: datetime
    expires_at: datetime
    status: SessionStatus = SessionStatus.OPEN
    promotion: str = ""
    waiting_card: str = ""
    subscription_id: str = ""

    @property
    def recurring(self) -> bool:
        return self.mode == "subscription"


class StripeSubscription(Document):
    id: str
    user_id: str
    email: str
    customer: str
    product_id: str
    price_id: str
    plan: str
    name: str
    amount: int
    currency: str
    interval: str
    quantity: int = 1
    status: str
    created: datetime
    changed: datetime
    period_start: datetime
    period_end: datetime
    trial_end: datetime | None = None
    cancel_at_period_end: bool = False
    ended_at: datetime | None = None
    card: str = "4242"
    card_works: bool = True
    percent_off: int = 0
    retry_at: datetime | None = None
    failures: int = 0

    @property
    def live(self) -> bool:
        return self.status in LIVE


class Invoice(Document):
    id: str
    user_id: str
    subscription_id: str = ""
    name: str
    amount: int
    currency: str
    status: str
    created: datetime


class StripePortalSession(Document):
    id: str
    user_id: str
    return_url: str
    created: datetime


class DeliveryOutcome(Document):
    at: datetime
    to: str
    result: str


class StripeEvent(Document):
    """What Stripe tells the Payment MS: a type, and the subscription as it was at that moment."""

    id: str
    type: str
    created: datetime
    user_id: str
    session_id: str = ""
    subscription: StripeSubscription | None = None
    state: str = "pending"
    outcomes: list[DeliveryOutcome] = []


class Delivery(Document):
    id: str
    event_id: str
    reach: Reach
    due: float
