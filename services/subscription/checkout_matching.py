"""Which checkout the services' latest news is about: no service names the session that a subscription came from.

News can come late, out of order and from an earlier purchase. Where that matters for selling once more, doubt wins;
what a page shows may follow the likelier reading.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from catalog import Catalog
from services.checkout_record import SESSION_LIFE, Checkout, CheckoutEvent, CheckoutKind, newest
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import LIVE, State, Subscription
from services.subscription.normalize import NormalizedAccount, normalize_account, status_word
from services.subscription.snapshot import UpstreamSnapshot

NEWS_WITHIN: Final = timedelta(days=4)
"""How long after a payment a service may first hear of it: Stripe repeats a webhook for three days."""

ENDED: Final = frozenset({State.CANCELED, State.INCOMPLETE_EXPIRED})


def billing_has(checkout: Checkout, snapshot: UpstreamSnapshot) -> bool:
    """Whether the Payment MS has a subscription to the product of this checkout that was not there before it."""
    answer = snapshot.records.get(checkout.product_id or "")
    return (
        answer is not None
        and answer.record.exists
        and answer.record.subscription_id not in checkout.known_subscriptions
    )


def account_has(checkout: Checkout, snapshot: UpstreamSnapshot, catalog: Catalog, now: datetime) -> bool:
    """Whether the Auth MS names the plan this checkout bought as one that the user has."""
    account = normalize_account(snapshot, catalog, now)
    if account is None or account.state in (None, State.NONE, *ENDED) or account.plan_word is not None:
        return False
    return account.plan is None or account.plan.id == checkout.plan_id


def access_on(checkout: Checkout, customer_status: CustomerStatus) -> bool:
    """Whether the user has access to the plan this checkout bought, so that waiting for it is over.

    `customer_status` must have been assessed without the checkout. Access that names no plan is taken to be this one's.
    """
    unnamed = customer_status.current.plan_id is None and customer_status.current.account_plan is None
    if customer_status.current.access and unnamed and customer_status.current.product_id is None:
        return True
    return any(one.grants(checkout.plan_id or "") for one in customer_status.all)


def awaited(checkouts: Collection[Checkout], now: datetime) -> tuple[Checkout, ...]:
    """Return the checkouts that the latest news may be noted on: for each plan those that the user came back from.

    Besides, the one that the user was sent to since, if it can have been paid: users may never come back from it.
    One that is in force goes on for a day until both services have it.
    """
    unfinished = [
        c for c in checkouts if c.kind is CheckoutKind.SUBSCRIPTION and not c.disclaimed and not _complete(c, now)
    ]
    found: list[Checkout] = []
    for plan_id in {c.plan_id for c in unfinished}:
        mine = [c for c in unfinished if c.plan_id == plan_id]
        returns = {c.id: returned for c in mine if (returned := c.at(CheckoutEvent.RETURNED)) is not None}
        found += [c for c in mine if c.id in returns]
        last = max(mine, key=lambda c: c.handed_out_at)
        since = last.handed_out_at > max(returns.values(), default=last.started_at - SESSION_LIFE)
        payable = now < last.expires_at + SESSION_LIFE and not last.dead
        if last.id not in returns and since and payable and not doubted(last, checkouts, now):
            found.append(last)
    return tuple(found)


def late_news(checkouts: Iterable[Checkout], snapshot: UpstreamSnapshot, now: datetime) -> tuple[Checkout, ...]:
    """Return the checkouts of long ago of which nobody knows whether they were paid, and that billing has by now."""
    return tuple(c for c in checkouts if c.unheard(now) and billing_has(c, snapshot))


def doubted(checkout: Checkout, checkouts: Iterable[Checkout], now: datetime) -> bool:
    """Whether news that fits this checkout may be of an earlier one, which the user said was not charged.

    What was true when they said so was sent by then: if it had been charged, and had ended since, that as well.
    """
    earlier = [c for c in checkouts if c.id != checkout.id and c.plan_id == checkout.plan_id and c.disclaimed]
    return any(now - (c.at(CheckoutEvent.REPLACED) or now) < NEWS_WITHIN for c in earlier)


def charges_alone(checkout: Checkout, checkouts: Iterable[Checkout]) -> bool:
    """Whether no other session of its group can still be paid or may have been, by more than the user's word.

    Those are out of it that ended unpaid by a service's word, and those that had arrived before this one was opened.
    """
    others = [c for c in checkouts if c.id != checkout.id and c.kind is CheckoutKind.SUBSCRIPTION and not c.dead]
    return not any(
        None in (c.group, checkout.group) or c.group == checkout.group
        for c in others
        if not _arrived_before(c, checkout.started_at)
    )


def _arrived_before(checkout: Checkout, moment: datetime) -> bool:
    heard = (checkout.at(event) for event in (CheckoutEvent.BILLING_HAS_IT, CheckoutEvent.ACCESS_ON))
    return any(at is not None and at < moment for at in heard)


def arrived(
    checkout: Checkout,
    snapshot: UpstreamSnapshot,
    account: NormalizedAccount | None,
    checkouts: Iterable[Checkout],
    now: datetime,
) -> bool:
    """Whether billing's new record is all the confirmation there will ever be.

    The account says nothing of plans, or billing says by its own word that what was bought has ended already.
    """
    silent = account is not None and account.state is None
    if not billing_has(checkout, snapshot):
        return silent and _has_moved(checkout, snapshot)
    word, _ = status_word(snapshot.records[checkout.product_id or ""].record.status)
    if doubted(checkout, checkouts, now):
        return silent and word in LIVE
    return silent or word in ENDED


def _has_moved(checkout: Checkout, snapshot: UpstreamSnapshot) -> bool:
    """Whether billing had a record of this checkout, has it no more, and has a new one of another plan instead."""
    answer = snapshot.records.get(checkout.product_id or "")
    if CheckoutEvent.BILLING_HAS_IT not in checkout.events or answer is None or answer.record.exists:
        return False
    found = [other.record for other in snapshot.records.values() if other.record.exists]
    return any(record.subscription_id not in checkout.known_subscriptions for record in found)


def unsettled(checkouts: Collection[Checkout], snapshot: UpstreamSnapshot, now: datetime) -> frozenset[str | None]:
    """Return the products with a record that came with a recent purchase and that no service has said to be in force.

    An account that calls that plan ended may speak of an earlier subscription to it.
    """
    has = [c for c in checkouts if billing_has(c, snapshot)]
    recent = [c for c in has if not c.confirmed and now - c.handed_out_at < NEWS_WITHIN]
    in_force = [c for c in has if c.confirmed]
    return frozenset(
        c.product_id
        for c in recent
        if all(o.product_id != c.product_id or o.handed_out_at < c.handed_out_at for o in in_force)
    )


def unconfirmed(
    checkouts: Collection[Checkout], waiting: Collection[Checkout], current: Subscription, now: datetime
) -> Checkout | None:
    """Return the purchase about which the user has to be asked before anything else is sold; None if there is none.

    It is one of those still waited for that no service ever knew, or, while the user has nothing, one of today that
    was confirmed by what may have been news of an earlier one.
    """
    never = newest(waiting, lambda c: c.unconfirmed and not c.confirming(now))
    if never is not None or current.live or current.access:
        return never
    return newest(checkouts, lambda c: _of_today(c, now) and c.confirmed and doubted(c, checkouts, now))


def _of_today(checkout: Checkout, now: datetime) -> bool:
    returned = checkout.at(CheckoutEvent.RETURNED)
    return returned is not None and now - returned < SESSION_LIFE and not checkout.disclaimed


def _complete(checkout: Checkout, now: datetime) -> bool:
    on = checkout.at(CheckoutEvent.ACCESS_ON)
    if on is None:
        return False
    return (
        now - on > SESSION_LIFE
        or {CheckoutEvent.BILLING_HAS_IT, CheckoutEvent.ACCOUNT_HAS_IT} <= checkout.events.keys()
    )
