"""One item of the shop as a card: picture, what it is, what one costs, how many, and the two ways to buy it.

Both ways are one form, so that it works without a script; with a socket the presses run the same use cases.
"""

from urllib.parse import urlencode

from nicegui import ui

from catalog import Item
from services.cart import Cart
from services.errors import CatalogChanged, FrontendError, InvalidQuantity, NotSignedIn, PriceNotSold
from services.purchase import Purchase
from services.sessions.service import sign_in_path
from ui.billing.checkout_button import press_checkout
from ui.billing.problem import ProblemPlace
from ui.components.button import Look, button
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.shop.cart_button import cart_button
from ui.shop.item_picture import item_picture
from ui.shop.live_cart import cart_owner, live_cart
from ui.shop.quantity_field import QuantityField, limits_words
from ui.text.amounts import bare_price, money
from ui.text.i18n import _
from ui.theme.icons import icon

MOST_TOTALS = 60
"""For so many quantities a document holds what they cost; beyond them it says nothing, and checkout does."""


class ItemCard:
    """The card of an item. `show_cart` says how many of it are in the cart already."""

    def __init__(self, context: PageContext, item: Item, quantity: int | str, *, chosen: bool = False) -> None:
        self._context = context
        self.item = item
        self._attempt = 0
        self._in_cart = 0
        name, limits = context.text(item.name), f"limits-{item.id}"
        with Tag(
            "li", classes="card item-card", id=f"item-{item.id}", aria_labelledby=f"name-{item.id}",
            testid=f"item-{item.id}", data_chosen="" if chosen else None,
        ):  # fmt: skip
            item_picture(context, item)
            with Tag("div", classes="item-words"):
                Tag("h2", name, id=f"name-{item.id}", classes="item-name")
                Tag("p", context.text(item.description), classes="muted")
            with self._form(context, item) as self._box:
                with Tag("div", classes="item-price-row"):
                    with Tag("p", classes="item-price"):
                        Tag(
                            "span",
                            bare_price(item.price, context.locale, trim=True),
                            classes="item-amount",
                            translate="no",
                        )
                        # Translators: after an amount: the price of one piece
                        Tag("span", " " + _("each"), classes="muted small")
                    with Tag("div", classes="item-quantity"):
                        self.field = QuantityField(
                            context,
                            item,
                            quantity,
                            on_input=self._changed,
                            on_change=self._changed,
                            described_by=limits,
                        )
                        Tag("p", limits_words(item), id=limits, classes="muted small")
                with Tag("div", classes="item-actions"):
                    cart_button(item, self._add)
                    self._buy_button("primary" if chosen else "tinted")
                self._note = Tag(
                    "p", self._total_words(), classes="muted small item-note", testid=f"total-{item.id}",
                    data_totals=self._all_totals() if context.shared else None,
                )  # fmt: skip
            self._problems = ProblemPlace(context)
            with Tag("p", classes="item-in-cart small", hidden=True, testid=f"in-cart-{item.id}") as self._held:
                icon("check-circle")
                self._held_words = Tag("span", "")
                # Translators: link after an item was put into the cart
                Tag("a", _("See cart"), href="/cart")

    def show_cart(self, cart: Cart) -> None:
        """Say how many of the item wait in the cart."""
        self._in_cart = next((line.quantity for line in cart.lines if line.item.id == self.item.id), 0)
        if self._in_cart:
            self._held_words.set_text(_("{count} in your cart.").format(count=self._in_cart))
        self._held.set(hidden=not self._in_cart)

    def _form(self, context: PageContext, item: Item) -> Tag:
        form = Tag(
            "form", method="post", action="/payment/checkout", classes="item-form", data_once="", data_attempt="0",
            data_native="",
        )  # fmt: skip
        fields = {**Purchase.of_item(item).fields, "next": f"/shop#item-{item.id}"}
        with form:
            for name, value in fields.items():
                Tag("input", type="hidden", name=name, value=value)
        return form

    def _buy_button(self, look: Look) -> None:
        if not self._context.settings.selling:
            Tag("p", _("Not for sale right now"), classes="muted small", testid=f"closed-{self.item.id}")
            return
        buy = button(
            # Translators: button: buy this one item, past the cart
            _("Buy now"),
            look,
            # Translators: on a pressed button, while Stripe is opened
            busy_label=_("Opening…"),
            testid=f"buy-{self.item.id}",
            submit=True,
            on_press=self._buy,
        )
        buy.set(aria_label=_("Buy now: {item}").format(item=self._context.text(self.item.name)))

    def _total_words(self) -> str:
        try:
            return self._total_of(self.field.quantity)
        except InvalidQuantity:
            return ""

    def _total_of(self, quantity: int) -> str:
        total = money(self.item.price.amount * quantity, self.item.price.currency, self._context.locale)
        return _("{amount} once. Nothing renews.").format(amount=total)

    def _all_totals(self) -> str:
        """Return what each quantity costs, for `app.js` on a document, where no server hears of the quantity."""
        least, most = self.item.min_quantity, min(self.item.max_quantity, self.item.min_quantity + MOST_TOTALS - 1)
        return "|".join(self._total_of(quantity) for quantity in range(least, most + 1))

    def _changed(self) -> None:
        self._note.set_text(self._total_words())
        self.field.mark(wrong=False)

    def _release(self) -> None:
        self._attempt += 1
        self._box.set(data_attempt=self._attempt)

    async def _add(self) -> None:
        try:
            quantity = self.field.quantity
            cart: Cart = await self._context.container.cart.add(
                await cart_owner(self._context), self.item.price.price_id, quantity
            )
        except NotSignedIn:
            ui.navigate.to(sign_in_path(self._here()))
        except FrontendError as error:
            self._refuse(error)
        else:
            self._problems.clear()
            self.field.mark(wrong=False)
            self.show_cart(cart)
            live_cart(self._context).look()
            name = self._context.text(self.item.name)
            self._context.announce(_("{item}: {count} in your cart.").format(item=name, count=self._in_cart))

    async def _buy(self) -> None:
        """Start the checkout of what the card shows; sign in first where needed, and come back to the same quantity."""
        try:
            purchase = Purchase.of_item(self.item, self.field.quantity)
        except InvalidQuantity as error:
            self._release()
            self._refuse(error)
        else:
            await press_checkout(self._context, purchase, self._problems, self._release, self._refuse)

    def _refuse(self, error: FrontendError) -> None:
        if isinstance(error, InvalidQuantity):
            self.field.mark(wrong=True)
        show_refusal(self._context, error, self._problems, self.item, in_cart=self._in_cart)

    def _here(self) -> str:
        return shop_path(self.item, self.field.text)


def shop_path(item: Item, quantity: str) -> str:
    """Return the shop with an item chosen in a quantity: where a sign-in leads back to."""
    return f"/shop?{urlencode({'price': item.price.price_id, 'quantity': quantity})}"


def show_refusal(
    context: PageContext, error: FrontendError, problems: ProblemPlace, item: Item, *, in_cart: int = 0
) -> None:
    """Say why an item was not sold or taken into the cart, and what to do."""

    def way_on() -> None:
        if isinstance(error, InvalidQuantity):
            Tag("p", _quantity_words(context, item, in_cart), classes="small")
        elif isinstance(error, CatalogChanged | PriceNotSold):
            button(_("Show the new prices"), "secondary", href="/shop")
        elif error.code in ("cart_full", "mixed_currencies"):
            button(_("See cart"), "secondary", href="/cart")

    problems.show(error, way_on)


def _quantity_words(context: PageContext, item: Item, in_cart: int) -> str:
    name, low, high = context.text(item.name), item.min_quantity, item.max_quantity
    if in_cart:
        return _("{item}: at most {most}, and {count} are in your cart already.").format(
            item=name, most=high, count=in_cart
        )
    return _("{item}: from {least} to {most}.").format(item=name, least=low, most=high)
