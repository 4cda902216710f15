"""The billing pages' small world with the shop in it, for tests of the shop, the cart and the embedded prices."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from catalog import Catalog, Item, parse_catalog
from services.cart import Cart, user_owner, visitor_owner
from services.catalog_file import ALL_USERS
from services.sessions.service import Session
from services.storage.pubsub import PubSub, Topic
from tests.ui.billing_world import CATALOG, World, billing_world
from ui.nicegui_ext.html import Tag
from ui.pages import cart, embed, shop
from ui.shop.quantity_field import Reporter

STICKERS = CATALOG.item("sticker-pack")
CREDITS = CATALOG.item("api-credits")
SEATS = CATALOG.item("training-seats")


class Shopping:
    """A world, somebody's browser in it, and what they do."""

    def __init__(self, world: World, pubsub: PubSub) -> None:
        self.world = world
        self.pubsub = pubsub
        self.owner = ""

    def visit_as_stranger(self) -> None:
        """Give the browser a visitor's cookie."""
        cookie = self.world.sessions.new_cookie()
        session_id = self.world.sessions.id_of(cookie)
        assert session_id is not None
        self.owner = visitor_owner(session_id)
        self.world.browser.http_client.cookies.set(self.world.sessions.cookie_name, cookie)

    async def sign_in(self) -> Session:
        """Sign Ada in."""
        session = await self.world.sign_in()
        self.owner = user_owner(session)
        return session

    async def put(self, item: Item, quantity: int = 1) -> Cart:
        """Put something into the cart, as another tab does."""
        return await self.world.cart.add(self.owner, item.price.price_id, quantity)

    async def held(self) -> dict[str, int]:
        """Return what the cart holds: quantities by item."""
        return {line.item.id: line.quantity for line in (await self.world.cart.read(self.owner)).lines}

    def type(self, item: Item, text: str, *, done: bool = True) -> None:
        """Have this stand in an item's quantity field."""
        said = {"name": item.id, "value": text, "done": done}
        self.world.browser.find(kind=Reporter).trigger("quantity", said)

    def words(self, testid: str) -> str:
        """Return the words in an element, as one line."""
        found = [tag.text for tag in _with_descendants(self.world.one(testid)) if tag.text]
        return " ".join(" ".join(found).split())

    async def sell(self, catalog: Catalog) -> None:
        """Put another catalog into force, and say so."""
        self.world.catalogs.current = catalog
        await self.pubsub.announce(Topic.CATALOG, ALL_USERS)


@asynccontextmanager
async def shopping(folder: Path, catalog: Catalog = CATALOG) -> AsyncIterator[Shopping]:
    """Open the world with the shop's pages, and a visitor in it."""
    async with billing_world(folder) as world:
        pubsub = world.container.pubsub
        world.catalogs.current = catalog
        for module in (shop, cart, embed):
            module.register(world.container)
        shopper = Shopping(world, pubsub)
        shopper.visit_as_stranger()
        yield shopper


def changed(edit: Any) -> Catalog:
    """Return our catalog after `edit(document)` has changed its JSON."""
    document = json.loads(Path("products.json").read_text(encoding="utf-8"))
    edit(document)
    return parse_catalog(json.dumps(document))


def many_items(document: dict[str, Any], count: int = 21) -> None:
    """Have the catalog sell that many items: item-1, item-2, …"""
    document["items"] = [
        {
            "id": f"item-{number}", "name": f"Thing {number}", "description": "A thing of its own.", "image": "box",
            "product_id": f"prod_item_{number}", "max_quantity": 9,
            "price": {"price_id": f"price_item_{number}", "amount": 100 + number, "currency": "usd"},
        }
        for number in range(1, count + 1)
    ]  # fmt: skip


def _with_descendants(root: Tag) -> list[Tag]:
    found = [root]
    for child in root.default_slot.children:
        if isinstance(child, Tag) and "hidden" not in child._props:
            found += _with_descendants(child)
    return found
