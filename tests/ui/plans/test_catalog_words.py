"""Heads, leads, closing words and descriptions say nothing that the catalog does not hold."""

import re
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import Catalog
from services.claims import Claim
from tests.shop import PLANS
from ui.page.context import PageContext
from ui.plans import catalog_words
from ui.plans.price import due_claims, due_words, price_words, tax_words, terms_claims, terms_words
from ui.text.i18n import use_locale

FREE, BASIC, PREMIUM, BACKUP, CUSTOM = PLANS
YEARLY: Final[dict[str, Any]] = {
    **BASIC, "id": "yearly", "name": "Yearly", "product_id": "prod_y",
    "prices": {"year": {"price_id": "price_y", "amount": 12_000, "currency": "eur"}},
}  # fmt: skip

PROMISES = st.fixed_dictionaries(
    {}, optional={name: st.booleans() for name in ("cancel_any_time", "change_any_time", "free_without_card")}
)
SOLD = st.lists(
    st.sampled_from([FREE, BASIC, PREMIUM, YEARLY, CUSTOM]), min_size=1, max_size=5, unique_by=lambda p: p["id"]
)


def catalog(*plans: dict[str, Any], **more: Any) -> Catalog:
    return Catalog.model_validate({"plans": plans, **more})


def sentences(sold: Catalog) -> str:
    """Return all that the public pages say of a catalog as a whole."""
    return " ".join(
        [
            catalog_words.home_title(sold), catalog_words.pricing_title(sold), catalog_words.lead(sold),
            catalog_words.description(sold), catalog_words.plans_lead(sold), *catalog_words.closing_words(sold),
            catalog_words.portal_words(sold),
        ]
    ).lower()  # fmt: skip


@given(plans=SOLD, promises=PROMISES, retired=st.sets(st.sampled_from(["free", "basic", "premium"])))
def test_nothing_is_said_that_the_catalog_does_not_hold(
    plans: list[dict[str, Any]], promises: dict[str, bool], retired: set[str]
) -> None:
    sold = catalog(*({**plan, "retired": plan["id"] in retired} for plan in plans), promises=promises)

    said = sentences(sold)

    if sold.free_plan is None:
        assert not re.search(r"free|no card", said)
    if len(sold.on_sale) < 2:
        assert not re.search(r"move up|compare|change|plans that|another plan|fits", said)
    if not sold.promises.cancel_any_time:
        assert "cancel" not in said
    if not sold.promises.change_any_time:
        assert not re.search(r"change|another plan", said)
    if not sold.promises.free_without_card:
        assert "no card" not in said
    intervals = {interval for plan in sold.on_sale for interval in plan.offered}
    assert ("monthly or yearly" in said) == (len(intervals) == 2)
    assert catalog_words.lead(sold)
    assert all(catalog_words.closing_words(sold))


def test_the_words_of_a_full_catalog_are_there() -> None:
    promises = {"cancel_any_time": True, "change_any_time": True, "free_without_card": True}
    sold = catalog(FREE, {**BASIC, "includes": "free"}, promises=promises)

    assert (
        catalog_words.lead(sold) == "Start free. Move up when you need more room. Change or cancel whenever you like."
    )
    assert catalog_words.description(sold) == (
        "Compare plans and prices. Start free. Pay monthly or yearly. Cancel any time."
    )
    assert catalog_words.plans_lead(sold) == "Every plan includes everything in the one before it."
    assert catalog_words.closing_words(sold) == (
        "Start with the free plan",
        "No card needed. Change to another plan whenever you like.",
    )


def test_no_time_is_promised_where_the_operator_promises_nothing() -> None:
    assert catalog_words.closing_words(catalog(FREE, BASIC, promises={})) == (
        "Start with the free plan",
        "See what's included and what it costs.",
    )


def test_the_operators_own_words_are_said_instead_in_the_readers_language() -> None:
    names = ("hero", "pricing", "lead", "closing", "closing_lead", "most_popular", "meta_title", "meta")
    texts = {name: {"en": f"own {name}", "de": f"eigenes {name}"} for name in names}
    sold = catalog(FREE, BASIC, texts=texts)

    for locale, own in (("en", "own"), ("de-AT", "eigenes"), ("ja", "own")):
        with use_locale(locale):
            assert (catalog_words.home_title(sold), catalog_words.pricing_title(sold)) == (
                f"{own} hero",
                f"{own} pricing",
            )
            assert (catalog_words.lead(sold), catalog_words.description(sold)) == (f"{own} lead", f"{own} meta")
            assert catalog_words.closing_words(sold) == (f"{own} closing", f"{own} closing_lead")
            assert catalog_words.home_head(sold) == (f"{own} meta_title", f"{own} meta")
            assert catalog_words.most_popular(sold) == f"{own} most_popular"


def test_one_own_text_leaves_the_others_as_they_were() -> None:
    plain, own = catalog(FREE, BASIC), catalog(FREE, BASIC, texts={"closing": "Come in"})

    assert catalog_words.closing_words(own) == ("Come in", catalog_words.closing_words(plain)[1])
    assert catalog_words.home_head(own) == catalog_words.home_head(plain)
    assert catalog_words.most_popular(plain) == "Most popular"
    assert plain.version != own.version  # by which finished documents know that they are old


def test_plans_that_do_not_hold_each_other_are_not_said_to() -> None:
    assert catalog_words.plans_lead(catalog(FREE, BASIC)) == ""
    assert catalog_words.plans_lead(catalog({**BASIC, "includes": None})) == ""


@pytest.mark.parametrize("locale", ["en", "de", "ja"])
def test_a_plan_sold_by_the_year_only_is_priced_by_the_year(locale: str) -> None:
    sold = catalog(YEARLY)
    plan = sold.plans[0]

    for interval in ("month", "year"):
        words = price_words(plan, type(next(iter(plan.offered)))(interval), locale, "eur")
        assert "120" in words.amount
        assert (words.per, words.under) == ("per year", "Yearly only")


@given(
    month=st.integers(1, 9_000_000),
    year=st.integers(12, 99_999_999),
    currency=st.sampled_from(["usd", "jpy", "isk", "kwd"]),
)
def test_a_years_price_by_the_month_is_never_less_than_a_twelfth(month: int, year: int, currency: str) -> None:
    unit = 100 if currency == "isk" else 1
    prices = {
        interval: {"price_id": f"price_{interval}", "amount": max(unit, amount // unit * unit), "currency": currency}
        for interval, amount in (("month", month), ("year", year))
    }
    plan = catalog({**BASIC, "prices": prices}).plans[0]
    interval = next(name for name in plan.offered if name == "year")

    shown = price_words(plan, interval, "en", currency).amount

    digits = {"usd": 2, "jpy": 0, "isk": 2, "kwd": 3}[currency]
    amount = float(re.sub(r"[^\d.]", "", shown)) * 10**digits
    exact = plan.offered[interval].amount / 12
    assert exact - 1e-6 <= amount < exact + unit + 1e-6


def test_tax_and_promises_are_said_only_where_the_operator_states_them() -> None:
    taxed = catalog(BASIC, tax="added", promises={"cancel_any_time": True})

    assert due(catalog(BASIC)) == "$9.00 today, then monthly."
    assert due(taxed) == "$9.00 plus tax today, then monthly."
    assert "Cancel any time." in terms(taxed)
    assert "Cancel any time." not in terms(catalog(BASIC))
    assert "plus tax" not in due(catalog(BASIC, tax="included"))


def due(sold: Catalog) -> str:
    """Return what a visitor reads under the first plan's price."""
    context = visitor(sold)
    return due_words(context, first_claims(context))


def terms(sold: Catalog) -> str:
    """Return what whoever chose the first plan reads before the checkout."""
    context = visitor(sold)
    plan = context.catalog.plans[0]
    return terms_words(context, terms_claims(context, plan, next(iter(plan.offered.values()))))


def visitor(sold: Catalog) -> PageContext:
    return cast(PageContext, SimpleNamespace(catalog=sold, customer_status=None, locale="en", timezone="UTC"))


def first_claims(context: PageContext) -> tuple[Claim, ...]:
    plan = context.catalog.plans[0]
    return due_claims(context, plan, next(iter(plan.offered.values())))


@pytest.mark.parametrize("tax", [None, "included", "added", "none"])
def test_every_statement_of_tax_names_the_promotion_code(tax: str | None) -> None:
    said = tax_words(catalog(BASIC, tax=tax))

    assert "promotion code" in said
    assert ("include" in said) == (tax == "included")
    assert ("without tax" in said) == (tax == "added")
