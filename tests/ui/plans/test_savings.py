"""What is said of savings holds for every plan beside which it stands, in whatever catalog."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import Catalog, Interval, Plan
from ui.plans.savings import own_saving, saving_words, shared_saving

Amounts = tuple[int | None, int | None]

AMOUNTS = st.integers(1, 99_999_999)
CHOICE = st.builds(
    lambda month, share: (month, max(1, min(99_999_999, month * 12 * share // 1000))),
    st.integers(1, 8_000_000),
    st.integers(1, 1100),
)
"""A year at a tenth of a percent up to 110 % of twelve months."""
PLANS = st.lists(
    st.one_of(CHOICE, st.tuples(AMOUNTS, AMOUNTS), st.tuples(AMOUNTS, st.none()), st.tuples(st.none(), AMOUNTS)),
    min_size=1,
    max_size=6,
)


def sold(*amounts: Amounts, free: bool = True) -> Catalog:
    """Return a catalog of plans by what they cost a month and a year."""
    plans: list[dict[str, Any]] = [{"id": "free", "name": "Free", "tagline": "T", "kind": "free"}] if free else []
    for number, pair in enumerate(amounts):
        prices = {
            interval: {"price_id": f"price_{number}_{interval}", "amount": amount, "currency": "usd"}
            for interval, amount in zip(("month", "year"), pair, strict=True)
            if amount is not None
        }
        name = f"plan-{number}"
        plans.append(
            {"id": name, "name": name, "tagline": "T", "kind": "paid", "product_id": f"prod_{number}", "prices": prices}
        )
    return Catalog.model_validate({"plans": plans})


def saves(plan: Plan, share: float) -> bool:
    """Whether a year costs at least that share less than twelve months."""
    month, year = plan.offered.get(Interval.MONTH), plan.offered.get(Interval.YEAR)
    return month is not None and year is not None and year.amount <= 12 * month.amount * (1 - share) + 1e-6


def holds_for(words: str, plan: Plan) -> bool:
    """Whether a sentence about savings is true of a plan. One that this does not know is false."""
    if months := re.fullmatch(r"(\d+) months? free", words):
        return int(months[1]) >= 1 and saves(plan, int(months[1]) / 12)
    if percent := re.fullmatch(r"Save (\d+)%", words):
        return int(percent[1]) >= 1 and saves(plan, int(percent[1]) / 100)
    if most := re.fullmatch(r"Save up to (\d+)%", words):
        return saves(plan, 0.01) and not saves(plan, (int(most[1]) + 1) / 100)
    return False


@given(amounts=PLANS)
def test_what_stands_above_the_cards_holds_for_each_of_them(amounts: list[Amounts]) -> None:
    catalog = sold(*amounts)
    priced = [plan for plan in catalog.on_sale if plan.offered]

    shared = shared_saving(catalog, catalog.on_sale)

    assert shared == "" or all(holds_for(shared, plan) for plan in priced)
    if most := re.fullmatch(r"Save up to (\d+)%", shared):
        assert any(saves(plan, int(most[1]) / 100) for plan in priced)


@given(amounts=PLANS)
def test_each_plan_says_its_own_saving_once_and_truly(amounts: list[Amounts]) -> None:
    catalog = sold(*amounts)
    shared = shared_saving(catalog, catalog.on_sale)

    for plan in catalog.on_sale:
        own = own_saving(catalog, plan, shared)
        assert own == "" or holds_for(own, plan)
        assert own == "" or own != shared
        if saves(plan, 0.0101):
            assert own or holds_for(shared, plan)


@pytest.mark.parametrize(
    ("amounts", "shared", "own"),
    [
        ([(900, 9000), (2900, 29_000)], "2 months free", ["", ""]),
        ([(900, 12_000), (2900, 29_000)], "", ["", "2 months free"]),
        ([(900, 10_799)], "", [""]),
        ([(900, 10_799), (2900, 29_000)], "", ["", "2 months free"]),
        ([(1000, 11_160), (1000, 9_960), (1000, 6_960)], "Save up to 42%", ["Save 7%", "Save 17%", "Save 42%"]),
        ([(900, 9000), (300, None)], "", ["2 months free", ""]),
        ([(900, 9000), (None, 9000)], "", ["2 months free", ""]),
        ([(None, 9000)], "", [""]),
        ([(1200, 13_200)], "1 month free", [""]),
        ([(100, 1)], "Save 99%", [""]),
    ],
    ids=str,
)
def test_savings_of_ordinary_catalogs(amounts: list[Amounts], shared: str, own: list[str]) -> None:
    catalog = sold(*amounts)

    said = shared_saving(catalog, catalog.on_sale)

    assert said == shared
    assert [own_saving(catalog, plan, said) for plan in catalog.on_sale if plan.offered] == own


def test_a_price_that_is_retired_saves_nothing() -> None:
    catalog = sold((900, 9000))
    basic = catalog.plans[1]
    retired = basic.model_copy(
        update={"prices": {name: price.model_copy(update={"retired": True}) for name, price in basic.prices.items()}}
    )

    assert shared_saving(Catalog(plans=(retired,)), [retired]) == ""


def test_a_free_plan_and_one_sold_by_talking_have_no_say() -> None:
    catalog = sold((900, 9000))

    saving = catalog.yearly_saving(catalog.plans[1])

    assert saving is not None
    assert shared_saving(catalog, catalog.plans) == saving_words(saving)
