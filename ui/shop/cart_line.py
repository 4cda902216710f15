"""One line of the cart: what, what one costs, how many, what that comes to, and the way out of the cart."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from services.cart import CartLine
from services.claims import item_claim
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.shop.item_picture import item_picture
from ui.shop.quantity_field import QuantityField, limits_words
from ui.text.amounts import bare_price, money
from ui.text.claim_words import claims_attribute
from ui.text.i18n import _
from ui.theme.icons import icon

CART_FORM: Final = "cart-form"
"""The form that buys the cart. The fields of all lines are its own, so that without a script it sells what they hold;
each line's button comes before its own one, and so is what the enter key presses."""

Settled = Callable[[CartLine, QuantityField], Awaitable[None]]
Removed = Callable[[CartLine], Awaitable[None]]


class CartRow:
    """The drawn line. `show` changes its numbers in place."""

    def __init__(self, context: PageContext, line: CartLine, on_settle: Settled, on_remove: Removed) -> None:
        self._context = context
        self._on_settle = on_settle
        self.line = line
        item, name = line.item, context.text(line.item.name)
        limits = f"limits-{item.id}"
        with Tag("li", classes="cart-line", testid=f"cart-line-{item.id}", aria_labelledby=f"name-{item.id}"):
            item_picture(context, item, classes="item-picture-small")
            with Tag("div", classes="cart-line-words"):
                Tag("h2", name, id=f"name-{item.id}", classes="cart-line-name")
                each = _("{amount} each").format(amount=bare_price(item.price, context.locale))
                Tag("p", each, classes="muted small")
            with Tag("div", classes="cart-line-quantity", data_native=""):
                self.field = QuantityField(context, item, line.quantity, on_change=self._settled, described_by=limits)
                self.field.input.set(form=CART_FORM, name=f"quantity.{item.price.price_id}")
                Tag("p", limits_words(item), id=limits, classes="muted small")
                update = Tag(
                    # Translators: button, without scripts only: use the quantity that was typed
                    "button", _("Update"), type="submit", form=CART_FORM, formaction="/cart/quantities",
                    classes="button button-secondary without-script", data_send_changes="",
                )  # fmt: skip
            update.on("click.prevent", self._settled, args=[])
            self._total = Tag(
                "p", self._amount(line), classes="cart-line-total", testid=f"line-total-{item.id}",
                data_claims=self._claims(line), translate="no",
            )  # fmt: skip
            with Tag("form", method="post", action="/cart/remove", classes="cart-line-remove", data_native=""):
                Tag("input", type="hidden", name="price_id", value=item.price.price_id)
                Tag("input", type="hidden", name="next", value=removed_path(line))
                with Tag(
                    "button", classes="button button-quiet cart-remove", testid=f"remove-{item.id}",
                    aria_label=_("Remove: {item}").format(item=name),
                ) as remove:  # fmt: skip
                    icon("trash")
                    # Translators: button: take this item out of the cart
                    Tag("span", _("Remove"))
            remove.on("click.prevent", lambda: on_remove(self.line), args=[])

    def show(self, line: CartLine) -> None:
        """Show the line as it is now: another tab may have changed it. What is being typed here is left alone."""
        if self.field.text == str(self.line.quantity):
            self.field.show(line.quantity)
        self.line = line
        if self.field.text == str(line.quantity):
            self.field.mark(wrong=False)
        self._total.set_text(self._amount(line))
        self._total.set(data_claims=self._claims(line))

    def _claims(self, line: CartLine) -> str | None:
        item, tax = line.item, self._context.catalog.tax
        due = item_claim(item.product_id, line.total, item.price.currency, datetime.now(UTC), tax=tax)
        return claims_attribute([due])

    def _amount(self, line: CartLine) -> str:
        return money(line.total, line.item.price.currency, self._context.locale)

    async def _settled(self) -> None:
        await self._on_settle(self.line, self.field)


def removed_path(line: CartLine) -> str:
    """Return the cart with the notice that a line was taken out, and the way to put it back."""
    return f"/cart?{urlencode({'removed': line.item.price.price_id, 'quantity': line.quantity})}"
