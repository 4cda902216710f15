"""What is sold, as Stripe has it: prices and the groups of their products, remembered for a minute."""

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


class Prices:
    """Prices by id, and groups by product. Only Stripe says what something costs."""

    def __init__(self, stripe: StripeAPI) -> None:
        self._stripe = stripe
        self._prices: dict[str, tuple[float, SoldPrice]] = {}
        self._groups: dict[str, tuple[float, str]] = {}
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
            _remember(self._groups, price.product_id, price.group)
        return price

    def group_of(self, product_id: str) -> str:
        """Return the group of a product: its metadata's `group`."""
        known = self._groups.get(product_id)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        group = _group(self._stripe.v1.products.retrieve(product_id))
        with self._lock:
            _remember(self._groups, product_id, group)
        return group


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
    return dict(product.metadata.to_dict() if product.metadata else {}).get("group") or DEFAULT_GROUP


def _not_sold(price_id: str, message: str) -> ServiceError:
    return ServiceError(400, "PRICE_NOT_FOUND", message, f"Stripe has no active price {price_id}.", field="price_id")
