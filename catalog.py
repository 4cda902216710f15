"""What is sold: `products.json` read into a `Catalog` of plans and items. The only reader of that file.

`load_catalog` refuses a bad file with every problem at once. The ids here are what a browser may name; amounts,
currencies and products always come from here. The entries are in `catalog_entries.py`, rules between them in
`catalog_rules.py`, formatting of amounts in `money.py`.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError

from catalog_entries import (
    Comparison,
    Entry,
    Feature,
    FeatureLine,
    Interval,
    Item,
    Plan,
    Price,
    Promises,
    Question,
    Text,
)
from catalog_rules import CatalogProblem, problem_of_json, problems_between, problems_in, read_json
from catalog_texts import Link, Links, Texts, own_texts
from money import format_money

__all__ = [
    "Catalog",
    "CatalogError",
    "CatalogProblem",
    "Comparison",
    "Feature",
    "FeatureLine",
    "FormerPlan",
    "Interval",
    "Item",
    "Link",
    "Links",
    "NotInCatalog",
    "Offer",
    "Plan",
    "Price",
    "Promises",
    "Question",
    "Saving",
    "Text",
    "Texts",
    "UnknownPrice",
    "format_money",
    "load_catalog",
    "parse_catalog",
]  # fmt: skip


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


@dataclass(frozen=True)
class FormerPlan:
    """A plan that somebody has or bought, as it was remembered: the catalog may know it no more."""

    id: str
    name: Text
    group: str
    product_id: str


class Catalog(Entry):
    """All that is sold, and what was sold once, in the order it is shown."""

    json_schema: str | None = Field(None, alias="$schema", description="Where editors find the schema.")
    plans: tuple[Plan, ...] = Field(min_length=1, description="All plans, the retired ones among them.")
    items: tuple[Item, ...] = ()
    features: tuple[Feature, ...] = Field((), description="What plans can unlock; each plan says so in its grants.")
    comparison: Comparison = Comparison()
    questions: tuple[Question, ...] = ()
    promises: Promises = Promises()
    texts: Texts = Texts()
    links: Links = Links()
    tax: Literal["included", "added", "none"] | None = Field(
        None,
        description="Whether the prices include tax, it is added at checkout, or none is charged; unsaid if absent.",
    )

    @cached_property
    def version(self) -> str:
        """Twelve hexadecimal digits that change with any text or price, but not with the file's layout."""
        return hashlib.sha256(self.model_dump_json(exclude={"json_schema"}).encode()).hexdigest()[:12]

    def own_texts(self) -> Iterator[tuple[str, Text]]:
        """Yield the operator's own words for pages, with their places in the file."""
        return own_texts(self.texts, self.links)

    @cached_property
    def _offers(self) -> dict[str, Offer]:
        return {offer.price.price_id: offer for offer in self.offers()}

    @cached_property
    def _by_product(self) -> dict[str, Plan]:
        return {product: plan for plan in self.plans for product in plan.products}

    @cached_property
    def _by_word(self) -> dict[str, Plan]:
        """Every word that means a plan. Ids and given aliases come before names, plans on sale before retired ones."""
        found: dict[str, Plan] = {}
        for plan in self.plans:
            prices = (price.price_id for price in plan.prices.values())
            for word in (plan.id, *plan.products, *prices, *plan.former_price_ids, *plan.also_known_as):
                found.setdefault(_word(word), plan)
        for plan in sorted(self.plans, key=lambda plan: not plan.on_sale):
            found.setdefault(_word(plan.name.in_("en")), plan)
        return found

    @cached_property
    def on_sale(self) -> tuple[Plan, ...]:
        """The plans that pages offer."""
        return tuple(plan for plan in self.plans if plan.on_sale)

    @property
    def free_plan(self) -> Plan | None:
        """The plan that costs nothing, if one is offered."""
        return next((plan for plan in self.on_sale if plan.kind == "free"), None)

    @cached_property
    def products(self) -> tuple[str, ...]:
        """Every product that stands for a plan, those sold now first: what a customer may have a subscription to."""
        now = tuple(plan.product_id for plan in self.on_sale if plan.product_id)
        return now + tuple(product for product in self._by_product if product not in now)

    def offers(self) -> Iterator[Offer]:
        """Yield everything that can be bought, plans first."""
        for plan in self.plans:
            for price in plan.offered.values():
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
        """Return the plan of this id, retired or not; raise NotInCatalog if there is none."""
        return _by_id(self.plans, plan_id)

    def item(self, item_id: str) -> Item:
        """Return the item of this id; raise NotInCatalog if there is none."""
        return _by_id(self.items, item_id)

    def plan_for_product(self, product_id: str) -> Plan | None:
        """Return the plan that a Stripe product stands for or once did, or None for a product of something else."""
        return self._by_product.get(product_id)

    def plan_named(self, word: str) -> Plan | None:
        """Return the plan that a service's word means: an id, product, price, alias or name, present or former."""
        return self._by_word.get(_word(word)) if word.strip() else None

    def group(self, plan: Plan) -> tuple[Plan, ...]:
        """Return the plans of which a user can have one at a time, `plan` and the retired ones among them."""
        return tuple(other for other in self.plans if other.group == plan.group)

    def group_products(self, plan: Plan) -> tuple[str, ...]:
        """Return all products, present and former, of the plans of which a user can have one at a time."""
        return tuple(product for other in self.group(plan) for product in other.products)

    def yearly_saving(self, plan: Plan) -> Saving | None:
        """Return what a plan's yearly price saves; None where there is no choice, or less than one percent to save."""
        month, year = plan.offered.get(Interval.MONTH), plan.offered.get(Interval.YEAR)
        if month is None or year is None:
            return None
        amount = 12 * month.amount - year.amount
        percent = amount * 100 // (12 * month.amount)
        return Saving(amount, year.currency, amount // month.amount, percent) if percent >= 1 else None

    def in_force(self, now: datetime, *, trials: bool = True, shop: bool = True) -> "Catalog":
        """Return the catalog as it is sold at a moment: prices whose time is over are retired.

        Without `trials` no price has one: the service that opens checkouts does not give them. Without a `shop` no item
        is sold.
        """
        plans = tuple(_in_force(plan, now, trials) for plan in self.plans)
        items = self.items if shop else ()
        return self if plans == self.plans and items == self.items else self._with(plans=plans, items=items)

    def remembering(self, former: Iterable[FormerPlan]) -> "Catalog":
        """Return the catalog with plans that it knows no more: as retired ones, so that who has them keeps them.

        A former plan whose id still stands here, or is another word for a plan, only had another product then.
        """
        plans = {plan.id: plan for plan in self.plans}
        known = set(self._by_product)
        for one in former:
            if one.product_id in known:
                continue
            known.add(one.product_id)
            plan = next((plan for plan in plans.values() if one.id in (plan.id, *plan.also_known_as)), None)
            plans[plan.id if plan else one.id] = _with_former(plan, one)
        return self if len(known) == len(self._by_product) else self._with(plans=tuple(plans.values()))

    def _with(self, **changes: tuple[Plan, ...] | tuple[Item, ...]) -> "Catalog":
        # Not `model_copy`: it would carry the cached answers of this catalog over to the other one.
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self).model_construct(**{**fields, **changes})


Sold = TypeVar("Sold", Plan, Item)


def load_catalog(path: str | Path) -> Catalog:
    """Return the catalog in a file; raise CatalogError with every problem that it has."""
    path = Path(path)
    try:
        catalog = parse_catalog(path.read_bytes(), path)
    except OSError as error:
        reason = f"can't be read: {error.strerror}; set CATALOG_PATH to a readable file"
        raise CatalogError(path, (CatalogProblem("the file", path.name, reason),)) from None
    missing = [
        CatalogProblem(f"items[{index}].image", item.image, f"there is no such file beside {path.name}")
        for index, item in enumerate(catalog.items)
        if item.picture_file and not (path.parent / item.picture_file).is_file() and not may_be_drawing(item)
    ]
    if missing:
        raise CatalogError(path, tuple(missing))
    return catalog


def may_be_drawing(item: Item) -> bool:
    """Say whether the name of a picture may be that of a drawing of ours, with the suffix of its file."""
    return item.image.endswith(".svg") and "/" not in item.image


def parse_catalog(text: str | bytes, path: str | Path = "products.json") -> Catalog:
    """Return the catalog in a JSON text; `path` is for the words of the CatalogError that it raises."""
    try:
        raw, problems = read_json(text)
    except (ValueError, RecursionError) as error:
        raise CatalogError(Path(path), (problem_of_json(error),)) from None
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


def _word(text: str) -> str:
    return text.strip().casefold()


def _in_force(plan: Plan, now: datetime, trials: bool) -> Plan:
    prices = {name: _price_in_force(price, now, trials) for name, price in plan.prices.items()}
    return plan if prices == plan.prices else plan.model_copy(update={"prices": prices})


def _price_in_force(price: Price, now: datetime, trials: bool) -> Price:
    over = price.until is not None and now >= price.until
    changes = {"retired": price.retired or over, "trial_days": price.trial_days if trials else 0}
    return price.model_copy(update=changes)


def _with_former(plan: Plan | None, former: FormerPlan) -> Plan:
    if plan is not None:
        return plan.model_copy(update={"former_product_ids": (*plan.former_product_ids, former.product_id)})
    return Plan.model_construct(
        id=former.id,
        name=former.name,
        tagline=former.name,
        kind="paid",
        product_id=former.product_id,
        group=former.group,
        retired=True,
    )
