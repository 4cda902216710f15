"""The rules that make one truth of two services' answers: what a customer has, and whether more may be sold to them.

Access is the Auth MS's word; product, dates and existence are the Payment MS's. `assess` is a pure function of the
evidence, the remembered checkouts, the catalog and the clock, so that each rule has a test. The rules, as a table, are
in `docs/states.md`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from catalog import Catalog, Plan
from services.auth_ms import PlanGrant
from services.checkouts import Checkout, Event, Kind, newest
from services.evidence import Evidence
from services.payment_ms import SubscriptionRecord
from services.standing import Standing, Wait
from services.subscription import DELAYED_AFTER, GRACE, GRANTING, LIVE, LOST_AFTER, Reason, Source, State, Subscription

ACCOUNT_BELIEVED_FOR: Final = timedelta(minutes=10)
"""How long the Auth MS's last word on access is believed while it can't be asked."""

SILENCE_SHOWN_AFTER: Final = timedelta(minutes=2)
"""How long the last known state stays the headline while neither service can be asked."""

BILLING_MAY_LAG: Final = timedelta(hours=24)
"""How long after a purchase the account may know of it alone before that is called a conflict."""

_WORDS: Final = {
    "none": State.NONE,
    "free": State.NONE,
    "inactive": State.NONE,
    "active": State.ACTIVE,
    "trialing": State.TRIALING,
    "trial": State.TRIALING,
    "past_due": State.PAST_DUE,
    "unpaid": State.UNPAID,
    "incomplete": State.INCOMPLETE,
    "incomplete_expired": State.INCOMPLETE_EXPIRED,
    "paused": State.PAUSED,
    "canceled": State.CANCELED,
    "cancelled": State.CANCELED,
    "expired": State.CANCELED,
}

_RANK: Final = (
    State.PAST_DUE,
    State.UNPAID,
    State.ACTIVE,
    State.TRIALING,
    State.INCOMPLETE,
    State.PAUSED,
    State.ON_RECORD,
    State.CANCELED,
    State.INCOMPLETE_EXPIRED,
)


@dataclass(frozen=True)
class _Billing:
    """One record of the Payment MS, read. `state` None: it exists and does not say what it is worth."""

    product_id: str
    plan: Plan | None
    state: State | None
    word: str | None
    reason: Reason
    record: SubscriptionRecord
    as_of: datetime


@dataclass(frozen=True)
class _Account:
    """The Auth MS's word, read. `state` None: it was asked and says nothing of a plan."""

    state: State | None
    plan: Plan | None
    plan_word: str | None
    word: str | None
    until: datetime | None
    access: bool
    as_of: datetime


def status_word(word: str | None) -> tuple[State | None, str | None]:
    """Return the state a service's word stands for, and the word itself where this app does not know it."""
    if word is None or not word.strip():
        return None, None
    state = _WORDS.get(word.strip().lower().replace("-", "_").replace(" ", "_"))
    return (state, None) if state is not None else (State.ON_RECORD, word.strip())


def assess(
    customer: str, evidence: Evidence, checkouts: Sequence[Checkout], catalog: Catalog, now: datetime
) -> Standing:
    """Return what the customer has, by the rules of this module."""
    account = _read_account(evidence, catalog, now)
    billing = [
        _read_record(product, answer.record, answer.as_of, catalog, now)
        for product, answer in evidence.records.items()
        if answer.record.exists
    ]
    confirming = newest(checkouts, lambda c: c.confirming(now))
    views = sorted((_view(entry, account, now) for entry in billing), key=_rank)
    views = _without_repeats(views)
    current = _aged(_headline(evidence, account, views, checkouts, confirming, now), evidence, now)
    others = tuple(view for view in views if view.product_id != current.product_id and view.state is not State.NONE)
    return Standing(
        customer=customer,
        current=_with_price(current, checkouts),
        others=tuple(_with_price(view, checkouts) for view in others),
        as_of=_as_of(evidence, now),
        billing_failed=evidence.billing_failed,
        account_failed=evidence.account_failed,
        confirming=confirming,
        wait=_wait(confirming, now),
        open=newest(checkouts, lambda c: c.kind is Kind.SUBSCRIPTION and c.open(now)),
        unconfirmed=newest(checkouts, lambda c: c.unconfirmed and not c.confirming(now)),
    )


def billing_has(checkout: Checkout, evidence: Evidence) -> bool:
    """Whether the Payment MS knows of the subscription this checkout bought: one that was not there before it."""
    answer = evidence.records.get(checkout.product_id or "")
    if answer is None or not answer.record.exists:
        return False
    if answer.record.subscription_id and answer.record.subscription_id not in checkout.known_subscriptions:
        return True
    state, _ = status_word(answer.record.status)
    return state in GRANTING


def account_has(checkout: Checkout, evidence: Evidence, catalog: Catalog, now: datetime) -> bool:
    """Whether the Auth MS names the plan this checkout bought as one that the user has."""
    account = _read_account(evidence, catalog, now)
    if account is None or account.state in (None, State.NONE, State.CANCELED, State.INCOMPLETE_EXPIRED):
        return False
    return account.plan is None or account.plan.id == checkout.plan_id


def access_on(checkout: Checkout, standing: Standing) -> bool:
    """Whether the plan this checkout bought is in force, so that waiting for it is over.

    Where the Auth MS says nothing of plans, billing's record is all the confirmation there will ever be.
    """
    current = standing.current
    if current.plan_id is not None and current.plan_id != checkout.plan_id:
        return False
    return current.access or current.state in (State.ACTIVE, State.TRIALING, State.PAST_DUE)


def plan_named(catalog: Catalog, word: str | None) -> Plan | None:
    """Return the plan a service means: by our id, its Stripe product, one of its prices, or its name."""
    if not word:
        return None
    wanted = word.strip().lower()
    for plan in catalog.plans:
        names = {plan.id, plan.product_id or "", plan.name.in_("en"), *(p.price_id for p in plan.prices.values())}
        if wanted in {name.lower() for name in names if name}:
            return plan
    return None


def _read_account(evidence: Evidence, catalog: Catalog, now: datetime) -> _Account | None:
    """Return the account's last word, or None when it never answered."""
    answer = evidence.account
    if answer is None:
        return None
    grant = answer.grant
    state, word = status_word(grant.status) if grant else (None, None)
    plan = plan_named(catalog, grant.plan) if grant else None
    if plan is not None and plan.kind == "free":
        plan, state = None, State.NONE if state in (State.ACTIVE, None) else state
    return _Account(
        state=state,
        plan=plan,
        plan_word=grant.plan if grant and grant.plan and plan is None else None,
        word=word,
        until=grant.expires_at if grant else None,
        access=_grants_access(state, grant, now),
        as_of=answer.as_of,
    )


def _grants_access(state: State | None, grant: PlanGrant | None, now: datetime) -> bool:
    until = grant.expires_at if grant else None
    if state in GRANTING:
        return until is None or now < until + GRACE
    return state is State.CANCELED and until is not None and now < until


def _read_record(
    product_id: str, record: SubscriptionRecord, as_of: datetime, catalog: Catalog, now: datetime
) -> _Billing:
    state, word = status_word(record.status)
    reason = Reason.UNKNOWN_WORD if word else Reason.BILLING_SAYS
    if state is None and record.period_end is not None and now > record.period_end + GRACE:
        state, reason = State.CANCELED, Reason.PERIOD_OVER
    plan = catalog.plan_for_product(product_id)
    return _Billing(product_id, plan, state, word, reason, record, as_of)


def _view(entry: _Billing, account: _Account | None, now: datetime) -> Subscription:
    """Return what one record is worth, with the account's word where billing has none and it speaks of this plan."""
    spoken_of = account is not None and (account.plan is None or account.plan == entry.plan)
    state, source, reason, word = entry.state, Source.BILLING, entry.reason, entry.word
    if state is None and account is not None and spoken_of and account.state not in (None, State.NONE):
        state, source, reason, word = account.state, Source.BOTH, Reason.ACCOUNT_SAYS, account.word
    elif state is None:
        state = State.ON_RECORD
        reason = Reason.ACCOUNT_UNREACHABLE if account is None else Reason.ACCOUNT_SILENT
        if account is not None and account.state is not None:
            reason = Reason.ACCOUNT_DIFFERS
    until = entry.record.period_end
    ended = state is State.CANCELED and account is not None and spoken_of
    if ended and account is not None and account.until is not None:
        until = account.until
    if account is None or account.state is None:
        access = entry.state in GRANTING or (
            entry.state is State.CANCELED
            and entry.reason is Reason.BILLING_SAYS
            and entry.record.period_end is not None
            and now < entry.record.period_end
        )
        access = access and account is not None
    else:
        access = account.access and spoken_of
    return Subscription(
        state=state or State.ON_RECORD,
        reason=reason,
        source=source,
        as_of=entry.as_of,
        access=access,
        plan_id=entry.plan.id if entry.plan else None,
        product_id=entry.product_id,
        subscription_id=entry.record.subscription_id or None,
        until=until,
        ends=bool(entry.record.cancel_at_period_end),
        word=word,
    )


def _headline(
    evidence: Evidence,
    account: _Account | None,
    views: Sequence[Subscription],
    checkouts: Sequence[Checkout],
    confirming: Checkout | None,
    now: datetime,
) -> Subscription:
    """Return the subscription that the user's pages speak of."""
    best = views[0] if views else None
    if account is not None and account.access:
        return _granted(evidence, account, views, checkouts, now)
    if best is not None and best.state in (State.PAST_DUE, State.UNPAID, State.INCOMPLETE) and best.word is None:
        return best
    if confirming is not None:
        return _confirming(confirming, evidence, now)
    if account is None:
        return _without_account(evidence, best, now)
    if best is not None and best.state in LIVE:
        return _live_without_access(account, best)
    if account.state in LIVE and account.state not in GRANTING:
        return _from_account(account, Reason.ACCOUNT_SAYS)
    if best is None and evidence.billing_failed and not evidence.records:
        return _unavailable(Reason.BILLING_UNREACHABLE, account.as_of)
    if best is not None:
        return best
    if account.state is State.CANCELED:
        return _from_account(account, Reason.ACCOUNT_SAYS)
    source = Source.BILLING if account.state is None else Source.BOTH
    return Subscription(state=State.NONE, reason=Reason.NO_SUBSCRIPTION, source=source, as_of=_as_of(evidence, now))


def _granted(
    evidence: Evidence,
    account: _Account,
    views: Sequence[Subscription],
    checkouts: Sequence[Checkout],
    now: datetime,
) -> Subscription:
    """The account grants a plan: find billing's side of it, or say what its absence means."""
    own = next((v for v in views if account.plan is None or v.plan_id == account.plan.id), None)
    if own is not None and own.state in LIVE and own.state is not State.ON_RECORD:
        agreed = Reason.AGREED if own.state in GRANTING else own.reason
        ends = own.ends or (account.state is State.CANCELED and own.state in (State.ACTIVE, State.TRIALING))
        return own.model_copy(update={"access": True, "source": Source.BOTH, "reason": agreed, "ends": ends})
    if own is not None and own.state is State.CANCELED:
        paid_until = account.until if account.state is State.CANCELED else own.until
        if paid_until is not None and now < paid_until:
            return own.model_copy(update={"access": True, "source": Source.BOTH, "until": paid_until})
        return _conflict(account, Reason.ACCOUNT_DIFFERS, own)
    if own is not None and own.word is not None:
        return own.model_copy(update={"access": True})
    other = next((v for v in views if v.state in LIVE and v.state is not State.ON_RECORD), None)
    if other is not None:
        return _conflict(account, Reason.PLAN_DIFFERS, other)
    if evidence.billing_failed or not evidence.records:
        return _from_account(account, Reason.BILLING_UNREACHABLE)
    bought = newest(checkouts, lambda c: _bought(c, account))
    if bought is not None:
        lagging = now - (bought.at(Event.RETURNED) or bought.started_at) < BILLING_MAY_LAG
        return _from_account(account, Reason.BILLING_LAGS) if lagging else _conflict(account, Reason.ACCOUNT_DIFFERS)
    if account.state is State.ACTIVE:
        return _from_account(account, Reason.GRANTED, State.COMPED)
    return _from_account(account, Reason.ACCOUNT_SAYS)


def _bought(checkout: Checkout, account: _Account) -> bool:
    if checkout.kind is not Kind.SUBSCRIPTION or account.plan is None:
        return False
    return checkout.plan_id == account.plan.id and (Event.RETURNED in checkout.events or checkout.confirmed)


def _live_without_access(account: _Account, best: Subscription) -> Subscription:
    """Billing has a live subscription and the account grants nothing: a contradiction only if both are certain."""
    certain = best.state in GRANTING and best.source is Source.BILLING and account.state is not None
    return _conflict(account, Reason.ACCOUNT_DIFFERS, best) if certain else best


def _without_account(evidence: Evidence, best: Subscription | None, now: datetime) -> Subscription:
    if best is not None:
        return best.model_copy(update={"reason": Reason.ACCOUNT_UNREACHABLE})
    return _unavailable(
        Reason.NOBODY_REACHABLE if evidence.billing_failed else Reason.ACCOUNT_UNREACHABLE, _as_of(evidence, now)
    )


def _aged(current: Subscription, evidence: Evidence, now: datetime) -> Subscription:
    """Return what is still said of `current` when it is memory: access is believed for ten minutes only."""
    if evidence.account_failed is None or evidence.account is None:
        return current
    age = now - evidence.account.as_of
    silent = evidence.billing_failed is not None
    if age <= (SILENCE_SHOWN_AFTER if silent else ACCOUNT_BELIEVED_FOR) or current.state is State.UNAVAILABLE:
        return current
    believed = current.access and age <= ACCOUNT_BELIEVED_FOR
    reason = Reason.NOBODY_REACHABLE if silent else Reason.ACCOUNT_UNREACHABLE
    return _unavailable(reason, current.as_of).model_copy(
        update={
            "access": believed,
            "plan_id": current.plan_id,
            "product_id": current.product_id,
            "last_known": current,
        }
    )


def _wait(confirming: Checkout | None, now: datetime) -> Wait | None:
    returned = confirming.at(Event.RETURNED) if confirming is not None else None
    if returned is None:
        return None
    if now - returned < DELAYED_AFTER:
        return Wait.CONFIRMING
    return Wait.DELAYED if now - returned < LOST_AFTER else Wait.LOST


def _unavailable(reason: Reason, as_of: datetime) -> Subscription:
    return Subscription(state=State.UNAVAILABLE, reason=reason, source=Source.MEMORY, as_of=as_of)


def _confirming(checkout: Checkout, evidence: Evidence, now: datetime) -> Subscription:
    return Subscription(
        state=State.CONFIRMING,
        reason=Reason.AWAITING_CONFIRMATION,
        source=Source.CHECKOUT,
        as_of=_as_of(evidence, now),
        plan_id=checkout.plan_id,
        product_id=checkout.product_id,
        since=checkout.at(Event.RETURNED),
    )


def _from_account(account: _Account, reason: Reason, state: State | None = None) -> Subscription:
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


def _conflict(account: _Account, reason: Reason, billing: Subscription | None = None) -> Subscription:
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


def _with_price(subscription: Subscription, checkouts: Sequence[Checkout]) -> Subscription:
    """Add the amount, where this subscription was bought here: the newest confirmed checkout of its plan."""
    if subscription.plan_id is None:
        return subscription
    bought = newest(
        checkouts, lambda c: c.kind is Kind.SUBSCRIPTION and c.plan_id == subscription.plan_id and c.confirmed
    )
    if bought is None:
        return subscription
    price = {"amount": bought.total, "currency": bought.currency, "interval": bought.interval}
    return subscription.model_copy(update=price)


def _without_repeats(views: Sequence[Subscription]) -> list[Subscription]:
    """Keep one view of a subscription that billing lists under two products, as it does after a change of plan."""
    kept: list[Subscription] = []
    for view in views:
        if view.subscription_id is None or all(view.subscription_id != k.subscription_id for k in kept):
            kept.append(view)
    return kept


def _rank(view: Subscription) -> int:
    return _RANK.index(view.state) if view.state in _RANK else len(_RANK)


def _as_of(evidence: Evidence, now: datetime) -> datetime:
    """The age of the older of the two services' latest answers."""
    billing = max((answer.as_of for answer in evidence.records.values()), default=None)
    account = evidence.account.as_of if evidence.account is not None else None
    return min((time for time in (billing, account) if time is not None), default=now)
