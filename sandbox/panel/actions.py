"""What the control panel's buttons do: form posts by name, each with the sentence that the panel then shows."""

from collections.abc import Callable
from datetime import timedelta

from fastapi import HTTPException

from sandbox.auth.accounts import AccountPlan
from sandbox.control.scenarios import clear_user, set_status
from sandbox.control.subscriptions import ActionBody, carry_out
from sandbox.panel.settings_fields import values_of
from sandbox.presets import PRESETS_BY_NAME
from sandbox.scheduler import Scheduler
from sandbox.settings import Reach
from sandbox.state import SandboxState
from sandbox.stripe.objects import DisputeStatus, Invoice, InvoiceStatus, Origin, SessionStatus, StripeSubscription
from sandbox.stripe.payment_methods import CARDS
from sandbox.stripe.price_list import PriceChange, plan_line
from sandbox.stripe.price_moves import raise_for_all
from sandbox.stripe.sales import subscribe_elsewhere

Fields = dict[str, str]
SUBSCRIPTION_ACTIONS = {
    "cancel-at-period-end": "Cancel at the period's end",
    "cancel-at": "Cancel in 30 days",
    "cancel": "Cancel now",
    "pause": "Pause collection",
    "resume": "Resume",
    "refund": "Refund the last payment",
    "dispute": "Dispute the last payment",
}
USER_ACTIONS = {
    "sales": "Subscribe through sales",
    "older_front_end": "Subscribe in an older front end",
    "customer": "Make a Stripe customer",
    "clear": "Forget billing",
}


def panel_actions(state: SandboxState, scheduler: Scheduler) -> dict[str, Callable[[Fields], str]]:
    """Every action by its name. They raise ValueError, PaymentRefused or pydantic's ValidationError with a reason."""
    return {**_about_the_sandbox(state, scheduler), **_about_users(state), **_about_money(state)}


def _about_the_sandbox(state: SandboxState, scheduler: Scheduler) -> dict[str, Callable[[Fields], str]]:
    def advance(fields: Fields) -> str:
        scheduler.advance(timedelta(hours=min(float(fields.get("hours", "0")), 24 * 3700)))
        return f"It is now {state.clock.now():%d %B %Y, %H:%M} UTC in the sandbox."

    def preset(fields: Fields) -> str:
        chosen = PRESETS_BY_NAME.get(fields.get("preset", ""))
        if chosen is None:
            return "No such preset."
        state.runtime_settings.apply(chosen)
        return f"{chosen.title}. {chosen.help}"

    def settings(fields: Fields) -> str:
        state.runtime_settings.change(values_of(fields))
        return "Settings saved."

    def reset_settings(_: Fields) -> str:
        state.runtime_settings.reset()
        return "Settings are as at the start."

    def flush(_: Fields) -> str:
        return f"{state.webhooks.flush()} delivered."

    def resend(fields: Fields) -> str:
        event = state.webhooks.redeliver(fields.get("event", ""), Reach(fields.get("reach", "both")))
        return f"{event.type} sent again." if event else "No such event."

    def heal(_: Fields) -> str:
        state.connection.lost = False
        return "The Payment MS has a fresh database connection."

    def clear_faults(_: Fields) -> str:
        state.faults.clear()
        return "No faults."

    def reset_requests(_: Fields) -> str:
        state.traffic.reset()
        return "Counting from zero."

    def reset(_: Fields) -> str:
        state.reset()
        return "Everything is gone; everybody is signed out."

    return {
        "advance": advance,
        "preset": preset,
        "settings": settings,
        "reset-settings": reset_settings,
        "flush": flush,
        "resend": resend,
        "heal": heal,
        "clear-faults": clear_faults,
        "reset-requests": reset_requests,
        "reset": reset,
    }


def _about_users(state: SandboxState) -> dict[str, Callable[[Fields], str]]:
    def give(fields: Fields) -> str:
        user_id, plan = fields.get("user", ""), fields.get("plan", "")
        if plan:
            state.accounts.set_grant(user_id, AccountPlan(status="active", plan=plan))
            return f"The Auth MS now grants {plan}."
        state.accounts.clear_grant(user_id)
        return "The Auth MS knows of no plan."

    def act(fields: Fields) -> str:
        user_id, what = fields.get("user", ""), fields.get("do", "")
        email = next((one.email for one in state.people() if one.user_id == user_id), f"{user_id}@example.com")
        if what == "clear":
            clear_user(state, user_id)
            return "Billing forgotten."
        if what == "customer":
            customer = state.customers.create(user_id, email)
            known = state.records.meet(user_id, email)
            state.records.keep(known.model_copy(update={"stripe_customer": customer.id}))
            return "There is one more customer at Stripe."
        if what in (Origin.SALES, Origin.OLDER_FRONT_END):
            made = subscribe_elsewhere(state, user_id, email, plan_line(state.prices), Origin(what))
            return f"{made.name} was subscribed elsewhere, without the user id."
        raise ValueError("Choose what to do.")

    return {"give": give, "user": act}


def _about_money(state: SandboxState) -> dict[str, Callable[[Fields], str]]:
    def set_state(fields: Fields) -> str:
        subscription = state.subscriptions.get(fields.get("subscription", ""))
        if subscription is None:
            return "No such subscription."
        moved = set_status(state, subscription, fields.get("status", "").strip() or subscription.status)
        return f"{subscription.name} is now {moved.status.replace('_', ' ')}; the webhook is on its way."

    def act(fields: Fields) -> str:
        subscription, what = state.subscriptions.get(fields.get("subscription", "")), fields.get("do", "")
        if subscription is None:
            return "No such subscription."
        if what == "refund":
            return f"{state.invoices.refund(_last_paid(state, subscription)).name} was refunded."
        if what == "dispute":
            return f"{_disputed(state, subscription).name} is disputed."
        try:
            carry_out(state, subscription, what, ActionBody(days=30 if what == "cancel-at" else None))
        except HTTPException as refusal:
            raise ValueError(f"That can't be done: {refusal.detail}.") from None
        return f"{SUBSCRIPTION_ACTIONS[what]}: done; the webhook is on its way."

    def forget_record(fields: Fields) -> str:
        state.records.forget(fields.get("subscription", ""))
        return "The Payment MS no longer knows of it."

    def pay(fields: Fields) -> str:
        session = state.checkout.get(fields.get("session", ""))
        if session is None or session.status is not SessionStatus.OPEN:
            return "This session can't be paid."
        state.checkout.pay(session, CARDS[0].number)
        return "Paid; the webhook is on its way."

    def expire(fields: Fields) -> str:
        session = state.checkout.get(fields.get("session", ""))
        if session:
            state.checkout.expire(session)
        return "Expired."

    def settle(fields: Fields) -> str:
        session, paid = state.checkout.get(fields.get("session", "")), fields.get("paid") == "yes"
        if session:
            state.checkout.settle(session, paid=paid)
        return "The money has arrived." if paid else "The debit has failed."

    def price(fields: Fields) -> str:
        price_id, amount = fields.get("price", ""), int(fields.get("amount", "0"))
        if fields.get("do") == "retire":
            state.prices.change(price_id, PriceChange(active=False))
            return "Stripe sells nothing at this price any more; who has it keeps it."
        state.prices.change(price_id, PriceChange(amount=amount))
        moved = raise_for_all(state, price_id) if fields.get("do") == "all" else 0
        return f"New checkouts cost that, and {moved} subscriptions from their next renewal on."

    def restore_price(fields: Fields) -> str:
        state.prices.unchange(fields.get("price", ""))
        return "The price is as in the catalog."

    return {
        "state": set_state,
        "subscription": act,
        "forget-record": forget_record,
        "pay": pay,
        "expire": expire,
        "settle": settle,
        "price": price,
        "restore-price": restore_price,
    }


def _last_paid(state: SandboxState, subscription: StripeSubscription) -> Invoice:
    for invoice in state.invoices.of(subscription.user_id):
        if invoice.subscription_id == subscription.id and invoice.status is InvoiceStatus.PAID and invoice.amount:
            return invoice
    raise ValueError("Nothing was paid for it.")


def _disputed(state: SandboxState, subscription: StripeSubscription) -> Invoice:
    return state.invoices.dispute(_last_paid(state, subscription), DisputeStatus.NEEDS_RESPONSE)
