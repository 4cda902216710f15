"""`/shop`: what is bought once, one piece or several, at once or by way of the cart. Public; buying asks for sign-in.

`?price=…&quantity=…` is what a visitor chose before signing in: it waits at the top, ready to go on.
"""

import re
from collections.abc import Mapping

from catalog import Catalog, Item
from services.cart import Cart
from services.container import Container
from services.errors import CheckoutInProgress, FrontendError
from services.purchase import Purchase
from ui.billing.checkout_button import checkout_button
from ui.billing.checkout_button import show_refusal as show_question
from ui.billing.problem import ProblemPlace, problem_in_address
from ui.nicegui_ext.html import Tag
from ui.page.frame import frame
from ui.pages.pricing import trust_line
from ui.plans.live_catalog import live_catalog
from ui.serving.document import PageContext, page
from ui.shop import item_picture
from ui.shop.item_card import ItemCard, show_refusal
from ui.shop.live_cart import known_cart, live_cart
from ui.text.amounts import money
from ui.text.i18n import N_, _
from ui.theme.icons import icon


def register(container: Container) -> None:
    """Add the page and its pictures, where there is a shop."""
    if not container.settings.shop:
        return
    item_picture.register(container)

    @page(
        container,
        "/shop",
        title=N_("Shop"),
        description=N_("One-time purchases: no subscription, nothing renews."),
    )
    async def shop(context: PageContext) -> None:
        cart = await known_cart(context)
        with frame(context):
            await ShopPage(context, cart or Cart(), await problem_in_address(context)).draw()


class ShopPage:
    """The items, and what changes while a user looks."""

    def __init__(self, context: PageContext, cart: Cart, problem: FrontendError | None) -> None:
        self._context = context
        self._problem = problem
        self._cart = cart
        self._cards: dict[str, ItemCard] = {}
        self._chosen = chosen_item(context.catalog, context.query)

    async def draw(self) -> None:
        """Draw the page, and follow catalog and cart from now on."""
        with Tag("div", classes="page-head"):
            Tag("h1", _("Shop"))
            Tag("p", _("One-time purchases: no subscription, nothing renews."), classes="lead")
        with Tag("div", classes="shop-news"):
            self._problems = ProblemPlace(self._context)
            self._say_problem()
            if self._chosen is not None and self._context.user is not None and self._problems.current is None:
                self._draw_chosen(*self._chosen)
        await live_catalog(self._context, self._draw_items)
        await live_catalog(self._context, lambda: trust_line(self._context))
        live_cart(self._context).on_change(self._show_cart)

    def _draw_items(self) -> None:
        typed = {name: card.field.text for name, card in self._cards.items()}
        items = self._context.catalog.items
        chosen = self._chosen[0].id if self._chosen is not None else ""
        if self._chosen is not None:
            typed.setdefault(chosen, str(self._chosen[1]))
        if not items:
            self._draw_nothing()
        # Translators: headline over what is sold once
        with Tag("ul", classes="item-grid", aria_label=_("Items")):
            self._cards = {
                item.id: ItemCard(self._context, item, typed.get(item.id, item.min_quantity), chosen=item.id == chosen)
                for item in items
            }
        self._show_cart(self._cart)

    def _draw_nothing(self) -> None:
        with Tag("div", classes="card empty-card"):
            with Tag("span", classes="card-icon"):
                icon("shopping-cart")
            Tag("p", _("Nothing is for sale right now."), classes="muted")

    def _show_cart(self, cart: Cart) -> None:
        self._cart = cart
        for card in self._cards.values():
            card.show_cart(cart)

    def _draw_chosen(self, item: Item, quantity: int) -> None:
        """Draw what the visitor chose before signing in, with the one button that leads on."""
        context = self._context

        def explain(error: FrontendError) -> None:
            show_refusal(context, error, self._problems, item)

        total = money(item.price.amount * quantity, item.price.currency, context.locale)
        with Tag("section", classes="card chosen", tabindex="-1", data_focus="", aria_labelledby="chosen-title"):
            with Tag("div"):
                # Translators: headline over one item and its quantity, before checkout
                Tag("p", _("You chose"), classes="small muted")
                with Tag("h2", id="chosen-title", classes="chosen-title"):
                    Tag("span", f"{quantity} × {context.text(item.name)}")
                    Tag("span", f" {total}", classes="chosen-price")
            checkout_button(
                context, Purchase.of_item(item, quantity), _("Continue to checkout"), self._problems, large=True,
                testid="continue-to-checkout", explain=explain,
            )  # fmt: skip

    def _say_problem(self) -> None:
        """Say what a press without a script ran into: a code in the address, in our own words."""
        error = self._problem
        if error is None:
            return
        if isinstance(error, CheckoutInProgress):
            purchase = Purchase.of_item(*self._chosen) if self._chosen is not None else None
            show_question(self._context, purchase, error, self._problems)
        elif self._chosen is not None:
            show_refusal(self._context, error, self._problems, self._chosen[0])
        else:
            self._problems.show(error)


def chosen_item(catalog: Catalog, query: Mapping[str, str]) -> tuple[Item, int] | None:
    """Return the item and the quantity that an address names, the quantity within its limits; None for none sold."""
    item = next((item for item in catalog.items if item.price.price_id == query.get("price")), None)
    if item is None:
        return None
    text = query.get("quantity", "")
    quantity = int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else item.min_quantity
    return item, min(max(quantity, item.min_quantity), item.max_quantity)
