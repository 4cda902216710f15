"""What a checkout sells, in words: the same name and figure on the card, at Stripe, and on the way back."""

from catalog import NotInCatalog
from services.checkout_record import Checkout, CheckoutKind
from services.claims import price_claim
from services.purchase import PurchaseLine
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.text.amounts import amount_words, money
from ui.text.claim_words import claims_attribute
from ui.text.i18n import _, ngettext


def amount_of(context: PageContext, checkout: Checkout) -> str:
    """Return what a checkout asks for, such as `$29.00 a month`; for a trial also the days before."""
    if checkout.kind is not CheckoutKind.SUBSCRIPTION:
        return money(checkout.total, checkout.currency, context.locale)
    amount = amount_words(checkout.total, checkout.currency, checkout.interval, context.locale)
    if checkout.free_days:
        free = ngettext("{count} day free, then {amount}", "{count} days free, then {amount}", checkout.free_days)
        amount = free.format(count=checkout.free_days, amount=amount)
    return amount


def line_names(context: PageContext, checkout: Checkout) -> tuple[str, ...]:
    """Return the name of each thing that a checkout sells, with its number where that is more than one."""
    return tuple(_line_name(context, line) for line in checkout.lines)


def bought_name(context: PageContext, checkout: Checkout) -> str:
    """Return the name of what was chosen for a sentence: of several things how many they are."""
    if len(checkout.lines) > 1:
        count = sum(line.quantity for line in checkout.lines)
        return ngettext("{count} item", "{count} items", count).format(count=count)
    return _line_name(context, checkout.lines[0])


def draw_bought(context: PageContext, checkout: Checkout) -> None:
    """Draw what a checkout sells, a line each, with what it asks for; several lines have a total."""
    with Tag("ul", classes="bought", data_claims=claims_attribute([price_claim(checkout)])):
        for name, line in zip(line_names(context, checkout), checkout.lines, strict=True):
            single = len(checkout.lines) == 1
            amount = (
                amount_of(context, checkout)
                if single
                else money(line.amount * line.quantity, checkout.currency, context.locale)
            )
            _draw_line(name, amount)
        if len(checkout.lines) > 1:
            # Translators: label of a sum of money
            _draw_line(_("Total"), amount_of(context, checkout), classes="bought-total")


def _draw_line(name: str, amount: str, *, classes: str = "") -> None:
    with Tag("li", classes=classes):
        Tag("strong", name)
        Tag("span", f" {amount}", classes="muted", translate="no")


def _line_name(context: PageContext, line: PurchaseLine) -> str:
    """Return a line's name, from the catalog of today, else as it was called then."""
    try:
        name = context.catalog.offer(line.price_id).name.in_(context.locale)
    except NotInCatalog:
        name = line.name
    return f"{line.quantity} × {name}" if line.quantity > 1 else name
