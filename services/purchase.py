"""A purchase: what one press means to buy, as the user was shown it. The one object on the way from a button to Stripe.

A page makes it from the catalog, a form carries it as fields (`fields`, `from_fields`), the use case holds it against
the catalog of the moment (`as_sold`), and the Payment MS's client sends what it sells. Amounts are minor units.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, Self

from pydantic import BaseModel, ConfigDict

from catalog import Catalog, Item, Offer, Plan, Price, UnknownPrice
from services.errors import (
    CartChanged,
    CartEmpty,
    CartFull,
    CatalogChanged,
    InvalidQuantity,
    MixedCurrencies,
    PriceNotSold,
)

MOST_LINES: Final = 20
"""The Payment MS takes 1 to 20 lines in one cart."""


class CheckoutKind(StrEnum):
    """What a checkout sells."""

    SUBSCRIPTION = "subscription"
    ITEM = "item"
    CART = "cart"


class PurchaseLine(BaseModel):
    """A price, how many, and the terms that go with it: what one costs, how often, after how many free days.

    `currency` is None only in a line that an earlier release wrote down.
    """

    model_config = ConfigDict(frozen=True)

    price_id: str
    product_id: str | None = None
    name: str = ""
    quantity: int = 1
    amount: int
    currency: str | None = None
    interval: str | None = None
    trial_days: int = 0

    @classmethod
    def of(cls, sold: Plan | Item, price: Price, quantity: int = 1) -> Self:
        """Return the line of something that the catalog sells at a price."""
        return cls(
            price_id=price.price_id,
            product_id=sold.product_id,
            name=str(sold.name),
            quantity=quantity,
            amount=price.amount,
            currency=price.currency,
            interval=price.interval,
            trial_days=price.trial_days,
        )

    @property
    def terms(self) -> tuple[int, str | None, str | None, int]:
        """What has to be the same where it is shown and where it is sold."""
        return self.amount, self.currency, self.interval, self.trial_days


class Purchase(BaseModel):
    """What a press means to buy, and what the user has been asked and answered so far.

    `instead_of` names a checkout (our id) that the user was asked about, did not pay, and gives up for this one;
    `resume` one that this press goes on with; `reuse` says that it goes on with the open one, whichever that is: a
    program's press, whose answer names it. `has_ended` answers the plain questions of `services/checkout/guards.py`.
    `trial_shown` says that the user was shown the plan's free trial as theirs, which it is for new customers only.
    """

    model_config = ConfigDict(frozen=True)

    kind: CheckoutKind
    lines: tuple[PurchaseLine, ...]
    instead_of: str | None = None
    resume: str | None = None
    reuse: bool = False
    has_ended: bool = False
    trial_shown: bool = False

    @classmethod
    def of_plan(cls, plan: Plan, price: Price) -> Self:
        """Return a first press on a plan."""
        return cls(kind=CheckoutKind.SUBSCRIPTION, lines=(PurchaseLine.of(plan, price),))

    @classmethod
    def of_item(cls, item: Item, quantity: int = 1) -> Self:
        """Return a first press on an item."""
        return cls(kind=CheckoutKind.ITEM, lines=(PurchaseLine.of(item, item.price, quantity),))

    @classmethod
    def of(cls, offer: Offer, quantity: int = 1) -> Self:
        """Return a first press on what a price of the catalog buys."""
        if offer.item is not None:
            return cls.of_item(offer.item, quantity)
        if offer.plan is None:
            raise PriceNotSold("a price that belongs to neither a plan nor an item")
        purchase = cls.of_plan(offer.plan, offer.price)
        return purchase.model_copy(update={"lines": (purchase.lines[0].model_copy(update={"quantity": quantity}),)})

    @classmethod
    def of_cart(cls, lines: Iterable[PurchaseLine]) -> Self:
        """Return a first press on what a cart holds."""
        return cls(kind=CheckoutKind.CART, lines=tuple(lines))

    @property
    def price_id(self) -> str:
        """The price of the first line: the only one unless this is a cart."""
        return self.lines[0].price_id

    def is_same_as(self, other: "Purchase") -> bool:
        """Whether both buy the same things, in the same quantities, on the same terms."""
        return self.kind is other.kind and self._content == other._content

    @property
    def _content(self) -> list[tuple[str, int, tuple[int, str, str, int]]]:
        return sorted(
            (line.price_id, line.quantity, (line.amount, line.currency or "", line.interval or "", line.trial_days))
            for line in self.lines
        )

    def instead(self, checkout_id: str) -> Self:
        """Return the same press with that checkout given up for it."""
        return self.model_copy(update={"instead_of": checkout_id, "resume": None})

    def resuming(self, checkout_id: str) -> Self:
        """Return the same press as one that goes on with that checkout."""
        return self.model_copy(update={"resume": checkout_id, "instead_of": None})

    def showing_trial(self, shown: bool) -> Self:
        """Return the same press as one of a page that offered the trial, or did not."""
        return self.model_copy(update={"trial_shown": shown})

    def answered(self) -> Self:
        """Return the same press with the plain question answered: it has ended, or was not charged."""
        return self.model_copy(update={"has_ended": True})

    def as_sold(self, catalog: Catalog) -> Self:
        """Return the purchase with the catalog's own products and names.

        Raises CatalogChanged where any term differs from what was shown, PriceNotSold, InvalidQuantity, and for a cart
        CartEmpty, CartFull and MixedCurrencies.
        """
        if self.kind is CheckoutKind.CART:
            self._check_cart()
        sold: list[PurchaseLine] = []
        for line in self.lines:
            offer = offer_of(catalog, line.price_id)
            self._check_line(line, offer)
            sold.extend(type(self).of(offer, line.quantity).lines)
        for line, now in zip(self.lines, sold, strict=True):
            if line.product_id not in (None, now.product_id):
                raise CatalogChanged(f"{line.price_id} was shown for {line.product_id}, is sold for {now.product_id}")
            if line.terms != now.terms:
                raise CatalogChanged(f"{line.price_id} was shown as {line.terms}, is sold as {now.terms}")
        return self.model_copy(update={"lines": tuple(sold)})

    def _check_cart(self) -> None:
        if not self.lines:
            raise CartEmpty("checkout of an empty cart")
        if len(self.lines) > MOST_LINES:
            raise CartFull(f"{len(self.lines)} lines")
        if len({line.currency for line in self.lines}) > 1:
            raise MixedCurrencies("a cart in more than one currency")

    def _check_line(self, line: PurchaseLine, offer: Offer) -> None:
        item = offer.item
        if item is None:
            if self.kind is not CheckoutKind.SUBSCRIPTION:
                raise PriceNotSold("a plan can't be bought as an item or in a cart")
            if line.quantity != 1:
                raise InvalidQuantity("a plan is bought once")
        elif self.kind is CheckoutKind.SUBSCRIPTION:
            raise PriceNotSold("an item is no subscription")
        elif not item.min_quantity <= line.quantity <= item.max_quantity:
            raise InvalidQuantity(f"{line.quantity} of {item.id}; sold in {item.min_quantity} to {item.max_quantity}")

    @property
    def fields(self) -> dict[str, str]:
        """What a form posts for a plan or an item: what was shown, and the answers so far."""
        line = self.lines[0]
        fields = {"price_id": line.price_id, "amount": str(line.amount), "currency": line.currency or ""}
        if line.product_id:
            fields["product_id"] = line.product_id
        if self.kind is CheckoutKind.SUBSCRIPTION:
            fields |= {"interval": line.interval or "", "trial_days": str(line.trial_days)}
            fields["trial_shown"] = "true" if self.trial_shown else "false"
        if line.quantity != 1:
            fields["quantity"] = str(line.quantity)
        return fields | self.answers

    @property
    def answers(self) -> dict[str, str]:
        """The part of `fields` that says what the user has answered."""
        given = {"instead_of": self.instead_of, "resume": self.resume, "has_ended": "true" if self.has_ended else None}
        return {name: text for name, text in given.items() if text is not None}

    @classmethod
    def from_fields(cls, fields: Mapping[str, str], catalog: Catalog) -> Self:
        """Return the purchase that a form of a plan or an item posts.

        What it does not state is taken from the catalog, if it was drawn from the one in force. Raises PriceNotSold,
        InvalidQuantity for a field that holds no number, and CatalogChanged.
        """
        offer = offer_of(catalog, fields.get("price_id", ""))
        if not fields.get("amount") and fields.get("catalog") not in (None, "", catalog.version):
            raise CatalogChanged("the form was drawn from another version of the catalog")
        quantity = whole_number(fields.get("quantity"))
        purchase = cls.of(offer, 1 if quantity is None else quantity)
        return purchase.shown_as(fields).with_answers(fields)

    def shown_as(self, fields: Mapping[str, str]) -> Self:
        """Return the purchase with the terms of its one line as a form says that they were shown."""
        numbers = {name: whole_number(fields.get(name)) for name in ("amount", "trial_days")}
        shown: dict[str, int | str] = {name: number for name, number in numbers.items() if number is not None}
        shown |= {name: fields[name] for name in ("currency", "interval", "product_id") if fields.get(name)}
        lines = (self.lines[0].model_copy(update=shown),)
        return self.model_copy(update={"lines": lines, "trial_shown": fields.get("trial_shown") == "true"})

    def with_answers(self, fields: Mapping[str, str]) -> Self:
        """Return the purchase with the answers that a form posts."""
        answers = {
            "instead_of": fields.get("instead_of") or None,
            "resume": fields.get("resume") or None,
            "has_ended": fields.get("has_ended") in ("true", "on", "1"),
        }
        return self.model_copy(update=answers)

    @property
    def cart_fields(self) -> dict[str, str]:
        """What a cart's form posts: each line as it was shown, and the answers."""
        shown = {f"amount.{line.price_id}": str(line.amount) for line in self.lines}
        shown |= {f"quantity.{line.price_id}": str(line.quantity) for line in self.lines}
        shown |= {f"currency.{line.price_id}": line.currency or "" for line in self.lines}
        return shown | self.answers

    def shown_as_cart(self, fields: Mapping[str, str]) -> Self:
        """Return the cart's purchase as its form says that it was shown, with the answers.

        Raises CartChanged where the form's page showed other lines than the cart holds.
        """
        shown = {name.removeprefix("amount.") for name in fields if name.startswith("amount.")}
        if shown and shown != {line.price_id for line in self.lines}:
            raise CartChanged("the page showed other lines than the cart holds")
        lines = []
        for line in self.lines:
            amount = whole_number(fields.get(f"amount.{line.price_id}"))
            currency = fields.get(f"currency.{line.price_id}") or line.currency
            update = {"amount": line.amount if amount is None else amount, "currency": currency}
            lines.append(line.model_copy(update=update))
        return self.model_copy(update={"lines": tuple(lines)}).with_answers(fields)


def offer_of(catalog: Catalog, price_id: str) -> Offer:
    """Return what a price buys; raises PriceNotSold."""
    try:
        return catalog.offer(price_id)
    except UnknownPrice:
        raise PriceNotSold("a price that the catalog does not sell") from None


def whole_number(text: str | None) -> int | None:
    """Return the number in a form's field; None for an empty one. Raises InvalidQuantity for anything else."""
    if text is None or not text.strip():
        return None
    if re.fullmatch(r"\d{1,12}", text.strip(), re.ASCII) is None:
        raise InvalidQuantity("a form field holds no number")
    return int(text)
