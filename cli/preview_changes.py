"""What a draft of the catalog changes, for whom: new customers, and those who are here by their records.

A pure comparison. What somebody has is read by its product: its name, what it unlocks and whether it is known follow
the catalog at once; what they pay never does, since that is Stripe's, and is said only as they bought it here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from catalog import Catalog, Item, Plan, Price
from money import format_money


class Concerns(StrEnum):
    """Whom a change is for."""

    NEW = "new customers"
    PRESENT = "present customers"
    NOBODY = "take care"


@dataclass(frozen=True, slots=True)
class CatalogChange:
    """One change, and whom it is for."""

    concerns: Concerns
    text: str

    def __str__(self) -> str:
        return f"{self.concerns}: {self.text}"


def changes_between(today: Catalog, draft: Catalog, held: Mapping[str, int]) -> tuple[CatalogChange, ...]:
    """Return what differs; `held` says of how many people billing has a subscription to a product on record."""
    found = [*_plans(today, draft, held), *_items(today, draft)]
    return tuple(found or [CatalogChange(Concerns.NOBODY, "Nothing differs but words that are the same to everybody.")])


def _plans(today: Catalog, draft: Catalog, held: Mapping[str, int]) -> Iterator[CatalogChange]:
    before, after = {plan.id: plan for plan in today.plans}, {plan.id: plan for plan in draft.plans}
    for plan in after.values():
        if plan.id not in before and plan.on_sale:
            yield CatalogChange(Concerns.NEW, f"{plan.name} is offered.")
    for name, old in before.items():
        new = after.get(name) or draft.plan_named(name)
        if new is None:
            yield from _gone(old, _holders(old, held))
        else:
            yield from _life(old, new, held, draft)
            yield from _prices(old, new)
            yield from _what_it_unlocks(old, new, _holders(old, held))


def _gone(old: Plan, holders: int) -> Iterator[CatalogChange]:
    if old.on_sale:
        yield CatalogChange(Concerns.NEW, f"{old.name} is sold no more.")
    if holders or old.product_id:
        yield CatalogChange(
            Concerns.PRESENT,
            f"{old.name} is not in the draft: {_who(holders)} keeps its name as it was remembered, and nothing "
            "that it unlocks. Keep it with retired: true instead.",
        )


def _life(old: Plan, new: Plan, held: Mapping[str, int], draft: Catalog) -> Iterator[CatalogChange]:
    holders = _holders(old, held)
    if str(old.name) != str(new.name):
        words = f"{old.name} is called {new.name}; {_who(holders)} reads the new name."
        yield CatalogChange(Concerns.PRESENT, words)
    if old.on_sale and not new.on_sale:
        yield CatalogChange(Concerns.NEW, f"{old.name} is sold no more.")
        words = f"{old.name} stays with {_who(holders)}: its name and what it unlocks."
        yield CatalogChange(Concerns.PRESENT, words)
    elif new.on_sale and not old.on_sale:
        yield CatalogChange(Concerns.NEW, f"{new.name} is offered again.")
    for product in old.products:
        if draft.plan_for_product(product) is None:
            yield CatalogChange(
                Concerns.PRESENT,
                f"{product} no longer means {old.name}: {_who(held.get(product, 0))} would have a plan that "
                f"nobody knows. Name it in former_product_ids of {new.id}.",
            )
    if old.group != new.group:
        yield CatalogChange(
            Concerns.PRESENT,
            f"{old.name} moves from group {old.group} to {new.group}: one of each group can be had, so who has it may "
            f"buy another of {old.group}, and two of {new.group} count as paid twice.",
        )


def _prices(old: Plan, new: Plan) -> Iterator[CatalogChange]:
    for interval, price in new.prices.items():
        before = old.prices.get(interval)
        if before is None:
            if interval in new.offered:
                yield CatalogChange(Concerns.NEW, f"{new.name} can be had by the {interval}: {_amount(price)}.")
            continue
        if _terms(before) != _terms(price):
            yield CatalogChange(
                Concerns.NEW,
                f"{new.name} by the {interval} costs {_amount(price)} instead of {_amount(before)}. Whoever has it "
                "goes on paying what it costs them at Stripe, and reads no other price.",
            )
            if before.price_id == price.price_id:
                yield CatalogChange(
                    Concerns.NOBODY,
                    f"{price.price_id} stands for another amount than before: a price at Stripe can't be changed. Make "
                    "a new one there, and name this one in former_price_ids.",
                )
        if before.trial_days != price.trial_days:
            days = f"{price.trial_days} days free instead of {before.trial_days}"
            yield CatalogChange(Concerns.NEW, f"{new.name} by the {interval} has {days}.")
        if before.price_id not in (price.price_id, *new.former_price_ids):
            words = f"{before.price_id} no longer means {new.name}: name it in former_price_ids of {new.id}."
            yield CatalogChange(Concerns.PRESENT, words)
    for interval in old.offered:
        if new.on_sale and interval not in new.offered:
            yield CatalogChange(Concerns.NEW, f"{new.name} can't be had by the {interval} any more.")


def _what_it_unlocks(old: Plan, new: Plan, holders: int) -> Iterator[CatalogChange]:
    for key in sorted({*old.grants, *new.grants}):
        was, is_ = old.grants.get(key), new.grants.get(key)
        if was != is_:
            words = f"{new.name} grants {_grant(is_)} of {key} instead of {_grant(was)}"
            yield CatalogChange(Concerns.PRESENT, f"{words}: {_who(holders)} gets that at once.")


def _items(today: Catalog, draft: Catalog) -> Iterator[CatalogChange]:
    before, after = {item.id: item for item in today.items}, {item.id: item for item in draft.items}
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if new is None:
            yield CatalogChange(Concerns.NEW, f"{_item(old)} is sold no more, and leaves carts.")
        elif old is None:
            yield CatalogChange(Concerns.NEW, f"{new.name} is sold for {_amount(new.price)}.")
        elif _terms(old.price) != _terms(new.price):
            amounts = f"{_amount(new.price)} instead of {_amount(old.price)}"
            yield CatalogChange(Concerns.NEW, f"{new.name} costs {amounts}, in carts too.")


def _holders(plan: Plan, held: Mapping[str, int]) -> int:
    return sum(held.get(product, 0) for product in plan.products)


def _who(count: int) -> str:
    """Return who has something, with how many that are."""
    return f"who has it ({count} now)"


def _terms(price: Price) -> tuple[int, str]:
    return price.amount, price.currency


def _amount(price: Price) -> str:
    return format_money(price.amount, price.currency, "en")


def _grant(value: object) -> str:
    return "nothing" if value is None or value is False else "it" if value is True else str(value)


def _item(item: Item | None) -> str:
    return str(item.name) if item is not None else "An item"
