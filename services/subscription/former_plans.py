"""Plans that the catalog knows no more, for the customers who have them: a plan taken out keeps its name and its group.

What a plan was called is remembered with billing's record of it (`services/subscription/snapshot.py`) and with the
checkout that bought it. With that the rules see it as a retired plan: known, granted, and not sold.
"""

from collections.abc import Iterable, Iterator, Sequence

from catalog import Catalog, FormerPlan, NotInCatalog, Plan, Text
from services.checkout_record import Checkout, CheckoutKind
from services.subscription.model import Subscription
from services.subscription.snapshot import UpstreamSnapshot


def catalog_for(catalog: Catalog, snapshot: UpstreamSnapshot, checkouts: Iterable[Checkout]) -> Catalog:
    """Return the catalog with the plans that this customer has or bought and that it knows no more, as retired ones."""
    return catalog.remembering([*_on_record(snapshot), *_bought(checkouts)])


def by_todays_plans(checkouts: Sequence[Checkout], catalog: Catalog) -> tuple[Checkout, ...]:
    """Return the checkouts, each of a plan by its present id: a plan may have got another one since."""
    return tuple(_by_todays_plan(checkout, catalog) for checkout in checkouts)


def with_plan(subscription: Subscription, catalog: Catalog, known: Catalog) -> Subscription:
    """Return the subscription with its plan's group, and with its name where `catalog` has lost it and `known` has not.

    What was known before is completed alike.
    """
    plan = _plan(known, subscription.plan_id)
    before = subscription.last_known
    if plan is None and before is None:
        return subscription
    changes: dict[str, object] = {"last_known": with_plan(before, catalog, known) if before is not None else None}
    if plan is not None:
        changes["group"] = plan.group
        changes["former_name"] = plan.name if _plan(catalog, plan.id) is None else None
    return subscription.model_copy(update=changes)


def _on_record(snapshot: UpstreamSnapshot) -> Iterator[FormerPlan]:
    for answer in snapshot.records.values():
        if answer.plan is not None and answer.record.exists:
            yield answer.plan


def _bought(checkouts: Iterable[Checkout]) -> Iterator[FormerPlan]:
    """Yield the plans of purchases."""
    for checkout in checkouts:
        if checkout.kind is not CheckoutKind.SUBSCRIPTION or not checkout.product_id or not checkout.plan_id:
            continue
        name = Text(checkout.lines[0].name)
        yield FormerPlan(checkout.plan_id, name, checkout.group or "main", checkout.product_id)


def _by_todays_plan(checkout: Checkout, catalog: Catalog) -> Checkout:
    if checkout.plan_id is None or _plan(catalog, checkout.plan_id) is not None:
        return checkout
    plan = catalog.plan_for_product(checkout.product_id or "") or catalog.plan_named(checkout.plan_id)
    return checkout if plan is None else checkout.model_copy(update={"plan_id": plan.id, "group": plan.group})


def _plan(catalog: Catalog, plan_id: str | None) -> Plan | None:
    try:
        return catalog.plan(plan_id) if plan_id is not None else None
    except NotInCatalog:
        return None
