"""What time does to subscriptions: trials end, periods renew, failed payments are tried again, booked ends come."""

from datetime import datetime, timedelta
from typing import Final

from sandbox.clock import SandboxClock
from sandbox.runtime_settings import RuntimeSettingsStore
from sandbox.settings import DunningEnd, TrialEnd
from sandbox.stripe.objects import InvoiceStatus, PauseBehavior, StripeSubscription
from sandbox.stripe.subscriptions import StripeSubscriptions, line_fields, used
from sandbox.stripe.upcoming import Renewal, card_pays, next_renewal

_RETRY_DAYS: Final = (3, 5, 7)
_PAUSED: Final = {
    PauseBehavior.VOID: InvoiceStatus.VOID,
    PauseBehavior.KEEP_AS_DRAFT: InvoiceStatus.DRAFT,
    PauseBehavior.MARK_UNCOLLECTIBLE: InvoiceStatus.UNCOLLECTIBLE,
}


class RenewalCycle:
    def __init__(self, clock: SandboxClock, runtime: RuntimeSettingsStore, subscriptions: StripeSubscriptions) -> None:
        self._clock, self._runtime, self._subscriptions = clock, runtime, subscriptions

    def next_due(self) -> float | None:
        first = self._subscriptions.first_due()
        return first[0] if first else None

    def run_due(self) -> int:
        """Carry out everything whose time has come by the clock; returns how many changes that made."""
        changes = 0
        while (first := self._subscriptions.first_due()) and first[0] <= self._clock.timestamp():
            self._run_one(first[1])
            changes += 1
        return changes

    def _run_one(self, subscription: StripeSubscription) -> None:
        now, stripe = self._clock.second(), self._subscriptions
        pause, ends_at = subscription.pause_collection, subscription.ends_at
        if subscription.status == "incomplete":
            stripe.invoices.close(subscription, InvoiceStatus.VOID)
            stripe.change(subscription, {"status": "incomplete_expired", "ended_at": now})
        elif ends_at and ends_at <= now:
            self._end(subscription, now)
        elif pause and pause.resumes_at and pause.resumes_at <= now:
            stripe.change(subscription, {"pause_collection": None})
        elif subscription.status in ("active", "trialing"):
            self._renew(subscription)
        else:
            self._retry(subscription)

    def _end(self, subscription: StripeSubscription, now: datetime) -> None:
        ended = {"status": "canceled", "ended_at": now, "cancel_at_period_end": False, "cancel_at": None}
        self._subscriptions.change(subscription, {**ended, "scheduled_change": None}, "deleted")

    def _renew(self, subscription: StripeSubscription) -> None:
        """The next period begins, whether or not its invoice could be paid (as at Stripe)."""
        renewal = next_renewal(subscription, self._runtime.current)
        if renewal is None:
            self._end_trial_without_card(subscription)
            return
        pause = subscription.pause_collection
        if not renewal.collected and pause:
            status = _PAUSED[pause.behavior]
        else:
            paid = card_pays(subscription, self._runtime.current) or renewal.due.amount == 0
            status = InvoiceStatus.PAID if paid else InvoiceStatus.OPEN
        values = self._next_period(subscription, renewal)
        invoice = self._subscriptions.invoices.bill(subscription.model_copy(update=values), renewal.due, status)
        values |= {"status": "active", "latest_invoice": invoice.id}
        if status is InvoiceStatus.OPEN:
            retry = self._clock.second() + timedelta(days=_RETRY_DAYS[0])
            values |= {"status": "past_due", "retry_at": retry, "failures": 1}
        self._subscriptions.change(subscription, values)

    def _next_period(self, subscription: StripeSubscription, renewal: Renewal) -> dict[str, object]:
        changed = line_fields(renewal.line, subscription.quantity) if subscription.scheduled_change else {}
        left = renewal.line.amount * subscription.quantity + subscription.proration  # below zero: a credit to carry on
        return {
            **changed,
            "period_start": renewal.at,
            "period_end": renewal.end,
            "proration": min(left, 0),
            "discount": used(subscription.discount, renewal.due),
        }

    def _end_trial_without_card(self, subscription: StripeSubscription) -> None:
        if self._runtime.current.trial_end_without_card is TrialEnd.PAUSE:
            change = subscription.scheduled_change  # the period for which it was booked begins all the same
            booked = line_fields(change.line, subscription.quantity) if change else {}
            self._subscriptions.change(subscription, {**booked, "status": "paused"})
        else:
            self._end(subscription, self._clock.second())

    def _retry(self, subscription: StripeSubscription) -> None:
        """Another attempt on the open invoice; after the last, what Stripe's settings say."""
        stripe = self._subscriptions
        if card_pays(subscription, self._runtime.current):
            stripe.invoices.close(subscription)
            stripe.change(subscription, {"status": "active", "retry_at": None, "failures": 0})
        elif subscription.failures < len(_RETRY_DAYS):
            retry = self._clock.second() + timedelta(days=_RETRY_DAYS[subscription.failures])
            stripe.change(subscription, {"retry_at": retry, "failures": subscription.failures + 1})
        elif self._runtime.current.dunning_ends is DunningEnd.UNPAID:
            stripe.change(subscription, {"status": "unpaid", "retry_at": None})
        else:
            stripe.cancel_now(subscription)
