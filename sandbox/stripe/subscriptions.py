"""Stripe's subscriptions: they begin, change and end. Each change is an event; time is in `renewals`."""

from datetime import datetime, timedelta

from sandbox.clock import SandboxClock, add_interval
from sandbox.database import Database, DocumentStore
from sandbox.runtime_settings import RuntimeSettingsStore
from sandbox.settings import CancellationForm, CouponDuration, PlanChanges, Proration
from sandbox.stripe.amounts import AmountDue, Discount, Terms, amount_due
from sandbox.stripe.invoices import StripeInvoices
from sandbox.stripe.objects import (
    InvoiceStatus,
    LineItem,
    Origin,
    PauseBehavior,
    PauseCollection,
    ScheduledChange,
    StripeCheckoutSession,
    StripeCustomer,
    StripeEvent,
    StripeSubscription,
    new_id,
)
from sandbox.stripe.payment_methods import CARDS, PaymentMethod
from sandbox.stripe.upcoming import next_moment, proration
from sandbox.stripe.webhooks import AS_SET, DeliveryOptions, Webhooks


class StripeSubscriptions:
    def __init__(
        self,
        database: Database,
        clock: SandboxClock,
        runtime: RuntimeSettingsStore,
        webhooks: Webhooks,
        invoices: StripeInvoices,
    ) -> None:
        self._clock, self._runtime, self._webhooks, self.invoices = clock, runtime, webhooks, invoices
        self._documents = DocumentStore(database, "subscription", StripeSubscription)

    def get(self, subscription_id: str) -> StripeSubscription | None:
        return self._documents.get(subscription_id)

    def of(self, user_id: str) -> list[StripeSubscription]:
        return self._documents.of(user_id)

    def newest(self, limit: int = 200) -> list[StripeSubscription]:
        return self._documents.newest(limit)

    def of_customer(self, customer_id: str) -> list[StripeSubscription]:
        """Newest first."""
        return self._documents.having("customer", customer_id)

    def begin(
        self,
        line: LineItem,
        customer: StripeCustomer,
        method: PaymentMethod | None = CARDS[0],
        *,
        terms: Terms | None = None,
        discount: Discount | None = None,
        session_id: str = "",
        origin: Origin = Origin.CHECKOUT,
        known_as: str | None = None,
        metadata: dict[str, str] | None = None,
        description: str = "",
    ) -> StripeSubscription:
        """A new subscription: paid for now, on trial (without `method`, without a card), or waiting for a bank debit.

        Emits nothing: who begins it tells the whole story at once.
        """
        now, interval = self._clock.second(), line.interval or "month"
        trial_end = now + timedelta(days=line.trial_days) if line.trial_days else None
        waits = bool(method and method.delayed and not trial_end)
        made = StripeSubscription(
            id=new_id("sub"),
            user_id=customer.user_id,
            known_as=known_as,
            origin=origin,
            session_id=session_id,
            metadata=metadata,
            description=description,
            email=customer.email,
            customer=customer.id,
            product_id=line.product_id,
            price_id=line.price_id,
            plan=line.plan,
            group=line.group,
            name=line.name,
            amount=line.amount * line.quantity,
            currency=line.currency,
            interval=interval,
            quantity=line.quantity,
            terms=terms or Terms(),
            discount=discount,
            status=self._runtime.current.delayed_status if waits else ("trialing" if trial_end else "active"),
            created=now,
            changed=self._clock.now(),
            billing_cycle_anchor=trial_end or now,
            period_start=now,
            period_end=trial_end or add_interval(now, interval),
            trial_end=trial_end,
            has_payment_method=method is not None,
            card=method.last4 if method else "",
            card_works=bool(method and method.renews),
            awaits_payment=waits,
        )
        self.store(made)  # its first invoice is told of at once, and names it
        due = self.due(made, 0 if trial_end else made.amount)
        status = InvoiceStatus.OPEN if waits else InvoiceStatus.PAID
        invoice = self.invoices.bill(made, due, status, "subscription_create", processing=waits)
        return self.store(made.model_copy(update={"discount": used(discount, due), "latest_invoice": invoice.id}))

    def due(self, subscription: StripeSubscription, subtotal: int) -> AmountDue:
        """What a sum of its list price comes to now, with its coupon and on its terms."""
        rate = self._runtime.current.exchange_rate
        terms, discount = subscription.terms, subscription.discount
        return amount_due(subtotal, subscription.currency, terms, rate, discount, self._clock.now())

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
        self.invoices.forget(user_id)

    def event(self, subscription: StripeSubscription, kind: str) -> StripeEvent:
        return StripeEvent(
            id=new_id("evt"),
            type=f"customer.subscription.{kind}",
            created=self._clock.now(),
            user_id=subscription.user_id,
            customer=subscription.customer,
            subscription=subscription,
        )

    def announce_purchase(self, session: StripeCheckoutSession, subscription: StripeSubscription | None) -> None:
        """Everything Stripe sends after a checkout, in Stripe's order."""
        events = [
            StripeEvent(
                id=new_id("evt"),
                type="checkout.session.completed",
                created=self._clock.now(),
                user_id=session.user_id,
                session_id=session.id,
                customer=session.customer,
            )
        ]
        if subscription:
            first = subscription.model_copy(update={"status": "incomplete"})
            events += [self.event(first, "created"), self.event(subscription, "updated")]
        self._webhooks.emit(events)

    def cancel_at_period_end(self, subscription: StripeSubscription, *, by_flag: bool = False) -> StripeSubscription:
        """End it with its period, by the flag or, as newer versions of Stripe's portal do, by a date alone."""
        by_flag = by_flag or self._runtime.current.cancellation_form is CancellationForm.FLAG
        end, now = subscription.period_end, self._clock.second()
        return self.change(
            subscription,
            {"cancel_at_period_end": by_flag, "cancel_at": end, "canceled_at": now, "scheduled_change": None},
        )

    def cancel_at(self, subscription: StripeSubscription, moment: datetime) -> StripeSubscription:
        """End it on a date, which may lie within a period or years ahead."""
        end, now = moment.replace(microsecond=0), self._clock.second()
        values = {"cancel_at": end, "cancel_at_period_end": False, "canceled_at": now}
        return self.change(subscription, values)

    def cancel_now(self, subscription: StripeSubscription) -> StripeSubscription:
        """Ended at once. Stripe leaves the period's end where it was, and so does this."""
        self.invoices.close(subscription, InvoiceStatus.VOID)
        now = self._clock.second()
        ended = {
            "status": "canceled",
            "ended_at": now,
            "canceled_at": now,
            "retry_at": None,
            "cancel_at_period_end": False,
            "cancel_at": None,
            "scheduled_change": None,
            "awaits_payment": False,
        }
        return self.change(subscription, ended, "deleted")

    def resume(self, subscription: StripeSubscription) -> StripeSubscription:
        """Undo a cancellation that has not happened yet, or end a pause."""
        status = "active" if subscription.status == "paused" else subscription.status
        going = {"cancel_at_period_end": False, "cancel_at": None, "canceled_at": None, "pause_collection": None}
        return self.change(subscription, {**going, "status": status})

    def pause(
        self,
        subscription: StripeSubscription,
        behavior: PauseBehavior = PauseBehavior.VOID,
        resumes_at: datetime | None = None,
    ) -> StripeSubscription:
        """Collect nothing for a while. The status word stays as it is (`active`), as at Stripe."""
        resumes = resumes_at.replace(microsecond=0) if resumes_at else None
        pause = PauseCollection(behavior=behavior, resumes_at=resumes)
        return self.change(subscription, {"pause_collection": pause})

    def switch(self, subscription: StripeSubscription, line: LineItem, *, at_once: bool = False) -> StripeSubscription:
        """Another plan or interval, now or booked for the period's end. A booked cancellation is taken back by it."""
        going: dict[str, object] = {"cancel_at_period_end": False, "cancel_at": None, "canceled_at": None}
        can_wait = self._runtime.current.plan_changes is PlanChanges.PERIOD_END and not at_once
        if can_wait and subscription.status in ("active", "trialing"):
            booked = ScheduledChange(line=line, at=subscription.period_end)
            back = line.price_id == subscription.price_id
            return self.change(subscription, {**going, "scheduled_change": None if back else booked})
        return self._switch_now(subscription, line, going)

    def _switch_now(
        self, subscription: StripeSubscription, line: LineItem, values: dict[str, object]
    ) -> StripeSubscription:
        """A new interval begins a new period and is billed now; a new plan is billed as `proration` says."""
        now, interval, wanted = self._clock.second(), line.interval or "month", self._runtime.current.proration
        active, anew = subscription.status == "active", interval != subscription.interval
        share = proration(subscription, line, now) if active and wanted is not Proration.NONE else 0
        sum_now = line.amount * subscription.quantity + share if active and anew else 0
        if active and not anew and wanted is Proration.NOW:
            sum_now = share
        carried = subscription.proration + share if active and not anew and wanted is Proration.NEXT_INVOICE else 0
        values |= {**line_fields(line, subscription.quantity), "proration": min(sum_now, 0) or carried}
        if active and anew:
            values |= {"billing_cycle_anchor": now, "period_start": now, "period_end": add_interval(now, interval)}
        changed = self.change(subscription, values)
        if sum_now > 0:
            due = self.due(changed, sum_now)
            invoice = self.invoices.bill(changed, due, reason="subscription_update")
            paid = {"discount": used(changed.discount, due), "latest_invoice": invoice.id}
            changed = self.store(changed.model_copy(update=paid))
        return changed

    def update_card(self, subscription: StripeSubscription, method: PaymentMethod) -> StripeSubscription:
        """A new card; it pays what is open, which makes the subscription active again."""
        values: dict[str, object] = {"card": method.last4, "card_works": method.renews, "has_payment_method": True}
        if subscription.status in ("past_due", "unpaid", "incomplete"):
            self.invoices.close(subscription)
            values |= {"status": "active", "retry_at": None, "failures": 0, "awaits_payment": False}
        return self.change(subscription, values)

    def store(self, subscription: StripeSubscription) -> StripeSubscription:
        moment = next_moment(subscription)
        due = moment.timestamp() if moment else None
        return self._documents.put(subscription.id, subscription, owner=subscription.user_id, due=due)

    def first_due(self) -> tuple[float, StripeSubscription] | None:
        """The subscription that time changes next, and when."""
        return self._documents.first_due()


def line_fields(line: LineItem, quantity: int) -> dict[str, object]:
    """A price's fields of a subscription."""
    return {
        "product_id": line.product_id,
        "price_id": line.price_id,
        "plan": line.plan,
        "group": line.group,
        "name": line.name,
        "amount": line.amount * quantity,
        "currency": line.currency,
        "interval": line.interval or "month",
        "scheduled_change": None,
    }


def used(discount: Discount | None, due: AmountDue) -> Discount | None:
    """A coupon that holds once is used up by the first invoice that asks for money."""
    if discount and discount.duration is CouponDuration.ONCE and due.subtotal > 0:
        return discount.model_copy(update={"used": True})
    return discount
