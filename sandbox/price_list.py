"""What is sold, for the hosted pages: names and prices by Stripe's price id. The only user of our `catalog`."""

from pathlib import Path

from pydantic import BaseModel

from catalog import Catalog, CatalogError, format_money, load_catalog
from sandbox.database import Database, DocumentStore
from sandbox.stripe_objects import LineItem

__all__ = ["PriceList", "PriceNotFound", "money"]


class PriceNotFound(LookupError):
    """Stripe has no price with this id."""


class StoredPrice(BaseModel):
    """A price made by ``POST /admin/products/register``."""

    line: LineItem
    project_plan: str


def money(amount: int, currency: str) -> str:
    """Minor units as an American reader writes them: ``$29.00``."""
    return format_money(amount, currency)


class PriceList:
    """Prices of ``products.json`` (read again when the file changes) and those registered at run time."""

    def __init__(self, database: Database, path: Path) -> None:
        self._registered = DocumentStore(database, "registered_price", StoredPrice)
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._catalog: Catalog | None = None

    def line(self, price_id: str, product_id: str, quantity: int, *, accept_unknown: bool) -> LineItem:
        """The order line for a price. An unknown one is made up with `accept_unknown`, else raises PriceNotFound."""
        for line in self.lines():
            if line.price_id == price_id:
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
        return [*self._from_file(), *(price.line for price in self._registered.newest(1000))]

    def plans(self) -> list[LineItem]:
        """The recurring prices, for switching plans in the portal and for the state page."""
        return [line for line in self.lines() if line.interval]

    def register(self, project_plan: str, line: LineItem) -> None:
        self._registered.put(line.price_id, StoredPrice(line=line, project_plan=project_plan), owner=project_plan)

    def registered_product(self, project_plan: str) -> str | None:
        found = self._registered.of(project_plan)
        return found[0].line.product_id if found else None

    def _from_file(self) -> list[LineItem]:
        catalog = self._current()
        if catalog is None:
            return []
        return [
            LineItem(
                price_id=offer.price.price_id,
                product_id=offer.product_id,
                name=offer.name.in_("en"),
                plan=offer.plan.id if offer.plan else "",
                amount=offer.price.amount,
                currency=offer.price.currency,
                interval=offer.price.interval,
                trial_days=offer.price.trial_days,
            )
            for offer in catalog.offers()
        ]

    def _current(self) -> Catalog | None:
        """The file as it is now; while it is broken or absent, as it last was."""
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp != self._stamp:
                self._catalog, self._stamp = load_catalog(self._path), stamp
        except (OSError, CatalogError):
            return self._catalog
        return self._catalog
