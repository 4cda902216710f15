"""Amounts of money as a reader sees them: the one door of pages to `money.py`."""

from catalog import Price
from money import format_money
from ui.text.i18n import _


def money(amount: int, currency: str, locale: str, *, trim: bool = False) -> str:
    """Return an amount in minor units, such as `$29.00`; with `trim` a whole one loses its decimals."""
    return format_money(amount, currency, locale, trim=trim)


def amount_words(amount: int, currency: str, interval: str | None, locale: str) -> str:
    """Return an amount with its interval: `$29.00 a month`; a one-off amount stands alone."""
    text = money(amount, currency, locale)
    if interval == "year":
        # Translators: such as "$290.00 a year"
        return _("{amount} a year").format(amount=text)
    # Translators: such as "$29.00 a month"
    return _("{amount} a month").format(amount=text) if interval == "month" else text


def price_words(price: Price, locale: str) -> str:
    """Return a catalog's price with its interval."""
    return amount_words(price.amount, price.currency, price.interval, locale)


def bare_price(price: Price, locale: str, *, trim: bool = False) -> str:
    """Return a catalog's price without its interval."""
    return money(price.amount, price.currency, locale, trim=trim)
