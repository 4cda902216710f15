"""Putting a subscription, or a customer, into any state at once, with the dates and invoices that go with it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sandbox.auth.accounts import AccountPlan
from sandbox.clock import add_interval, rfc3339
from sandbox.faults.planned import Fault
from sandbox.settings import PaymentMs, Reach, WebhookMode
from sandbox.state import SandboxState
from sandbox.stripe.objects import InvoiceStatus, LineItem, StripeEvent, StripeSubscription, new_id
from sandbox.stripe.webhooks import AS_SET, AT_ONCE, DeliveryOptions


@dataclass(frozen=True)
class Scenario:
    """A state that a button can bring about. What the app says of it is the app's business: nothing of it is here."""

    name: str
    stripe: str
    account: str
    note: str = ""


SCENARIOS: Final = (
    Scenario("none", "no subscription", "no plan"),
    Scenario("trialing", "trialing for 14 days", "trialing"),
    Scenario("active", "active", "active"),
    Scenario("ending", "active, will not renew", "canceled, with the end still to come"),
    Scenario("past_due", "past due, an invoice is open, the next attempt in 3 days", "past due"),
    Scenario("unpaid", "unpaid, an invoice is open", "unpaid"),
    Scenario("incomplete", "incomplete, the first invoice is open for 23 hours", "incomplete"),
    Scenario("incomplete_expired", "incomplete expired", "incomplete expired"),
    Scenario("paused", "paused", "paused"),
    Scenario("canceled", "canceled just now", "canceled"),
    Scenario("on_record", "active", "nothing about a plan", "Best seen with the running status shape."),
    Scenario("conflict", "ended ten days ago", "active"),
    Scenario("comped", "no subscription", "active: a plan given for free"),
    Scenario("unavailable", "active", "active", "The Payment MS answers 503 about them until another state is chosen."),
    Scenario("two_live", "two active subscriptions", "active"),
    Scenario("unknown", "on_hold, a word that is not Stripe's", "on_hold"),
)
SCENARIO_NAMES: Final = frozenset(scenario.name for scenario in SCENARIOS)
_UNKNOWN_WORD = "on_hold"
_OUTAGE = "fault_outage_{}"


def set_status(
    state: SandboxState, subscription: StripeSubscription, status: str, delivery: DeliveryOptions = AS_SET
) -> StripeSubscription:
    """Set a status word, known or not, and what follows from it."""
    now, stripe = state.clock.second(), state.subscriptions
    values: dict[str, object] = {
        "status": status,
        "ended_at": None,
        "retry_at": None,
        "failures": 0,
        "cancel_at_period_end": False,
        "cancel_at": None,
        "canceled_at": None,
        "pause_collection": None,
        "scheduled_change": None,
        "awaits_payment": False,
        "trial_end": subscription.trial_end,
    }
    if status in ("canceled", "incomplete_expired"):
        values |= {"ended_at": now, "canceled_at": now}
        stripe.invoices.close(subscription, InvoiceStatus.VOID)
    elif status == "trialing":
        trial_end = now + timedelta(days=14)
        values |= {"trial_end": trial_end, "period_start": now, "period_end": trial_end}
        values["billing_cycle_anchor"] = trial_end
    elif status in ("past_due", "unpaid", "incomplete"):
        if not stripe.invoices.open_of(subscription):
            stripe.invoices.bill(subscription, stripe.due(subscription, subscription.amount), InvoiceStatus.OPEN)
        if status == "past_due":
            values |= {"retry_at": now + timedelta(days=3), "failures": 1}
    elif status == "active":
        stripe.invoices.close(subscription)
    if status in ("active", "past_due", "unpaid", "paused") and subscription.period_end <= now:
        values |= {"period_start": now, "period_end": add_interval(now, subscription.interval)}
        values["billing_cycle_anchor"] = now
    kind = "deleted" if status == "canceled" else "updated"
    return stripe.change(subscription, values, kind, delivery)


def subscribe(state: SandboxState, user_id: str, email: str, line: LineItem) -> StripeSubscription:
    """A paid subscription without a checkout; both services know of it at once."""
    customer = state.customers.for_checkout(user_id, email)
    subscription = state.subscriptions.begin(line, customer)
    completed = StripeEvent(
        id=new_id("evt"),
        type="checkout.session.completed",
        created=state.clock.now(),
        user_id=user_id,
        customer=customer.id,
    )
    story = [completed, state.subscriptions.event(subscription, "created")]
    state.webhooks.emit(story, AT_ONCE)
    state.webhooks.deliver_due()
    return subscription


def clear_user(state: SandboxState, user_id: str) -> None:
    """Forget a user's billing everywhere: at Stripe, at the Payment MS and at the Auth MS (they stay signed in).

    A service outside can't be made to forget: for it, what they have ends and their customers are deleted at Stripe.
    """
    if state.settings.payment_ms is not PaymentMs.RECORDED:
        _end_all(state, user_id)
        return
    with state.database.transaction():
        for subscription in state.subscriptions.of(user_id):
            state.records.forget(subscription.id)
        state.subscriptions.forget(user_id)
        state.checkout.forget(user_id)
        state.customers.forget(user_id)
        state.records.forget_customer(user_id)
        state.accounts.clear_grant(user_id)
        state.faults.drop(_OUTAGE.format(user_id))


def _end_all(state: SandboxState, user_id: str) -> None:
    with state.database.transaction():
        for subscription in state.subscriptions.of(user_id):
            if subscription.live:
                state.subscriptions.cancel_now(subscription)
        for session in state.checkout.of(user_id):
            state.checkout.expire(session)
        for customer in state.customers.of(user_id):
            state.customers.delete(customer)
        state.accounts.clear_grant(user_id)
        state.faults.drop(_OUTAGE.format(user_id))


def put_in_state(state: SandboxState, user_id: str, email: str, name: str, line: LineItem) -> None:
    """A clean start, then the state, known to both services at once. For a scenario's name or any status word."""
    clear_user(state, user_id)
    if name == "none":
        return
    if name == "comped":
        state.accounts.set_grant(user_id, AccountPlan(status="active", plan=line.plan))
        return
    subscription = subscribe(state, user_id, email, line)
    if name == "ending":
        state.subscriptions.change(
            subscription, {"cancel_at_period_end": True, "cancel_at": subscription.period_end}, delivery=AT_ONCE
        )
        state.webhooks.deliver_due()
        end = rfc3339(subscription.period_end)
        state.accounts.set_grant(user_id, AccountPlan(status="canceled", plan=line.plan, expires_at=end))
    elif name == "two_live":
        others = [other for other in state.prices.plans() if other.product_id != line.product_id]
        subscribe(state, user_id, email, others[0] if others else line)
    elif name == "on_record":
        state.accounts.clear_grant(user_id)
        state.accounts.set_grant(user_id, AccountPlan(silent=True))
    elif name == "conflict":
        ended = state.clock.second() - timedelta(days=10)
        over: dict[str, object] = {"status": "canceled", "period_end": ended, "ended_at": ended}
        state.subscriptions.change(
            subscription, over, "deleted", DeliveryOptions(WebhookMode.DELIVER, 0, Reach.PAYMENT)
        )
    elif name == "unavailable":
        state.faults.add(Fault(id=_OUTAGE.format(user_id), operation="payment", user_id=user_id, status=503))
    else:
        set_status(state, subscription, _UNKNOWN_WORD if name == "unknown" else name, AT_ONCE)
    state.webhooks.deliver_due()
