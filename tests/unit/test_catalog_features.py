"""What plans unlock: a plan's grants with what it includes, several groups together, and what a file may say."""

import json
from typing import Any

import pytest

from catalog import Catalog, CatalogError, Plan, parse_catalog
from catalog_features import features_of, granted_by, own_features, unlocking

FEATURES: list[dict[str, Any]] = [
    {"key": "exports", "kind": "flag", "name": {"en": "Exports", "de": "Exporte"}},
    {"key": "projects", "kind": "number", "name": "Projects"},
    {"key": "members", "kind": "number", "name": "Members", "adds_up": "max"},
    {"key": "support", "kind": "text", "name": "Support"},
    {"key": "storage", "kind": "number", "name": "Storage"},
]


def paid(plan_id: str, grants: dict[str, Any], **more: Any) -> dict[str, Any]:
    price = {"price_id": f"price_{plan_id}", "amount": 900, "currency": "usd"}
    return {
        "id": plan_id, "name": plan_id.title(), "tagline": "T", "kind": "paid", "product_id": f"prod_{plan_id}",
        "prices": {"month": price}, "grants": grants, **more,
    }  # fmt: skip


PLANS: list[dict[str, Any]] = [
    {"id": "free", "name": "Free", "tagline": "T", "kind": "free", "grants": {"projects": 3, "members": 1}},
    paid("basic", {"projects": 20, "support": {"en": "By e-mail", "de": "Per E-Mail"}}, includes="free"),
    paid("premium", {"projects": "unlimited", "exports": True}, includes="basic"),
    paid("more", {"projects": 10, "members": 5, "support": "By phone"}, group="addons"),
]


def raw(plans: list[dict[str, Any]] = PLANS, **more: Any) -> str:
    return json.dumps({"features": FEATURES, "plans": plans, **more})


CATALOG: Catalog = parse_catalog(raw())


def plans(*names: str) -> list[Plan]:
    return [CATALOG.plan(name) for name in names]


def reasons(text: str) -> dict[str, str]:
    with pytest.raises(CatalogError) as caught:
        parse_catalog(text)
    return {problem.field: problem.reason for problem in caught.value.problems}


def test_a_plan_has_what_it_includes_and_its_own_word_counts_first() -> None:
    granted = granted_by(CATALOG, CATALOG.plan("premium"))

    assert {key: str(value) for key, value in granted.items()} == {
        "projects": "unlimited", "exports": "True", "support": "By e-mail", "members": "1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("had", "features"),
    [
        ((), {"exports": False, "projects": 0, "members": 0, "support": None}),
        (("free",), {"exports": False, "projects": 3, "members": 1, "support": None}),
        (("basic", "more"), {"exports": False, "projects": 30, "members": 5, "support": "By e-mail"}),
        (("premium", "more"), {"exports": True, "projects": "unlimited", "members": 5, "support": "By e-mail"}),
        (("more",), {"exports": False, "projects": 10, "members": 5, "support": "By phone"}),
    ],
)
def test_groups_add_up(had: tuple[str, ...], features: dict[str, object]) -> None:
    assert features_of(CATALOG, plans(*had)) == {**features, "storage": 0}


def test_a_text_is_in_the_readers_language() -> None:
    assert features_of(CATALOG, plans("basic"), "de")["support"] == "Per E-Mail"


def test_the_first_plan_that_has_a_feature_and_can_be_bought_unlocks_it() -> None:
    found = {key: unlocking(CATALOG, key) for key in ("exports", "projects", "members", "nothing")}

    assert {key: plan.id if plan else None for key, plan in found.items()} == {
        "exports": "premium", "projects": "basic", "members": "basic", "nothing": None,
    }  # fmt: skip


def test_a_card_lists_what_a_plan_adds() -> None:
    assert [feature.key for feature, _grant in own_features(CATALOG, CATALOG.plan("premium"))] == [
        "exports",
        "projects",
    ]


@pytest.mark.parametrize(
    ("grants", "key", "reason"),
    [
        ({"exprots": True}, "exprots", "there is no feature of this key"),
        ({"exports": 1}, "exports", "a flag: true or false"),
        ({"exports": "yes"}, "exports", "a flag: true or false"),
        ({"projects": True}, "projects", "a number"),
        ({"projects": "many"}, "projects", "a number"),
        ({"storage": -1}, "storage", "greater than or equal to 0"),
        ({"projects": 2.5}, "projects", "a number"),
        ({"support": 4}, "support", "a text"),
        ({"projects": 19}, "projects", "a plan has all that it includes"),
    ],
)
def test_a_grant_that_can_not_be_meant_is_refused(grants: dict[str, Any], key: str, reason: str) -> None:
    found = reasons(raw([*PLANS[:2], paid("top", grants, includes="basic")]))

    assert reason in found[f"plans[2].grants.{key}"]


def test_nothing_that_is_included_can_be_taken_away() -> None:
    found = reasons(raw([*PLANS[:3], paid("top", {"exports": False, "projects": 99}, includes="premium")]))

    assert set(found) == {"plans[3].grants.exports", "plans[3].grants.projects"}


def test_a_key_stands_for_one_feature() -> None:
    found = reasons(json.dumps({"features": [*FEATURES, FEATURES[0]], "plans": PLANS}))

    assert "stands already at features[0].key" in found["features[5].key"]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"feature": "nothing"}, "feature"),
        ({"feature": "exports", "values": {"free": True}}, "values"),
        ({"values": {"free": True}}, "name"),
        ({"name": "Exports"}, "values"),
    ],
)
def test_a_row_of_the_comparison_names_a_feature_or_says_it_all_itself(row: dict[str, Any], field: str) -> None:
    found = reasons(raw(comparison={"groups": [{"name": "G", "rows": [row]}]}))

    assert list(found) == [f"comparison.groups[0].rows[0].{field}"]
