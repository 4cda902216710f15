"""What a checkout sells, in words: the same name and figure on the card, at Stripe, and on the way back."""

from catalog import NotInCatalog
from services.checkout_record import Checkout, CheckoutKind
from ui.page.context import PageContext
from ui.text.amounts import amount_words, money
from ui.text.i18n import ngettext


def purchase_words(context: PageContext, checkout: Checkout) -> tuple[str, str]:
    """Return what was chosen and what it costs: `Premium` and `$29.00 a month`."""
    if checkout.kind is CheckoutKind.SUBSCRIPTION:
        amount = amount_words(checkout.total, checkout.currency, checkout.interval, context.locale)
        if checkout.free_days:
            free = ngettext("{count} day free, then {amount}", "{count} days free, then {amount}", checkout.free_days)
            amount = free.format(count=checkout.free_days, amount=amount)
        return bought_name(context, checkout), amount
    return bought_name(context, checkout), money(checkout.total, checkout.currency, context.locale)


def bought_name(context: PageContext, checkout: Checkout) -> str:
    """Return the name of what was chosen, from the catalog of today, else as it was called then."""
    if len(checkout.lines) > 1:
        count = sum(line.quantity for line in checkout.lines)
        return ngettext("{count} item", "{count} items", count).format(count=count)
    line = checkout.lines[0]
    try:
        offer = context.catalog.offer(line.price_id)
        name = offer.name.in_(context.locale)
    except NotInCatalog:
        name = line.name
    return f"{line.quantity} × {name}" if line.quantity > 1 else name
