"""A small catalog for tests, and the world that sells it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from catalog import Catalog
from services.purchase import Purchase, offer_of
from tests.world import OutsideWorld, Sold

PLANS: Final[list[dict[str, Any]]] = [
    {"id": "free", "name": "Free", "tagline": "To try", "kind": "free"},
    {
        "id": "basic",
        "name": "Basic",
        "tagline": "For one",
        "kind": "paid",
        "product_id": "prod_basic",
        "prices": {
            "month": {"price_id": "price_basic_month", "amount": 900, "currency": "usd"},
            "year": {"price_id": "price_basic_year", "amount": 9000, "currency": "usd"},
        },
    },
    {
        "id": "premium",
        "name": "Premium",
        "tagline": "For a team",
        "kind": "paid",
        "product_id": "prod_premium",
        "prices": {
            "month": {"price_id": "price_premium_month", "amount": 2900, "currency": "usd", "trial_days": 0},
            "year": {"price_id": "price_premium_year", "amount": 29000, "currency": "usd"},
        },
    },
    {
        "id": "backup",
        "name": "Backup",
        "tagline": "Beside any plan",
        "kind": "paid",
        "group": "addons",
        "product_id": "prod_backup",
        "prices": {"month": {"price_id": "price_backup_month", "amount": 300, "currency": "usd"}},
    },
    {"id": "custom", "name": "Custom", "tagline": "Talk", "kind": "contact", "contact_url": "mailto:a@b.example"},
]
"""Two plans of which one can have one, an add-on in a group of its own, a free plan and one that is sold by talking."""


def item(name: str, amount: int = 500, *, currency: str = "usd", most: int = 5, least: int = 1) -> dict[str, Any]:
    """Return an item as the catalog file writes it."""
    return {
        "id": name,
        "name": name.title(),
        "description": "A thing",
        "image": "gift",
        "product_id": f"prod_{name}",
        "price": {"price_id": f"price_{name}", "amount": amount, "currency": currency},
        "min_quantity": least,
        "max_quantity": most,
    }


ITEMS: Final = [item("mug"), item("shirt", 1900, most=3), item("yen", 800, currency="jpy")]


def catalog_with(plans: list[dict[str, Any]] = PLANS, items: list[dict[str, Any]] = ITEMS) -> Catalog:
    """Return a catalog of these entries."""
    return Catalog.model_validate({"plans": plans, "items": items})


CATALOG: Final = catalog_with()
MAIN: Final = ("prod_basic", "prod_premium")


def without(plan_id: str) -> Catalog:
    """Return the catalog after a plan was taken out of it."""
    return catalog_with([plan for plan in PLANS if plan["id"] != plan_id])


def press(price_id: str, quantity: int = 1, *, catalog: Catalog = CATALOG) -> Purchase:
    """Return a first press on a price, as a page drawn from that catalog shows it."""
    return Purchase.of(offer_of(catalog, price_id), quantity)


def press_cart(*wanted: tuple[str, int], catalog: Catalog = CATALOG) -> Purchase:
    """Return a first press on a cart of these prices and quantities."""
    return Purchase.of_cart(press(price, many, catalog=catalog).lines[0] for price, many in wanted)


def world_of(now: Callable[[], datetime], catalog: Catalog = CATALOG) -> OutsideWorld:
    """Return a world in which Stripe sells what the catalog says."""
    prices = {
        offer.price.price_id: Sold(
            offer.product_id,
            offer.plan.id if offer.plan else "",
            offer.price.interval or "month",
            offer.price.trial_days,
        )
        for offer in catalog.offers()
    }
    return OutsideWorld(now, prices)
