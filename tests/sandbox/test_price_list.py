"""What the hosted pages show comes from the catalog, as it is when a checkout is opened."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.launch import FREE_PORTS, start_sandbox
from tests.sandbox.shop import Shop, text_of

PRODUCTS = json.loads((Path(__file__).parents[2] / "products.json").read_text(encoding="utf-8"))


class OwnCatalog:
    """A sandbox with a catalog file of its own."""

    def __init__(self, path: Path, shop: Shop) -> None:
        self.path, self.shop = path, shop
        self.content: dict[str, Any] = json.loads(json.dumps(PRODUCTS))
        self.plan = next(plan for plan in self.content["plans"] if plan["kind"] == "paid")
        self.price = self.plan["prices"]["month"]

    def write(self) -> None:
        self.path.write_text(json.dumps(self.content), encoding="utf-8")

    def checkout(self) -> dict[str, Any]:
        return self.shop.checkout(product_id=self.plan["product_id"], price_id=self.price["price_id"])

    def page(self, session: dict[str, Any]) -> str:
        return text_of(self.shop.http.get(session["checkout_url"]))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnCatalog]:
    path = tmp_path / "products.json"
    path.write_text(json.dumps(PRODUCTS), encoding="utf-8")
    environment = {"SANDBOX_CATALOG_PATH": str(path), "SANDBOX_WEBHOOK_DELAY": "0"}
    with start_sandbox([*FREE_PORTS, "--database", ":memory:"], environment) as running, Shop(running) as shop:
        yield OwnCatalog(path, shop)


def test_trial_charges_nothing_today(own: OwnCatalog) -> None:
    own.shop.set(trials="catalog")
    own.price.update(amount=2900, trial_days=14)
    own.write()
    session = own.checkout()

    page = own.page(session)
    own.shop.pay(session)

    assert "14 days free Then $29.00 per month" in page
    assert "Total due today $0.00" in page
    subscription = own.shop.subscription()
    assert (subscription["status"], subscription["period_end"]) == ("trialing", subscription["trial_end"])
    assert own.shop.control("GET", "invoices?user_id=user_1")[0]["amount"] == 0


def test_changed_price_holds_for_new_checkouts_only(own: OwnCatalog) -> None:
    own.price.update(amount=2900, trial_days=0)
    own.write()
    before = own.checkout()
    own.price["amount"] = 3100
    own.write()
    after = own.checkout()

    assert "Subscribe for $29.00" in own.page(before)
    assert "Subscribe for $31.00" in own.page(after)


def test_broken_catalog_leaves_the_last_good_one(own: OwnCatalog) -> None:
    own.price.update(amount=2900, trial_days=0)
    own.write()
    own.checkout()
    own.path.write_text("{", encoding="utf-8")

    assert "Subscribe for $29.00" in own.page(own.checkout())


def test_currency_without_minor_units_is_shown_whole(own: OwnCatalog) -> None:
    for price in own.plan["prices"].values():
        price.update(amount=2900, currency="jpy", trial_days=0)
    own.write()

    assert "¥2,900" in own.page(own.checkout())
