"""The entries of `products.json`: plans with their prices, items, the comparison, questions and promises.

`catalog.py` reads the file and answers what is sold; rules between entries are in `catalog_rules.py`.
"""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    StrictBool,
    StringConstraints,
    Tag,
    field_validator,
)

from money import format_money, is_currency

LARGEST_AMOUNT: Final = 99_999_999
"""Stripe takes amounts of at most eight digits (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."""

LARGEST_GRANT: Final = 2**53 - 1
"""The largest number that every reader of JSON keeps as it is."""

Words = Annotated[
    str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}([_-][A-Za-z0-9]{2,8})*$")]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
StripeId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,255}$")]
FeatureKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Alias = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
]

PICTURES: Final = frozenset(("svg", "png", "webp", "jpg", "jpeg"))
"""Kinds of files that pictures of items may have."""


class Interval(StrEnum):
    """How often a subscription's price is charged, in Stripe's words."""

    MONTH = "month"
    YEAR = "year"


class Entry(BaseModel):
    """One object of the file: nothing in it changes, and an unknown field is a fault."""

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


class Price(Entry):
    """An amount at Stripe: in minor units, with its currency in lower case; one-off when `interval` is None."""

    price_id: StripeId
    amount: int = Field(strict=True, ge=1, le=LARGEST_AMOUNT, description="In minor units: 2900 is $29.00.")
    currency: str = Field(description="ISO 4217 in lower case, such as usd.")
    interval: Interval | None = Field(None, description="Taken from the key under prices; may be left out.")
    trial_days: int = Field(0, strict=True, ge=0, le=730, description="Days before the first charge.")
    retired: StrictBool = Field(False, description="Sold no more; who has it keeps it, and it is still recognised.")
    until: AwareDatetime | None = Field(
        None, description="When it retires by itself: a date and time with its zone, such as 2027-01-01T00:00:00Z."
    )

    @field_validator("currency")
    @classmethod
    def _known(cls, currency: str) -> str:
        if not is_currency(currency):
            raise ValueError("not a currency in lower case, such as usd")
        return currency

    def format(self, locale: str = "en", *, trim: bool = False) -> str:
        """Return the amount as people write it in `locale`."""
        return format_money(self.amount, self.currency, locale, trim=trim)


class FeatureLine(Entry):
    """One line of a plan card, with a muted second line when there is more to say."""

    text: Text
    note: Text | None = None


class Feature(Entry):
    """Something that plans unlock: what your services ask for by its key, and how readers call it."""

    key: FeatureKey
    kind: Literal["flag", "number", "text"]
    name: Text
    unit: Text | None = Field(None, description="What a number counts, such as GB; shown behind it.")
    adds_up: Literal["sum", "max"] = Field(
        "sum", description="What a number is where plans of several groups grant it: their sum, or the largest."
    )


def _form(value: object) -> str:
    """Return by which of a grant's forms a value is read, so that only that one's faults are told."""
    return "bool" if isinstance(value, bool) else "int" if isinstance(value, int | float) else "Text"


Grant = Annotated[
    Annotated[StrictBool, Tag("bool")]
    | Annotated[int, Field(strict=True, ge=0, le=LARGEST_GRANT), Tag("int")]
    | Annotated[Text, Tag("Text")],
    Discriminator(_form),
]
"""What a plan grants of a feature: yes or no, a number or `unlimited`, or a text, as the feature's kind says."""


class Plan(Entry):
    """Something to subscribe to, or the free plan, or one that is sold by talking.

    A plan has a life: what is `retired` is offered to nobody, and still known by name, asked about and granted. Former
    ids are those of products and prices that were sold as this plan; of what they cost nothing is known here.
    """

    id: Id
    name: Text
    tagline: Text
    kind: Literal["free", "paid", "contact"]
    product_id: StripeId | None = None
    prices: dict[Interval, Price] = Field(default_factory=dict)
    features: tuple[FeatureLine, ...] = Field(
        (), description="The card's lines; without them they are drawn from what the plan grants."
    )
    grants: dict[FeatureKey, Grant] = Field(
        default_factory=dict,
        description="What the plan unlocks, by the keys of the catalog's features; beside what it includes.",
    )
    includes: Id | None = Field(None, description="The plan of which this one has everything, and more.")
    highlighted: bool = Field(False, description="The plan most people should take; at most one.")
    contact_url: Annotated[str, StringConstraints(pattern=r"^(https?://|mailto:)\S+$")] | None = None
    group: Id = Field("main", description="Of the plans in one group a user can have one.")
    retired: StrictBool = Field(False, description="Offered to nobody; who has it keeps it, and its name.")
    former_product_ids: tuple[StripeId, ...] = Field(
        (), description="Earlier Stripe products of this plan; customers are asked about them too."
    )
    former_price_ids: tuple[StripeId, ...] = Field((), description="Earlier Stripe prices of this plan.")
    also_known_as: tuple[Alias, ...] = Field((), description="Other words by which an account names this plan.")

    @field_validator("prices")
    @classmethod
    def _with_intervals(cls, prices: dict[Interval, Price]) -> dict[Interval, Price]:
        return {interval: price.model_copy(update={"interval": interval}) for interval, price in prices.items()}

    @property
    def offered(self) -> dict[Interval, Price]:
        """The prices at which it can be bought now, by interval."""
        return {} if self.retired else {name: price for name, price in self.prices.items() if not price.retired}

    @property
    def on_sale(self) -> bool:
        """Whether it is offered: not retired, and if it is paid with a price that is not."""
        return not self.retired and (self.kind != "paid" or bool(self.offered))

    @property
    def products(self) -> tuple[str, ...]:
        """The Stripe products that stand for it, the present one first."""
        return ((self.product_id,) if self.product_id else ()) + self.former_product_ids


class Item(Entry):
    """Something that is bought once, in a quantity between its limits."""

    id: Id
    name: Text
    description: Text
    image: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_./-]*$",
        description="A drawing of ours by name, or a picture of yours: a file beside this one, such as mugs/blue.webp.",
    )
    product_id: StripeId
    price: Price
    min_quantity: int = Field(1, strict=True, ge=1, le=10_000)
    max_quantity: int = Field(10, strict=True, ge=1, le=10_000)

    @property
    def picture_file(self) -> str:
        """The picture's file beside the catalog, as its path from there; empty for a drawing of ours."""
        return self.image if self.image.rpartition(".")[2].lower() in PICTURES and "." in self.image else ""


class ComparisonRow(Entry):
    """One property of all plans: yes, no or a value by plan id; a plan left out does not have it.

    A row may name a `feature` instead: then its name is the feature's, and its values are what the plans grant.
    """

    name: Text | None = None
    note: Text | None = None
    values: dict[Id, StrictBool | Text] = Field(default_factory=dict)
    feature: FeatureKey | None = Field(None, description="A feature's key, instead of name and values.")


class ComparisonGroup(Entry):
    """Rows under one heading."""

    name: Text
    rows: tuple[ComparisonRow, ...] = Field(min_length=1)


class Comparison(Entry):
    """The table below the plan cards."""

    groups: tuple[ComparisonGroup, ...] = ()


class Question(Entry):
    """A question that buyers ask, and its answer."""

    q: Text
    a: Text


class Promises(Entry):
    """What the operator promises to buyers. Nothing of it is said on a page unless it stands here."""

    cancel_any_time: StrictBool = Field(False, description="A subscription can be ended at any time in the portal.")
    change_any_time: StrictBool = Field(False, description="The plan can be changed at any time in the portal.")
    free_without_card: StrictBool = Field(False, description="The free plan asks for no card.")
    others: tuple[Text, ...] = Field((), max_length=4, description="Further short promises, in words of your own.")
