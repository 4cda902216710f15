"""Stripe's things as the sandbox keeps them: sessions, subscriptions, invoices, events. Data only, no behaviour.

Fields have Stripe's names and types (https://docs.stripe.com/api), but for times, which are aware UTC here.
"""

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue

from sandbox.clock import add_interval
from sandbox.settings import Reach
from sandbox.stripe.amounts import AmountDue, Discount, Terms

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
    group: str = ""


class SessionStatus(StrEnum):
    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


class PaymentStatus(StrEnum):
    """Of a checkout session: a delayed method leaves a complete session `unpaid` for days."""

    UNPAID = "unpaid"
    PAID = "paid"
    NO_PAYMENT_REQUIRED = "no_payment_required"


class InvoiceStatus(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"


class PauseBehavior(StrEnum):
    """What becomes of invoices while collection is paused."""

    VOID = "void"
    KEEP_AS_DRAFT = "keep_as_draft"
    MARK_UNCOLLECTIBLE = "mark_uncollectible"


class DisputeStatus(StrEnum):
    NEEDS_RESPONSE = "needs_response"
    WON = "won"
    LOST = "lost"


class Origin(StrEnum):
    """Where a subscription was made: in our checkout, by sales in the dashboard, in an older front end."""

    CHECKOUT = "checkout"
    SALES = "sales"
    OLDER_FRONT_END = "older_front_end"


class StripeCustomer(Document):
    id: str
    user_id: str
    email: str
    created: datetime
    name: str = ""
    description: str = ""
    preferred_locales: list[str] = []
    metadata: dict[str, str] | None = None
    """As it was given; None for one that Checkout made."""
    deleted: bool = False


class SessionOptions(Document):
    """What a session was opened with over Stripe's API, beyond what the recorded Payment MS asks for."""

    client_reference_id: str = ""
    metadata: dict[str, str] = {}
    subscription_metadata: dict[str, str] | None = None
    subscription_description: str = ""
    allow_promotion_codes: bool = True
    terms_of_service: bool = False
    """Whether the buyer has to agree to the merchant's terms."""
    card_if_required: bool = False
    makes_invoice: bool = False
    """Whether a one-off purchase leaves an invoice behind."""


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
    payment_status: PaymentStatus = PaymentStatus.UNPAID
    terms: Terms = Terms()
    locale: str = ""
    promotion: str = ""
    waiting_card: str = ""
    subscription_id: str = ""
    invoice_id: str = ""
    customer: str = ""
    completed_at: datetime | None = None
    settles_at: datetime | None = None
    """When a delayed payment arrives or fails; None when there is nothing to wait for."""
    settles_well: bool = True
    options: SessionOptions = SessionOptions()
    agreed: bool = False
    """The buyer has agreed to the terms of service."""

    @property
    def recurring(self) -> bool:
        return self.mode == "subscription"


class PauseCollection(Document):
    behavior: PauseBehavior = PauseBehavior.VOID
    resumes_at: datetime | None = None


class ScheduledChange(Document):
    """A change of plan that was booked for later."""

    line: LineItem
    at: datetime


class StripeSubscription(Document):
    id: str
    user_id: str
    known_as: str | None = None
    """The user id in its metadata, where that is not `user_id`; empty for one that nobody can tell whose it is."""
    origin: Origin = Origin.CHECKOUT
    session_id: str = ""
    metadata: dict[str, str] | None = None
    """As it was given over Stripe's API; None for one whose metadata is the user id alone."""
    description: str = ""
    email: str
    customer: str
    product_id: str
    price_id: str
    plan: str
    group: str = ""
    name: str
    amount: int
    currency: str
    interval: str
    quantity: int = 1
    terms: Terms = Terms()
    discount: Discount | None = None
    status: str
    created: datetime
    changed: datetime
    billing_cycle_anchor: datetime
    period_start: datetime
    period_end: datetime
    trial_end: datetime | None = None
    cancel_at_period_end: bool = False
    cancel_at: datetime | None = None
    canceled_at: datetime | None = None
    ended_at: datetime | None = None
    pause_collection: PauseCollection | None = None
    scheduled_change: ScheduledChange | None = None
    proration: int = 0
    """What the next invoice adds or takes off for a change under way, in the list currency."""
    has_payment_method: bool = True
    card: str = "4242"
    card_works: bool = True
    retry_at: datetime | None = None
    failures: int = 0
    latest_invoice: str = ""
    awaits_payment: bool = False
    """Its first payment is a delayed one that has neither arrived nor failed."""

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def will_end(self) -> bool:
        """Whether it is running, and booked to end."""
        return self.live and (self.cancel_at_period_end or self.cancel_at is not None)

    @property
    def ends_at(self) -> datetime | None:
        """When it is booked to end; None when it is not, or has ended."""
        if not self.will_end:
            return None
        moments = [
            moment for moment in (self.cancel_at, self.period_end if self.cancel_at_period_end else None) if moment
        ]
        return min(moments)

    def period_after(self, start: datetime) -> datetime:
        """Where a period that begins then ends, by the billing anchor's day."""
        return add_interval(start, self.interval, self.billing_cycle_anchor.day)

    @property
    def metadata_user_id(self) -> str:
        if self.metadata is not None:
            return self.metadata.get("user_id", "")
        return self.user_id if self.known_as is None else self.known_as


class Invoice(Document):
    id: str
    user_id: str
    customer: str = ""
    subscription_id: str = ""
    session_id: str = ""
    name: str
    price_id: str = ""
    product_id: str = ""
    quantity: int = 1
    billing_reason: str = "manual"
    due: AmountDue
    amount: int
    currency: str
    status: InvoiceStatus
    processing: bool = False
    """A bank debit is under way: neither paid nor failed."""
    created: datetime
    paid_at: datetime | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    refunded: int = 0
    dispute: DisputeStatus | None = None


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
    invoice_id: str = ""
    customer: str = ""
    subscription: StripeSubscription | None = None
    about: dict[str, JsonValue] | None = None
    """What it is about, as Stripe's API wrote it then; kept while somebody outside listens."""
    state: str = "pending"
    outcomes: list[DeliveryOutcome] = []


class Delivery(Document):
    id: str
    event_id: str
    reach: Reach
    endpoint: str = ""
    """The webhook endpoint that it goes to; empty for the sandbox's own services."""
    due: float
    attempts: int = 0
