"""The parts of a drawn frame that change while its page is open."""

from ui.nicegui_ext.html import Tag
from ui.text.i18n import ngettext


class ShownFrame:
    """The header, the banners and the live region of one page."""

    def __init__(self, live: Tag, banners: Tag, cart: Tag | None, plan: Tag | None, *, shown: bool) -> None:
        self._live = live
        self._cart = cart
        self._plan = plan
        self.banners = banners
        """Page-wide notices; draw new ones inside `with frame.banners:`, then call `show_banners`."""
        self._are_shown = shown

    def show_banners(self) -> None:
        """Show the notices that there are now.

        The first that comes while a user looks stands over the page's lower edge: above, it would push the page down.
        """
        are_there = bool(self.banners.default_slot.children)
        if are_there and not self._are_shown:
            self.banners.set(data_arrived="")
        self._are_shown = are_there
        self.banners.set(hidden=not are_there)

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
    return ngettext("{count} item in your cart", "{count} items in your cart", count).format(count=count)
