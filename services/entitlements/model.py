"""What a user is entitled to, as a value: plans for display, features for decisions.

Features are the catalog's (`features` and `grants` in `products.json`); how those of several groups of plans add up is
told in `docs/catalog.md`. Of one group a user has one plan: without access to any of a group that has a free plan it is
that one, so what the free plan grants holds for every user, whatever can be asked.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from catalog import Catalog, NotInCatalog, Plan
from catalog_features import FeatureValue, features_of, grants_anything
from catalog_rules import UNLIMITED
from services.claims.status import access_until
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Reason, Source, State, Subscription


class UnknownFeature(LookupError):
    """The catalog has no such feature: a mistake in the code or the catalog, and never a user's."""


class GroupEntitlement(BaseModel):
    """What one group of plans grants. `plan` is None where there is no access, and where the account names a plan that
    the catalog does not know: then `account_plan` is its name. `until` is when access ends, where a service says so."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)

    plan: str | None
    account_plan: str | None = None
    state: State
    access: bool
    until: datetime | None = None
    as_of: datetime
    source: Source
    reason: Reason


class Entitlement(GroupEntitlement):
    """What one user is entitled to: that of the first group of plans that grants something, and of `groups` each.

    `features` has every feature of the catalog, also those that the user does not have. `as_of` says how old this is,
    `stale` that a service could not be asked the last time, so that parts are memory.
    """

    features: Mapping[str, FeatureValue] = {}
    stale: bool = False
    groups: Mapping[str, GroupEntitlement] = {}

    def has(self, feature: str) -> bool:
        """Whether the user has a feature: the flag is on, the number is not 0. Raises UnknownFeature."""
        return grants_anything(self.value(feature))

    def limit(self, feature: str) -> int | None:
        """Return how much of a feature the user may have, None without a limit. Raises UnknownFeature.

        A flag is 1 or 0. A text is no number, and raises TypeError.
        """
        value = self.value(feature)
        if value == UNLIMITED:
            return None
        if not isinstance(value, int):
            raise TypeError(f"the feature {feature!r} is a text, not a number")
        return int(value)

    def value(self, feature: str) -> FeatureValue:
        """Return the value of a feature. Raises UnknownFeature."""
        try:
            return self.features[feature]
        except KeyError:
            raise UnknownFeature(f"the catalog has no feature {feature!r}") from None


def entitlement_of(customer_status: CustomerStatus, catalog: Catalog) -> Entitlement:
    """Return what a status entitles to: its headline's plan, or another subscription's that grants access."""
    current = customer_status.current
    granting = next((one for one in customer_status.all if one.access), current)
    chosen = current if current.access else granting
    groups = {group: _granted_by(one) for group, one in customer_status.groups.items()}
    return Entitlement(
        **_granted_by(chosen).model_dump(),
        features=features_of(catalog, _plans_had(customer_status, catalog)),
        stale=customer_status.stale,
        groups=groups,
    )


def _plans_had(customer_status: CustomerStatus, catalog: Catalog) -> Iterator[Plan]:
    """Yield the plan of each group that gives access, in the catalog's order, else the group's free plan."""
    free = catalog.free_plan
    for group in dict.fromkeys(plan.group for plan in catalog.plans):
        own = customer_status.groups.get(group)
        beside = [one for one in customer_status.others if one.group == group]
        had = (_plan(catalog, one.plan_id) for one in (own, *beside) if one is not None and one.access)
        plan = next((plan for plan in had if plan is not None), None)
        if plan is None and free is not None and free.group == group:
            plan = free
        if plan is not None:
            yield plan


def _plan(catalog: Catalog, plan_id: str | None) -> Plan | None:
    try:
        return catalog.plan(plan_id) if plan_id is not None else None
    except NotInCatalog:
        return None


def _granted_by(one: Subscription) -> GroupEntitlement:
    """Return what a subscription grants, in the words of its own claim about access."""
    return GroupEntitlement(
        plan=one.plan_id if one.access else None,
        account_plan=one.account_plan if one.access else None,
        state=one.state,
        access=one.access,
        until=access_until(one),
        as_of=one.as_of,
        source=one.source,
        reason=one.reason,
    )


def nothing_known(catalog: Catalog, now: datetime) -> Entitlement:
    """Return what a user is entitled to of whom no service has ever spoken here: what every user is."""
    free = [catalog.free_plan] if catalog.free_plan is not None else []
    return Entitlement(
        plan=None,
        state=State.UNAVAILABLE,
        access=False,
        as_of=now,
        source=Source.MEMORY,
        reason=Reason.NO_SERVICE_REACHABLE,
        features=features_of(catalog, free),
        stale=True,
    )
