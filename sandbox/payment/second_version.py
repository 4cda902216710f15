"""The contract's second version: what a Payment MS that has adopted it tells, from its own records and Stripe's books.

Status words, dates and plans are what webhooks have told, so they can be late. What will be charged next is Stripe's
preview, asked for at each answer; where Stripe's books have gone on meanwhile it is left out, which means "not known".
"""

from typing import Any, Final

from sandbox.clock import rfc3339
from sandbox.payment.records import Record
from sandbox.payment.status_shapes import details_of
from sandbox.settings import RuntimeSettings, Trials
from sandbox.state import SandboxState
from sandbox.stripe.objects import Invoice, InvoiceStatus, StripeCheckoutSession, StripeSubscription
from sandbox.stripe.upcoming import next_renewal

_FEATURES: Final = (
    "status_details", "next_charge", "subscriptions", "checkout_sessions", "idempotency", "locale", "promotion",
    "quantity", "portal_flows", "invoices", "events", "register_items",
)  # fmt: skip


def contract_told(settings: RuntimeSettings) -> dict[str, Any]:
    """What stands in `/health`. That it gives trials, or bears many requests at once, is said where it does."""
    trials = ("trial_days",) if settings.trials is Trials.CALL else ()
    many = () if settings.one_connection else ("concurrency",)
    return {"version": 2, "features": [*_FEATURES, *trials, *many]}


def status_of(state: SandboxState, user_id: str, product_id: str) -> dict[str, Any]:
    """The answer for one product: the live subscription of it where there are several, else the newest."""
    found = [record for record in _newest_first(state, user_id) if record.subscription.product_id == product_id]
    return status_object(state, found[0]) if found else {"exists": False}


def all_of(state: SandboxState, user_id: str) -> dict[str, Any]:
    """The answer for a user: live ones first, each the newest first."""
    found = [status_object(state, record) for record in _newest_first(state, user_id)]
    return {"subscriptions": found, "as_of": rfc3339(state.clock.now())}


def _newest_first(state: SandboxState, user_id: str) -> list[Record]:
    def order(record: Record) -> tuple[bool, float]:
        return record.subscription.live, record.subscription.created.timestamp()

    return sorted(state.records.of(user_id), key=order, reverse=True)


def status_object(state: SandboxState, record: Record) -> dict[str, Any]:
    """One subscription, as both calls tell it."""
    known = record.subscription
    told = {
        "exists": True,
        "status": known.status,
        "subscription_id": known.id,
        "customer_id": record.customer_id,
        "current_period_end": rfc3339(known.period_end),
        "product_id": known.product_id,
        **details_of(record),
        "interval": known.interval,
        "interval_count": 1,
        "quantity": known.quantity,
        "currency": known.currency,
        "list_amount": known.amount,
        "scheduled_change": _change(known),
        "livemode": state.runtime_settings.current.mixes_modes,
        "as_of": rfc3339(record.as_of),
    }
    told["pause"] = told.pop("pause_collection")
    return told | _next_charge(state, known)


def _change(known: StripeSubscription) -> dict[str, Any] | None:
    change = known.scheduled_change
    if change is None:
        return None
    return {
        "at": rfc3339(change.at),
        "product_id": change.line.product_id,
        "price_id": change.line.price_id,
        "interval": change.line.interval,
        "list_amount": change.line.amount * known.quantity,
        "currency": change.line.currency,
    }


def _next_charge(state: SandboxState, known: StripeSubscription) -> dict[str, Any]:
    """The renewal by Stripe's preview; nothing at all where it can't be known from here.

    Tax and discount are told in the currency that is charged; where that is another than the price's, they are not.
    """
    true = state.subscriptions.get(known.id)
    if true is None or _essence(true) != _essence(known) or known.status not in ("active", "trialing"):
        return {}
    renewal = next_renewal(true, state.runtime_settings.current)
    if renewal is None or not renewal.collected or renewal.due.amount == 0:
        return {"next_charge": None}
    due = renewal.due
    charge: dict[str, Any] = {"at": rfc3339(renewal.at), "amount": due.amount, "currency": due.currency}
    if due.currency == due.list_currency:
        charge |= {"tax": due.tax, "discount": due.discount}
    return {"next_charge": charge}


def _essence(one: StripeSubscription) -> tuple[object, ...]:
    return one.status, one.price_id, one.period_end, one.ends_at, one.pause_collection, one.scheduled_change


def session_object(session: StripeCheckoutSession, state: SandboxState) -> dict[str, Any]:
    """One checkout session, fresh from Stripe."""
    due = state.checkout.due_today(session)
    return {
        "checkout_session_id": session.id,
        "status": session.status,
        "payment_status": session.payment_status,
        "mode": session.mode,
        "user_id": session.user_id,
        "expires_at": rfc3339(session.expires_at),
        "subscription_id": session.subscription_id or None,
        "amount_total": due.amount,
        "currency": due.currency,
        "livemode": False,
        "as_of": rfc3339(state.clock.now()),
    }


def invoices_of(state: SandboxState, user_id: str, limit: int) -> dict[str, Any]:
    """A customer's invoices, newest first, without drafts."""
    told = [one for one in state.invoices.of(user_id) if one.status is not InvoiceStatus.DRAFT]
    numbered = [_invoice(state, one, len(told) - place) for place, one in enumerate(told)]
    return {"invoices": numbered[:limit], "as_of": rfc3339(state.clock.now())}


def _invoice(state: SandboxState, one: Invoice, number: int) -> dict[str, Any]:
    return {
        "number": f"{one.customer[-8:].upper()}-{number:04d}",
        "created": rfc3339(one.created),
        "amount": one.amount,
        "amount_paid": one.amount if one.status is InvoiceStatus.PAID else 0,
        "currency": one.currency,
        "status": one.status,
        "hosted_invoice_url": f"{state.addresses.stripe}/i/{one.id}",
        "subscription_id": one.subscription_id or None,
        "livemode": False,
    }


def live_in_group(state: SandboxState, user_id: str, group: str) -> StripeSubscription | None:
    """A subscription of theirs that can charge, in a group of plans: by Stripe's books, as a fresh look there tells."""
    return next((one for one in state.subscriptions.of(user_id) if one.live and one.group == group), None)


def close_others(state: SandboxState, user_id: str, group: str) -> None:
    """End a user's open sessions that sell a plan of this group, so that one at most can be paid."""
    for session in state.checkout.of(user_id):
        if session.recurring and session.lines[0].group == group:
            state.checkout.expire(session)
