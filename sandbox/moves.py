"""Putting a subscription, or a person, into any state at once, with the dates and invoices that go with it."""

from datetime import timedelta

from sandbox.auth_accounts import Grant
from sandbox.cards import CARDS, discounted
from sandbox.clock import add_interval, rfc3339
from sandbox.faults import Fault
from sandbox.settings import Reach, WebhookMode
from sandbox.stripe_objects import Event, Line, Subscription, new_id
from sandbox.webhooks import AS_SET, AT_ONCE, Travel
from sandbox.world import World

SANDBOX_STATES = (
    "none",
    "trialing",
    "active",
    "ending",
    "past_due",
    "unpaid",
    "incomplete",
    "incomplete_expired",
    "paused",
    "canceled",
    "on_record",
    "conflict",
    "comped",
    "unavailable",
    "two_live",
    "unknown",
)
_UNKNOWN_WORD = "on_hold"
_OUTAGE = "fault_outage_{}"


def move(world: World, subscription: Subscription, status: str, travel: Travel = AS_SET) -> Subscription:
    """Set a status word, known or not, and what follows from it."""
    now, stripe = world.clock.now(), world.subscriptions
    values: dict[str, object] = {
        "status": status,
        "ended_at": None,
        "retry_at": None,
        "failures": 0,
        "cancel_at_period_end": False,
        "trial_end": subscription.trial_end,
    }
    if status in ("canceled", "incomplete_expired"):
        values["ended_at"] = now
        stripe.settle(subscription, "void")
    elif status == "trialing":
        trial_end = now + timedelta(days=14)
        values |= {"trial_end": trial_end, "period_start": now, "period_end": trial_end}
    elif status in ("past_due", "unpaid", "incomplete"):
        if stripe.open_invoice(subscription) is None:
            stripe.bill(subscription, discounted(subscription.amount, subscription.percent_off), "open")
        if status == "past_due":
            values |= {"retry_at": now + timedelta(days=3), "failures": 1}
    elif status == "active":
        stripe.settle(subscription)
    if status in ("active", "past_due", "unpaid", "paused") and subscription.period_end <= now:
        values |= {"period_start": now, "period_end": add_interval(now, subscription.interval)}
    kind = "deleted" if status == "canceled" else "updated"
    return stripe.change(subscription, values, kind, travel)


def subscribe(world: World, user_id: str, email: str, line: Line) -> Subscription:
    """A paid subscription without a checkout; both services know of it at once."""
    subscription = world.subscriptions.begin(line, user_id, email, CARDS[0])
    completed = Event(id=new_id("evt"), type="checkout.session.completed", created=world.clock.now(), user_id=user_id)
    story = [completed, world.subscriptions.event(subscription, "created")]
    world.webhooks.emit(story, AT_ONCE)
    world.webhooks.deliver_due()
    return subscription


def clear_user(world: World, user_id: str) -> None:
    """Forget a user's billing everywhere: at Stripe, at the Payment MS and at the Auth MS (they stay signed in)."""
    with world.database.transaction():
        for subscription in world.subscriptions.of(user_id):
            world.records.forget(subscription.id)
        world.subscriptions.forget(user_id)
        world.checkout.forget(user_id)
        world.records.forget_customer(user_id)
        world.accounts.clear_grant(user_id)
        world.faults.drop(_OUTAGE.format(user_id))


def put_in_state(world: World, user_id: str, email: str, state: str, line: Line) -> None:
    """A clean start, then the state, known to both services at once. For `SANDBOX_STATES` or any status word."""
    clear_user(world, user_id)
    if state == "none":
        return
    if state == "comped":
        world.accounts.set_grant(user_id, Grant(status="active", plan=line.plan))
        return
    subscription = subscribe(world, user_id, email, line)
    if state == "ending":
        world.subscriptions.change(subscription, {"cancel_at_period_end": True}, travel=AT_ONCE)
        world.webhooks.deliver_due()
        end = rfc3339(subscription.period_end)
        world.accounts.set_grant(user_id, Grant(status="canceled", plan=line.plan, expires_at=end))
    elif state == "two_live":
        others = [other for other in world.catalogue.plans() if other.product_id != line.product_id]
        subscribe(world, user_id, email, others[0] if others else line)
    elif state == "on_record":
        world.accounts.clear_grant(user_id)
        world.accounts.set_grant(user_id, Grant(silent=True))
    elif state == "conflict":
        ended = world.clock.now() - timedelta(days=10)
        over: dict[str, object] = {"status": "canceled", "period_end": ended, "ended_at": ended}
        world.subscriptions.change(subscription, over, "deleted", Travel(WebhookMode.DELIVER, 0.0, Reach.PAYMENT))
    elif state == "unavailable":
        world.faults.add(Fault(id=_OUTAGE.format(user_id), operation="payment", user_id=user_id, status=503))
    else:
        word = _UNKNOWN_WORD if state == "unknown" else state
        move(world, subscription, word, AT_ONCE)
    world.webhooks.deliver_due()
