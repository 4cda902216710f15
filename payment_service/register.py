"""Making products and prices at Stripe, idempotently: each price has a lookup key, by which it is found again."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import JsonValue
from stripe import Price, Product
from stripe.params import (
    PriceCreateParams,
    ProductCreateParams,
    ProductCreateParamsMarketingFeature,
    ProductUpdateParams,
)

from payment_service.bodies import ItemBody, PlanBody, Registration
from payment_service.documents import Document, moment
from payment_service.errors import invalid
from payment_service.stripe_api import StripeAPI

INTERVALS: Final[dict[str, Literal["month", "year"]]] = {"monthly": "month", "yearly": "year"}
_MOST_FEATURES, _LONGEST_FEATURE = 15, 80
"""Stripe's limits of a product's features."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A price that there should be. `interval` is None for a one-off."""

    key: str
    amount: int
    currency: str
    interval: Literal["month", "year"] | None


class Registrar:
    """Registers what one request names."""

    def __init__(self, stripe: StripeAPI, project: str) -> None:
        self._stripe = stripe
        self._project = project
        self._made = False

    def register(self, wanted: Registration) -> tuple[Document, bool]:
        """Return all ids, and whether anything was made. Repeated after a crash it makes what is missing."""
        if not wanted.plans and not wanted.items:
            raise invalid("plans", "Name at least one plan or item.")
        self._made = False
        plans: list[JsonValue] = [self._plan(plan) for plan in wanted.plans]
        items: list[JsonValue] = [self._item(item) for item in wanted.items]
        return {"success": True, "project_id": self._project, "products": plans, "items": items}, self._made

    def _plan(self, plan: PlanBody) -> Document:
        name = plan.id or _slug(plan.name)
        prices = {
            period: _Wanted(
                f"{self._project}:{name}:{INTERVALS[period]}", amount, plan.currency.lower(), INTERVALS[period]
            )
            for period, amount in plan.pricing.items()
        }
        metadata = {"plan": name, **({"group": plan.group} if plan.group else {})}
        product, found = self._made_sure(f"plan:{name}", plan.name, plan.description, metadata, [*prices.values()],
                                         plan.features)  # fmt: skip
        told: Document = {
            period: {
                "stripe_price_id": found[price.key].id,
                "amount": price.amount,
                "interval": price.interval,
                "currency": price.currency,
            }
            for period, price in prices.items()
        }
        return {
            "plan_name": plan.name,
            "stripe_product_id": product.id,
            "prices": told,
            "created_at": moment(product.created),
        }

    def _item(self, item: ItemBody) -> Document:
        price = _Wanted(f"{self._project}:item:{item.id}", item.amount, item.currency.lower(), None)
        product, found = self._made_sure(f"item:{item.id}", item.name, item.description, {"item": item.id}, [price], [])
        return {
            "name": item.name,
            "stripe_product_id": product.id,
            "stripe_price_id": found[price.key].id,
            "amount": item.amount,
            "currency": price.currency,
        }

    def _made_sure(
        self, name: str, title: str, description: str, metadata: dict[str, str], prices: list[_Wanted],
        features: list[str],
    ) -> tuple[Product, dict[str, Price]]:  # fmt: skip
        """Return the product and its prices by lookup key; what is missing is made, what differs is brought up."""
        known = self._known([price.key for price in prices])
        products = [price.product for price in known.values()]
        product = next((one for one in products if isinstance(one, Product)), None)
        shown: list[ProductCreateParamsMarketingFeature] = [
            {"name": feature[:_LONGEST_FEATURE]} for feature in features[:_MOST_FEATURES]
        ]
        about = {**metadata, "project": self._project}
        if product is None:
            made: ProductCreateParams = {"name": title, "metadata": about}
            if description:
                made["description"] = description
            if shown:
                made["marketing_features"] = shown
            product = self._stripe.v1.products.create(made, {"idempotency_key": self._key(name, str(made))})
            self._made = True
        elif product.name != title or not about.items() <= (product.metadata.to_dict() or {}).items():
            changed: ProductUpdateParams = {"name": title, "metadata": about}
            product = self._stripe.v1.products.update(product.id, changed)
        self._stripe.same_mode(product)
        return product, {price.key: self._price(product, price, known.get(price.key)) for price in prices}

    def _price(self, product: Product, wanted: _Wanted, known: Price | None) -> Price:
        """Return the price of a lookup key; another amount is another price at Stripe, and the key moves to it."""
        if known is not None and (known.unit_amount, known.currency) == (wanted.amount, wanted.currency):
            return known
        params: PriceCreateParams = {
            "product": product.id,
            "unit_amount": wanted.amount,
            "currency": wanted.currency,
            "lookup_key": wanted.key,
            "transfer_lookup_key": True,
            "metadata": {"project": self._project},
        }
        if wanted.interval:
            params["recurring"] = {"interval": wanted.interval}
        self._made = True
        before = known.id if known else ""
        return self._stripe.v1.prices.create(params, {"idempotency_key": self._key(wanted.key, f"{params}{before}")})

    def _known(self, keys: list[str]) -> dict[str, Price]:
        found = self._stripe.v1.prices.list(
            {"lookup_keys": keys, "active": True, "expand": ["data.product"], "limit": 100}
        ).data
        return {price.lookup_key: price for price in found if price.lookup_key}

    def _key(self, name: str, content: str) -> str:
        digest = hashlib.sha256(f"{self._project}\0{name}\0{content}".encode()).hexdigest()
        return f"register-{digest[:40]}"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or hashlib.sha256(name.encode()).hexdigest()[:12]
