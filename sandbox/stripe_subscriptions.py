"""Stripe's subscriptions: they begin, change, renew, fail and end, by the sandbox clock. Each change emits an event."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sandbox.cards import PaymentMethod, discounted
from sandbox.clock import SandboxClock, add_interval
from sandbox.database import Database, DocumentStore
from sandbox.runtime_settings import RuntimeSettingsStore
from sandbox.settings import DunningEnd, Renewals
from sandbox.stripe_objects import Invoice, LineItem, StripeCheckoutSession, StripeEvent, StripeSubscription, new_id
from sandbox.webhooks import AS_SET, DeliveryOptions, Webhooks

_RETRY_DAYS: Final = (3, 5, 7)
_FIRST_PAYMENT_HOURS: Final = 23
"""An incomplete subscription expires after 23 hours (https://docs.stripe.com/billing/subscriptions/overview)."""


class StripeSubscriptions:
    def __init__(
        self, database: Database, clock: SandboxClock, runtime: RuntimeSettingsStore, webhooks: Webhooks
    ) -> None:
        self._clock, self._runtime, self._webhooks = clock, runtime, webhooks
        self._documents = DocumentStore(database, "subscription", StripeSubscription)
        self._invoices = DocumentStore(database, "invoice", Invoice)

    def get(self, subscription_id: str) -> StripeSubscription | None:
        return self._documents.get(subscription_id)

    def of(self, user_id: str) -> list[StripeSubscription]:
        return self._documents.of(user_id)

    def newest(self, limit: int = 200) -> list[StripeSubscription]:
        return self._documents.newest(limit)

    def invoices(self, user_id: str) -> list[Invoice]:
        """Newest first."""
        return list(reversed(self._invoices.of(user_id)))

    def begin(
        self, line: LineItem, user_id: str, email: str, card: PaymentMethod, percent_off: int = 0
    ) -> StripeSubscription:
        """A new subscription, paid for now or on trial. Emits nothing: the checkout tells the whole story at once."""
        now = self._clock.now()
        trial_end = now + timedelta(days=line.trial_days) if line.trial_days else None
        made = StripeSubscription(
            id=new_id("sub"),
            user_id=user_id,
            email=email,
            customer=new_id("cus"),
            product_id=line.product_id,
            price_id=line.price_id,
            plan=line.plan,
            name=line.name,
            amount=line.amount * line.quantity,
            currency=line.currency,
            interval=line.interval or "month",
            quantity=line.quantity,
            status="trialing" if trial_end else "active",
            created=now,
            changed=now,
            period_start=now,
            period_end=trial_end or add_interval(now, line.interval or "month"),
            trial_end=trial_end,
            card=card.last4,
            card_works=card.renews,
            percent_off=percent_off,
        )
        self.bill(made, 0 if trial_end else discounted(made.amount, percent_off))
        return self.store(made)

    def bill(self, subscription: StripeSubscription, amount: int, status: str = "paid") -> Invoice:
        return self.add_invoice(
            Invoice(
                id=new_id("in"),
                user_id=subscription.user_id,
                subscription_id=subscription.id,
                name=subscription.name,
                amount=amount,
                currency=subscription.currency,
                status=status,
                created=self._clock.now(),
            )
        )

    def add_invoice(self, invoice: Invoice) -> Invoice:
        return self._invoices.put(invoice.id, invoice, owner=invoice.user_id)

    def open_invoice(self, subscription: StripeSubscription) -> Invoice | None:
        invoices = self.invoices(subscription.user_id)
        return next((one for one in invoices if one.subscription_id == subscription.id and one.status == "open"), None)

    def settle(self, subscription: StripeSubscription, status: str = "paid") -> None:
        """Close its open invoices as paid, or as void."""
        for invoice in self.invoices(subscription.user_id):
            if invoice.subscription_id == subscription.id and invoice.status == "open":
                self.add_invoice(invoice.model_copy(update={"status": status}))

    def change(
        self,
        subscription: StripeSubscription,
        values: dict[str, object],
        kind: str = "updated",
        delivery: DeliveryOptions = AS_SET,
    ) -> StripeSubscription:
        """Set fields, store it, and let Stripe tell about it."""
        changed = subscription.model_copy(update={**values, "changed": self._clock.now()})
        self.store(changed)
        self._webhooks.emit([self.event(changed, kind)], delivery)
        return changed

    def forget(self, user_id: str) -> None:
        """Drop a user's subscriptions and invoices without a word to anyone."""
        for subscription in self.of(user_id):
            self._documents.drop(subscription.id)
        for invoice in self.invoices(user_id):
            self._invoices.drop(invoice.id)

    def event(self, subscription: StripeSubscription, kind: str) -> StripeEvent:
        return StripeEvent(
            id=new_id("evt"),
            type=f"customer.subscription.{kind}",
            created=self._clock.now(),
            user_id=subscription.user_id,
            subscription=subscription,
        )

    def announce_purchase(self, session: StripeCheckoutSession, subscription: StripeSubscription | None) -> None:
        """Everything Stripe sends after a checkout, in Stripe's order."""
        now = self._clock.now()
        events = [
            StripeEvent(
                id=new_id("evt"),
                type="checkout.session.completed",
                created=now,
                user_id=session.user_id,
                session_id=session.id,
            )
        ]
        if subscription:
            first = subscription.model_copy(update={"status": "incomplete"})
            events += [self.event(first, "created"), self.event(subscription, "updated")]
        self._webhooks.emit(events)

    def cancel_at_period_end(self, subscription: StripeSubscription) -> StripeSubscription:
        return self.change(subscription, {"cancel_at_period_end": True})

    def cancel_now(self, subscription: StripeSubscription) -> StripeSubscription:
        """Ended at once. Stripe leaves the period's end where it was, and so does this."""
        self.settle(subscription, "void")
        now = self._clock.now()
        ended = {"status": "canceled", "ended_at": now, "retry_at": None, "cancel_at_period_end": False}
        return self.change(subscription, ended, "deleted")

    def resume(self, subscription: StripeSubscription) -> StripeSubscription:
        """Undo a cancellation that has not happened yet, or end a pause."""
        status = "active" if subscription.status == "paused" else subscription.status
        return self.change(subscription, {"cancel_at_period_end": False, "status": status})

    def switch(self, subscription: StripeSubscription, line: LineItem) -> StripeSubscription:
        """Another plan or interval. A new interval begins a new period and is billed now, a new plan at the renewal."""
        now, interval = self._clock.now(), line.interval or "month"
        period: dict[str, object] = {}
        if interval != subscription.interval and subscription.status == "active":
            period = {"period_start": now, "period_end": add_interval(now, interval)}
        changed = self.change(
            subscription,
            {
                "product_id": line.product_id,
                "price_id": line.price_id,
                "plan": line.plan,
                "name": line.name,
                "amount": line.amount * subscription.quantity,
                "currency": line.currency,
                "interval": interval,
                **period,
            },
        )
        if period:
            self.bill(changed, discounted(changed.amount, changed.percent_off))
        return changed

    def update_card(self, subscription: StripeSubscription, card: PaymentMethod) -> StripeSubscription:
        """A new card; it pays what is open, which makes the subscription active again."""
        values: dict[str, object] = {"card": card.last4, "card_works": card.renews}
        if subscription.status in ("past_due", "unpaid", "incomplete"):
            self.settle(subscription)
            values |= {"status": "active", "retry_at": None, "failures": 0}
        return self.change(subscription, values)

    def store(self, subscription: StripeSubscription) -> StripeSubscription:
        moment = next_moment(subscription)
        due = moment.timestamp() if moment else None
        return self._documents.put(subscription.id, subscription, owner=subscription.user_id, due=due)

    def next_due(self) -> float | None:
        first = self._documents.first_due()
        return first[0] if first else None

    def age(self) -> int:
        """Carry out everything whose time has come by the clock; returns how many changes that made."""
        changes = 0
        while (first := self._documents.first_due()) and first[0] <= self._clock.timestamp():
            self._age_one(first[1])
            changes += 1
        return changes

    def _age_one(self, subscription: StripeSubscription) -> None:
        now = self._clock.now()
        if subscription.status == "incomplete":
            self.settle(subscription, "void")
            self.change(subscription, {"status": "incomplete_expired", "ended_at": now})
        elif subscription.cancel_at_period_end and subscription.period_end <= now:
            ended = {"status": "canceled", "ended_at": now, "cancel_at_period_end": False}
            self.change(subscription, ended, "deleted")
        elif subscription.status in ("active", "trialing"):
            self._renew(subscription)
        else:
            self._retry(subscription)

    def _renew(self, subscription: StripeSubscription) -> None:
        """The next period begins, whether or not its invoice could be paid (as at Stripe)."""
        start = subscription.period_end
        period: dict[str, object] = {"period_start": start, "period_end": add_interval(start, subscription.interval)}
        paid = self._card_pays(subscription)
        self.bill(subscription, discounted(subscription.amount, subscription.percent_off), "paid" if paid else "open")
        if paid:
            self.change(subscription, {"status": "active", **period})
        else:
            retry = self._clock.now() + timedelta(days=_RETRY_DAYS[0])
            self.change(subscription, {"status": "past_due", "retry_at": retry, "failures": 1, **period})

    def _retry(self, subscription: StripeSubscription) -> None:
        """Another attempt on the open invoice; after the last, what Stripe's settings say."""
        if self._card_pays(subscription):
            self.settle(subscription)
            self.change(subscription, {"status": "active", "retry_at": None, "failures": 0})
        elif subscription.failures < len(_RETRY_DAYS):
            retry = self._clock.now() + timedelta(days=_RETRY_DAYS[subscription.failures])
            self.change(subscription, {"retry_at": retry, "failures": subscription.failures + 1})
        elif self._runtime.current.dunning_ends is DunningEnd.UNPAID:
            self.change(subscription, {"status": "unpaid", "retry_at": None})
        else:
            self.cancel_now(subscription)

    def _card_pays(self, subscription: StripeSubscription) -> bool:
        return subscription.card_works and self._runtime.current.renewals is Renewals.SUCCEED


def next_moment(subscription: StripeSubscription) -> datetime | None:
    """When time changes this subscription next: its renewal, its next retry, its expiry; None when nothing will."""
    if subscription.status == "incomplete":
        return subscription.changed + timedelta(hours=_FIRST_PAYMENT_HOURS)
    if subscription.status in ("active", "trialing"):
        return subscription.period_end
    moments = []
    if subscription.status == "past_due" and subscription.retry_at:
        moments.append(subscription.retry_at)
    if subscription.cancel_at_period_end and subscription.live:
        moments.append(subscription.period_end)
    return min(moments, default=None)


def live(subscriptions: Sequence[StripeSubscription]) -> list[StripeSubscription]:
    return [subscription for subscription in subscriptions if subscription.live]
