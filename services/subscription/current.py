"""Which subscription a user's pages speak of, and in which state: the two services' words held together.

`services/subscription/reconcile.py` gathers the case and says what is remembered of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from catalog import Catalog
from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind, newest
from services.subscription.checkout_matching import ENDED
from services.subscription.model import GRANTING, LIVE, Reason, Source, State, Subscription
from services.subscription.normalize import NormalizedAccount
from services.subscription.snapshot import UpstreamSnapshot

BILLING_MAY_LAG: Final = timedelta(hours=24)
"""How long after a purchase the account may know of it alone before that is called a conflict."""

_URGENT: Final = frozenset({State.PAST_DUE, State.UNPAID, State.INCOMPLETE})


@dataclass(frozen=True)
class Situation:
    """All there is to judge by. `views` are what the records are worth, the most urgent first."""

    snapshot: UpstreamSnapshot
    account: NormalizedAccount | None
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
        return self.snapshot.knows_all(self.catalog.products)


def current_subscription(case: Situation) -> Subscription:
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
    if best is None and case.snapshot.billing_failed and not case.billing_known:
        return unavailable(Reason.BILLING_UNREACHABLE, account.as_of)
    if best is not None:
        return best
    if account.state in ENDED:
        return _from_account(account, Reason.ACCOUNT_SAYS)
    source = Source.BILLING if account.state is None else Source.BOTH
    as_of = case.snapshot.as_of or case.now
    return Subscription(state=State.NONE, reason=Reason.NO_SUBSCRIPTION, source=source, as_of=as_of)


def _granted(case: Situation, account: NormalizedAccount) -> Subscription:
    """The account grants a plan: find billing's side of it, or say what its absence means."""
    own = next((v for v in case.views if account.means(case.catalog.plan_for_product(v.product_id or ""))), None)
    if own is not None and (own.state in LIVE or _paid_for(own, case.now)):
        return _agreed(account, own)
    lagging = _bought_lately(case, account, own)
    if own is not None:
        return _from_account(account, Reason.BILLING_LAGS) if lagging else _conflict(account, own)
    if case.snapshot.billing_failed or not case.billing_known:
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


def _agreed(account: NormalizedAccount, own: Subscription) -> Subscription:
    """Billing has the granted subscription, running or paid for a while yet; its word is the state."""
    if own.state is State.CANCELED:
        return own.model_copy(update={"access": True, "source": Source.BOTH})
    reason = own.reason if own.word is not None else Reason.ACCOUNT_DIFFERS
    if own.state in GRANTING:
        reason = Reason.AGREED
    ends = own.ends or (account.state is State.CANCELED and own.state in (State.ACTIVE, State.TRIALING))
    return own.model_copy(update={"access": True, "source": Source.BOTH, "reason": reason, "ends": ends})


def _bought(checkout: Checkout, account: NormalizedAccount) -> bool:
    """Whether the account's plan was bought here, as far as the browser's return or a service's word shows.

    Another plan of its group counts if it was in force and billing never had it: it may have been changed since.
    """
    if checkout.kind is not CheckoutKind.SUBSCRIPTION:
        return False
    if account.plan is not None and checkout.plan_id == account.plan.id:
        return checkout.at(CheckoutEvent.RETURNED) is not None or checkout.confirmed
    untold = checkout.confirmed and CheckoutEvent.BILLING_HAS_IT not in checkout.events
    return untold and account.group in (None, checkout.group)


def _bought_lately(case: Situation, account: NormalizedAccount, own: Subscription | None) -> bool:
    """Whether billing may not know of it yet: bought within a day, and its record, if any, is from before."""
    bought = newest(case.checkouts, lambda c: _bought(c, account))
    if bought is None or (own is not None and own.subscription_id not in bought.known_subscriptions):
        return False
    return case.now - (bought.at(CheckoutEvent.RETURNED) or bought.started_at) < BILLING_MAY_LAG


def _same_group(case: Situation, account: NormalizedAccount, view: Subscription) -> bool:
    plan = case.catalog.plan_for_product(view.product_id or "")
    return plan is None or account.group in (None, plan.group)


def _live_without_access(account: NormalizedAccount, best: Subscription, case: Situation) -> Subscription:
    """Billing has a live subscription and the account grants nothing: a contradiction only if both are certain."""
    said = account.about(case.catalog.plan_for_product(best.product_id or ""))
    certain = best.state in GRANTING and best.source is Source.BILLING and said is not None
    return _conflict(account, best) if certain else best


def _without_account(case: Situation) -> Subscription:
    if case.best is not None:
        return case.best.model_copy(update={"reason": Reason.ACCOUNT_UNREACHABLE})
    reason = Reason.NO_SERVICE_REACHABLE if case.snapshot.billing_failed else Reason.ACCOUNT_UNREACHABLE
    return unavailable(reason, case.snapshot.as_of or case.now)


def unavailable(reason: Reason, as_of: datetime) -> Subscription:
    return Subscription(state=State.UNAVAILABLE, reason=reason, source=Source.MEMORY, as_of=as_of)


def _confirming(checkout: Checkout, case: Situation) -> Subscription:
    return Subscription(
        state=State.CONFIRMING,
        reason=Reason.AWAITING_CONFIRMATION,
        source=Source.CHECKOUT,
        as_of=case.snapshot.as_of or case.now,
        plan_id=checkout.plan_id,
        product_id=checkout.product_id,
        amount=checkout.total,
        currency=checkout.currency,
        interval=checkout.interval,
        since=checkout.at(CheckoutEvent.RETURNED),
    )


def _from_account(account: NormalizedAccount, reason: Reason, state: State | None = None) -> Subscription:
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
    account: NormalizedAccount, billing: Subscription | None = None, reason: Reason = Reason.ACCOUNT_DIFFERS
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
