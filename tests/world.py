"""A small model of everything outside the app: Stripe, the Payment MS's table, the Auth MS's accounts, and webhooks.

Written from the services' contract, not from our clients. Nothing happens by itself: a test pays, cancels, lets time
pass and decides which of the pending webhooks arrives where.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from services.auth_ms import PlanGrant

SESSION_LIFE: Final = timedelta(hours=24)
WEBHOOK_TRIED_FOR: Final = timedelta(days=3)
PERIOD: Final = {"month": timedelta(days=30), "year": timedelta(days=365)}
Part = Literal["billing", "account"]
BOTH: Final[tuple[Part, ...]] = ("billing", "account")


@dataclass(frozen=True)
class Row:
    """One row of the Payment MS's table: what the last webhook it took said."""

    product_id: str
    subscription_id: str
    status: str
    period_end: datetime | None


@dataclass
class StripeSession:
    """A checkout session at Stripe."""

    id: str
    kind: str
    customer: str
    content: tuple[tuple[str, int], ...]
    success_url: str
    cancel_url: str
    opened_at: datetime
    paid: bool = False
    expired: bool = False


@dataclass
class SubscriptionAtStripe:
    """A subscription at Stripe, which alone knows what is really charged."""

    id: str
    customer: str
    product_id: str
    plan: str
    interval: str
    status: str
    period_end: datetime
    ends: bool = False

    @property
    def live(self) -> bool:
        """Whether it can charge."""
        return self.status in ("active", "trialing", "past_due", "unpaid", "incomplete", "paused")


@dataclass(frozen=True)
class Webhook:
    """One event on its way: the subscription as it was when it was sent. Stripe tries for three days."""

    number: int
    subscription: SubscriptionAtStripe
    sent_at: datetime


@dataclass(frozen=True)
class Sold:
    """What a price id buys at Stripe."""

    product_id: str
    plan: str = ""
    interval: str = "month"
    trial_days: int = 0


@dataclass
class OutsideWorld:
    """The outside. `prices` is what is for sale at Stripe; `account_speaks` whether the Auth MS says anything of plans;
    `lists_both` whether a subscription that changed its plan stays under its old product as well."""

    now: Callable[[], datetime]
    prices: dict[str, Sold]
    account_speaks: bool = True
    lists_both: bool = True
    sessions: dict[str, StripeSession] = field(default_factory=dict)
    subscriptions: dict[str, SubscriptionAtStripe] = field(default_factory=dict)
    billing: dict[tuple[str, str], Row] = field(default_factory=dict)
    accounts: dict[str, PlanGrant] = field(default_factory=dict)
    pending: list[Webhook] = field(default_factory=list)
    customers: set[str] = field(default_factory=set)
    _account_of: dict[str, int] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def grant(self, user_id: str) -> PlanGrant | None:
        """What the Auth MS says of a user's plan."""
        return self.accounts.get(user_id) if self.account_speaks else None

    def open_session(
        self, kind: str, customer: str, content: tuple[tuple[str, int], ...], success_url: str, cancel_url: str
    ) -> str:
        """Open a checkout session and return its id."""
        session_id = f"cs_test_{next(self._numbers)}"
        self.sessions[session_id] = StripeSession(
            session_id, kind, customer, content, success_url, cancel_url, self.now()
        )
        self.customers.add(customer)
        return session_id

    def payable(self, session_id: str) -> bool:
        """Whether Stripe would still take money for this session: once, within a day, and not expired by hand."""
        session = self.sessions[session_id]
        return not session.paid and not session.expired and self.now() < session.opened_at + SESSION_LIFE

    def pay(self, session_id: str) -> SubscriptionAtStripe | None:
        """Pay at Stripe; returns the subscription this started, None for a one-off purchase."""
        session = self.sessions[session_id]
        assert self.payable(session_id), "Stripe takes no money for this session"
        session.paid = True
        if session.kind != "subscription":
            return None
        sold = self.prices[session.content[0][0]]
        status = "trialing" if sold.trial_days else "active"
        length = timedelta(days=sold.trial_days) if sold.trial_days else PERIOD[sold.interval]
        subscription = SubscriptionAtStripe(
            f"sub_{next(self._numbers)}", session.customer, sold.product_id, sold.plan, sold.interval, status,
            self.now() + length,
        )  # fmt: skip
        self.subscriptions[subscription.id] = subscription
        self.send(subscription)
        return subscription

    def live(self, customer: str) -> list[SubscriptionAtStripe]:
        """The subscriptions of this customer that can charge."""
        return [one for one in self.subscriptions.values() if one.customer == customer and one.live]

    def set_status(self, subscription: SubscriptionAtStripe, status: str) -> None:
        """Move a subscription to another status."""
        subscription.status = status
        if status == "canceled":
            subscription.period_end = min(subscription.period_end, self.now())
        self.send(subscription)

    def switch(self, subscription: SubscriptionAtStripe, price_id: str) -> None:
        """Change the plan in the portal."""
        sold = self.prices[price_id]
        subscription.product_id, subscription.plan, subscription.interval = sold.product_id, sold.plan, sold.interval
        self.send(subscription)

    def let_periods_end(self) -> None:
        """Renew or end what is due by now, as Stripe does by itself."""
        for subscription in self.subscriptions.values():
            while subscription.live and subscription.period_end <= self.now():
                if subscription.ends:
                    self.set_status(subscription, "canceled")
                    break
                subscription.status = "active" if subscription.status == "trialing" else subscription.status
                subscription.period_end += PERIOD[subscription.interval]
                self.send(subscription)

    def send(self, subscription: SubscriptionAtStripe) -> None:
        """Put a webhook with the subscription as it is now on its way."""
        self.pending.append(Webhook(next(self._numbers), replace(subscription), self.now()))

    def give_up(self) -> None:
        """Drop the webhooks that were tried for three days."""
        self.pending = [webhook for webhook in self.pending if self.now() - webhook.sent_at < WEBHOOK_TRIED_FOR]

    def deliver(self, webhook: Webhook, parts: tuple[Part, ...] = BOTH, *, keep: bool = False) -> None:
        """Let a webhook arrive at one service or both; `keep` leaves it to arrive once more."""
        if not keep and webhook in self.pending:
            self.pending.remove(webhook)
        told = webhook.subscription
        if "billing" in parts:
            self._tell_billing(told)
        if "account" in parts:
            self._tell_account(told)

    def deliver_all(self, parts: tuple[Part, ...] = BOTH) -> None:
        """Let every pending webhook arrive in order."""
        for webhook in tuple(self.pending):
            self.deliver(webhook, parts)

    def _tell_billing(self, told: SubscriptionAtStripe) -> None:
        if not self.lists_both:
            for key, row in tuple(self.billing.items()):
                if row.subscription_id == told.id:
                    del self.billing[key]
        known = self.billing.get((told.customer, told.product_id))
        if known is None or _number(known.subscription_id) <= _number(told.id):
            self.billing[told.customer, told.product_id] = Row(told.product_id, told.id, told.status, told.period_end)

    def _tell_account(self, told: SubscriptionAtStripe) -> None:
        if _number(told.id) >= self._account_of.get(told.customer, 0):
            self._account_of[told.customer] = _number(told.id)
            until = told.period_end if told.live else None
            self.accounts[told.customer] = PlanGrant(told.status, told.plan, until)


def _number(subscription_id: str) -> int:
    """Later subscriptions have higher numbers: both services keep to the newest one they have heard of."""
    return int(subscription_id.removeprefix("sub_"))
