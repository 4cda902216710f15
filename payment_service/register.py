"""Making products and prices at Stripe, idempotently: each price has a lookup key, by which it is found again."""

import hashlib
import re
from typing import Final, Literal

from pydantic import JsonValue
from stripe import Price, Product
from stripe.params import PriceCreateParams, ProductCreateParams

from payment_service.bodies import ItemBody, PlanBody, Registration
from payment_service.documents import Document, metadata_of, moment
from payment_service.errors import invalid
from payment_service.stripe_api import StripeAPI

INTERVALS: Final[dict[str, Literal["month", "year"]]] = {"monthly": "month", "yearly": "year"}
_MOST_FEATURES, _LONGEST_FEATURE = 15, 80
"""Stripe's limits of a product's features."""


class Registrar:
    """Registers what one request names."""

    def __init__(self, stripe: StripeAPI, project: str) -> None:
        self._stripe, self._project = stripe, project
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
        keys = {period: f"{self._project}:{name}:{INTERVALS[period]}" for period in plan.pricing}
        known = self._known([*keys.values()])
        about = {"plan": name, **({"group": plan.group} if plan.group else {})}
        product = self._product(f"plan:{name}", plan, about, known)
        told: Document = {}
        for period, amount in plan.pricing.items():
            price = self._price(product, keys[period], amount, plan.currency, INTERVALS[period], known)
            told[period] = {
                "stripe_price_id": price.id,
                "amount": amount,
                "interval": INTERVALS[period],
                "currency": price.currency,
            }
        return {
            "plan_name": plan.name,
            "stripe_product_id": product.id,
            "prices": told,
            "created_at": moment(product.created),
        }

    def _item(self, item: ItemBody) -> Document:
        key = f"{self._project}:item:{item.id}"
        known = self._known([key])
        product = self._product(f"item:{item.id}", item, {"item": item.id}, known)
        price = self._price(product, key, item.amount, item.currency, None, known)
        return {
            "name": item.name,
            "stripe_product_id": product.id,
            "stripe_price_id": price.id,
            "amount": item.amount,
            "currency": price.currency,
        }

    def _known(self, keys: list[str]) -> dict[str, Price]:
        """Return the prices that are there, by their lookup keys, with their products."""
        found = self._stripe.v1.prices.list(
            {"lookup_keys": keys, "active": True, "expand": ["data.product"], "limit": 100}
        ).data
        return {price.lookup_key: price for price in found if price.lookup_key}

    def _product(
        self, name: str, wanted: PlanBody | ItemBody, metadata: dict[str, str], known: dict[str, Price]
    ) -> Product:
        """Return the product of the known prices, its name and metadata brought up to date, or make it."""
        about = {**metadata, "project": self._project}
        product = next((price.product for price in known.values() if isinstance(price.product, Product)), None)
        if product is None:
            params: ProductCreateParams = {"name": wanted.name, "metadata": about}
            if wanted.description:
                params["description"] = wanted.description
            if isinstance(wanted, PlanBody) and wanted.features:
                shown = wanted.features[:_MOST_FEATURES]
                params["marketing_features"] = [{"name": feature[:_LONGEST_FEATURE]} for feature in shown]
            product = self._stripe.v1.products.create(params, {"idempotency_key": self._key(name, str(params))})
            self._made = True
        elif product.name != wanted.name or not about.items() <= metadata_of(product).items():
            product = self._stripe.v1.products.update(product.id, {"name": wanted.name, "metadata": about})
        self._stripe.same_mode(product)
        return product

    def _price(
        self, product: Product, key: str, amount: int, currency: str, interval: Literal["month", "year"] | None,
        known: dict[str, Price],
    ) -> Price:  # fmt: skip
        """Return the price of a lookup key; another amount is another price at Stripe, and the key moves to it."""
        before = known.get(key)
        if before is not None and (before.unit_amount, before.currency) == (amount, currency.lower()):
            return before
        params: PriceCreateParams = {
            "product": product.id,
            "unit_amount": amount,
            "currency": currency.lower(),
            "lookup_key": key,
            "transfer_lookup_key": True,
            "metadata": {"project": self._project},
        }
        if interval:
            params["recurring"] = {"interval": interval}
        self._made = True
        own = self._key(key, f"{params}{before.id if before else ''}")
        return self._stripe.v1.prices.create(params, {"idempotency_key": own})

    def _key(self, name: str, content: str) -> str:
        digest = hashlib.sha256(f"{self._project}\0{name}\0{content}".encode()).hexdigest()
        return f"register-{digest[:40]}"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or hashlib.sha256(name.encode()).hexdigest()[:12]
