"""What is sold in stories: a small catalog, and what operators do to one while people look at it."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

Document = dict[str, Any]

PRODUCT: Final = "prod_sandbox_"
"""What the ids of products begin with; the plan's or the item's own follows."""


def _plan(plan_id: str, month: int, year: int, *, trial: int = 0, group: str = "main") -> Document:
    prices = {
        interval: {"price_id": f"price_sandbox_{plan_id}_{interval}", "amount": amount, "currency": "usd"}
        for interval, amount in (("month", month), ("year", year))
        if amount
    }
    for price in prices.values():
        if trial:
            price["trial_days"] = trial
    return {
        "id": plan_id, "name": plan_id.title(), "tagline": "A plan", "kind": "paid",
        "product_id": f"{PRODUCT}{plan_id}", "prices": prices, "group": group,
    }  # fmt: skip


def _item(item_id: str, amount: int, most: int = 5) -> Document:
    return {
        "id": item_id, "name": item_id.title(), "description": "A thing", "image": "gift",
        "product_id": f"{PRODUCT}{item_id}", "max_quantity": most,
        "price": {"price_id": f"price_sandbox_{item_id}", "amount": amount, "currency": "usd"},
    }  # fmt: skip


BASE: Final[Document] = {
    "plans": [
        {"id": "free", "name": "Free", "tagline": "To try", "kind": "free"},
        _plan("basic", 900, 9000),
        {**_plan("premium", 2900, 29000), "highlighted": True},
        _plan("enterprise", 9900, 99000, trial=14),
        _plan("backup", 300, 0, group="addons"),
    ],
    "items": [_item("sticker", 500), _item("course", 4900, most=3)],
}

Change = Callable[[Document], None]


def _by_id(document: Document, entry_id: str) -> Document | None:
    return next((one for one in (*document["plans"], *document["items"]) if one["id"] == entry_id), None)


def _prices(document: Document, entry_id: str) -> list[Document]:
    entry = _by_id(document, entry_id)
    if entry is None:
        return []
    return [entry["price"]] if "price" in entry else list(entry["prices"].values())


def _dearer(entry_id: str, factor: float) -> Change:
    def change(document: Document) -> None:
        for price in _prices(document, entry_id):
            price["amount"] = round(price["amount"] * factor)

    return change


def _in_euros(entry_id: str) -> Change:
    def change(document: Document) -> None:
        for price in _prices(document, entry_id):
            price["currency"] = "eur"

    return change


def _trial(entry_id: str, days: int) -> Change:
    def change(document: Document) -> None:
        for price in _prices(document, entry_id):
            price.pop("trial_days", None)
            if days:
                price["trial_days"] = days

    return change


def _without(entry_id: str) -> Change:
    def change(document: Document) -> None:
        for kind in ("plans", "items"):
            document[kind] = [one for one in document[kind] if one["id"] != entry_id]

    return change


def _only(entry_id: str, interval: str, amount: int = 0) -> Change:
    def change(document: Document) -> None:
        entry = _by_id(document, entry_id)
        if entry is not None and interval in entry["prices"]:
            entry["prices"] = {interval: entry["prices"][interval]}
            entry["prices"][interval]["amount"] = amount or entry["prices"][interval]["amount"]

    return change


def _priced(entry_id: str, month: int, year: int) -> Change:
    def change(document: Document) -> None:
        entry = _by_id(document, entry_id)
        if entry is not None and len(entry.get("prices", {})) == 2:
            entry["prices"]["month"]["amount"], entry["prices"]["year"]["amount"] = month, year

    return change


def _retired(entry_id: str) -> Change:
    def change(document: Document) -> None:
        entry = _by_id(document, entry_id)
        if entry is not None:
            entry["retired"] = True
            entry["highlighted"] = False

    return change


def _promised(*promises: str) -> Change:
    def change(document: Document) -> None:
        document["promises"] = dict.fromkeys(promises, True)

    return change


def _taxed(how: str) -> Change:
    def change(document: Document) -> None:
        document["tax"] = how

    return change


CHANGES: Final[tuple[tuple[str, Change], ...]] = (
    ("premium costs a third more", _dearer("premium", 4 / 3)),
    ("premium is sold in euros", _in_euros("premium")),
    ("the trial of enterprise ends", _trial("enterprise", 0)),
    ("basic gets a trial", _trial("basic", 7)),
    ("premium is retired", _retired("premium")),
    ("basic is retired", _retired("basic")),
    ("premium is taken out of the file", _without("premium")),
    ("anybody may cancel and change at any time", _promised("cancel_any_time", "change_any_time")),
    ("prices are without tax", _taxed("added")),
    ("there is no free plan", _without("free")),
    ("basic is sold by the year only", _only("basic", "year", 12000)),
    ("premium is sold by the year only", _only("premium", "year", 12000)),
    ("premium is sold by the month only", _only("premium", "month")),
    ("basic is dearer by the year", _priced("basic", 900, 12000)),
    ("basic saves a cent a year", _priced("basic", 900, 10799)),
    ("basic saves 42 percent", _priced("basic", 900, 6264)),
    ("the course costs twice as much", _dearer("course", 2)),
    ("stickers are sold no more", _without("sticker")),
    ("the add-on is sold no more", _without("backup")),
)
"""What an operator may do to the file, one change a time, with the price ids as they were."""


class CatalogOfStory:
    """The catalog's file in one story, and what every plan was ever called there."""

    def __init__(self, path: Path, changes: tuple[int, ...] = ()) -> None:
        self.path = path
        self.document = copy.deepcopy(BASE)
        for number in changes:
            CHANGES[number % len(CHANGES)][1](self.document)
        self._write()

    def change(self, number: int) -> str:
        """Change the file; return what was done. A change that leaves nothing to sell is undone."""
        name, change = CHANGES[number % len(CHANGES)]
        before, self.document = self.document, copy.deepcopy(self.document)
        change(self.document)
        if not any(
            plan["kind"] == "paid" and plan.get("group") == "main" and not plan.get("retired")
            for plan in self.document["plans"]
        ):
            self.document = before
        self._write()
        return name

    def restore(self) -> None:
        """Go back to what was sold at first."""
        self.document = copy.deepcopy(BASE)
        self._write()

    def _write(self) -> None:
        made = self.path.with_suffix(".new")
        made.write_text(json.dumps(self.document), encoding="utf-8")
        made.replace(self.path)
