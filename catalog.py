"""What is sold: `products.json` read into a `Catalog` of plans and items. The only reader of that file.

`load_catalog` refuses a bad file with every problem at once. The ids here are what a browser may name; amounts,
currencies and products always come from here. Formatting of amounts is in `money.py`, rules between entries in
`catalog_rules.py`.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    StrictBool,
    StringConstraints,
    ValidationError,
    field_validator,
)

from catalog_rules import CatalogProblem, problems_between, problems_in, read_json
from money import format_money, is_currency

__all__ = [
    "Catalog",
    "CatalogError",
    "CatalogProblem",
    "Comparison",
    "Feature",
    "Interval",
    "Item",
    "NotInCatalog",
    "Offer",
    "Plan",
    "Price",
    "Question",
    "Saving",
    "Text",
    "UnknownPrice",
    "format_money",
    "load_catalog",
    "parse_catalog",
]  # fmt: skip

LARGEST_AMOUNT: Final = 99_999_999
"""Stripe takes amounts of at most eight digits (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."""

Words = Annotated[
    str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}([_-][A-Za-z0-9]{2,8})*$")]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
StripeId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,255}$")]


class NotInCatalog(KeyError):
    """The catalog holds no plan, item or product of this id."""


class UnknownPrice(NotInCatalog):
    """The catalog sells nothing at this price id."""


class CatalogError(Exception):
    """The file can't be used; `problems` holds every fault found in it, each with field, value and reason."""

    def __init__(self, path: Path, problems: tuple[CatalogProblem, ...]) -> None:
        super().__init__("\n".join(f"{path}: {problem}" for problem in problems))
        self.path = path
        self.problems = problems


class Interval(StrEnum):
    """How often a subscription's price is charged, in Stripe's words."""

    MONTH = "month"
    YEAR = "year"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(RootModel[Words | dict[Locale, Words]]):
    """Words for a reader: one text, or one for each language with `en` among them."""

    model_config = ConfigDict(frozen=True)

    @field_validator("root")
    @classmethod
    def _has_english(cls, root: str | dict[str, str]) -> str | dict[str, str]:
        if isinstance(root, dict) and "en" not in root:
            raise ValueError("translations need an English text (en)")
        return root

    def in_(self, locale: str) -> str:
        """Return the text in a locale such as `de` or `pt-BR`, else in its language, else in English."""
        if isinstance(self.root, str):
            return self.root
        names = {name.replace("_", "-").lower(): text for name, text in self.root.items()}
        wanted = locale.replace("_", "-").lower()
        return names.get(wanted) or names.get(wanted.partition("-")[0]) or self.root["en"]

    def __str__(self) -> str:
        return self.in_("en")


class Price(_Entry):
    """An amount at Stripe: in minor units, with its currency in lower case; one-off when `interval` is None."""

    price_id: StripeId
    amount: int = Field(strict=True, ge=1, le=LARGEST_AMOUNT, description="In minor units: 2900 is $29.00.")
    currency: str = Field(description="ISO 4217 in lower case, such as usd.")
    interval: Interval | None = Field(None, description="Taken from the key under prices; may be left out.")
    trial_days: int = Field(0, strict=True, ge=0, le=730, description="Days before the first charge.")

    @field_validator("currency")
    @classmethod
    def _known(cls, currency: str) -> str:
        if not is_currency(currency):
            raise ValueError("not a currency in lower case, such as usd")
        return currency

    def format(self, locale: str = "en", *, trim: bool = False) -> str:
        """Return the amount as people write it in `locale`."""
        return format_money(self.amount, self.currency, locale, trim=trim)


class Feature(_Entry):
    """One line of a plan card, with a muted second line when there is more to say."""

    text: Text
    note: Text | None = None


class Plan(_Entry):
    """Something to subscribe to, or the free plan, or one that is sold by talking."""

    id: Id
    name: Text
    tagline: Text
    kind: Literal["free", "paid", "contact"]
    product_id: StripeId | None = None
    prices: dict[Interval, Price] = Field(default_factory=dict)
    features: tuple[Feature, ...] = ()
    includes: Id | None = Field(None, description="The plan of which this one has everything, and more.")
    highlighted: bool = Field(False, description="The plan most people should take; at most one.")
    contact_url: Annotated[str, StringConstraints(pattern=r"^(https?://|mailto:)\S+$")] | None = None
    group: Id = Field("main", description="Of the plans in one group a user can have one.")

    @field_validator("prices")
    @classmethod
    def _with_intervals(cls, prices: dict[Interval, Price]) -> dict[Interval, Price]:
        return {interval: price.model_copy(update={"interval": interval}) for interval, price in prices.items()}


class Item(_Entry):
    """Something that is bought once, in a quantity between its limits."""

    id: Id
    name: Text
    description: Text
    image: str = Field(pattern=r"^[a-z0-9][a-z0-9_./-]*$", description="A Material icon's name or a bundled svg.")
    product_id: StripeId
    price: Price
    min_quantity: int = Field(1, strict=True, ge=1, le=10_000)
    max_quantity: int = Field(10, strict=True, ge=1, le=10_000)


class ComparisonRow(_Entry):
    """One property of all plans: yes, no or a value by plan id; a plan left out does not have it."""

    name: Text
    note: Text | None = None
    values: dict[Id, StrictBool | Text]


class ComparisonGroup(_Entry):
    """Rows under one heading."""

    name: Text
    rows: tuple[ComparisonRow, ...] = Field(min_length=1)


class Comparison(_Entry):
    """The table below the plan cards."""

    groups: tuple[ComparisonGroup, ...] = ()


class Question(_Entry):
    """A question that buyers ask, and its answer."""

    q: Text
    a: Text


@dataclass(frozen=True)
class Offer:
    """What a price id buys: a plan or an item, never both."""

    price: Price
    plan: Plan | None
    item: Item | None
    product_id: str
    name: Text


@dataclass(frozen=True)
class Saving:
    """What a year costs less than twelve months: minor units, whole months' worth, and percent, both rounded down."""

    amount: int
    currency: str
    months: int
    percent: int


class Catalog(_Entry):
    """All that is sold, in the order it is shown."""

    json_schema: str | None = Field(None, alias="$schema", description="Where editors find the schema.")
    plans: tuple[Plan, ...] = Field(min_length=1)
    items: tuple[Item, ...] = ()
    comparison: Comparison = Comparison()
    questions: tuple[Question, ...] = ()

    @cached_property
    def version(self) -> str:
        """Twelve hexadecimal digits that change with any text or price, but not with the file's layout."""
        return hashlib.sha256(self.model_dump_json(exclude={"json_schema"}).encode()).hexdigest()[:12]

    @cached_property
    def _offers(self) -> dict[str, Offer]:
        return {offer.price.price_id: offer for offer in self.offers()}

    def offers(self) -> Iterator[Offer]:
        """Yield everything that has a price, plans first."""
        for plan in self.plans:
            for price in plan.prices.values():
                yield Offer(price, plan, None, plan.product_id or "", plan.name)
        for item in self.items:
            yield Offer(item.price, None, item, item.product_id, item.name)

    def offer(self, price_id: str) -> Offer:
        """Return what a price buys; raise UnknownPrice for a price that is not sold (any more)."""
        try:
            return self._offers[price_id]
        except KeyError:
            raise UnknownPrice(price_id) from None

    def plan(self, plan_id: str) -> Plan:
        """Return the plan of this id; raise NotInCatalog if there is none."""
        return _by_id(self.plans, plan_id)

    def item(self, item_id: str) -> Item:
        """Return the item of this id; raise NotInCatalog if there is none."""
        return _by_id(self.items, item_id)

    def plan_for_product(self, product_id: str) -> Plan | None:
        """Return the plan that a Stripe product stands for, or None for a product of something else."""
        return next((plan for plan in self.plans if plan.product_id == product_id), None)

    def group(self, plan: Plan) -> tuple[Plan, ...]:
        """Return the plans of which a user can have one at a time, `plan` among them."""
        return tuple(other for other in self.plans if other.group == plan.group)

    def yearly_saving(self, plan: Plan) -> Saving | None:
        """Return what a plan's yearly price saves, or None where there is no choice or nothing to save."""
        month, year = plan.prices.get(Interval.MONTH), plan.prices.get(Interval.YEAR)
        if month is None or year is None or year.amount >= 12 * month.amount:
            return None
        amount = 12 * month.amount - year.amount
        return Saving(amount, year.currency, amount // month.amount, amount * 100 // (12 * month.amount))


Sold = TypeVar("Sold", Plan, Item)


def load_catalog(path: str | Path) -> Catalog:
    """Return the catalog in a file; raise CatalogError with every problem that it has."""
    path = Path(path)
    try:
        return parse_catalog(path.read_bytes(), path)
    except OSError as error:
        reason = f"can't be read: {error.strerror}; set CATALOG_PATH to a readable file"
        raise CatalogError(path, (CatalogProblem("the file", path.name, reason),)) from None


def parse_catalog(text: str | bytes, path: str | Path = "products.json") -> Catalog:
    """Return the catalog in a JSON text; `path` is for the words of the CatalogError that it raises."""
    try:
        raw, problems = read_json(text)
    except (ValueError, RecursionError) as error:
        raise CatalogError(Path(path), (CatalogProblem("the file", "", f"is not JSON: {error}"),)) from None
    problems += problems_between(raw)
    try:
        catalog = Catalog.model_validate(raw)
    except ValidationError as error:
        problems = [*problems_in(error), *problems]
    if problems:
        raise CatalogError(Path(path), tuple(problems))
    return catalog


def _by_id(entries: tuple[Sold, ...], wanted: str) -> Sold:
    for entry in entries:
        if entry.id == wanted:
            return entry
    raise NotInCatalog(wanted)
