"""`/cart`: what a user or visitor means to buy at once, with quantities and the total, and the way to Stripe.

The same cart in all tabs: what one changes shows in the others. A line that is taken out can be put back.
"""

import asyncio
from datetime import UTC, datetime

from nicegui import ui

from catalog import Item
from services.cart import Cart, CartLine
from services.claims import item_claim
from services.container import Container
from services.errors import CartChanged, CheckoutInProgress, FrontendError, InvalidQuantity, NotSignedIn
from services.purchase import MOST_LINES, Purchase, PurchaseLine
from services.sessions.service import sign_in_path
from ui.billing.checkout_button import CART_ACTION, press_checkout
from ui.billing.checkout_button import show_refusal as show_question
from ui.billing.live import Part
from ui.billing.problem import ProblemPlace, problem_in_address
from ui.components.button import ActionForm, button
from ui.components.notice import notice
from ui.nicegui_ext.html import Tag
from ui.page.frame import frame
from ui.page.site_notice import not_sold
from ui.pages.shop import chosen_item
from ui.plans.live_catalog import on_catalog_change
from ui.plans.price import tax_words
from ui.serving.document import PageContext, page
from ui.shop.cart_line import CART_FORM, CartRow
from ui.shop.item_card import show_refusal
from ui.shop.live_cart import buyer, cart_owner, known_cart, live_cart, owner_of
from ui.shop.quantity_field import QuantityField
from ui.text.amounts import money
from ui.text.claim_words import claims_attribute
from ui.text.i18n import N_, _, ngettext
from ui.theme.icons import icon

KEPT = N_("Items you add will stay here, even after you sign in.")


def register(container: Container) -> None:
    """Add the page, where there is a shop."""
    if not container.settings.shop:
        return

    @page(container, "/cart", title=N_("Cart"), description=KEPT, robots="noindex")
    async def cart(context: PageContext) -> None:
        held = await known_cart(context)
        if held is None:
            held = await container.cart.read(await cart_owner(context))  # says why it can't be read
        with frame(context):
            drawn = CartPage(context)
            drawn.show(held)
            drawn.say(await problem_in_address(context))


class CartPage:
    """The parts of the page that change while a user looks."""

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._rows: dict[str, CartRow] = {}
        self._cart = Cart()
        self._drawn: tuple[Item, ...] | None = None
        self._one_at_a_time = asyncio.Lock()
        with Tag("div", classes="page-head"):
            Tag("h1", _("Cart"))
        with Tag("div", classes="cart-news"):
            self._problems = ProblemPlace(context)
            self._removed = Part(self._draw_removed)
            self._gone = Part(self._draw_gone)
        self._box = Tag("div")
        self._removed.show(chosen_item(context.catalog, {"price": context.query.get("removed", ""), **_only(context)}))
        live_cart(context).on_change(self.show)
        on_catalog_change(context, self._catalog_changed)

    def show(self, cart: Cart) -> None:
        """Show a cart: its numbers in place, everything anew where other lines or prices are in it."""
        before, self._cart = self._cart, cart
        if isinstance(self._problems.current, CheckoutInProgress) and cart != before:
            self._problems.clear()  # it offers to buy what the cart held
        items = tuple(line.item for line in cart.lines)
        if items != self._drawn:
            self._drawn = items
            self._box.clear()
            with self._box:
                self._draw()
        for line in cart.lines:
            self._rows[line.item.id].show(line)
        if cart.lines:
            self._show_total(cart)
        now = {line.item.id for line in cart.lines}
        names = tuple(self._context.text(x.item.name) for x in before.lines if x.item.id not in now)
        self._gone.show((cart.gone, names if cart.gone > before.gone else ()))

    def _draw(self) -> None:
        self._rows = {}
        if not self._cart.lines:
            draw_empty()
            return
        with Tag("div", classes="cart"):
            with Tag("ul", classes="card cart-lines", aria_label=_("In your cart")):
                self._rows = {
                    line.item.id: CartRow(self._context, line, self._settle, self._remove) for line in self._cart.lines
                }
            with Tag("section", classes="card cart-summary", aria_labelledby="total-title"):
                with Tag("div", classes="cart-total-row"):
                    Tag("h2", _("Total"), id="total-title", classes="cart-total-title")
                    self._total = Tag("p", classes="cart-total", testid="cart-total", translate="no")
                self._pieces = Tag("p", classes="muted small")
                fields = self._cart.purchase.cart_fields
                shown = {name: text for name, text in fields.items() if not name.startswith("quantity.")}
                self._checkout = ActionForm(
                    CART_ACTION, shown, _("Continue to checkout"),
                    busy_label=_("Opening secure checkout…"), wide=True, large=True, testid="cart-checkout",
                    on_press=self._check_out,
                )  # fmt: skip
                self._checkout.form.set(id=CART_FORM, hidden=not self._context.settings.selling)
                if words := not_sold(self._context.settings):
                    Tag("p", words, classes="muted small", testid="cart-closed")
                once = _("One-time payment. Add a promo code at checkout.")
                Tag("p", once, classes="muted small")
                self._tax = Tag("p", classes="muted small", testid="cart-tax")
                self._show_tax()
                # Translators: button that leads from the cart back to the shop
                button(_("Keep shopping"), "quiet", href="/shop", wide=True)

    def _show_total(self, cart: Cart) -> None:
        self._total.set_text(self._total_words(cart))
        due = item_claim(None, cart.total, cart.currency or "usd", datetime.now(UTC), tax=self._context.catalog.tax)
        self._total.set(data_claims=claims_attribute([due]))
        words = ngettext("{count} item", "{count} items", cart.count).format(count=cart.count)
        if len(cart.lines) >= MOST_LINES:
            full = _("A cart holds at most {most} different items: this one is full.").format(most=MOST_LINES)
            words = f"{words}. {full}"
        self._pieces.set_text(words)

    def _show_tax(self) -> None:
        """Say of the total what the operator says of tax; where there is none, the line above says all."""
        catalog = self._context.catalog
        taxed = catalog.tax in ("included", "added")
        self._tax.set_text(tax_words(catalog) if taxed else "")
        self._tax.set(hidden=not taxed)

    def _total_words(self, cart: Cart) -> str:
        return money(cart.total, cart.currency or "usd", self._context.locale)

    async def _settle(self, line: CartLine, field: QuantityField) -> None:
        """Keep the quantity that was settled on. One after the other: the last one typed is the one that stays."""
        async with self._one_at_a_time:
            if field.text == str(self._line_now(line).quantity):
                field.mark(wrong=False)
                self._problems.clear()
                return
            try:
                price = line.item.price.price_id
                cart = await self._context.container.cart.set_quantity(
                    await cart_owner(self._context), price, field.quantity
                )
            except NotSignedIn:
                ui.navigate.to(sign_in_path("/cart"))
            except FrontendError as error:
                self._refuse(error, line.item)
                field.mark(wrong=isinstance(error, InvalidQuantity))
            else:
                self._changed(cart)
                self._context.announce(_("Total: {amount}").format(amount=self._total_words(cart)))

    def _line_now(self, line: CartLine) -> CartLine:
        return next((now for now in self._cart.lines if now.item.id == line.item.id), line)

    async def _remove(self, line: CartLine) -> None:
        line = self._line_now(line)
        try:
            cart = await self._context.container.cart.remove(await cart_owner(self._context), line.item.price.price_id)
        except NotSignedIn:
            ui.navigate.to(sign_in_path("/cart"))
        except FrontendError as error:
            self._refuse(error, line.item)
        else:
            self._changed(cart)
            self._removed.show((line.item, line.quantity))

    async def _put_back(self, item: Item, quantity: int) -> None:
        try:
            owner = await cart_owner(self._context)
            cart = await self._context.container.cart.set_quantity(owner, item.price.price_id, quantity)
        except NotSignedIn:
            ui.navigate.to(sign_in_path("/cart"))
        except FrontendError as error:
            self._refuse(error, item)
        else:
            self._changed(cart)
            self._context.announce(_("{item} is back in your cart.").format(item=self._context.text(item.name)))

    async def _check_out(self) -> None:
        """Buy what the page shows: what was typed last is settled first, and the cart is the one in the store."""
        async with self._one_at_a_time:
            await self._start_checkout()

    async def _start_checkout(self) -> None:
        lines: list[PurchaseLine] = []
        for row in self._rows.values():
            item = row.line.item
            try:
                lines.append(PurchaseLine.of(item, item.price, row.field.quantity))
            except InvalidQuantity as error:
                self._checkout.release()
                row.field.mark(wrong=True)
                self._refuse(error, item)
                return
        shown = {line.price_id: line.quantity for line in lines}
        try:
            owner = owner_of(await buyer(self._context))
            cart = await self._context.container.cart.apply_quantities(owner, shown)
            if shown.keys() != {line.price_id for line in cart.purchase.lines}:
                live_cart(self._context).look()
                raise CartChanged("the page showed other lines than the cart holds")
        except NotSignedIn:
            ui.navigate.to(sign_in_path("/cart"))
        except FrontendError as error:
            self._checkout.release()
            self._refuse(error, None)
        else:
            wanted = Purchase.of_cart(lines)
            await press_checkout(self._context, wanted, self._problems, self._checkout.release)

    def _changed(self, cart: Cart) -> None:
        self._problems.clear()
        self._removed.show(None)
        self.show(cart)
        live_cart(self._context).look()

    def _refuse(self, error: FrontendError, item: Item | None) -> None:
        if item is None:
            self._problems.show(error)
        else:
            show_refusal(self._context, error, self._problems, item)

    def say(self, error: FrontendError | None) -> None:
        """Say what a press without a script ran into: a code in the address, in our own words."""
        if isinstance(error, CheckoutInProgress) and self._cart.lines:
            show_question(self._context, self._cart.purchase, error, self._problems)
        elif error is not None:
            chosen = chosen_item(self._context.catalog, self._context.query)
            self._refuse(error, chosen[0] if chosen is not None else None)

    def _catalog_changed(self) -> None:
        if self._cart.lines:
            self._show_tax()
        live_cart(self._context).look()

    def _draw_removed(self, removed: tuple[Item, int] | None) -> None:
        """Say what was taken out, and offer it back."""
        if removed is None:
            return
        item, quantity = removed

        async def put_back() -> None:
            await self._put_back(item, quantity)

        name = self._context.text(item.name)
        fields = {"price_id": item.price.price_id, "quantity": str(quantity), "next": "/cart"}
        with notice("info", _("{item} removed.").format(item=name), focus=True):
            ActionForm(
                # Translators: button: put the removed item back
                "/cart/quantity", fields, _("Undo"), busy_label=_("One moment…"), look="secondary",
                testid="cart-undo", on_press=put_back,
            )  # fmt: skip

    def _draw_gone(self, key: tuple[int, tuple[str, ...]]) -> None:
        """Say what is not sold any more: by name where the page has shown it."""
        count, names = key
        if names:
            words = _("We no longer sell these, so they left your cart: {items}.").format(items=", ".join(names))
            with notice("warning", words):
                pass
        elif count:
            words = ngettext(
                "We no longer sell {count} item in your cart, so it was removed.",
                "We no longer sell {count} items in your cart, so they were removed.",
                count,
            )
            with notice("warning", words.format(count=count)):
                pass


def draw_empty() -> None:
    """Draw a cart with nothing in it."""
    with Tag("div", classes="card empty-card", testid="cart-empty"):
        with Tag("span", classes="card-icon"):
            icon("shopping-cart")
        Tag("h2", _("Your cart is empty"), classes="card-title")
        Tag("p", _(KEPT), classes="muted")
        button(_("Go to the shop"), href="/shop")


def _only(context: PageContext) -> dict[str, str]:
    """Return the quantity of the address, if it has one."""
    return {"quantity": context.query["quantity"]} if "quantity" in context.query else {}
