"""Stripe's products and prices as things of their own: those made over its API, and the catalog's beside them.

What a price costs is in `price_list`, wherever it was made; here is what the API keeps of it besides.
"""

from datetime import UTC, datetime
from typing import Final

from pydantic import Field

from sandbox.clock import SandboxClock
from sandbox.database import Database, DocumentStore
from sandbox.stripe.objects import Document, LineItem, new_id
from sandbox.stripe.price_list import PriceList

_CATALOG_MADE: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""When the catalog's products and prices were made, as far as anybody asks."""


class StripeProduct(Document):
    id: str
    name: str
    description: str = ""
    active: bool = True
    default_price: str = ""
    metadata: dict[str, str] = Field(default_factory=dict)
    marketing_features: list[str] = Field(default_factory=list)
    created: datetime = _CATALOG_MADE
    updated: datetime = _CATALOG_MADE


class PriceDetails(Document):
    lookup_key: str = ""
    nickname: str = ""
    metadata: dict[str, str] = Field(default_factory=dict)
    tax_behavior: str = "unspecified"
    created: datetime = _CATALOG_MADE


class StripePrice(Document):
    line: LineItem
    active: bool
    details: PriceDetails


class StripeProducts:
    def __init__(self, database: Database, clock: SandboxClock, prices: PriceList) -> None:
        self._clock, self._prices = clock, prices
        self._products = DocumentStore(database, "stripe_product", StripeProduct)
        self._details = DocumentStore(database, "stripe_price", PriceDetails)

    def get(self, product_id: str) -> StripeProduct | None:
        return self._products.get(product_id) or self._of_catalog().get(product_id)

    def all(self) -> list[StripeProduct]:
        """Newest first, the catalog's last."""
        made = self._products.newest(10_000)
        known = {product.id for product in made}
        return [*made, *(product for product in self._of_catalog().values() if product.id not in known)]

    def create(self, product_id: str, name: str, values: dict[str, object]) -> StripeProduct:
        now = self._clock.second()
        made = StripeProduct(id=product_id or new_id("prod"), name=name, created=now, updated=now)
        return self.change(made, values)

    def change(self, product: StripeProduct, values: dict[str, object]) -> StripeProduct:
        changed = product.model_copy(update={**values, "updated": self._clock.second()})
        return self._products.put(changed.id, changed)

    def price(self, price_id: str) -> StripePrice | None:
        line = next((line for line in self._prices.lines() if line.price_id == price_id), None)
        return self._price(line) if line else None

    def prices(self) -> list[StripePrice]:
        """Newest first, the catalog's last."""
        found = [self._price(line) for line in self._prices.lines()]
        return sorted(found, key=lambda price: price.details.created, reverse=True)

    def create_price(self, product: StripeProduct, line: LineItem, details: PriceDetails) -> StripePrice:
        """A new price of a product; it joins what is sold."""
        self._prices.register(f"product/{product.id}", line)
        kept = details.model_copy(update={"created": self._clock.second()})
        self._details.put(line.price_id, kept, owner=kept.lookup_key)
        return self._price(line)

    def change_price(self, price: StripePrice, *, active: bool, details: PriceDetails) -> StripePrice:
        if active != price.active:
            self._prices.set_active(price.line.price_id, active=active)
        self._details.put(price.line.price_id, details, owner=details.lookup_key)
        return StripePrice(line=price.line, active=active, details=details)

    def with_lookup_key(self, lookup_key: str) -> StripePrice | None:
        """The price that has it; at most one does."""
        return next((price for price in self.prices() if price.details.lookup_key == lookup_key), None)

    def _price(self, line: LineItem) -> StripePrice:
        details = self._details.get(line.price_id) or PriceDetails()
        return StripePrice(line=line, active=self._prices.active(line.price_id), details=details)

    def _of_catalog(self) -> dict[str, StripeProduct]:
        """Its products as somebody would have made them: with their plan and group in the metadata."""
        lines = list(reversed(self._prices.lines()))
        return {line.product_id: product_of(line) for line in lines}


def product_of(line: LineItem) -> StripeProduct:
    """A product as a line of an order names it."""
    metadata = {name: value for name, value in (("plan", line.plan), ("group", line.group)) if value}
    return StripeProduct(id=line.product_id, name=line.name, metadata=metadata)
