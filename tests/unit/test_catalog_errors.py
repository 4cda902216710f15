"""A bad `products.json` is refused with field, value and reason of every problem in it."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import CatalogError, load_catalog, parse_catalog

GOOD: dict[str, Any] = {
    "plans": [
        {"id": "free", "name": "Free", "tagline": "T", "kind": "free"},
        {
            "id": "basic", "name": "Basic", "tagline": "T", "kind": "paid", "product_id": "prod_b", "includes": "free",
            "highlighted": True,
            "prices": {
                "month": {"price_id": "price_bm", "amount": 900, "currency": "usd"},
                "year": {"price_id": "price_by", "amount": 9000, "currency": "usd"},
            },
        },
        {"id": "talk", "name": "Talk", "tagline": "T", "kind": "contact", "contact_url": "mailto:a@example.com"},
    ],
    "items": [
        {
            "id": "pack", "name": "Pack", "description": "D", "image": "sell", "product_id": "prod_p",
            "price": {"price_id": "price_p", "amount": 500, "currency": "usd"},
        },
    ],
    "comparison": {"groups": [{"name": "G", "rows": [{"name": "R", "values": {"basic": True, "free": "1"}}]}]},
    "questions": [{"q": "Q", "a": "A"}],
}  # fmt: skip


def problems(raw: object) -> list[tuple[str, object, str]]:
    """What is wrong with a catalog."""
    with pytest.raises(CatalogError) as caught:
        parse_catalog(json.dumps(raw))
    return [(problem.field, problem.value, problem.reason) for problem in caught.value.problems]


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    raw = copy.deepcopy(GOOD)
    change(raw)
    return raw


def put(place: str, value: object) -> dict[str, Any]:
    """The good catalog with a value at a place such as `plans.1.prices.month.amount`."""
    *path, last = [int(part) if part.isdigit() else part for part in place.split(".")]

    def change(raw: Any) -> None:
        for part in path:
            raw = raw[part]
        raw[last] = value

    return changed(change)


@pytest.mark.parametrize(
    ("text", "place", "line", "expected"),
    [
        ('{"plans": [\n  {"id": "x"\n   "name": 1}]}', "line 3, column 4", '"name": 1}]}', "a comma, or the bracket"),
        ('{"plans": [\n]\n,}', "line 3, column 2", ",}", "a comma too many"),
        ('{"plans" []}', "line 1, column 10", '{"plans" []}', "a colon"),
        ('{"plans": [{"id": "x]}', "line 1, column 19", '{"plans": [{"id": "x]}', "a double quote at the end"),
        ("", "line 1, column 1", "", "a value"),
        ('{"plans": []}\n{}', "line 2, column 1", "{}", "the end of the file"),
    ],
)
def test_what_is_no_json_is_told_by_line_with_what_was_expected(
    text: str, place: str, line: str, expected: str
) -> None:
    with pytest.raises(CatalogError) as caught:
        parse_catalog(text)

    [problem] = caught.value.problems
    assert (problem.field, problem.value) == (place, line)
    assert expected in problem.reason


def test_good_catalog_is_taken() -> None:
    assert [plan.id for plan in parse_catalog(json.dumps(GOOD)).plans] == ["free", "basic", "talk"]


@pytest.mark.parametrize(
    ("place", "value", "field", "reason"),
    [
        ("plans.0.colour", "red", "plans[0].colour", "extra"),
        ("plans.0.id", "Free Plan", "plans[0].id", "pattern"),
        ("plans.0.name", "", "plans[0].name", "at least 1 character"),
        ("plans.0.name", "two\nlines", "plans[0].name", "pattern"),
        ("plans.0.name", {"de": "Kostenlos"}, "plans[0].name", "English"),
        ("plans.0.kind", "gratis", "plans[0].kind", "'free', 'paid' or 'contact'"),
        ("plans.0.product_id", "prod_f", "plans[0].product_id", "a free plan has no Stripe product"),
        ("plans.0.prices", {"month": GOOD["items"][0]["price"]}, "plans[0].prices", "a free plan has no prices"),
        ("plans.1.id", "free", "plans[1].id", "stands already at plans[0].id"),
        ("plans.1.prices", {}, "plans[1].prices", "needs a price for month or year"),
        ("plans.1.product_id", None, "plans[1].product_id", "needs its Stripe product"),
        ("plans.1.product_id", "prod_p", "items[0].product_id", "stands already at plans[1].product_id"),
        ("plans.1.product_id", "../admin", "plans[1].product_id", "pattern"),
        ("plans.1.prices.month.amount", -900, "plans[1].prices.month.amount", "greater than or equal to 1"),
        ("plans.1.prices.month.amount", 9.0, "plans[1].prices.month.amount", "valid integer"),
        ("plans.1.prices.month.amount", "900", "plans[1].prices.month.amount", "valid integer"),
        ("plans.1.prices.month.amount", 100_000_000, "plans[1].prices.month.amount", "less than or equal to 99999999"),
        ("plans.1.prices.month.trial_days", 731, "plans[1].prices.month.trial_days", "less than or equal to 730"),
        ("plans.1.prices.month.interval", "year", "plans[1].prices.month.interval", "differs from the key"),
        ("plans.1.prices.year.currency", "eur", "plans[1].prices.year.currency", "the monthly price is in usd"),
        ("plans.1.prices.year.price_id", "price_bm", "plans[1].prices.year.price_id", "stands already at"),
        ("plans.1.includes", "gold", "plans[1].includes", "no plan of this id"),
        ("plans.1.includes", "basic", "plans[1].includes", "includes itself"),
        ("plans.2.highlighted", True, "plans[2].highlighted", "plans[1] is highlighted already"),
        ("plans.2.contact_url", None, "plans[2].contact_url", "needs an address"),
        ("plans.2.contact_url", "javascript:alert(1)", "plans[2].contact_url", "pattern"),
        ("items.0.price.currency", "xxy", "items[0].price.currency", "not a currency"),
        ("items.0.price.currency", "USD", "items[0].price.currency", "not a currency"),
        ("items.0.price.interval", "month", "items[0].price.interval", "paid once"),
        ("items.0.price.trial_days", 7, "items[0].price.trial_days", "no trial"),
        ("items.0.price.price_id", "price_bm", "items[0].price.price_id", "stands already at plans[1].prices.month"),
        ("items.0.min_quantity", 11, "items[0].min_quantity", "above max_quantity, which is 10"),
        ("items.0.max_quantity", 0, "items[0].max_quantity", "greater than or equal to 1"),
        ("items.0.image", "https://example.com/a.png", "items[0].image", "pattern"),
        ("comparison.groups.0.rows.0.values.gold", True, "comparison.groups[0].rows[0].values.gold", "no plan"),
        ("comparison.groups.0.rows.0.values.basic", 3, "comparison.groups[0].rows[0].values.basic", "valid"),
        ("items.0.image", "pictures/../../secret.png", "items[0].image", "without .."),
        ("texts", {"headline": "Hello"}, "texts.headline", "extra"),
        ("texts", {"hero": {"de": "Hallo"}}, "texts.hero", "English"),
        ("texts", {"hero": "H" * 91}, "texts.hero", "has 91 letters; there is room for 90"),
        ("texts", {"lead": {"en": "Fine", "de": "L" * 301}}, "texts.lead.de", "has 301 letters; there is room for 300"),
        (
            "links",
            {"imprint": "javascript:alert(1)"},
            "links.imprint",
            "must be a full https:, http: or mailto: address",
        ),
        ("links", {"status": "//evil.example"}, "links.status", "or a path of this site such as /docs"),
        (
            "links",
            {"documentation": "/docs", "footer": [{"label": "Docs", "url": "/docs"}]},
            "links.footer[0].url",
            "stands already at links.documentation",
        ),
        ("links", {"navigation": [{"label": "L" * 25, "url": "/x"}]}, "links.navigation[0].label", "room for 24"),
        (
            "links",
            {"navigation": [{"label": "L", "url": f"/{n}"} for n in range(5)]},
            "links.navigation",
            "at most 4 items",
        ),
        ("questions.0.a", None, "questions[0].a", "valid"),
    ],
)
def test_problem_names_field_value_and_reason(place: str, value: object, field: str, reason: str) -> None:
    raw = put(place, value)

    found = {name: (shown, why) for name, shown, why in problems(raw)}

    assert reason in found[field][1]
    assert found[field][0] == standing_at(raw, field)


def standing_at(raw: Any, field: str) -> object:
    """What a catalog holds at a field written as in `plans[1].prices.month`."""
    for part in field.replace("[", ".").replace("]", "").split("."):
        raw = raw[int(part)] if part.isdigit() else raw[part]
    return raw


def test_left_out_field_is_named() -> None:
    assert problems(changed(lambda raw: raw["items"][0].pop("price"))) == [("items[0].price", None, "field required")]


def test_circle_of_inclusions_is_named_at_each_plan_of_it() -> None:
    raw = put("plans.0.includes", "basic")

    assert [field for field, _, _ in problems(raw)] == ["plans[0].includes", "plans[1].includes"]


def test_all_problems_are_named_at_once_with_the_path_on_each_line() -> None:
    raw = put("plans.1.prices.year.currency", "eur")
    raw["plans"][0]["name"] = ""
    raw["items"][0]["id"] = "UPPER"
    raw["items"].append(raw["items"][0])

    with pytest.raises(CatalogError) as caught:
        parse_catalog(json.dumps(raw), "shop/products.json")

    lines = str(caught.value).splitlines()
    assert all(line.startswith("shop/products.json: ") for line in lines)
    assert {line.split(": ")[1] for line in lines} == {
        "plans[0].name", "plans[1].prices.year.currency", "items[0].id", "items[1].id", "items[1].product_id",
        "items[1].price.price_id",
    }  # fmt: skip
    assert "shop/products.json: plans[1].prices.year.currency: 'eur': the monthly price is in usd;" in str(caught.value)


def test_key_that_stands_twice_is_refused() -> None:
    text = json.dumps(GOOD).replace('"amount": 900,', '"amount": 900, "amount": 1,')

    with pytest.raises(CatalogError, match="amount: 1: stands twice in one object"):
        parse_catalog(text)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, b"\xff", '{"plans": [1, "a", null]}', "[]", "null", "{}"])
def test_text_that_is_no_catalog_is_refused(text: str | bytes) -> None:
    with pytest.raises(CatalogError):
        parse_catalog(text)


def test_file_that_is_not_there_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"shop\.json: can't be read|CATALOG_PATH"):
        load_catalog(tmp_path / "shop.json")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PLACES = [
    "plans", "plans.0", "plans.1.id", "plans.1.prices", "plans.1.prices.month", "plans.1.prices.year.currency",
    "plans.1.includes", "plans.1.highlighted", "plans.1.product_id", "items", "items.0", "items.0.price",
    "items.0.min_quantity", "comparison", "comparison.groups", "comparison.groups.0", "comparison.groups.0.rows.0",
    "comparison.groups.0.rows.0.values", "questions", "questions.0.q",
]  # fmt: skip


@given(st.sampled_from(PLACES), values)
def test_any_json_at_any_place_is_taken_or_refused_but_never_crashes(place: str, value: object) -> None:
    try:
        parse_catalog(json.dumps(put(place, value)))
    except CatalogError as error:
        named = error.problems
    else:
        return

    assert named
