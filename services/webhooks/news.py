"""What is new of a customer: what is known now, compared with what was told last. Pure rules, so that each has a test.

Nothing is told from memory: what a service that did not answer was last known to say is no news. A state that says that
nobody knows (unavailable, confirming, conflict) changes nothing of what was told; a conflict is news of its own.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import JsonValue

from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind
from services.entitlements.model import Entitlement
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import DELAYED_AFTER, LOST_AFTER, State, Subscription
from services.webhooks.model import EventKind, Told, ToldSubscription, WebhookEvent

ANNOUNCED_BEFORE: Final = timedelta(days=7)
"""How long before it a renewal is announced, where a service says that there will be one."""

_UNSURE: Final = frozenset({State.UNAVAILABLE, State.CONFIRMING, State.CONFLICT})
_NOTHING: Final = frozenset({State.NONE, State.CANCELED, State.INCOMPLETE, State.INCOMPLETE_EXPIRED})
_SLACK: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Known:
    """What services that answered say of a customer, and what that entitles to."""

    status: CustomerStatus
    entitlement: Entitlement


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a customer at a moment: their checkouts, and what services say where they answered."""

    user_id: str
    checkouts: Sequence[Checkout]
    at: datetime
    sure: Known | None


Fact = tuple[EventKind, dict[str, JsonValue]]


def baseline(seen: Seen) -> Told:
    """Return what counts as told of a customer who is seen for the first time: events tell what changes from now on."""
    told, _events = news(Told(), seen)
    return told


def news(told: Told, seen: Seen, new_id: Callable[[], str] = lambda: f"evt_{uuid.uuid4().hex}") -> tuple[
    Told, tuple[WebhookEvent, ...]
]:  # fmt: skip
    """Return what is told after this, and the events that tell it, in their order."""
    facts: list[Fact] = []
    checkouts = {checkout.id: checkout for checkout in reversed(seen.checkouts)}
    phases = {name: _phases(checkout, told, seen.at) for name, checkout in checkouts.items()}
    for name, checkout in checkouts.items():
        known = told.checkouts.get(name, ())
        facts += [(kind, _checkout_data(checkout)) for kind in phases[name] if kind not in known]
    after = told.model_copy(update={"checkouts": phases})
    if seen.sure is not None:
        status, entitlement = seen.sure.status, seen.sure.entitlement
        groups = dict(told.groups)
        for group, one in status.groups.items():
            before = told.groups.get(group, ToldSubscription())
            found = list(_subscription_facts(group, before, one, seen.at))
            facts += found
            groups[group] = _told_of(before, one, found)
        disagreeing = tuple(name for name, one in status.groups.items() if one.state is State.CONFLICT)
        facts += [
            (EventKind.DISAGREEMENT_FOUND, _subscription_data(name, status.groups[name]))
            for name in disagreeing if name not in told.disagreeing
        ]  # fmt: skip
        facts += _entitlement_facts(told, entitlement)
        after = after.model_copy(
            update={
                "groups": groups, "disagreeing": disagreeing, "plan": entitlement.plan,
                "access": entitlement.access, "features": dict(entitlement.features),
            }
        )  # fmt: skip
    events = tuple(
        WebhookEvent(id=new_id(), kind=kind, at=seen.at, data={"user_id": seen.user_id, **data}) for kind, data in facts
    )
    return after, events


def look_again_at(seen: Seen) -> datetime | None:
    """Return when something may be new although nobody is there, None for never."""
    moments = [
        returned + LOST_AFTER + _SLACK
        for checkout in seen.checkouts
        if checkout.unconfirmed and (returned := checkout.at(CheckoutEvent.RETURNED)) is not None
    ]
    for one in seen.sure.status.groups.values() if seen.sure is not None else ():
        if one.access and one.until is not None:
            moments.append(one.until + DELAYED_AFTER)
            if one.goes_on:
                moments.append(one.until - ANNOUNCED_BEFORE)
    return min((moment for moment in moments if moment > seen.at), default=None)


def _phases(checkout: Checkout, told: Told, now: datetime) -> tuple[EventKind, ...]:
    """Return what has become of a checkout, in order; what was told once stays."""
    returned = checkout.at(CheckoutEvent.RETURNED)
    found = [EventKind.CHECKOUT_OPENED]
    if checkout.kind is not CheckoutKind.SUBSCRIPTION:
        found += [EventKind.ORDER_RETURNED] if returned is not None else []
    elif checkout.went_through:
        found.append(EventKind.CHECKOUT_CONFIRMED)
    elif checkout.unconfirmed and returned is not None and now - returned > LOST_AFTER:
        found.append(EventKind.CHECKOUT_LOST)
    before = told.checkouts.get(checkout.id, ())
    return (*before, *(kind for kind in found if kind not in before))


def _subscription_facts(
    group: str, before: ToldSubscription, one: Subscription, now: datetime
) -> Iterator[Fact]:  # fmt: skip
    """Yield the one thing that is new of a group's subscription, and perhaps that it renews soon."""
    if one.state in _UNSURE:
        return
    kind = _change(before, one)
    if kind is not None:
        yield kind, _subscription_data(group, one)
    if one.goes_on and one.until not in (None, before.renewal) and _is_near(one.until, now):
        yield EventKind.RENEWAL_UPCOMING, _subscription_data(group, one)


def _is_near(renewal: datetime | None, now: datetime) -> bool:
    return renewal is not None and timedelta() < renewal - now <= ANNOUNCED_BEFORE


def _change(before: ToldSubscription, one: Subscription) -> EventKind | None:
    had, has = before.state not in _NOTHING, one.state not in _NOTHING
    ending = (one.ends or one.state is State.CANCELED) and one.access
    if not had and not has:
        return None
    if not had:
        return EventKind.SUBSCRIPTION_STARTED
    if not has and not one.access:
        return EventKind.SUBSCRIPTION_ENDED
    if one.state is State.PAST_DUE and before.state is not State.PAST_DUE:
        return EventKind.SUBSCRIPTION_PAST_DUE
    if ending and not before.ends:
        return EventKind.SUBSCRIPTION_ENDING
    same = (before.state, before.plan, before.ends) == (_state_told(one), one.plan_id, ending)
    return None if same else EventKind.SUBSCRIPTION_CHANGED


def _state_told(one: Subscription) -> State:
    """Return the state as it is compared: what is canceled and still grants access runs on for those who ask."""
    return State.ACTIVE if one.state is State.CANCELED and one.access else one.state


def _told_of(before: ToldSubscription, one: Subscription, facts: Sequence[Fact]) -> ToldSubscription:
    if one.state in _UNSURE:
        return before
    announced = any(kind is EventKind.RENEWAL_UPCOMING for kind, _data in facts)
    return ToldSubscription(
        state=_state_told(one),
        plan=one.plan_id,
        ends=(one.ends or one.state is State.CANCELED) and one.access,
        renewal=one.until if announced else before.renewal,
    )


def _entitlement_facts(told: Told, entitlement: Entitlement) -> Iterator[Fact]:
    now = (entitlement.plan, entitlement.access, dict(entitlement.features))
    if now != (told.plan, told.access, dict(told.features)):
        data = entitlement.model_dump(mode="json", exclude={"groups"})
        yield EventKind.ENTITLEMENTS_CHANGED, {**data, "previous": _previous(told)}


def _previous(told: Told) -> dict[str, JsonValue]:
    return {"plan": told.plan, "access": told.access, "features": dict(told.features)}


def _subscription_data(group: str, one: Subscription) -> dict[str, JsonValue]:
    return {
        "group": group,
        "plan": one.plan_id,
        "state": one.state.value,
        "access": one.access,
        "ends": one.surely_ends,
        "until": one.until.isoformat() if one.until is not None else None,
        "reason": one.reason.value,
        "source": one.source.value,
        "as_of": one.as_of.isoformat(),
    }


def _checkout_data(checkout: Checkout) -> dict[str, JsonValue]:
    """Return what is told of a checkout: what was asked for, never that it was paid, and nothing that opens it."""
    lines: list[JsonValue] = [
        {"price_id": line.price_id, "product_id": line.product_id, "quantity": line.quantity} for line in checkout.lines
    ]
    return {
        "checkout_id": checkout.id,
        "kind": checkout.kind.value,
        "plan": checkout.plan_id,
        "interval": checkout.interval,
        "lines": lines,
        "list_total": checkout.total,
        "currency": checkout.currency,
        "started_at": checkout.started_at.isoformat(),
    }
