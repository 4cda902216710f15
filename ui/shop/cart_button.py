"""The button that puts an item into the cart.

It shares its form with "Buy now", as both need the quantity, and leads elsewhere by `formaction`. It is left without a
`type` (a button in a form submits it anyway): `app.js` marks the `[type=submit]` of a form busy, and that one leaves.
"""

from collections.abc import Awaitable, Callable

from catalog import Item
from ui.components.button import Look
from ui.nicegui_ext.html import Tag
from ui.text.i18n import _
from ui.theme.icons import icon

ACTION = "/cart/add"


def cart_button(item: Item, on_press: Callable[[], Awaitable[None]], *, look: Look = "secondary") -> Tag:
    """Draw the button inside the item's form."""
    with Tag("button", classes=f"button button-{look}", formaction=ACTION, testid=f"add-to-cart-{item.id}") as made:
        icon("shopping-cart")
        Tag("span", _("Add to cart"), classes="button-label")
    made.on("click.prevent", lambda: on_press(), args=[])
    return made
