"""The rules that make one truth of two services' answers: what a customer has.

Access is the Auth MS's word; product, dates and existence are the Payment MS's. `reconcile` is a pure function of the
snapshot, the remembered checkouts, the catalog and the clock, so that each rule has a test. The rules, as a table, are
in `docs/states.md`; what each answer means on its own is in `services/subscription/normalize.py`, one record's worth in
`services/subscription/record_status.py`, the two held together in `services/subscription/current.py`, what they say of
checkouts in `services/subscription/checkout_matching.py`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from catalog import Catalog
from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind, newest
from services.subscription.checkout_matching import (
    access_on,
    account_has,
    arrived,
    billing_has,
    unconfirmed,
    unsettled,
)
from services.subscription.current import BILLING_MAY_LAG, Situation, current_subscription, unavailable
from services.subscription.customer_status import ConfirmationWait, CustomerStatus
from services.subscription.former_plans import by_todays_plans, catalog_for, with_plan
from services.subscription.model import DELAYED_AFTER, LIVE, LOST_AFTER, Reason, State, Subscription
from services.subscription.normalize import (
    NormalizedAccount,
    normalize_account,
    normalize_record,
    plan_named,
    status_word,
)
from services.subscription.record_status import BELIEVED_FOR, record_statuses
from services.subscription.snapshot import UpstreamSnapshot

__all__ = [
    "ACCOUNT_BELIEVED_FOR",
    "BILLING_MAY_LAG",
    "SILENCE_SHOWN_AFTER",
    "access_on",
    "account_has",
    "billing_has",
    "plan_named",
    "reconcile",
    "status_word",
]  # fmt: skip

ACCOUNT_BELIEVED_FOR: Final = BELIEVED_FOR
"""How long the last word on access is believed while it can't be asked for again."""

SILENCE_SHOWN_AFTER: Final = timedelta(minutes=2)
"""How long the last known state stays the headline while no service that knows can be asked."""

LONGEST_MONTH: Final = timedelta(days=32)


def reconcile(
    customer: str, snapshot: UpstreamSnapshot, checkouts: Sequence[Checkout], catalog: Catalog, now: datetime
) -> CustomerStatus:
    """Return what the customer has, by the rules of this module."""
    known = catalog_for(catalog, snapshot, checkouts)
    status = _reconcile(customer, snapshot, by_todays_plans(checkouts, known), known, now)
    named = [with_plan(one, catalog, known) for one in status.all]
    return status.model_copy(update={"current": named[0], "others": tuple(named[1:])})


def _reconcile(
    customer: str, snapshot: UpstreamSnapshot, checkouts: Sequence[Checkout], catalog: Catalog, now: datetime
) -> CustomerStatus:
    account = normalize_account(snapshot, catalog, now)
    waiting = [c for c in checkouts if not arrived(c, snapshot, account, checkouts, now)]
    confirming = newest(waiting, lambda c: c.confirming(now))
    case = _case(snapshot, account, checkouts, confirming, catalog, now)
    current = _remembered(current_subscription(case), case)
    if _account_is_silent(snapshot, now):
        memory, case = current, _case(snapshot, None, checkouts, confirming, catalog, now)
        current = current_subscription(case)
        if current.state is State.UNAVAILABLE:
            current = current.model_copy(update={"last_known": memory, "plan_id": memory.plan_id})
    others = tuple(view for view in case.views if view.product_id != current.product_id)
    return CustomerStatus(
        customer=customer,
        current=_with_price(current, case),
        others=tuple(_with_price(view, case) for view in others),
        as_of=snapshot.as_of or now,
        billing_failed=snapshot.billing_failed,
        account_failed=snapshot.account_failed,
        confirming=confirming,
        wait=_wait(confirming, now),
        open=newest(checkouts, lambda c: c.kind is CheckoutKind.SUBSCRIPTION and c.open(now)),
        unconfirmed=unconfirmed(checkouts, waiting, current, now),
        subscription_ids=snapshot.subscription_ids,
    )


def _case(
    snapshot: UpstreamSnapshot,
    account: NormalizedAccount | None,
    checkouts: Sequence[Checkout],
    confirming: Checkout | None,
    catalog: Catalog,
    now: datetime,
) -> Situation:
    records = [
        normalize_record(product, answer, catalog)
        for product, answer in snapshot.records.items()
        if answer.record.exists
    ]
    views = record_statuses(records, account, now, unsettled(checkouts, snapshot, now))
    return Situation(snapshot, account, views, checkouts, confirming, catalog, now)


def _account_is_silent(snapshot: UpstreamSnapshot, now: datetime) -> bool:
    """Whether billing can be asked and the account has been silent for longer than its last word is believed."""
    if snapshot.account is None or snapshot.account_failed is None or snapshot.billing_failed is not None:
        return False
    return now - snapshot.account.as_of > ACCOUNT_BELIEVED_FOR


def _remembered(current: Subscription, case: Situation) -> Subscription:
    """Return what is still said of `current` when it is memory: a state for two minutes, access for ten."""
    snapshot, account = case.snapshot, case.account
    speaks = account is not None and account.state is not None
    heard = [answer.as_of for answer in snapshot.records.values()]
    heard += [snapshot.looked_at] if snapshot.looked_at is not None else []
    if account is not None and speaks:
        heard.append(account.as_of)
        if case.now - account.as_of > ACCOUNT_BELIEVED_FOR:
            current = current.model_copy(update={"access": False})
    knows = snapshot.billing_failed is None or (speaks and snapshot.account_failed is None)
    if knows or current.state is State.UNAVAILABLE or case.now - max(heard, default=case.now) <= SILENCE_SHOWN_AFTER:
        return current
    both = snapshot.billing_failed and snapshot.account_failed
    lost = unavailable(Reason.NO_SERVICE_REACHABLE if both else Reason.BILLING_UNREACHABLE, current.as_of)
    known = {"access": current.access, "plan_id": current.plan_id, "product_id": current.product_id}
    return lost.model_copy(update={**known, "last_known": current})


def _wait(confirming: Checkout | None, now: datetime) -> ConfirmationWait | None:
    returned = confirming.at(CheckoutEvent.RETURNED) if confirming is not None else None
    if returned is None:
        return None
    if now - returned < DELAYED_AFTER:
        return ConfirmationWait.CONFIRMING
    return ConfirmationWait.DELAYED if now - returned < LOST_AFTER else ConfirmationWait.LOST


def _with_price(subscription: Subscription, case: Situation) -> Subscription:
    """Add the amount, where this subscription was bought here: that of the newest confirmed checkout of its plan.

    None where the dates contradict it: then the interval was changed in the portal, and the amount with it.
    """
    if subscription.plan_id is None or subscription.state not in LIVE:
        return subscription
    plan_id = subscription.plan_id
    bought = newest(
        case.checkouts, lambda c: c.kind is CheckoutKind.SUBSCRIPTION and c.plan_id == plan_id and c.confirmed
    )
    if bought is None:
        return subscription
    left = subscription.until - case.now if subscription.until else timedelta()
    if bought.interval == "month" and subscription.state is not State.TRIALING and left > LONGEST_MONTH:
        return subscription
    price = {"amount": bought.total, "currency": bought.currency, "interval": bought.interval}
    return subscription.model_copy(update=price)
