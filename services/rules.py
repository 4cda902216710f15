"""The rules that make one truth of two services' answers: what a customer has.

Access is the Auth MS's word; product, dates and existence are the Payment MS's. `assess` is a pure function of the
evidence, the remembered checkouts, the catalog and the clock, so that each rule has a test. The rules, as a table, are
in `docs/states.md`; what each answer means on its own is in `services/readings.py`, one record's worth in
`services/views.py`, the two held together in `services/headline.py`, what they say of checkouts in
`services/attribution.py`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from catalog import Catalog
from services.attribution import access_on, account_has, arrived, billing_has, unconfirmed, unsettled
from services.checkouts import Checkout, Event, Kind, newest
from services.evidence import Evidence
from services.headline import BILLING_MAY_LAG, Case, headline, unavailable
from services.readings import Account, plan_named, read_account, read_record, status_word
from services.standing import Standing, Wait
from services.subscription import DELAYED_AFTER, LIVE, LOST_AFTER, Reason, State, Subscription
from services.views import BELIEVED_FOR, views_of

__all__ = [
    "ACCOUNT_BELIEVED_FOR", "BILLING_MAY_LAG", "SILENCE_SHOWN_AFTER", "access_on", "account_has", "assess",
    "billing_has", "plan_named", "status_word",
]  # fmt: skip

ACCOUNT_BELIEVED_FOR: Final = BELIEVED_FOR
"""How long the last word on access is believed while it can't be asked for again."""

SILENCE_SHOWN_AFTER: Final = timedelta(minutes=2)
"""How long the last known state stays the headline while nobody who knows can be asked."""

LONGEST_MONTH: Final = timedelta(days=32)


def assess(
    customer: str, evidence: Evidence, checkouts: Sequence[Checkout], catalog: Catalog, now: datetime
) -> Standing:
    """Return what the customer has, by the rules of this module."""
    account = read_account(evidence, catalog, now)
    waiting = [c for c in checkouts if not arrived(c, evidence, account, checkouts, now)]
    confirming = newest(waiting, lambda c: c.confirming(now))
    case = _case(evidence, account, checkouts, confirming, catalog, now)
    current = _remembered(headline(case), case)
    if _deaf(evidence, now):
        memory, case = current, _case(evidence, None, checkouts, confirming, catalog, now)
        current = headline(case)
        if current.state is State.UNAVAILABLE:
            current = current.model_copy(update={"last_known": memory, "plan_id": memory.plan_id})
    others = tuple(view for view in case.views if view.product_id != current.product_id)
    return Standing(
        customer=customer,
        current=_with_price(current, case),
        others=tuple(_with_price(view, case) for view in others),
        as_of=evidence.as_of or now,
        billing_failed=evidence.billing_failed,
        account_failed=evidence.account_failed,
        confirming=confirming,
        wait=_wait(confirming, now),
        open=newest(checkouts, lambda c: c.kind is Kind.SUBSCRIPTION and c.open(now)),
        unconfirmed=unconfirmed(checkouts, waiting, current, now),
        subscription_ids=evidence.subscription_ids,
    )


def _case(
    evidence: Evidence,
    account: Account | None,
    checkouts: Sequence[Checkout],
    confirming: Checkout | None,
    catalog: Catalog,
    now: datetime,
) -> Case:
    records = [
        read_record(product, answer, catalog) for product, answer in evidence.records.items() if answer.record.exists
    ]
    views = views_of(records, account, now, unsettled(checkouts, evidence, now))
    return Case(evidence, account, views, checkouts, confirming, catalog, now)


def _deaf(evidence: Evidence, now: datetime) -> bool:
    """Whether billing can be asked and the account has been silent for longer than its last word is believed."""
    if evidence.account is None or evidence.account_failed is None or evidence.billing_failed is not None:
        return False
    return now - evidence.account.as_of > ACCOUNT_BELIEVED_FOR


def _remembered(current: Subscription, case: Case) -> Subscription:
    """Return what is still said of `current` when it is memory: a state for two minutes, access for ten."""
    evidence, account = case.evidence, case.account
    speaks = account is not None and account.state is not None
    heard = [answer.as_of for answer in evidence.records.values()]
    heard += [evidence.looked_at] if evidence.looked_at is not None else []
    if account is not None and speaks:
        heard.append(account.as_of)
        if case.now - account.as_of > ACCOUNT_BELIEVED_FOR:
            current = current.model_copy(update={"access": False})
    knows = evidence.billing_failed is None or (speaks and evidence.account_failed is None)
    if knows or current.state is State.UNAVAILABLE or case.now - max(heard, default=case.now) <= SILENCE_SHOWN_AFTER:
        return current
    both = evidence.billing_failed and evidence.account_failed
    lost = unavailable(Reason.NOBODY_REACHABLE if both else Reason.BILLING_UNREACHABLE, current.as_of)
    known = {"access": current.access, "plan_id": current.plan_id, "product_id": current.product_id}
    return lost.model_copy(update={**known, "last_known": current})


def _wait(confirming: Checkout | None, now: datetime) -> Wait | None:
    returned = confirming.at(Event.RETURNED) if confirming is not None else None
    if returned is None:
        return None
    if now - returned < DELAYED_AFTER:
        return Wait.CONFIRMING
    return Wait.DELAYED if now - returned < LOST_AFTER else Wait.LOST


def _with_price(subscription: Subscription, case: Case) -> Subscription:
    """Add the amount, where this subscription was bought here: that of the newest confirmed checkout of its plan.

    None where the dates contradict it: then the interval was changed in the portal, and the amount with it.
    """
    if subscription.plan_id is None or subscription.state not in LIVE:
        return subscription
    plan_id = subscription.plan_id
    bought = newest(case.checkouts, lambda c: c.kind is Kind.SUBSCRIPTION and c.plan_id == plan_id and c.confirmed)
    if bought is None:
        return subscription
    left = subscription.until - case.now if subscription.until else timedelta()
    if bought.interval == "month" and subscription.state is not State.TRIALING and left > LONGEST_MONTH:
        return subscription
    price = {"amount": bought.total, "currency": bought.currency, "interval": bought.interval}
    return subscription.model_copy(update=price)
