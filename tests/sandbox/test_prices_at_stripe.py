"""Stripe's prices when they part from the catalog: dearer for new customers or for all, retired, replaced."""

from pathlib import Path

import pytest

from sandbox.in_process import settings_in_memory
from tests.sandbox.local import ADA, BASIC, MONTHLY, LocalShop
from tests.sandbox.stripe_client import stripe_client
from truth.catalogs import CHANGES, CatalogOfStory

GRACE = "user_grace"
PREMIUM = "prod_sandbox_premium"


@pytest.mark.parametrize(("for_all", "ada"), [(False, [2900, 2900]), (True, [2900, 3900])])
def test_dearer_price_is_for_new_customers_or_for_all(local: LocalShop, for_all: bool, ada: list[int]) -> None:
    local.subscribe()
    local.control("PUT", f"prices/{MONTHLY}", {"amount": 3900, "for_all": for_all})
    local.subscribe(user_id=GRACE)

    local.days(32)

    assert (local.amounts(), local.amounts(GRACE)) == (ada, [3900, 3900])


def test_price_is_as_in_the_catalog_again(local: LocalShop) -> None:
    local.control("PUT", f"prices/{MONTHLY}", {"amount": 3900, "currency": "eur"})

    local.control("DELETE", f"prices/{MONTHLY}")
    local.subscribe()

    assert local.truth()["charged"] == {"usd": 2900}


def test_retired_product_is_sold_no_more_and_kept_by_who_has_it(local: LocalShop) -> None:
    local.subscribe()
    local.control("POST", f"products/{PREMIUM}/retire")
    body = {"user_id": GRACE, "email": "a@b.c", "product_id": PREMIUM, "price_id": MONTHLY}
    urls = {"success_url": "http://a", "cancel_url": "http://b"}

    refused = local.payment("POST", "/api/v1/checkout/subscription", body | urls)
    local.days(32)

    assert (refused.status_code, refused.json()["error"]["code"]) == (500, "STRIPE_ERROR")
    assert local.amounts() == [2900, 2900]
    assert {price["active"] for price in local.control("GET", "prices") if price["product_id"] == PREMIUM} == {False}


@pytest.mark.parametrize(("move", "product"), [(False, PREMIUM), (True, "prod_new")])
def test_replaced_product_takes_its_subscribers_along_or_not(local: LocalShop, move: bool, product: str) -> None:
    local.subscribe()

    answer = local.control("POST", f"products/{PREMIUM}/replace", {"product_id": "prod_new", "move": move})
    local.subscribe(answer["prices"][MONTHLY], GRACE)

    assert (local.running_truth()["product_id"], answer["moved"]) == (product, int(move))
    assert local.amounts(GRACE) == [2900]
    assert local.running_truth(GRACE)["plan"] == "premium"


def test_portal_offers_no_retired_price(local: LocalShop) -> None:
    local.subscribe()
    local.control("POST", "products/prod_sandbox_basic/retire")

    page = local.http.get(local.portal_url(ADA))

    assert f'value="{BASIC}"' not in page.text
    assert f'value="{MONTHLY}"' in page.text


def test_product_that_left_the_catalog_is_still_there_for_who_has_it(tmp_path: Path) -> None:
    catalog = CatalogOfStory(tmp_path / "products.json")
    with LocalShop(settings_in_memory(catalog_path=catalog.path)) as local:
        local.subscribe()
        catalog.change([name for name, _change in CHANGES].index("premium is taken out of the file"))
        products = stripe_client(local).v1.products

        product = products.retrieve(PREMIUM)

        assert (product.active, product.metadata.to_dict()) == (False, {"plan": "premium", "group": "main"})
        assert PREMIUM not in {one.id for one in products.list({"active": True, "limit": 100}).data}
