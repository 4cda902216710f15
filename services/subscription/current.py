"""Which subscription a user's pages speak of, and in which state: the two services' words held together.

`services/subscription/reconcile.py` gathers the case and says what is remembered of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from catalog import Catalog
from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind, newest
from services.errors import InvalidIdentifier
from services.subscription.checkout_matching import ENDED, billing_has, charges_alone, doubted
from services.subscription.model import (
    DELAYED_AFTER,
    GRANTING,
    LIVE,
    LOST_AFTER,
    ConfirmationWait,
    Reason,
    Source,
    State,
    Subscription,
)
from services.subscription.normalize import NormalizedAccount
from services.subscription.silence import unavailable
from services.subscription.snapshot import UpstreamSnapshot

BILLING_MAY_LAG: Final = timedelta(hours=24)
"""How long after a purchase the account may know of it alone before that is called a conflict."""

_URGENT: Final = frozenset({State.PAST_DUE, State.UNPAID, State.INCOMPLETE})


@dataclass(frozen=True)
class Situation:
    """All there is to judge by for one group of plans. `views` are what its records are worth, the most urgent first;
    `confirming` is its checkout that waits for confirmation."""

    snapshot: UpstreamSnapshot
    account: NormalizedAccount | None
    views: Sequence[Subscription]
    checkouts: Sequence[Checkout]
    confirming: Checkout | None
    catalog: Catalog
    now: datetime
    group: str

    @property
    def best(self) -> Subscription | None:
        return self.views[0] if self.views else None

    @property
    def billing_known(self) -> bool:
        """Whether billing has said something about everything that is sold."""
        return self.snapshot.knows_all(self.catalog.products)


def current_subscription(case: Situation) -> Subscription:
    """Return the subscription that the user's pages speak of, of one group of plans."""
    found = _found(case)
    return found if found.group is not None else found.model_copy(update={"group": case.group})


def _found(case: Situation) -> Subscription:
    account, best = case.account, case.best
    if account is not None and account.access:
        return _granted(case, account)
    if best is not None and best.state in _URGENT:
        return best
    if case.confirming is not None:
        return awaited_purchase(case.confirming, case)
    if account is None:
        return _without_account(case)
    if best is not None and best.state in LIVE:
        return _live_without_access(account, best, case)
    if account.lapsed and account.state in LIVE and _own(case, account) is None:
        return _from_account(account, Reason.PERIOD_OVER)
    if account.state in LIVE and not account.lapsed:
        return _from_account(account, Reason.ACCOUNT_SAYS)
    if best is None and case.snapshot.billing_failed and not case.billing_known:
        refused = case.snapshot.billing_failed == InvalidIdentifier.code
        return unavailable(Reason.ID_REFUSED if refused else Reason.BILLING_UNREACHABLE, account.as_of)
    if best is not None:
        return best
    if account.state in ENDED:
        return _from_account(account, Reason.ACCOUNT_SAYS)
    as_of = case.snapshot.as_of or case.now
    if account.state is None:
        return Subscription(state=State.NONE, reason=Reason.ACCOUNT_SILENT, source=Source.BILLING, as_of=as_of)
    return Subscription(state=State.NONE, reason=Reason.NO_SUBSCRIPTION, source=Source.BOTH, as_of=as_of)


def _granted(case: Situation, account: NormalizedAccount) -> Subscription:
    """The account grants a plan: find billing's side of it, or say what its absence means."""
    own = _own(case, account)
    lagging = _bought_lately(case, account, own)
    if own is not None and lagging and own.source is Source.BOTH and own.until is not None and own.until < case.now:
        return _from_account(account, Reason.BILLING_LAGS)
    if own is not None and (own.state in LIVE or _paid_for(own, account, case.now)):
        return _agreed(account, own)
    if own is not None:
        return _from_account(account, Reason.BILLING_LAGS) if lagging else _conflict(account, own)
    if case.snapshot.billing_failed or not case.billing_known:
        return _from_account(account, Reason.BILLING_UNREACHABLE, State.COMPED if account.gift else None)
    others = _others(case, account)
    if others and _has_changed_plan(case, account, others):
        return _under_its_new_plan(account, others[0])
    if others and not (lagging and others[0].state is State.ON_RECORD):
        return _conflict(account, others[0], Reason.PLAN_DIFFERS)
    if lagging:
        return _from_account(account, Reason.BILLING_LAGS)
    if account.gift:
        return _from_account(account, Reason.GRANTED, State.COMPED)
    bought = [c for c in case.checkouts if _bought(c, account)]
    if any(CheckoutEvent.BILLING_HAS_IT in c.events for c in bought):
        return _conflict(account)
    if bought:
        return _from_account(account, Reason.BILLING_LACKS)
    if account.state in (State.ACTIVE, State.TRIALING):
        reason = Reason.UNKNOWN_PLAN if account.plan_word is not None else Reason.GRANTED
        return _from_account(account, reason, State.ON_ACCOUNT)
    return _from_account(account, Reason.ACCOUNT_SAYS)


def _own(case: Situation, account: NormalizedAccount) -> Subscription | None:
    """Return what billing has of the plan that the account names."""
    return next((v for v in case.views if account.means(case.catalog.plan_for_product(v.product_id or ""))), None)


def _others(case: Situation, account: NormalizedAccount) -> Sequence[Subscription]:
    """Return what billing has alive of other plans of the group: no record whose period is over and that has no word,
    nor one that a purchase here of the account's plan found there."""
    bought = newest(case.checkouts, lambda c: _bought(c, account) and c.plan_id == _plan_id(account))
    before = bought.known_subscriptions if bought is not None else ()
    return [
        v
        for v in case.views
        if v.state in LIVE
        and _same_group(case, account, v)
        and v.reason is not Reason.PERIOD_OVER
        and not (v.state is State.ON_RECORD and v.subscription_id in before)
    ]


def _has_changed_plan(case: Situation, account: NormalizedAccount, others: Sequence[Subscription]) -> bool:
    """Whether the account's plan is what the one subscription at billing was changed to, in the portal.

    Billing's record stays under the plan that was bought. Not so where billing once had the account's plan: then the
    record has moved, and the account was not told. Nor where the account's plan is over and billing's is not.
    """
    if account.plan is None or account.gift or not others[0].subscription_id:
        return False
    if others[0].state not in (State.ACTIVE, State.TRIALING, State.PAST_DUE, State.ON_RECORD):
        return False  # a word that goes with no access is not the account's plan's
    if account.state is State.CANCELED and others[0].state is not State.ON_RECORD and not others[0].ends:
        return False
    moved = any(c.plan_id == account.plan.id and CheckoutEvent.BILLING_HAS_IT in c.events for c in case.checkouts)
    bought_beside = any(
        c.plan_id == account.plan.id and others[0].subscription_id in c.known_subscriptions and _bought(c, account)
        for c in case.checkouts
    )
    return len({v.subscription_id for v in others}) == 1 and not moved and not bought_beside


def _under_its_new_plan(account: NormalizedAccount, listed: Subscription) -> Subscription:
    """Return billing's subscription as one of the account's plan. Its dates are those of the plan before: unsaid.

    Where one of them calls it a trial and the other does not, the account's word goes with the account's plan.
    """
    running = {State.ACTIVE, State.TRIALING}
    differ = listed.state is not account.state and {listed.state, account.state} == running
    if listed.state is State.ON_RECORD or differ:
        found = _from_account(account, Reason.PLAN_CHANGED)
        return found.model_copy(update={"subscription_id": listed.subscription_id})
    update: dict[str, object] = {
        "plan_id": account.plan.id if account.plan else None,
        "product_id": account.plan.product_id if account.plan else None,
        "until": (account.until or listed.until) if listed.ends else None,
        "goes_on": False,
        "told": None,
    }
    return _agreed(account, listed).model_copy(update={**update, "reason": Reason.PLAN_CHANGED})


def _plan_id(account: NormalizedAccount) -> str | None:
    return account.plan.id if account.plan is not None else None


def _paid_for(own: Subscription, account: NormalizedAccount, now: datetime) -> bool:
    """Whether billing calls it ended, and it is paid for a while yet, or the account calls it ended as well."""
    if own.state is not State.CANCELED:
        return False
    return account.state is State.CANCELED or (own.until is not None and now < own.until)


def _agreed(account: NormalizedAccount, own: Subscription) -> Subscription:
    """Billing has the granted subscription, running or paid for a while yet; its word is the state.

    Where it ends, its date is the one that access follows: the account's, if it names one.
    """
    until = account.until or own.until
    if own.state is State.CANCELED:
        return own.model_copy(update={"access": True, "source": Source.BOTH, "until": until})
    reason = own.reason if own.word is not None else Reason.ACCOUNT_DIFFERS
    if own.state in GRANTING:
        reason = Reason.AGREED
    ends = own.ends or (account.state is State.CANCELED and own.state in (State.ACTIVE, State.TRIALING))
    update: dict[str, object] = {"access": True, "source": Source.BOTH, "reason": reason, "ends": ends}
    if ends:
        update |= {"until": until, "goes_on": False}
    return own.model_copy(update=update)


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
    certain = best.state in GRANTING and best.source is Source.BILLING and said is not None and not account.lapsed
    return _conflict(account, best) if certain else best


def _without_account(case: Situation) -> Subscription:
    if case.best is not None:
        return case.best.model_copy(update={"reason": Reason.ACCOUNT_UNREACHABLE})
    reason = Reason.NO_SERVICE_REACHABLE if case.snapshot.billing_failed else Reason.ACCOUNT_UNREACHABLE
    return unavailable(reason, case.snapshot.as_of or case.now)


def awaited_purchase(checkout: Checkout, case: Situation) -> Subscription:
    """Return the state of a user who is back from a checkout that is not confirmed.

    What it asked for is said for a minute: what became of it later, or of its price in the portal, nobody has told.
    """
    arrived = billing_has(checkout, case.snapshot) and not doubted(checkout, case.checkouts, case.now)
    arrived = arrived or CheckoutEvent.BILLING_HAS_IT in checkout.events
    wait = confirmation_wait(checkout, case.now, arrived=arrived)
    fresh = wait in (None, ConfirmationWait.CONFIRMING)
    return Subscription(
        state=State.CONFIRMING,
        reason=Reason.AWAITING_CONFIRMATION,
        source=Source.CHECKOUT,
        as_of=case.snapshot.as_of or case.now,
        plan_id=checkout.plan_id,
        product_id=checkout.product_id,
        group=checkout.group,
        amount=checkout.total if fresh else None,
        currency=checkout.currency if fresh else None,
        interval=checkout.interval if fresh else None,
        since=checkout.at(CheckoutEvent.RETURNED),
        wait=wait,
        reference=checkout.session_id,
        seen_back=checkout.seen_back,
        charges_alone=charges_alone(checkout, case.checkouts) and not any(view.live for view in case.views),
    )


def confirmation_wait(checkout: Checkout, now: datetime, *, arrived: bool = False) -> ConfirmationWait | None:
    """Return how long the user has been waiting for word of a checkout; None before they are back from it.

    `arrived` says that billing has its record.
    """
    returned = checkout.at(CheckoutEvent.RETURNED)
    if returned is None:
        return None
    if arrived:
        return ConfirmationWait.ARRIVED
    if not checkout.confirming(now):
        return ConfirmationWait.UNCONFIRMED
    if now - returned < DELAYED_AFTER:
        return ConfirmationWait.CONFIRMING
    return ConfirmationWait.DELAYED if now - returned < LOST_AFTER else ConfirmationWait.LOST


def _from_account(account: NormalizedAccount, reason: Reason, state: State | None = None) -> Subscription:
    shown, life = state or account.state or State.NONE, account.lifecycle
    until = life.trial_end if shown is State.TRIALING and life.trial_end else account.until
    ends = life.ending and shown in (State.ACTIVE, State.TRIALING)
    return Subscription(
        state=shown,
        reason=reason,
        source=Source.ACCOUNT,
        as_of=account.as_of,
        access=account.access,
        plan_id=account.plan.id if account.plan else None,
        product_id=account.plan.product_id if account.plan else None,
        group=account.group,
        account_plan=account.plan_word,
        until=(account.until or life.cancel_at) if ends else until,
        ends=ends,
        goes_on=life.goes_on and shown in (State.ACTIVE, State.TRIALING),
        held=bool(life.paused),
        word=account.word,
    )


def _conflict(
    account: NormalizedAccount, billing: Subscription | None = None, reason: Reason = Reason.ACCOUNT_DIFFERS
) -> Subscription:
    """Of a plan that the account names and the catalog does not know, billing's is only what billing calls alive."""
    plan_id = _plan_id(account)
    if plan_id is None and billing is not None and (account.plan_word is None or billing.state in GRANTING):
        plan_id = billing.plan_id
    return Subscription(
        state=State.CONFLICT,
        reason=reason,
        source=Source.BOTH,
        as_of=account.as_of,
        access=account.access,
        plan_id=plan_id,
        product_id=account.plan.product_id if account.plan else None,
        group=account.group,
        account_plan=account.plan_word,
        until=billing.until if billing else account.until,
        last_known=billing,
    )
