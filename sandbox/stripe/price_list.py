"""What is sold, for the hosted pages: names and prices by Stripe's price id. The only user of our `catalog`."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from catalog import Catalog, CatalogError, format_money, load_catalog
from sandbox.database import Database, DocumentStore
from sandbox.stripe.objects import LineItem

__all__ = ["PriceChange", "PriceInactive", "PriceList", "PriceNotFound", "money"]


class PriceNotFound(LookupError):
    """Stripe has no price with this id."""


class PriceInactive(LookupError):
    """The price was retired: Stripe refuses new checkouts with it."""


class StoredPrice(BaseModel):
    """A price that is not in the catalog file: registered, or made to replace another."""

    line: LineItem
    project_plan: str


class PriceChange(BaseModel):
    """What Stripe has under a price id where that differs from the catalog; None is as in the catalog."""

    model_config = ConfigDict(extra="forbid")

    amount: int | None = Field(default=None, ge=0)
    currency: str | None = Field(default=None, pattern=r"^[a-z]{3}$")
    trial_days: int | None = Field(default=None, ge=0, le=730)
    active: bool = True


def money(amount: int, currency: str) -> str:
    """Minor units as an American reader writes them: ``$29.00``."""
    return format_money(amount, currency)


class PriceList:
    """Prices of ``products.json`` (read again when the file changes), those registered, and what was changed since."""

    def __init__(self, database: Database, path: Path) -> None:
        self._registered = DocumentStore(database, "registered_price", StoredPrice)
        self._changes = DocumentStore(database, "price_change", PriceChange)
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._of_file: list[LineItem] = []

    def line(self, price_id: str, product_id: str, quantity: int, *, accept_unknown: bool) -> LineItem:
        """The order line for a price. An unknown one is made up with `accept_unknown`, else raises PriceNotFound.

        Raises PriceInactive for one that was retired.
        """
        for line in self.lines():
            if line.price_id == price_id:
                if not self.active(price_id):
                    raise PriceInactive(price_id)
                return line.model_copy(update={"quantity": quantity, "product_id": product_id or line.product_id})
        if not accept_unknown:
            raise PriceNotFound(price_id)
        return LineItem(
            price_id=price_id,
            product_id=product_id or price_id,
            name=product_id or price_id,
            amount=1000,
            currency="usd",
            interval="month",
            quantity=quantity,
        )

    def lines(self) -> list[LineItem]:
        """Everything with a price: plans first, in display order, then items, then what was registered."""
        lines = [*self._from_file(), *(price.line for price in self._registered.newest(1000))]
        return [self._changed(line) for line in lines] if self._changes.count() else lines

    def plans(self) -> list[LineItem]:
        """The recurring prices that are sold, for switching plans in the portal and for the state page."""
        return [line for line in self.lines() if line.interval and self.active(line.price_id)]

    def active(self, price_id: str) -> bool:
        change = self._changes.get(price_id)
        return change is None or change.active

    def change(self, price_id: str, change: PriceChange) -> None:
        """From now on Stripe has this under the price id, whatever the catalog says."""
        self._changes.put(price_id, change)

    def unchange(self, price_id: str) -> bool:
        return self._changes.drop(price_id)

    def retire(self, product_id: str) -> list[LineItem]:
        """Sell a product's prices no more; returns them. Who has one keeps it."""
        retired = [line for line in self.lines() if line.product_id == product_id]
        for line in retired:
            self.set_active(line.price_id, active=False)
        return retired

    def set_active(self, price_id: str, *, active: bool) -> None:
        known = self._changes.get(price_id) or PriceChange()
        self._changes.put(price_id, known.model_copy(update={"active": active}))

    def register(self, project_plan: str, line: LineItem) -> None:
        self._registered.put(line.price_id, StoredPrice(line=line, project_plan=project_plan), owner=project_plan)

    def registered_product(self, project_plan: str) -> str | None:
        found = self._registered.of(project_plan)
        return found[0].line.product_id if found else None

    def registered_as(self, project_plan: str) -> list[LineItem]:
        """The prices that were registered under a name, in the order of their making."""
        return [price.line for price in self._registered.of(project_plan)]

    def _changed(self, line: LineItem) -> LineItem:
        change = self._changes.get(line.price_id)
        values = change.model_dump(exclude={"active"}, exclude_none=True) if change else {}
        return line.model_copy(update=values) if values else line

    def _from_file(self) -> list[LineItem]:
        """The file's prices as it is now; while it is broken or absent, as it last was."""
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp != self._stamp:
                self._of_file, self._stamp = _lines_of(load_catalog(self._path)), stamp
        except (OSError, CatalogError):
            return self._of_file
        return self._of_file


def _lines_of(catalog: Catalog) -> list[LineItem]:
    return [
        LineItem(
            price_id=offer.price.price_id,
            product_id=offer.product_id,
            name=offer.name.in_("en"),
            plan=offer.plan.id if offer.plan else "",
            group=offer.plan.group if offer.plan else "",
            amount=offer.price.amount,
            currency=offer.price.currency,
            interval=offer.price.interval,
            trial_days=offer.price.trial_days,
        )
        for offer in catalog.offers()
    ]


def plan_line(prices: PriceList, price_id: str = "") -> LineItem:
    """A recurring price: the one named, else of the plan that is pushed (premium), else any."""
    lines = prices.plans()
    if price_id:
        named = [line for line in prices.lines() if line.price_id == price_id]
        return named[0] if named else prices.line(price_id, "", 1, accept_unknown=True)
    premium = [line for line in lines if line.plan == "premium"]
    return (premium or lines or [prices.line("price_sample", "prod_sample", 1, accept_unknown=True)])[0]
