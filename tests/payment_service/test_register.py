"""Products and prices are made once, and found again by their lookup keys."""

from typing import Any

import pytest

from tests.payment_service.conftest import ServiceShop

BODY: dict[str, Any] = {
    "project_name": "Shop",
    "plans": [
        {"name": "Premium", "id": "premium", "group": "main", "description": "All of it", "features": ["a" * 100],
         "pricing": {"monthly": 2900, "yearly": 29000}}
    ],
    "items": [{"id": "credits", "name": "Credits", "amount": 500, "currency": "EUR"}],
}  # fmt: skip


def register(shop: ServiceShop, body: dict[str, Any] = BODY) -> Any:
    return shop.http.post("/admin/products/register", json=body)


def test_plans_and_items_are_made_and_told_with_their_ids(shop: ServiceShop) -> None:
    answer = register(shop)

    told = answer.json()
    assert (answer.status_code, told["success"], told["project_id"]) == (201, True, "default")
    yearly = told["products"][0]["prices"]["yearly"]
    assert (yearly["amount"], yearly["interval"], yearly["currency"]) == (29000, "year", "usd")
    assert (told["items"][0]["amount"], told["items"][0]["currency"]) == (500, "eur")
    product = shop.stripe.things["products"][told["products"][0]["stripe_product_id"]]
    assert product["metadata"] == {"plan": "premium", "group": "main", "project": "default"}
    assert product["marketing_features"] == {"0": {"name": "a" * 80}}
    assert shop.stripe.things["prices"][yearly["stripe_price_id"]]["lookup_key"] == "default:premium:year"


def test_a_second_time_everything_is_found_and_nothing_made(shop: ServiceShop) -> None:
    first = register(shop).json()
    made = len(shop.stripe.things["prices"])
    again = register(shop)

    assert (again.status_code, again.json()) == (200, first)
    assert len(shop.stripe.things["prices"]) == made


@pytest.mark.parametrize("lost", ["POST products", "POST prices"])
def test_what_was_cut_off_is_gone_on_with(shop: ServiceShop, lost: str) -> None:
    shop.stripe.broken = lambda call: 0 if call == lost else None
    assert register(shop).status_code == 503
    shop.stripe.broken = lambda call: None

    assert register(shop).status_code == 201
    assert len(shop.stripe.things["products"]) == 2 + 2
    assert len(shop.stripe.things["prices"]) == 2 + 3


def test_another_amount_is_another_price_and_the_key_moves_to_it(shop: ServiceShop) -> None:
    old = register(shop).json()["products"][0]
    dearer = {**BODY["plans"][0], "pricing": {"monthly": 3900, "yearly": 29000}}
    new = register(shop, {**BODY, "plans": [dearer]})

    assert new.status_code == 201
    plan = new.json()["products"][0]
    assert plan["stripe_product_id"] == old["stripe_product_id"]
    assert plan["prices"]["yearly"] == old["prices"]["yearly"]
    assert plan["prices"]["monthly"]["stripe_price_id"] != old["prices"]["monthly"]["stripe_price_id"]
    assert shop.stripe.things["prices"][old["prices"]["monthly"]["stripe_price_id"]]["lookup_key"] is None


def test_a_body_of_the_first_version_is_enough(shop: ServiceShop) -> None:
    plan = {"name": "Pro Plan", "description": "", "features": [], "pricing": {"monthly": 100}}

    assert register(shop, {"project_name": "Shop", "plans": [plan]}).status_code == 201
    assert register(shop, {"project_name": "Shop", "plans": []}).status_code == 400
