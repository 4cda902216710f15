"""What is so about one user's money, dates and access, whoever knows of it: for judging what others say about it.

Reads everything, changes nothing but what time has brought.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from sandbox.auth.accounts import AccountPlan
from sandbox.payment.records import Record
from sandbox.settings import PlanPlace, TrialEnd
from sandbox.state import SandboxState
from sandbox.stripe.objects import (
    DisputeStatus,
    Invoice,
    InvoiceStatus,
    SessionStatus,
    StripeCheckoutSession,
    StripeEvent,
    StripeSubscription,
)
from sandbox.stripe.upcoming import FIRST_PAYMENT, card_pays, next_moment, next_renewal
from sandbox.truth.model import (
    Charge,
    EventTruth,
    NextCharge,
    Order,
    RecordTruth,
    SessionTruth,
    SubscriptionTruth,
    Truth,
)


def truth_about(state: SandboxState, user_id: str, *, with_events: bool = True) -> Truth:
    """Everything about a user. Never raises for an unknown one: nothing is so about them."""
    state.checkout.run_due()
    state.renewals.run_due()
    ids = _ids_of(state, user_id)
    invoices = [invoice for each in ids for invoice in reversed(state.invoices.of(each))]
    sessions = [session for each in ids for session in state.checkout.of(each)]
    charges = [_charge(invoice) for invoice in invoices]
    by_id = {charge.invoice_id: charge for charge in charges}
    events = [event for each in ids for event in state.webhooks.log(each, 10_000)] if with_events else []
    return Truth(
        user_id=user_id,
        ids=ids,
        now=state.clock.now(),
        subscriptions=[_subscription(state, one, charges) for each in ids for one in state.subscriptions.of(each)],
        orders=[
            _order(one, by_id) for one in sessions if one.mode == "payment" and one.status is SessionStatus.COMPLETE
        ],
        sessions=[_session(state, one) for one in sessions],
        charges=charges,
        charged=_sums((charge.currency, charge.amount) for charge in charges if charge.status is InvoiceStatus.PAID),
        returned=_sums((charge.currency, _returned(charge)) for charge in charges),
        customers=[customer.id for each in ids for customer in state.customers.of(each)],
        account=_account(state, user_id),
        records=[_record(record) for each in ids for record in state.records.of(each)],
        waiting_webhooks=state.webhooks.waiting(),
        events=[_event(event) for event in events] if with_events else None,
    )


def will_end_at(state: SandboxState, subscription: StripeSubscription) -> datetime | None:
    """When a subscription ends if nobody does anything; None where it goes on, or nobody can say."""
    if subscription.ends_at:
        return subscription.ends_at
    if subscription.status == "incomplete" and not subscription.awaits_payment:
        return subscription.changed.replace(microsecond=0) + FIRST_PAYMENT
    renewing = subscription.status in ("active", "trialing")
    if renewing and next_renewal(subscription, state.runtime_settings.current) is None:
        paused = state.runtime_settings.current.trial_end_without_card is TrialEnd.PAUSE
        return None if paused else subscription.period_end
    return None


def _ids_of(state: SandboxState, user_id: str) -> list[str]:
    """The user id, and the addresses under which an older front end may keep things of theirs."""
    ids = [user_id]
    user = state.accounts.user(user_id)
    if user:
        ids.append(user.email)
    ids += [one.known_as for one in state.subscriptions.of(user_id) if one.known_as]
    return list(dict.fromkeys(ids))


def _subscription(state: SandboxState, one: StripeSubscription, charges: list[Charge]) -> SubscriptionTruth:
    own = [charge for charge in charges if charge.subscription_id == one.id]
    paid_later = one.status == "past_due" or one.awaits_payment
    as_if_paid = one.model_copy(update={"status": "active"}) if paid_later else one
    same = {
        name: getattr(one, name) for name in SubscriptionTruth.model_fields if name in StripeSubscription.model_fields
    }
    same |= {"known_as": one.metadata_user_id, "live": one.live}
    return SubscriptionTruth(
        **same,
        list_amount=one.amount,
        list_currency=one.currency,
        renews=next_renewal(as_if_paid, state.runtime_settings.current) is not None,
        ends_at=will_end_at(state, one),
        next_change_at=next_moment(one),
        next_charge=_next_charge(state, one, own),
        renewal_charge=_renewal_charge(state, as_if_paid),
        paid_until=_paid_until(one, own),
        charges=own,
        open_invoices=[charge.invoice_id for charge in own if charge.status is InvoiceStatus.OPEN],
    )


def _next_charge(state: SandboxState, one: StripeSubscription, own: list[Charge]) -> NextCharge | None:
    """The next attempt to take money: a delayed first payment, a retry, or the renewal."""
    waiting = [charge for charge in own if charge.status is InvoiceStatus.OPEN]
    session = state.checkout.get(one.session_id) if one.awaits_payment else None
    moment = session.settles_at if session else one.retry_at
    if waiting and moment:
        charge = waiting[0]
        return NextCharge(
            at=moment,
            amount=charge.amount,
            currency=charge.currency,
            due=charge.due,
            plan=one.plan,
            price_id=one.price_id,
            interval=one.interval,
            retry_of=charge.invoice_id,
            succeeds=session.settles_well if session else card_pays(one, state.runtime_settings.current),
        )
    return _renewal_charge(state, one)


def _renewal_charge(state: SandboxState, one: StripeSubscription) -> NextCharge | None:
    renewal = next_renewal(one, state.runtime_settings.current)
    if renewal is None or not renewal.collected or renewal.due.amount == 0:
        return None
    return NextCharge(
        at=renewal.at,
        amount=renewal.due.amount,
        currency=renewal.due.currency,
        due=renewal.due,
        plan=renewal.line.plan,
        price_id=renewal.line.price_id,
        interval=renewal.line.interval or "month",
        succeeds=card_pays(one, state.runtime_settings.current),
    )


def _paid_until(one: StripeSubscription, own: list[Charge]) -> datetime | None:
    ends = [charge.period_end for charge in own if charge.status is InvoiceStatus.PAID and charge.period_end]
    if one.trial_end and one.status == "trialing":
        ends.append(one.trial_end)
    return max(ends, default=None)


def _charge(invoice: Invoice) -> Charge:
    same = {name: getattr(invoice, name) for name in Charge.model_fields if name in Invoice.model_fields}
    return Charge(invoice_id=invoice.id, reason=invoice.billing_reason, **same)


def _order(session: StripeCheckoutSession, charges: dict[str, Charge]) -> Order:
    return Order(
        session_id=session.id,
        lines=session.lines,
        payment_status=session.payment_status,
        completed_at=session.completed_at,
        settles_at=session.settles_at,
        charge=charges.get(session.invoice_id),
    )


def _session(state: SandboxState, one: StripeCheckoutSession) -> SessionTruth:
    same = {
        name: getattr(one, name) for name in SessionTruth.model_fields if name in StripeCheckoutSession.model_fields
    }
    return SessionTruth(
        **same,
        url=state.checkout_url(one),
        payable=one.status is SessionStatus.OPEN,
        due_today=state.checkout.due_today(one),
        trial_days=one.lines[0].trial_days if one.recurring else 0,
    )


def _account(state: SandboxState, user_id: str) -> AccountPlan | None:
    user = state.accounts.user(user_id)
    grant = state.accounts.grant_of(user) if user else state.accounts.grant(user_id)
    silent = grant.silent or state.runtime_settings.current.plan_place is PlanPlace.SILENT
    return None if silent else grant


def _record(record: Record) -> RecordTruth:
    known = record.subscription
    return RecordTruth(
        subscription_id=known.id,
        product_id=known.product_id,
        status=known.status,
        period_end=known.period_end,
        as_of=record.as_of,
    )


def _event(event: StripeEvent) -> EventTruth:
    heard = {outcome.to: outcome.at for outcome in event.outcomes if outcome.result in ("recorded", "noted")}
    return EventTruth(
        id=event.id,
        type=event.type,
        at=event.created,
        state=event.state,
        subscription_id=event.subscription.id if event.subscription else "",
        session_id=event.session_id,
        invoice_id=event.invoice_id,
        status=event.subscription.status if event.subscription else "",
        heard=heard,
    )


def _returned(charge: Charge) -> int:
    disputed = charge.dispute in (DisputeStatus.NEEDS_RESPONSE, DisputeStatus.LOST)
    return charge.amount if disputed else charge.refunded


def _sums(amounts: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for currency, amount in amounts:
        sums[currency] += amount
    return {currency: amount for currency, amount in sums.items() if amount}
