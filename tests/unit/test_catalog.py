"""The shipped catalog, what can be asked of it, and its words in five languages."""

from pathlib import Path

import pytest

from catalog import Catalog, Interval, NotInCatalog, Plan, Text, UnknownPrice, load_catalog, parse_catalog
from catalog_rules import UNLIMITED

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = {"en", "de", "es", "ja", "ar"}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(ROOT / "products.json")


@pytest.mark.parametrize(("plan", "month"), [("basic", 900), ("premium", 2900), ("enterprise", 9900)])
def test_shipped_plan_costs_ten_months_a_year(catalog: Catalog, plan: str, month: int) -> None:
    prices = catalog.plan(plan).prices

    assert prices[Interval.MONTH].amount == month
    assert prices[Interval.YEAR].amount == 10 * month
    assert {price.currency for price in prices.values()} == {"usd"}


def test_shipped_plans_are_free_then_three_paid_then_contact(catalog: Catalog) -> None:
    assert [plan.kind for plan in catalog.plans] == ["free", "paid", "paid", "paid", "contact"]
    assert [plan.id for plan in catalog.plans if plan.highlighted] == ["premium"]


def test_every_shipped_text_is_there_in_every_language(catalog: Catalog) -> None:
    written = [text.root for text in texts(catalog)]
    single = {text for text in written if isinstance(text, str)}

    assert len(written) > 80
    assert [text for text in written if isinstance(text, dict) and set(text) != LANGUAGES] == []
    assert single <= {"GB", UNLIMITED, "1 GB", "25 GB", "250 GB", "2 TB"}  # the same in every language, or no words


def texts(value: object) -> list[Text]:
    """Every text in a model, however deep."""
    if isinstance(value, Text):
        return [value]
    if isinstance(value, dict):
        return [text for part in value.values() for text in texts(part)]
    if isinstance(value, tuple):
        return [text for part in value for text in texts(part)]
    fields = getattr(type(value), "model_fields", ())
    return [text for name in fields for text in texts(getattr(value, name))]


def test_price_knows_its_interval_and_an_items_price_has_none(catalog: Catalog) -> None:
    assert catalog.plan("basic").prices[Interval.YEAR].interval is Interval.YEAR
    assert catalog.item("sticker-pack").price.interval is None


def test_offer_binds_price_product_and_plan(catalog: Catalog) -> None:
    offer = catalog.offer("price_sandbox_premium_year")

    assert offer.plan == catalog.plan("premium")
    assert offer.item is None
    assert offer.product_id == "prod_sandbox_premium"
    assert (offer.price.amount, offer.price.interval) == (29000, Interval.YEAR)
    assert offer.name.in_("ja") == "プレミアム"


def test_offer_binds_price_and_item(catalog: Catalog) -> None:
    offer = catalog.offer("price_sandbox_data_import")

    assert offer.item == catalog.item("data-import")
    assert offer.plan is None
    assert offer.product_id == "prod_sandbox_data_import"


def test_offers_are_all_that_has_a_price(catalog: Catalog) -> None:
    prices = [offer.price.price_id for offer in catalog.offers()]

    assert len(prices) == len(set(prices)) == 6 + len(catalog.items)


@pytest.mark.parametrize("price", ["", "price_of_another_shop", "prod_sandbox_basic"])
def test_price_that_is_not_sold_is_unknown(catalog: Catalog, price: str) -> None:
    with pytest.raises(UnknownPrice):
        catalog.offer(price)


def test_plan_and_item_that_are_not_there_are_not_in_the_catalog(catalog: Catalog) -> None:
    with pytest.raises(NotInCatalog):
        catalog.plan("onboarding")
    with pytest.raises(NotInCatalog):
        catalog.item("basic")


def test_product_leads_back_to_its_plan_and_to_no_item(catalog: Catalog) -> None:
    assert catalog.plan_for_product("prod_sandbox_basic") == catalog.plan("basic")
    assert catalog.plan_for_product("prod_sandbox_data_import") is None
    assert catalog.plan_for_product("") is None


def test_group_holds_the_plans_that_exclude_each_other() -> None:
    plans = ", ".join(
        f'{{"id": "{name}", "name": "N", "tagline": "T", "kind": "free", "group": "{group}"}}'
        for name, group in (("a", "main"), ("b", "extra"), ("c", "main"))
    )
    catalog = parse_catalog(f'{{"plans": [{plans}]}}')

    assert [plan.id for plan in catalog.group(catalog.plan("a"))] == ["a", "c"]
    assert [plan.id for plan in catalog.group(catalog.plan("b"))] == ["b"]


def with_prices(month: int | None, year: int | None) -> tuple[Catalog, Plan]:
    prices = {
        interval: {"price_id": f"price_{interval}", "amount": amount, "currency": "eur"}
        for interval, amount in (("month", month), ("year", year))
        if amount is not None
    }
    plan = {"id": "a", "name": "N", "tagline": "T", "kind": "paid", "product_id": "prod_a", "prices": prices}
    catalog = Catalog.model_validate({"plans": [plan]})
    return catalog, catalog.plan("a")


@pytest.mark.parametrize(
    ("month", "year", "amount", "months", "percent"), [(900, 9000, 1800, 2, 16), (1000, 11500, 500, 0, 4)]
)
def test_year_saves_what_twelve_months_cost_more(month: int, year: int, amount: int, months: int, percent: int) -> None:
    catalog, plan = with_prices(month, year)

    saving = catalog.yearly_saving(plan)

    assert saving is not None
    assert (saving.amount, saving.months, saving.percent, saving.currency) == (amount, months, percent, "eur")


@pytest.mark.parametrize(("month", "year"), [(900, None), (None, 9000), (900, 10800), (900, 12000)])
def test_no_saving_without_a_choice_or_when_the_year_is_no_cheaper(month: int | None, year: int | None) -> None:
    catalog, plan = with_prices(month, year)

    assert catalog.yearly_saving(plan) is None


@pytest.mark.parametrize(
    ("locale", "text"),
    [("de", "Hallo"), ("de-AT", "Hallo"), ("de_CH", "Grüezi"), ("DE-ch", "Grüezi"), ("fr", "Hello"), ("", "Hello")],
)
def test_text_is_read_in_the_locale_else_its_language_else_english(locale: str, text: str) -> None:
    assert Text({"en": "Hello", "de": "Hallo", "de_CH": "Grüezi"}).in_(locale) == text


def test_plain_text_is_the_same_in_every_language() -> None:
    assert Text("1 GB").in_("ja") == str(Text("1 GB")) == "1 GB"


def test_version_follows_content_and_not_layout(catalog: Catalog) -> None:
    text = (ROOT / "products.json").read_text(encoding="utf-8")

    assert parse_catalog(text.replace("  ", "\t")).version == catalog.version
    assert parse_catalog(text.replace('"amount": 900,', '"amount": 901,')).version != catalog.version
    assert len(catalog.version) == 12
