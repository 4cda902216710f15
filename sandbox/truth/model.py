"""What is so about a user's money, dates and access, as values: the answer of ``GET /control/truth/{user_id}``.

Amounts are minor units, `currency` beside each. Times are UTC, by the sandbox's clock.
"""

from datetime import datetime

from pydantic import BaseModel

from sandbox.auth.accounts import AccountPlan
from sandbox.stripe.amounts import AmountDue, Discount, Terms
from sandbox.stripe.objects import (
    DisputeStatus,
    InvoiceStatus,
    LineItem,
    Origin,
    PauseCollection,
    PaymentStatus,
    ScheduledChange,
    SessionStatus,
)


class Charge(BaseModel):
    """One invoice. Money has moved where `status` is `paid`; `refunded` and `dispute` say what came back."""

    invoice_id: str
    subscription_id: str
    session_id: str
    reason: str
    amount: int
    currency: str
    due: AmountDue
    status: InvoiceStatus
    processing: bool
    created: datetime
    paid_at: datetime | None
    period_start: datetime | None
    period_end: datetime | None
    refunded: int
    dispute: DisputeStatus | None


class NextCharge(BaseModel):
    """What will be charged if nobody does anything: for a renewal, or another attempt on an open invoice."""

    at: datetime
    amount: int
    currency: str
    due: AmountDue
    plan: str
    price_id: str
    interval: str
    retry_of: str = ""
    """The open invoice that this is another attempt at; empty for a renewal."""
    succeeds: bool
    """Whether the attempt goes through, by today's settings and the card or account on file."""


class SubscriptionTruth(BaseModel):
    """A subscription as Stripe has it, with what follows from that."""

    id: str
    user_id: str
    known_as: str
    origin: Origin
    session_id: str
    customer: str
    email: str
    plan: str
    group: str
    product_id: str
    price_id: str
    name: str
    quantity: int
    list_amount: int
    list_currency: str
    interval: str
    terms: Terms
    discount: Discount | None
    status: str
    live: bool
    created: datetime
    period_start: datetime
    period_end: datetime
    trial_end: datetime | None
    cancel_at_period_end: bool
    cancel_at: datetime | None
    canceled_at: datetime | None
    ended_at: datetime | None
    pause_collection: PauseCollection | None
    scheduled_change: ScheduledChange | None
    has_payment_method: bool
    awaits_payment: bool
    renews: bool
    """Whether another period follows this one if nobody does anything and the payment goes through."""
    ends_at: datetime | None
    """When it will end if nobody does anything; None where it goes on, or has ended."""
    next_change_at: datetime | None
    next_charge: NextCharge | None
    """None: the next period takes nothing (paused, or free by a code), or there is none."""
    renewal_charge: NextCharge | None
    """What the next period takes, where a first payment or a retry comes before it too, and goes through."""
    paid_until: datetime | None
    """The end of the last period that was paid for, or free by trial or coupon; None where none was."""
    charges: list[Charge]
    open_invoices: list[str]


class Order(BaseModel):
    """A one-off purchase."""

    session_id: str
    lines: list[LineItem]
    payment_status: PaymentStatus
    completed_at: datetime | None
    settles_at: datetime | None
    charge: Charge | None


class SessionTruth(BaseModel):
    """A checkout session. `payable` is whether a person with its address can still pay it now."""

    id: str
    url: str
    mode: str
    status: SessionStatus
    payment_status: PaymentStatus
    payable: bool
    created: datetime
    expires_at: datetime
    completed_at: datetime | None
    settles_at: datetime | None
    lines: list[LineItem]
    due_today: AmountDue
    trial_days: int
    promotion: str
    email: str
    subscription_id: str
    invoice_id: str


class RecordTruth(BaseModel):
    """What the Payment MS says of a subscription when it is asked by this product."""

    subscription_id: str
    product_id: str
    status: str
    period_end: datetime
    as_of: datetime


class EventTruth(BaseModel):
    """One event of Stripe's, and who has heard of it when."""

    id: str
    type: str
    at: datetime
    state: str
    subscription_id: str
    session_id: str
    invoice_id: str
    status: str
    heard: dict[str, datetime]


class Truth(BaseModel):
    user_id: str
    ids: list[str]
    """Every id under which something of theirs is kept: the user id, and the e-mail addresses that served as one."""
    now: datetime
    subscriptions: list[SubscriptionTruth]
    orders: list[Order]
    sessions: list[SessionTruth]
    charges: list[Charge]
    charged: dict[str, int]
    """Taken so far by currency, refunds and lost disputes not taken off."""
    returned: dict[str, int]
    """Refunded, or taken back by a dispute that is open or lost."""
    customers: list[str]
    account: AccountPlan | None
    """What the Auth MS says of their plan; None where it says nothing."""
    records: list[RecordTruth]
    waiting_webhooks: int
    events: list[EventTruth] | None
