"""The parts of a drawn frame that change while its page is open."""

from ui.nicegui_ext.html import Tag
from ui.text.i18n import ngettext


class ShownFrame:
    """The header, the banners and the live region of one page."""

    def __init__(self, live: Tag, banners: Tag, cart: Tag | None, plan: Tag | None) -> None:
        self._live = live
        self._cart = cart
        self._plan = plan
        self.banners = banners
        """Page-wide notices; clear it and draw new ones inside `with frame.banners:`."""

    def announce(self, text: str) -> None:
        """Have assistive technology say `text` without moving the focus."""
        self._live.set_text(text)

    def show_cart_count(self, count: int) -> None:
        """Show how many things are in the cart; nothing for none."""
        if self._cart is not None:
            self._cart.set_text(str(count) if count else "")
            self._cart.set(hidden=count == 0, title=cart_count_words(count))

    def show_plan(self, label: str) -> None:
        """Show the user's plan beside their name; nothing for an empty label."""
        if self._plan is not None:
            self._plan.set_text(label)
            self._plan.set(hidden=not label)


def cart_count_words(count: int) -> str:
    """Return how many things are in the cart, in words."""
    return ngettext("{count} thing in the cart", "{count} things in the cart", count).format(count=count)
