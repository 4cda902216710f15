"""A cart: what a customer means to buy at once. It lives with the visitor, then with the user; it holds no prices.

Lines are prices of items with quantities; amounts come from the catalog when the cart is read, so that the total shown
is the total charged. Each line is one field in the store, and what reads before it writes holds the cart's lock: two
tabs lose nothing of each other's.
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from catalog import Catalog, Item
from services.checkout_record import REMEMBERED, Checkout, CheckoutKind
from services.errors import CartFull, InvalidQuantity, MixedCurrencies, PriceNotSold
from services.purchase import MOST_LINES, Purchase, PurchaseLine, offer_of
from services.sessions.service import Session, session_key
from services.storage.port import Store
from services.storage.pubsub import PubSub, Topic
from services.storage.rows import RowKind, read_row

KEPT_FOR: Final = timedelta(days=30)
_LOCK: Final = (10.0, 5.0)


@dataclass(frozen=True, slots=True)
class CartLine:
    """One item in a cart. `total` is in minor units."""

    item: Item
    quantity: int

    @property
    def total(self) -> int:
        """What the line costs, in minor units of the item's currency."""
        return self.item.price.amount * self.quantity


@dataclass(frozen=True, slots=True)
class Cart:
    """A cart as it is now. `gone` counts lines whose price is no longer sold; they are not bought."""

    lines: tuple[CartLine, ...] = ()
    gone: int = 0

    @property
    def count(self) -> int:
        """How many pieces, for the number beside the cart's link."""
        return sum(line.quantity for line in self.lines)

    @property
    def total(self) -> int:
        """What all lines cost, in minor units of `currency`."""
        return sum(line.total for line in self.lines)

    @property
    def currency(self) -> str | None:
        """The cart's one currency, None while it is empty."""
        return self.lines[0].item.price.currency if self.lines else None

    @property
    def purchase(self) -> Purchase:
        """A press that buys what the cart holds, at the prices shown."""
        return Purchase.of_cart(PurchaseLine.of(line.item, line.item.price, line.quantity) for line in self.lines)


class CartService:
    """Carts in the store. Every method raises StoreUnavailable when the store does."""

    def __init__(self, store: Store, pubsub: PubSub, catalog: Callable[[], Catalog]) -> None:
        self._store = store
        self._pubsub = pubsub
        self._catalog = catalog

    async def read(self, owner: str) -> Cart:
        """Return the cart, in the catalog's order of items."""
        quantities = await self._quantities(owner)
        lines = [
            CartLine(item, min(max(quantities.pop(item.price.price_id), item.min_quantity), item.max_quantity))
            for item in self._catalog().items
            if item.price.price_id in quantities
        ]
        return Cart(tuple(lines), gone=len(quantities))

    async def add(self, owner: str, price_id: str, quantity: int = 1) -> Cart:
        """Put more of an item into the cart. Raises like `set_quantity`."""
        item = self._item(price_id)
        if quantity < 1:
            raise InvalidQuantity(f"{quantity} more of {item.id}")
        async with self._lock(owner):
            present = _quantity_of(await self.read(owner), price_id)
            await self._set(owner, item, present + quantity)
        return await self._changed(owner)

    async def set_quantity(self, owner: str, price_id: str, quantity: int) -> Cart:
        """Make the line hold that many, from the item's minimum to its maximum.

        Raises PriceNotSold for what is no item, InvalidQuantity, MixedCurrencies, and CartFull past 20 lines.
        """
        item = self._item(price_id)
        async with self._lock(owner):
            await self._set(owner, item, quantity)
        return await self._changed(owner)

    async def apply_quantities(self, owner: str, quantities: Mapping[str, int]) -> Cart:
        """Make the lines that are in the cart hold as many as a page showed, by price; what is not in it stays out.

        Raises InvalidQuantity.
        """
        cart = await self.read(owner)
        for line in cart.lines:
            price_id = line.item.price.price_id
            if quantities.get(price_id, line.quantity) != line.quantity:
                cart = await self.set_quantity(owner, price_id, quantities[price_id])
        return cart

    async def remove(self, owner: str, price_id: str) -> Cart:
        """Take a line out; nothing happens if there is none."""
        async with self._lock(owner):
            await self._store.delete_field(cart_key(owner), price_id)
        return await self._changed(owner)

    async def clear(self, owner: str) -> None:
        """Empty the cart."""
        async with self._lock(owner):
            await self._store.delete(cart_key(owner))
        await self._pubsub.announce(Topic.CART, owner)

    async def take_out_bought(self, owner: str, checkout: Checkout) -> None:
        """Take out what a finished checkout of the cart bought, once, and leave what was added since."""
        if checkout.kind is not CheckoutKind.CART:
            return
        async with self._lock(owner):
            if not await self._store.add(f"cart-taken:{checkout.id}", "1", REMEMBERED.total_seconds()):
                return
            cart = await self.read(owner)
            for line in checkout.lines:
                left = _quantity_of(cart, line.price_id) - line.quantity
                if left > 0:
                    await self._write(owner, line.price_id, left)
                else:
                    await self._store.delete_field(cart_key(owner), line.price_id)
        await self._pubsub.announce(Topic.CART, owner)

    async def merge(self, visitor: str, user: str) -> None:
        """Move a visitor's lines into the user's cart at sign-in: the larger quantity of a line both have.

        Lines that don't fit into the user's cart, by number or currency, are left behind and forgotten.
        """
        if visitor == user or not await self._quantities(visitor):
            return
        async with self._lock(user):
            mine, theirs = await self.read(user), await self.read(visitor)
            have = {line.item.price.price_id: line.quantity for line in mine.lines}
            for line in theirs.lines:
                price = line.item.price
                fits = len(have) < MOST_LINES or price.price_id in have
                if fits and mine.currency in (None, price.currency):
                    have[price.price_id] = max(have.get(price.price_id, 0), line.quantity)
                    await self._write(user, price.price_id, have[price.price_id])
            await self._store.delete(cart_key(visitor))
        await self._pubsub.announce(Topic.CART, user)

    async def _set(self, owner: str, item: Item, quantity: int) -> None:
        if not item.min_quantity <= quantity <= item.max_quantity:
            raise InvalidQuantity(f"{quantity} of {item.id}; sold in {item.min_quantity} to {item.max_quantity}")
        cart = await self.read(owner)
        if cart.currency not in (None, item.price.currency):
            raise MixedCurrencies(f"{item.price.currency} into a cart in {cart.currency}")
        if len(cart.lines) >= MOST_LINES and all(line.item.id != item.id for line in cart.lines):
            raise CartFull(f"more than {MOST_LINES} lines")
        await self._write(owner, item.price.price_id, quantity)

    async def _quantities(self, owner: str) -> dict[str, int]:
        """Return the lines that can be read, as quantities by price."""
        fields = await self._store.fields(cart_key(owner))
        found = {price_id: read_row(RowKind.CART_LINE, text, int) for price_id, text in fields.items()}
        return {price_id: quantity for price_id, quantity in found.items() if quantity is not None}

    async def _write(self, owner: str, price_id: str, quantity: int) -> None:
        await self._store.put_field(cart_key(owner), price_id, str(quantity), KEPT_FOR.total_seconds())

    async def _changed(self, owner: str) -> Cart:
        await self._pubsub.announce(Topic.CART, owner)
        return await self.read(owner)

    def _lock(self, owner: str) -> AbstractAsyncContextManager[None]:
        return self._store.lock(cart_key(owner), *_LOCK)

    def _item(self, price_id: str) -> Item:
        offer = offer_of(self._catalog(), price_id)
        if offer.item is None:
            raise PriceNotSold("a plan can't be put into a cart")
        return offer.item


def visitor_owner(session_id: str) -> str:
    """Return whose cart it is before sign-in: the browser's, by its cookie's id."""
    return f"visitor:{session_key(session_id)}"


def user_owner(session: Session) -> str:
    """Return whose cart it is after sign-in."""
    return owner_of_user(session.user.user_id)


def owner_of_user(user_id: str) -> str:
    """Return whose cart a user's is, by their id."""
    return f"user:{hashlib.sha256(user_id.encode()).hexdigest()}"


def _quantity_of(cart: Cart, price_id: str) -> int:
    return next((line.quantity for line in cart.lines if line.item.price.price_id == price_id), 0)


def cart_key(owner: str) -> str:
    """Return what an owner's cart is kept under."""
    return f"cart:{owner}"
