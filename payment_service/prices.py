"""What is sold, as Stripe has it: prices and what their products say, remembered for a minute."""

import threading
import time
from dataclasses import dataclass
from typing import Final, TypeVar

from stripe import InvalidRequestError, Price, Product

from payment_service.errors import ServiceError
from payment_service.stripe_api import StripeAPI

REMEMBERED: Final = 60.0
DEFAULT_GROUP: Final = "default"
_MOST_REMEMBERED: Final = 2000
Remembered = TypeVar("Remembered")


@dataclass(frozen=True, slots=True)
class SoldPrice:
    """A price at Stripe. `amount` in minor units, None where it is tiered; `interval` is empty for a one-off."""

    id: str
    product_id: str
    group: str
    amount: int | None
    currency: str
    interval: str
    interval_count: int


@dataclass(frozen=True, slots=True)
class SoldProduct:
    """A product: the group of which a customer has one at a time, and the plan's name for the Auth MS."""

    group: str
    plan: str


class Prices:
    """Prices and products by id. Only Stripe says what something costs."""

    def __init__(self, stripe: StripeAPI) -> None:
        self._stripe = stripe
        self._prices: dict[str, tuple[float, SoldPrice]] = {}
        self._products: dict[str, tuple[float, SoldProduct]] = {}
        self._lock = threading.Lock()

    def get(self, price_id: str) -> SoldPrice:
        """Return a price that is on sale; raises ServiceError for one that is not, and WrongMode."""
        known = self._prices.get(price_id)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        try:
            found = self._stripe.v1.prices.retrieve(price_id, {"expand": ["product"]})
        except InvalidRequestError as error:
            if error.code != "resource_missing":
                raise
            raise _not_sold(price_id, "No such price") from None
        self._stripe.same_mode(found)
        if not found.active:
            raise _not_sold(price_id, "The price is inactive")
        price = _read(found)
        with self._lock:
            _remember(self._prices, price_id, price)
        return price

    def product(self, product_id: str) -> SoldProduct:
        """Return what a product's metadata says: its `group`, and its `plan`."""
        known = self._products.get(product_id)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        found = self._stripe.v1.products.retrieve(product_id)
        product = SoldProduct(_group(found), _metadata(found).get("plan") or product_id)
        with self._lock:
            _remember(self._products, product_id, product)
        return product


def _remember(memory: dict[str, tuple[float, Remembered]], key: str, value: Remembered) -> None:
    if len(memory) >= _MOST_REMEMBERED:
        memory.clear()
    memory[key] = (time.monotonic() + REMEMBERED, value)


def _read(found: Price) -> SoldPrice:
    product = found.product
    return SoldPrice(
        id=found.id,
        product_id=product if isinstance(product, str) else product.id,
        group=DEFAULT_GROUP if isinstance(product, str) else _group(product),
        amount=found.unit_amount,
        currency=found.currency,
        interval=found.recurring.interval if found.recurring else "",
        interval_count=found.recurring.interval_count if found.recurring else 1,
    )


def _group(product: Product) -> str:
    return _metadata(product).get("group") or DEFAULT_GROUP


def _metadata(product: Product) -> dict[str, str]:
    return product.metadata.to_dict() if product.metadata else {}


def _not_sold(price_id: str, message: str) -> ServiceError:
    return ServiceError(400, "PRICE_NOT_FOUND", message, f"Stripe has no active price {price_id}.", field="price_id")
