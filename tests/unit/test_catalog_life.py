"""Plans, products and prices that are sold no more are still known; what is sold changes by itself with the time."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalog import Catalog, CatalogError, FormerPlan, Interval, Text, UnknownPrice, parse_catalog

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)


def price(name: str, amount: int = 900, **more: object) -> dict[str, object]:
    return {"price_id": f"price_{name}", "amount": amount, "currency": "usd", **more}


def plan(name: str, /, **more: object) -> dict[str, object]:
    sold = {"product_id": f"prod_{name}", "prices": {"month": price(name)}}
    return {"id": name, "name": name.title(), "tagline": "T", "kind": "paid", **sold, **more}


def catalog(*plans: dict[str, object], **more: object) -> Catalog:
    return parse_catalog(json.dumps({"plans": plans, **more}))


def faults(*plans: dict[str, object], **more: object) -> dict[str, str]:
    with pytest.raises(CatalogError) as caught:
        catalog(*plans, **more)
    return {problem.field: problem.reason for problem in caught.value.problems}


def test_retired_plan_is_known_by_name_and_offered_to_nobody() -> None:
    sold = catalog(plan("basic"), plan("gold", retired=True))

    assert [one.id for one in sold.on_sale] == ["basic"]
    assert [offer.price.price_id for offer in sold.offers()] == ["price_basic"]
    assert str(sold.plan("gold").name) == "Gold"
    assert sold.plan_for_product("prod_gold") == sold.plan("gold")
    with pytest.raises(UnknownPrice):
        sold.offer("price_gold")


def test_retired_price_is_sold_no_more_and_still_means_its_plan() -> None:
    sold = catalog(plan("basic", prices={"month": price("m"), "year": price("y", 9000, retired=True)}))

    assert list(sold.plan("basic").offered) == [Interval.MONTH]
    assert sold.plan_named("price_y") == sold.plan("basic")
    assert sold.yearly_saving(sold.plan("basic")) is None


def test_plan_whose_prices_are_all_retired_is_not_offered() -> None:
    sold = catalog(plan("basic"), plan("gold", prices={"month": price("g", retired=True)}))

    assert [one.id for one in sold.on_sale] == ["basic"]


def test_retired_plan_needs_nothing_but_its_name() -> None:
    sold = catalog(plan("basic"), {"id": "gold", "name": "Gold", "tagline": "T", "kind": "paid", "retired": True})

    assert sold.plan_named("gold") == sold.plan("gold")


@pytest.mark.parametrize(
    "word", ["gold", " GOLD ", "prod_gold", "prod_gold_2023", "price_gold", "price_gold_2023", "Goldplan 2023", "Gold"]
)
def test_every_present_and_former_word_means_the_plan(word: str) -> None:
    gold = plan(
        "gold", former_product_ids=["prod_gold_2023"], former_price_ids=["price_gold_2023"],
        also_known_as=["goldplan 2023"],
    )  # fmt: skip

    found = catalog(plan("basic"), gold).plan_named(word)

    assert found is not None
    assert found.id == "gold"


@pytest.mark.parametrize("word", ["", " ", "silver", "price_"])
def test_a_word_of_no_plan_means_none(word: str) -> None:
    assert catalog(plan("basic")).plan_named(word) is None


def test_an_alias_comes_before_a_name_and_a_plan_on_sale_before_a_retired_one() -> None:
    old = plan("premium-2023", name="Premium", retired=True)
    sold = catalog(old, plan("pro", name="Premium"))
    told = catalog({**old, "also_known_as": ["premium"]}, plan("pro", name="Premium"))

    assert sold.plan_named("premium") == sold.plan("pro")
    assert told.plan_named("premium") == told.plan("premium-2023")


def test_customers_are_asked_about_every_product_that_was_ever_sold() -> None:
    sold = catalog(
        plan("old", retired=True, former_product_ids=["prod_older"]), plan("gold", former_product_ids=["prod_gold_1"])
    )

    assert sold.products == ("prod_gold", "prod_old", "prod_older", "prod_gold_1")
    assert set(sold.group_products(sold.plan("gold"))) == set(sold.products)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"former_product_ids": ["prod_basic"]}, "plans[1].former_product_ids[0]"),
        ({"former_product_ids": ["prod_gold"]}, "plans[1].former_product_ids[0]"),
        ({"former_product_ids": ["prod_x", "prod_x"]}, "plans[1].former_product_ids[1]"),
        ({"former_product_ids": ["a/b"]}, "plans[1].former_product_ids[0]"),
        ({"former_price_ids": ["price_basic"]}, "plans[1].former_price_ids[0]"),
        ({"also_known_as": ["BASIC"]}, "plans[1].also_known_as[0]"),
        ({"also_known_as": ["prod_basic"]}, "plans[1].also_known_as[0]"),
        ({"also_known_as": ["x", "X"]}, "plans[1].also_known_as[1]"),
        ({"also_known_as": [""]}, "plans[1].also_known_as[0]"),
        ({"retired": "yes"}, "plans[1].retired"),
        ({"prices": {"month": price("m", until="2027-01-01")}}, "plans[1].prices.month.until"),
        ({"prices": {"month": price("m", until="2027-01-01T00:00:00")}}, "plans[1].prices.month.until"),
    ],
)
def test_what_would_mean_two_things_is_refused(more: dict[str, object], field: str) -> None:
    assert field in faults(plan("basic"), plan("gold", **more))


def test_an_items_price_has_no_life_of_its_own() -> None:
    pack = {"id": "pack", "name": "P", "description": "D", "image": "sell", "product_id": "prod_p"}
    found = faults(plan("basic"), items=[{**pack, "price": price("p", retired=True, until="2027-01-01T00:00:00Z")}])

    assert {"items[0].price.retired", "items[0].price.until"} <= found.keys()


def test_one_plan_on_sale_can_be_highlighted_beside_a_retired_one_that_was() -> None:
    assert len(catalog(plan("old", retired=True, highlighted=True), plan("gold", highlighted=True)).plans) == 2


def test_unknown_promises_and_tax_words_are_refused() -> None:
    assert "promises.money_back" in faults(plan("basic"), promises={"money_back": True})
    assert "tax" in faults(plan("basic"), tax="plus")


def test_nothing_is_promised_and_nothing_said_of_tax_unless_it_stands_there() -> None:
    sold = catalog(plan("basic"))

    assert sold.tax is None
    assert not any((sold.promises.cancel_any_time, sold.promises.change_any_time, sold.promises.free_without_card))


@pytest.mark.parametrize(("moment", "sold"), [(-timedelta(seconds=1), True), (timedelta(), False)])
def test_price_is_sold_until_its_moment(moment: timedelta, sold: bool) -> None:
    written = catalog(
        plan("basic", prices={"month": price("m"), "year": price("y", until="2027-01-01T01:00:00+01:00")})
    )

    then = written.in_force(NEW_YEAR + moment)

    assert (Interval.YEAR in then.plan("basic").offered) is sold
    assert (then is written) is sold
    assert (then.version == written.version) is sold


def test_without_trials_no_price_has_one() -> None:
    written = catalog(plan("basic", prices={"month": price("m", trial_days=14)}))

    assert written.in_force(NEW_YEAR).offer("price_m").price.trial_days == 14
    assert written.in_force(NEW_YEAR, trials=False).offer("price_m").price.trial_days == 0


def remembered(name: str, product: str) -> FormerPlan:
    return FormerPlan(name, Text({"en": name.title(), "de": f"{name.title()}tarif"}), "main", product)


def test_plan_that_was_taken_out_is_remembered_as_a_retired_one() -> None:
    known = catalog(plan("basic")).remembering([remembered("gold", "prod_gold")])

    gold = known.plan("gold")
    assert (gold.on_sale, gold.group, gold.name.in_("de")) == (False, "main", "Goldtarif")
    assert known.plan_for_product("prod_gold") == known.plan_named("GOLD") == gold


@pytest.mark.parametrize("more", [{}, {"id": "bronze", "also_known_as": ["basic"]}])
def test_product_that_was_replaced_still_stands_for_the_plan_of_its_id(more: dict[str, Any]) -> None:
    known = catalog({**plan("basic"), **more}).remembering([remembered("basic", "prod_basic_2023")])

    assert known.plan_for_product("prod_basic_2023") == known.plans[0]
    assert known.plans[0].on_sale


def test_what_the_catalog_knows_needs_no_remembering() -> None:
    sold = catalog(plan("basic"))

    assert sold.remembering([remembered("gold", "prod_basic")]) is sold
