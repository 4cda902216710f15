"""The rules that make one truth of two services' answers: what a customer has.

Access is the Auth MS's word; product, dates and existence are the Payment MS's. `assess` is a pure function of the
evidence, the remembered checkouts, the catalog and the clock, so that each rule has a test. The rules, as a table, are
in `docs/states.md`; what each answer means on its own is in `services/readings.py`, one record's worth in
`services/views.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from catalog import Catalog
from services.checkouts import Checkout, Event, Kind, newest
from services.evidence import Evidence
from services.readings import Account, plan_named, read_account, read_record, status_word
from services.standing import Standing, Wait
from services.subscription import DELAYED_AFTER, GRANTING, LIVE, LOST_AFTER, Reason, Source, State, Subscription
from services.views import BELIEVED_FOR, views_of

__all__ = ["access_on", "account_has", "assess", "billing_has", "plan_named", "status_word"]

ACCOUNT_BELIEVED_FOR: Final = BELIEVED_FOR
"""How long the last word on access is believed while it can't be asked for again."""

SILENCE_SHOWN_AFTER: Final = timedelta(minutes=2)
"""How long the last known state stays the headline while nobody who knows can be asked."""

BILLING_MAY_LAG: Final = timedelta(hours=24)
"""How long after a purchase the account may know of it alone before that is called a conflict."""

LONGEST_MONTH: Final = timedelta(days=32)
_ENDED: Final = frozenset({State.CANCELED, State.INCOMPLETE_EXPIRED})
_URGENT: Final = frozenset({State.PAST_DUE, State.UNPAID, State.INCOMPLETE})


@dataclass(frozen=True)
class _Case:
    """All there is to judge by. `views` are what the records are worth, the most urgent first."""

    evidence: Evidence
    account: Account | None
    views: Sequence[Subscription]
    checkouts: Sequence[Checkout]
    confirming: Checkout | None
    catalog: Catalog
    now: datetime

    @property
    def best(self) -> Subscription | None:
        return self.views[0] if self.views else None

    @property
    def billing_known(self) -> bool:
        """Whether billing has said something about everything that is sold."""
        return self.evidence.knows_all(tuple(plan.product_id for plan in self.catalog.plans if plan.product_id))


def assess(
    customer: str, evidence: Evidence, checkouts: Sequence[Checkout], catalog: Catalog, now: datetime
) -> Standing:
    """Return what the customer has, by the rules of this module."""
    account = read_account(evidence, catalog, now)
    open_ended = [c for c in checkouts if not _arrived(c, evidence, account)]
    confirming = newest(open_ended, lambda c: c.confirming(now))
    case = _case(evidence, account, checkouts, confirming, catalog, now)
    current = _remembered(_headline(case), case)
    if _deaf(evidence, now):
        memory, case = current, _case(evidence, None, checkouts, confirming, catalog, now)
        current = _headline(case)
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
        unconfirmed=newest(open_ended, lambda c: c.unconfirmed and not c.confirming(now)),
        subscription_ids=evidence.subscription_ids,
    )


def billing_has(checkout: Checkout, evidence: Evidence) -> bool:
    """Whether the Payment MS knows of the subscription this checkout bought: one that was not there before it."""
    answer = evidence.records.get(checkout.product_id or "")
    return (
        answer is not None
        and answer.record.exists
        and answer.record.subscription_id not in checkout.known_subscriptions
    )


def account_has(checkout: Checkout, evidence: Evidence, catalog: Catalog, now: datetime) -> bool:
    """Whether the Auth MS names the plan this checkout bought as one that the user has."""
    account = read_account(evidence, catalog, now)
    if account is None or account.state in (None, State.NONE, *_ENDED) or account.plan_word is not None:
        return False
    return account.plan is None or account.plan.id == checkout.plan_id


def access_on(checkout: Checkout, standing: Standing) -> bool:
    """Whether the user has access to the plan this checkout bought, so that waiting for it is over.

    `standing` must have been assessed without the checkout. Access that names no plan is taken to be this one's.
    """
    unnamed = standing.current.plan_id is None and standing.current.account_plan is None
    if standing.current.access and unnamed and standing.current.product_id is None:
        return True
    return any(one.grants(checkout.plan_id or "") for one in standing.all)


def _case(
    evidence: Evidence,
    account: Account | None,
    checkouts: Sequence[Checkout],
    confirming: Checkout | None,
    catalog: Catalog,
    now: datetime,
) -> _Case:
    records = [
        read_record(product, answer, catalog) for product, answer in evidence.records.items() if answer.record.exists
    ]
    views = views_of(records, account, now)
    return _Case(evidence, account, views, checkouts, confirming, catalog, now)


def _headline(case: _Case) -> Subscription:
    """Return the subscription that the user's pages speak of."""
    account, best = case.account, case.best
    if account is not None and account.access:
        return _granted(case, account)
    if best is not None and best.state in _URGENT:
        return best
    if case.confirming is not None:
        return _confirming(case.confirming, case)
    if account is None:
        return _without_account(case)
    if best is not None and best.state in LIVE:
        return _live_without_access(account, best, case)
    if account.state in LIVE:
        return _from_account(account, Reason.ACCOUNT_SAYS)
    if best is None and case.evidence.billing_failed and not case.billing_known:
        return _unavailable(Reason.BILLING_UNREACHABLE, account.as_of)
    if best is not None:
        return best
    if account.state in _ENDED:
        return _from_account(account, Reason.ACCOUNT_SAYS)
    source = Source.BILLING if account.state is None else Source.BOTH
    as_of = case.evidence.as_of or case.now
    return Subscription(state=State.NONE, reason=Reason.NO_SUBSCRIPTION, source=source, as_of=as_of)


def _granted(case: _Case, account: Account) -> Subscription:
    """The account grants a plan: find billing's side of it, or say what its absence means."""
    own = next((v for v in case.views if account.means(case.catalog.plan_for_product(v.product_id or ""))), None)
    if own is not None and (own.state in LIVE or _paid_for(own, case.now)):
        return _agreed(account, own)
    lagging = _bought_lately(case, account, own)
    if own is not None:
        return _from_account(account, Reason.BILLING_LAGS) if lagging else _conflict(account, own)
    if case.evidence.billing_failed or not case.billing_known:
        return _from_account(account, Reason.BILLING_UNREACHABLE)
    other = next((v for v in case.views if v.state in LIVE and _same_group(case, account, v)), None)
    if other is not None and not (lagging and other.state is State.ON_RECORD):
        return _conflict(account, other, Reason.PLAN_DIFFERS)
    if lagging:
        return _from_account(account, Reason.BILLING_LAGS)
    if newest(case.checkouts, lambda c: _bought(c, account)) is not None:
        return _conflict(account)
    if account.state in (State.ACTIVE, State.TRIALING):
        return _from_account(account, Reason.GRANTED, State.COMPED)
    return _from_account(account, Reason.ACCOUNT_SAYS)


def _paid_for(own: Subscription, now: datetime) -> bool:
    return own.state is State.CANCELED and own.until is not None and now < own.until


def _agreed(account: Account, own: Subscription) -> Subscription:
    """Billing has the granted subscription, running or paid for a while yet; its word is the state."""
    if own.state is State.CANCELED:
        return own.model_copy(update={"access": True, "source": Source.BOTH})
    reason = own.reason if own.word is not None else Reason.ACCOUNT_DIFFERS
    if own.state in GRANTING:
        reason = Reason.AGREED
    ends = own.ends or (account.state is State.CANCELED and own.state in (State.ACTIVE, State.TRIALING))
    return own.model_copy(update={"access": True, "source": Source.BOTH, "reason": reason, "ends": ends})


def _bought(checkout: Checkout, account: Account) -> bool:
    """Whether the account's plan was bought here, as far as the browser's return or a service's word shows."""
    if checkout.kind is not Kind.SUBSCRIPTION or account.plan is None:
        return False
    return checkout.plan_id == account.plan.id and (checkout.at(Event.RETURNED) is not None or checkout.confirmed)


def _bought_lately(case: _Case, account: Account, own: Subscription | None) -> bool:
    """Whether billing may not know of it yet: bought within a day, and its record, if any, is from before."""
    bought = newest(case.checkouts, lambda c: _bought(c, account))
    if bought is None or (own is not None and own.subscription_id not in bought.known_subscriptions):
        return False
    return case.now - (bought.at(Event.RETURNED) or bought.started_at) < BILLING_MAY_LAG


def _same_group(case: _Case, account: Account, view: Subscription) -> bool:
    plan = case.catalog.plan_for_product(view.product_id or "")
    return plan is None or account.group in (None, plan.group)


def _live_without_access(account: Account, best: Subscription, case: _Case) -> Subscription:
    """Billing has a live subscription and the account grants nothing: a contradiction only if both are certain."""
    said = account.about(case.catalog.plan_for_product(best.product_id or ""))
    certain = best.state in GRANTING and best.source is Source.BILLING and said is not None
    return _conflict(account, best) if certain else best


def _without_account(case: _Case) -> Subscription:
    if case.best is not None:
        return case.best.model_copy(update={"reason": Reason.ACCOUNT_UNREACHABLE})
    reason = Reason.NOBODY_REACHABLE if case.evidence.billing_failed else Reason.ACCOUNT_UNREACHABLE
    return _unavailable(reason, case.evidence.as_of or case.now)


def _deaf(evidence: Evidence, now: datetime) -> bool:
    """Whether billing can be asked and the account has been silent for longer than its last word is believed."""
    if evidence.account is None or evidence.account_failed is None or evidence.billing_failed is not None:
        return False
    return now - evidence.account.as_of > ACCOUNT_BELIEVED_FOR


def _remembered(current: Subscription, case: _Case) -> Subscription:
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
    lost = _unavailable(Reason.NOBODY_REACHABLE if both else Reason.BILLING_UNREACHABLE, current.as_of)
    known = {"access": current.access, "plan_id": current.plan_id, "product_id": current.product_id}
    return lost.model_copy(update={**known, "last_known": current})


def _arrived(checkout: Checkout, evidence: Evidence, account: Account | None) -> bool:
    """Whether billing's new record is all the confirmation there will ever be: the account says nothing of plans."""
    return account is not None and account.state is None and billing_has(checkout, evidence)


def _wait(confirming: Checkout | None, now: datetime) -> Wait | None:
    returned = confirming.at(Event.RETURNED) if confirming is not None else None
    if returned is None:
        return None
    if now - returned < DELAYED_AFTER:
        return Wait.CONFIRMING
    return Wait.DELAYED if now - returned < LOST_AFTER else Wait.LOST


def _unavailable(reason: Reason, as_of: datetime) -> Subscription:
    return Subscription(state=State.UNAVAILABLE, reason=reason, source=Source.MEMORY, as_of=as_of)


def _confirming(checkout: Checkout, case: _Case) -> Subscription:
    return Subscription(
        state=State.CONFIRMING,
        reason=Reason.AWAITING_CONFIRMATION,
        source=Source.CHECKOUT,
        as_of=case.evidence.as_of or case.now,
        plan_id=checkout.plan_id,
        product_id=checkout.product_id,
        amount=checkout.total,
        currency=checkout.currency,
        interval=checkout.interval,
        since=checkout.at(Event.RETURNED),
    )


def _from_account(account: Account, reason: Reason, state: State | None = None) -> Subscription:
    return Subscription(
        state=state or account.state or State.NONE,
        reason=reason,
        source=Source.ACCOUNT,
        as_of=account.as_of,
        access=account.access,
        plan_id=account.plan.id if account.plan else None,
        product_id=account.plan.product_id if account.plan else None,
        account_plan=account.plan_word,
        until=account.until,
        word=account.word,
    )


def _conflict(
    account: Account, billing: Subscription | None = None, reason: Reason = Reason.ACCOUNT_DIFFERS
) -> Subscription:
    return Subscription(
        state=State.CONFLICT,
        reason=reason,
        source=Source.BOTH,
        as_of=account.as_of,
        access=account.access,
        plan_id=account.plan.id if account.plan else (billing.plan_id if billing else None),
        product_id=account.plan.product_id if account.plan else None,
        account_plan=account.plan_word,
        until=billing.until if billing else account.until,
        last_known=billing,
    )


def _with_price(subscription: Subscription, case: _Case) -> Subscription:
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
