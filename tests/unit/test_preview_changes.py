"""What a draft of the catalog changes is said to whom it concerns; a dearer price changes nothing for who has it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from catalog import Catalog, parse_catalog
from cli.preview_changes import Concerns, changes_between

ROOT = Path(__file__).resolve().parents[2]
TODAY = (ROOT / "products.json").read_text(encoding="utf-8")
HELD = {"prod_sandbox_premium": 12, "prod_sandbox_basic": 1}


def changed(by: Callable[[dict[str, Any]], object]) -> Catalog:
    draft = json.loads(TODAY)
    by({"plans": {plan["id"]: plan for plan in draft["plans"]}, "items": draft["items"], "draft": draft})
    return parse_catalog(json.dumps(draft))


def said(by: Callable[[dict[str, Any]], object], held: Mapping[str, int] = HELD) -> dict[Concerns, str]:
    found = changes_between(parse_catalog(TODAY), changed(by), held)
    return {whom: "\n".join(one.text for one in found if one.concerns is whom) for whom in Concerns}


def price_of(draft: dict[str, Any], plan: str) -> dict[str, Any]:
    price: dict[str, Any] = draft["plans"][plan]["prices"]["month"]
    return price


def dearer(draft: dict[str, Any]) -> None:
    premium = draft["plans"]["premium"]
    premium["former_price_ids"] = [premium["prices"]["month"]["price_id"]]
    premium["prices"]["month"].update(price_id="price_new", amount=3900)


def test_a_dearer_price_is_for_new_customers_alone() -> None:
    told = said(dearer)

    assert "Premium by the month costs $39.00 instead of $29.00." in told[Concerns.NEW]
    assert "reads no other price" in told[Concerns.NEW]
    assert told[Concerns.PRESENT] == told[Concerns.NOBODY] == ""


def test_another_amount_under_the_same_price_id_is_warned_of() -> None:
    told = said(lambda draft: draft["plans"]["premium"]["prices"]["month"].update(amount=3900))

    assert "can't be changed" in told[Concerns.NOBODY]


def test_who_has_a_retired_plan_keeps_it() -> None:
    told = said(lambda draft: draft["plans"]["premium"].update(retired=True))

    assert "Premium is sold no more." in told[Concerns.NEW]
    assert "who has it (12 now): its name and what it unlocks" in told[Concerns.PRESENT]


def test_who_has_a_plan_whose_product_is_forgotten_would_have_one_that_nobody_knows() -> None:
    told = said(lambda draft: draft["plans"]["basic"].update(product_id="prod_other"))

    assert "who has it (1 now) would have a plan that nobody knows" in told[Concerns.PRESENT]
    named = said(
        lambda draft: draft["plans"]["basic"].update(
            product_id="prod_other", former_product_ids=[draft["plans"]["basic"]["product_id"]]
        )
    )
    assert named[Concerns.PRESENT] == ""


def test_what_a_plan_unlocks_changes_for_who_has_it_at_once() -> None:
    key = next(iter(json.loads(TODAY)["plans"][2]["grants"]))
    told = said(lambda draft: draft["plans"]["premium"]["grants"].pop(key))

    assert f"Premium grants nothing of {key} instead of" in told[Concerns.PRESENT]
    assert "who has it (12 now) gets that at once" in told[Concerns.PRESENT]


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (
            lambda draft: draft["plans"]["enterprise"]["prices"]["month"].update(trial_days=30),
            "30 days free instead of 14",
        ),
        (lambda draft: draft["items"].pop(0), "is sold no more, and leaves carts"),
        (lambda draft: draft["items"][0]["price"].update(amount=100, price_id="price_x"), "costs $1.00 instead of"),
        (lambda draft: draft["plans"]["premium"]["prices"].pop("year"), "can't be had by the year any more"),
    ],
)
def test_what_is_new_to_new_customers(by: Callable[[dict[str, Any]], object], words: str) -> None:
    assert words in said(by)[Concerns.NEW]


def test_the_same_catalog_changes_nothing() -> None:
    (only,) = changes_between(parse_catalog(TODAY), parse_catalog(TODAY), HELD)

    assert only.concerns is Concerns.NOBODY
