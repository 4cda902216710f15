"""What a service of the second version tells of a subscription: price, next charge, a change that is booked, a pause.

Amounts are minor units of their currency, times aware UTC. None is "not told". Of what a charge is made up is said only
where the numbers themselves prove it: no field says whether tax is within a price or on top of it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from pydantic import AwareDatetime

from services.upstream.responses import read_moment

_CURRENCY: Final = re.compile(r"[a-zA-Z]{3}", re.ASCII)
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,255}", re.ASCII)
_INTERVALS: Final = frozenset({"day", "week", "month", "year"})
_MOST: Final = 10**12
"""More minor units than any price has."""


@dataclass(frozen=True, slots=True)
class ListPrice:
    """What one period costs before discount and tax, for all of the quantity."""

    amount: int
    currency: str
    interval: str


@dataclass(frozen=True, slots=True)
class NextCharge:  # the same name as the sandbox's, which writes what is read here
    """What will be charged next if nobody does anything, by Stripe's own preview. Tax and discount may be untold."""

    at: AwareDatetime
    amount: int
    currency: str
    tax: int | None = None
    discount: int | None = None

    def percent_off(self, price: ListPrice | None) -> int | None:
        """Return the discount as a whole number of hundredths of the list price; None where it is none."""
        if price is None or not self.discount or price.currency != self.currency or price.amount <= 0:
            return None
        percent = round(100 * self.discount / price.amount)
        exact = abs(price.amount * percent / 100 - self.discount) < 1
        return percent if exact and 1 <= percent < 100 else None

    def tax_form(self, price: ListPrice | None) -> Literal["included", "added"] | None:
        """Return whether the tax is within the list price or on top of it, where the sum proves one of them."""
        if price is None or not self.tax or price.currency != self.currency:
            return None
        before_tax = price.amount - (self.discount or 0)
        if self.amount == before_tax:
            return "included"
        return "added" if self.amount == before_tax + self.tax else None


@dataclass(frozen=True, slots=True)
class ScheduledChange:  # the same name as the sandbox's, which writes what is read here
    """A change of plan or price that is booked for later. `price` is None where it was not told."""

    at: AwareDatetime
    product_id: str
    price: ListPrice | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionDetails:
    """What was told beyond status, end and lifecycle. `nothing_next` says that nothing will be charged: a told null.

    `live_mode` is whether it is about real money. `resumes_at` is when payments that are paused go on.
    """

    price_id: str | None = None
    price: ListPrice | None = None
    next_charge: NextCharge | None = None
    nothing_next: bool = False
    change: ScheduledChange | None = None
    resumes_at: AwareDatetime | None = None
    live_mode: bool | None = None


_NOTHING: Final = SubscriptionDetails()


def read_details(content: object) -> SubscriptionDetails | None:
    """Return what stands in an answer's object; None where nothing of it is told."""
    if not isinstance(content, Mapping):
        return None
    pause = content.get("pause") or content.get("pause_collection")
    mode = content.get("livemode")
    found = SubscriptionDetails(
        price_id=_reference(content.get("price_id")),
        price=_price(content),
        next_charge=_charge(content.get("next_charge")),
        nothing_next="next_charge" in content and content["next_charge"] is None,
        change=_change(content.get("scheduled_change")),
        resumes_at=_moment(pause, "resumes_at"),
        live_mode=mode if isinstance(mode, bool) else None,
    )
    return None if found == _NOTHING else found


def _price(content: Mapping[object, object]) -> ListPrice | None:
    """Return the list price; None for a period of several intervals, which no sentence of ours names."""
    amount, currency, interval = _amount(content, "list_amount"), _currency(content), content.get("interval")
    if amount is None or currency is None or not isinstance(interval, str) or interval not in _INTERVALS:
        return None
    return ListPrice(amount, currency, interval) if content.get("interval_count", 1) == 1 else None


def _charge(content: object) -> NextCharge | None:
    if not isinstance(content, Mapping):
        return None
    at, amount, currency = _moment(content, "at"), _amount(content, "amount"), _currency(content)
    if at is None or amount is None or currency is None:
        return None
    return NextCharge(at, amount, currency, _amount(content, "tax"), _amount(content, "discount"))


def _change(content: object) -> ScheduledChange | None:
    if not isinstance(content, Mapping):
        return None
    at, product = _moment(content, "at"), _reference(content.get("product_id"))
    return ScheduledChange(at, product, _price(content)) if at is not None and product is not None else None


def _moment(content: object, name: str) -> datetime | None:
    return read_moment(content.get(name)) if isinstance(content, Mapping) else None


def _amount(content: Mapping[object, object], name: str) -> int | None:
    value = content.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST else None


def _currency(content: Mapping[object, object]) -> str | None:
    value = content.get("currency")
    return value.lower() if isinstance(value, str) and _CURRENCY.fullmatch(value) else None


def _reference(value: object) -> str | None:
    return value if isinstance(value, str) and _REFERENCE.fullmatch(value) else None
