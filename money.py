"""Amounts in minor units, as Stripe counts them, and how people read them. What costs how much is in `catalog.py`."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.numbers import NumberPattern, get_territory_currencies, parse_pattern

ZERO_DECIMAL: Final = frozenset(
    ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf")
)
"""Currencies whose minor unit is the currency itself (https://docs.stripe.com/currencies#zero-decimal)."""

THREE_DECIMAL: Final = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))
"""Currencies with a thousand minor units (https://docs.stripe.com/currencies#three-decimal)."""

WHOLE_ONLY: Final = frozenset(("isk", "ugx"))
"""Currencies without a minor unit that Stripe counts in hundredths all the same (its "special cases")."""

LETTER_BEFORE_DIGIT: Final = re.compile(r"(?<=[^\W\d_])(?=\d)")
"""Where `KWD2.900` needs a space (CLDR's `alphaNextToNumber`, which Babel leaves out)."""

LATIN_SYMBOL_LAST: Final = re.compile(r"[A-Za-z][$£€¥]$")
BARE_DOLLAR: Final = re.compile(r"(?<![A-Za-z])\$(?![A-Za-z])")
"""The sign alone. Readers in other countries do not know which dollar it means; CLDR has it so for some languages."""
LEFT_TO_RIGHT_MARK: Final = "\u200e"
"""After `US$` in a right-to-left text: without it the sign moves to the wrong side of the letters (UAX #9, rule W5)."""


def is_currency(code: str) -> bool:
    """Say whether `code` is a lower-case ISO 4217 currency that Babel can name."""
    return code.islower() and code.upper() in Locale("en").currencies


def minor_digits(currency: str) -> int:
    """Return how many decimal digits Stripe's minor unit of a currency stands for: 0, 2 or 3."""
    code = currency.lower()
    if code in ZERO_DECIMAL:
        return 0
    return 3 if code in THREE_DECIMAL else 2


def whole_minor_units(currency: str) -> int:
    """Return the smallest amount that a currency has, in Stripe's minor units: 100 for isk, which has no hundredths."""
    return 100 if currency.lower() in WHOLE_ONLY else 1


@lru_cache(maxsize=4096)
def format_money(amount: int, currency: str, locale: str = "en", *, trim: bool = False) -> str:
    """Return an amount in minor units as people write it in `locale`, such as `$29.00` or `29,00 €`.

    With `trim` a whole amount loses its decimals (`$29`). A locale that Babel does not know reads as English.
    """
    digits = minor_digits(currency)
    value = Decimal(amount).scaleb(-digits)
    if value == value.to_integral_value() and (trim or currency.lower() in WHOLE_ONLY):
        digits = 0
    known, pattern = _pattern(locale, digits)
    text = pattern.apply(value, known, currency=currency.upper(), currency_digits=False)
    if currency.lower() == "usd" and not _pays_in_dollars(known):
        text = BARE_DOLLAR.sub("US$", text, count=1)
    text = LETTER_BEFORE_DIGIT.sub("\u00a0", text, count=1)
    return text + LEFT_TO_RIGHT_MARK if known.text_direction == "rtl" and LATIN_SYMBOL_LAST.search(text) else text


@lru_cache(maxsize=64)
def _pays_in_dollars(locale: Locale) -> bool:
    """Say whether the US dollar is the money of the locale's country; English without a country is that of the US."""
    territory = locale.territory or ("US" if locale.language == "en" else None)
    return territory is not None and "USD" in get_territory_currencies(territory)


@lru_cache(maxsize=256)
def _pattern(locale: str, digits: int) -> tuple[Locale, NumberPattern]:
    try:
        known = Locale.parse(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        known = Locale("en")
    pattern = parse_pattern(known.currency_formats["standard"].pattern)
    pattern.frac_prec = (digits, digits)
    return known, pattern
