"""The rules that make one truth of two services' answers: what a customer has.

Access is the Auth MS's word; product, dates and existence are the Payment MS's. `reconcile` is a pure function of the
snapshot, the remembered checkouts, the catalog and the clock, so that each rule has a test. The rules, as a table, are
in `docs/states.md`; what each answer means on its own is in `services/subscription/normalize.py`, one record's worth in
`services/subscription/record_status.py`, the two held together in `services/subscription/current.py`, what they say of
checkouts in `services/subscription/checkout_matching.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from catalog import Catalog
from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind, newest
from services.subscription.checkout_matching import (
    ENDED,
    access_on,
    account_has,
    arrived,
    billing_has,
    unconfirmed,
    unsettled,
)
from services.subscription.current import (
    BILLING_MAY_LAG,
    Situation,
    awaited_purchase,
    current_subscription,
)
from services.subscription.customer_status import CustomerStatus
from services.subscription.former_plans import by_todays_plans, catalog_for, with_plan
from services.subscription.grant_rules import ACCOUNT_ALONE, GrantRules
from services.subscription.list_price import purchase_with_price
from services.subscription.model import GRANTING, LIVE, ConfirmationWait, Reason, State, Subscription
from services.subscription.normalize import (
    NormalizedAccount,
    normalize_account,
    normalize_record,
    plan_named,
    status_word,
)
from services.subscription.portal_trace import PortalTrace
from services.subscription.record_status import BELIEVED_FOR, record_statuses
from services.subscription.silence import SILENCE_SHOWN_AFTER, last_known
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


def reconcile(
    customer: str,
    snapshot: UpstreamSnapshot,
    checkouts: Sequence[Checkout],
    catalog: Catalog,
    now: datetime,
    *,
    grants: GrantRules = ACCOUNT_ALONE,
    portal: PortalTrace | None = None,
) -> CustomerStatus:
    """Return what the customer has, by the rules of this module.

    `grants` is what the operator says of access; `portal` is the last visit to the billing portal.
    """
    known = catalog_for(catalog, snapshot, checkouts)
    status = _reconcile(customer, snapshot, by_todays_plans(checkouts, known), known, now, grants, portal)
    groups = {group: with_plan(one, catalog, known) for group, one in status.groups.items()}
    others = tuple(with_plan(one, catalog, known) for one in status.others)
    current = next(iter(groups.values()))
    return status.model_copy(update={"current": current, "groups": groups, "others": others})


def _reconcile(
    customer: str,
    snapshot: UpstreamSnapshot,
    checkouts: Sequence[Checkout],
    catalog: Catalog,
    now: datetime,
    grants: GrantRules,
    portal: PortalTrace | None,
) -> CustomerStatus:
    account = normalize_account(snapshot, catalog, now, grants.gift_words)
    waiting = [c for c in checkouts if not arrived(c, snapshot, account, checkouts, now)]
    views = _views(snapshot, account, checkouts, catalog, now, grant_by_record=grants.by_record)
    unheard = _views(snapshot, None, checkouts, catalog, now) if _account_is_silent(snapshot, now) else None
    speaks_of = _group_spoken_of(account, views, catalog)
    account_changed = portal is not None and portal.account_changed(snapshot)
    may_have_moved = account_changed and not _of_group(views, speaks_of, catalog)

    def found_in(group: str) -> tuple[Subscription, Sequence[Subscription]]:
        own = account if account is None or speaks_of == group else _silent(account)
        confirming = newest(waiting, lambda c: c.confirming(now) and c.group in (None, group))
        case = Situation(snapshot, own, _of_group(views, group, catalog), checkouts, confirming, catalog, now, group)
        current = _or_unconfirmed(_remembered(current_subscription(case), case), waiting, case)
        if unheard is None:
            return current, case.views
        case = replace(case, account=None, views=_of_group(unheard, group, catalog))
        memory, current = current, _or_unconfirmed(current_subscription(case), waiting, case)
        if current.state is State.UNAVAILABLE:
            current = current.model_copy(update={"last_known": memory, "plan_id": memory.plan_id})
        return current, case.views

    def with_evidence(one: Subscription) -> Subscription:
        spoken_of = one.group in (None, speaks_of)
        unanswered = portal is not None and portal.unanswered(one.product_id, snapshot, account_speaks=spoken_of)
        unanswered = unanswered or (may_have_moved and not spoken_of)
        return _with_evidence(one, checkouts, portal, now, unanswered=unanswered)

    found = {group: found_in(group) for group in _groups(catalog)}
    currents = {group: with_evidence(current) for group, (current, _views) in found.items()}
    confirming = newest(waiting, lambda c: c.confirming(now))
    return CustomerStatus(
        customer=customer,
        current=next(iter(currents.values())),
        groups=currents,
        others=tuple(
            with_evidence(_granted_with(current, view))
            for current, its_views in found.values()
            for view in its_views
            if not _is_same(view, current)
        ),
        as_of=snapshot.as_of or now,
        billing_failed=snapshot.billing_failed,
        account_failed=snapshot.account_failed,
        confirming=confirming,
        wait=next((one.wait for one in currents.values() if _is_of(one, confirming)), None),
        open=newest(checkouts, lambda c: c.kind is CheckoutKind.SUBSCRIPTION and c.open(now)),
        unconfirmed=_to_be_asked_about(checkouts, waiting, currents, now),
        subscription_ids=snapshot.subscription_ids,
        had_plans=_had_plans(account, views, checkouts),
    )


def _granted_with(current: Subscription, view: Subscription) -> Subscription:
    """Return a further subscription, with access where the headline grants its plan: the account has a name for that
    plan that nobody knows, and billing runs this one."""
    nameless = current.state is State.CONFLICT and current.account_plan is not None and current.plan_id is not None
    granted = nameless and current.access and view.plan_id == current.plan_id and view.state in GRANTING
    return view.model_copy(update={"access": True}) if granted else view


def _is_same(view: Subscription, current: Subscription) -> bool:
    """Whether both are one subscription: by their ids, for billing can list it under the plan that it had, and can have
    two of one product. Without an id it is one of its product."""
    if view.subscription_id and current.subscription_id:
        return view.subscription_id == current.subscription_id
    return view.product_id == current.product_id


def _had_plans(
    account: NormalizedAccount | None, views: Sequence[Subscription], checkouts: Sequence[Checkout]
) -> tuple[str, ...]:
    """Return the plans of which the user has, or had, a trial or a subscription: not those they only looked at."""
    used = (CheckoutEvent.RETURNED, CheckoutEvent.BILLING_HAS_IT, CheckoutEvent.ACCOUNT_HAS_IT, CheckoutEvent.ACCESS_ON)
    found = {view.plan_id for view in views}
    found |= {c.plan_id for c in checkouts if not c.disclaimed and not c.events.keys().isdisjoint(used)}
    if account is not None and account.plan is not None and account.state not in (None, State.NONE):
        found.add(account.plan.id)
    return tuple(sorted(plan for plan in found if plan is not None))


def _groups(catalog: Catalog) -> tuple[str, ...]:
    """Return the groups of plans, in the catalog's order: the first is the one whose subscription is the headline."""
    return tuple(dict.fromkeys(plan.group for plan in catalog.plans))


def _views(
    snapshot: UpstreamSnapshot,
    account: NormalizedAccount | None,
    checkouts: Sequence[Checkout],
    catalog: Catalog,
    now: datetime,
    *,
    grant_by_record: bool = False,
) -> Sequence[Subscription]:
    records = [normalize_record(product, answer, catalog) for product, answer in snapshot.on_record]
    recent = unsettled(checkouts, snapshot, now)
    return record_statuses(records, account, now, recent, grant_by_record=grant_by_record)


def _of_group(views: Sequence[Subscription], group: str, catalog: Catalog) -> Sequence[Subscription]:
    """Return the views of a group. What is in no group, because the catalog does not know it, is in the first."""
    first = _groups(catalog)[0]
    return tuple(view for view in views if (view.group or first) == group)


def _group_spoken_of(account: NormalizedAccount | None, views: Sequence[Subscription], catalog: Catalog) -> str:
    """Return the group that the account's word is about: its plan's; without one that of a record it can mean."""
    first = _groups(catalog)[0]
    if account is None or account.group is not None:
        return first if account is None or account.group is None else account.group
    meant = [v for v in views if account.means(catalog.plan_for_product(v.product_id or "")) and v.state not in ENDED]
    groups = [view.group or first for view in meant]
    return first if first in groups or not groups else groups[0]


def _silent(account: NormalizedAccount) -> NormalizedAccount:
    """Return the account as far as another group of plans than its own is concerned: asked, and says nothing."""
    return NormalizedAccount(
        state=None, plan=None, plan_word=None, group=None, word=None, until=None, access=False, lapsed=False,
        as_of=account.as_of,
    )  # fmt: skip


def _or_unconfirmed(current: Subscription, waiting: Sequence[Checkout], case: Situation) -> Subscription:
    """Return the user's unconfirmed purchase where there is nothing else: "nothing" is then not known to be true."""
    if current.access or current.state not in (State.NONE, *ENDED):
        return current
    asked = unconfirmed(
        [c for c in case.checkouts if c.group in (None, case.group)],
        [c for c in waiting if c.group in (None, case.group)],
        current,
        case.now,
    )
    if asked is None:
        return current
    found = awaited_purchase(asked, case)
    return found.model_copy(update={"wait": ConfirmationWait.UNCONFIRMED})


def _is_of(one: Subscription, checkout: Checkout | None) -> bool:
    return checkout is not None and one.reference == checkout.session_id


def _to_be_asked_about(
    checkouts: Sequence[Checkout],
    waiting: Sequence[Checkout],
    currents: Mapping[str, Subscription],
    now: datetime,
) -> Checkout | None:
    found = [
        unconfirmed(
            [c for c in checkouts if c.group in (None, group)],
            [c for c in waiting if c.group in (None, group)],
            current,
            now,
        )
        for group, current in currents.items()
    ]
    return newest((c for c in found if c is not None), lambda _checkout: True)


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
    return last_known(current, Reason.NO_SERVICE_REACHABLE if both else Reason.BILLING_UNREACHABLE)


def _with_evidence(
    subscription: Subscription,
    checkouts: Sequence[Checkout],
    portal: PortalTrace | None,
    now: datetime,
    *,
    unanswered: bool,
) -> Subscription:
    """Add what depends on the portal: whether it may have changed something, and the list price while that is known.

    The price is billing's word where it tells one, else that of the purchase here. What billing told of money before a
    visit to the portal may be over: it is not repeated until something new is heard.
    """
    visited = portal.left_at if portal is not None else None
    if subscription.state is State.CONFIRMING and visited is not None and visited >= (subscription.since or visited):
        return subscription.model_copy(
            update={"amount": None, "currency": None, "interval": None, "portal_open": unanswered}
        )
    if subscription.state is State.CANCELED and subscription.access and not subscription.over_at_stripe:
        return subscription.model_copy(update={"portal_open": unanswered})
    if subscription.state not in LIVE:
        return subscription
    update: dict[str, object] = {}
    told = subscription.told
    if portal is not None and unanswered:
        update |= {"portal_open": True, "told": None, "date_of_before": subscription.as_of <= portal.left_at}
        told = None
    if told is not None and told.price is not None:
        price = {"amount": told.price.amount, "currency": told.price.currency, "interval": told.price.interval}
        return subscription.model_copy(update=update | price)
    bought = purchase_with_price(subscription, checkouts, visited, now)
    if bought is not None:
        update |= {"amount": bought.total, "currency": bought.currency, "interval": bought.interval}
    return subscription.model_copy(update=update)
