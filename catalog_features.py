"""What plans unlock, worked out: a plan's own grants over those of the plans that it includes, and several together.

The features and grants themselves stand in `catalog_entries.py`; how several groups of plans add up is told in
`docs/catalog.md`.
"""

from collections.abc import Iterable
from typing import assert_never

from catalog import Catalog, Feature, Plan, Text
from catalog_entries import Grant
from catalog_rules import UNLIMITED

FeatureValue = bool | int | str | None
"""Of a flag whether it is on, of a number how many, or `unlimited`, of a text its words; None is a text nobody has."""


def granted_by(catalog: Catalog, plan: Plan) -> dict[str, Grant]:
    """Return what a plan grants, by feature: what it says itself, and else what the plan says that it includes."""
    plans = {each.id: each for each in catalog.plans}
    found: dict[str, Grant] = {}
    seen: set[str] = set()
    held: Plan | None = plan
    while held is not None and held.id not in seen:
        seen.add(held.id)
        found = {**held.grants, **found}
        held = plans.get(held.includes) if held.includes else None
    return found


def features_of(catalog: Catalog, plans: Iterable[Plan], locale: str = "en") -> dict[str, FeatureValue]:
    """Return the value of every feature of the catalog for somebody who has these plans, one of each group.

    The plans are in the order of their groups: of texts the first one counts.
    """
    granted = [granted_by(catalog, plan) for plan in plans]
    return {
        feature.key: _together(feature, [grants[feature.key] for grants in granted if feature.key in grants], locale)
        for feature in catalog.features
    }


def unlocking(catalog: Catalog, key: str) -> Plan | None:
    """Return the first plan on sale, in the order of the cards, that grants a feature and can be bought."""
    for plan in catalog.on_sale:
        if plan.offered and grants_anything(features_of(catalog, [plan]).get(key)):
            return plan
    return None


def grants_anything(value: FeatureValue) -> bool:
    """Whether a feature of this value is there at all: the flag is on, the number is not 0, the text is given."""
    return bool(value)


def _together(feature: Feature, granted: list[Grant], locale: str) -> FeatureValue:
    match feature.kind:
        case "flag":
            return any(value is True for value in granted)
        case "number":
            if any(is_unlimited(value) for value in granted):
                return UNLIMITED
            numbers = [value for value in granted if isinstance(value, int)]
            return sum(numbers) if feature.adds_up == "sum" else max(numbers, default=0)
        case "text":
            return next((value.in_(locale) for value in granted if isinstance(value, Text)), None)
        case _:
            assert_never(feature.kind)


def is_unlimited(value: Grant) -> bool:
    """Whether a number's grant says that there is no limit."""
    return isinstance(value, Text) and value.root == UNLIMITED


def own_features(catalog: Catalog, plan: Plan) -> list[tuple[Feature, Grant]]:
    """Return the features that a plan itself grants, in the catalog's order, without what it says it does not have."""
    own = [(feature, plan.grants[feature.key]) for feature in catalog.features if feature.key in plan.grants]
    return [(feature, grant) for feature, grant in own if grant not in (False, 0)]
