"""Amounts in minor units as people read them, in the currencies that Stripe counts differently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import Price
from money import THREE_DECIMAL, WHOLE_ONLY, ZERO_DECIMAL, format_money, is_currency, minor_digits

NBSP = "\u00a0"
RTL = "\u200f"
LTR = "\u200e"


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "text"),
    [
        (2900, "usd", "en", "$29.00"),
        (2900, "usd", "de", f"29,00{NBSP}US$"),
        (2900, "usd", "es-US", "$29.00"),
        (2900, "usd", "fr", f"29,00{NBSP}$US"),
        (2900, "usd", "ja", "US$29.00"),
        (2900, "usd", "ar", f"{RTL}29.00{NBSP}US${LTR}"),
        (123456, "eur", "en", "€1,234.56"),
        (123456, "eur", "de", f"1.234,56{NBSP}€"),
        (123456, "eur", "ja", "€1,234.56"),
        (123456, "eur", "ar", f"{RTL}1,234.56{NBSP}€"),
        (2900, "jpy", "en", "¥2,900"),
        (2900, "jpy", "de", f"2.900{NBSP}¥"),
        (2900, "jpy", "ja", "￥2,900"),
        (2900, "jpy", "ar", f"{RTL}2,900{NBSP}JP¥{LTR}"),
        (2900, "kwd", "en", f"KWD{NBSP}2.900"),
        (2900, "kwd", "de", f"2,900{NBSP}KWD"),
        (2900, "kwd", "ja", f"KWD{NBSP}2.900"),
        (2900, "kwd", "ar", f"{RTL}2.900{NBSP}د.ك.{RTL}"),
        (5, "usd", "en", "$0.05"),
        (-2900, "usd", "en", "-$29.00"),
        (500000, "isk", "de", f"5.000{NBSP}ISK"),
        (5000000, "idr", "en", f"IDR{NBSP}50,000.00"),
    ],
)
def test_amount_is_written_as_in_the_locale(amount: int, currency: str, locale: str, text: str) -> None:
    assert format_money(amount, currency, locale) == text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [(2900, "usd", "$29"), (2950, "usd", "$29.50"), (2900, "jpy", "¥2,900"), (3000, "kwd", f"KWD{NBSP}3")],
)
def test_trimming_drops_the_decimals_of_whole_amounts_only(amount: int, currency: str, text: str) -> None:
    assert format_money(amount, currency, trim=True) == text


@pytest.mark.parametrize("locale", ["xx", "", "de-", "../../etc", "en-US-x-twain"])
def test_locale_that_is_unknown_reads_as_english(locale: str) -> None:
    assert format_money(2900, "usd", locale) == "$29.00"


@pytest.mark.parametrize("locale", ["de-AT", "de_AT"])
def test_locale_may_be_written_with_a_hyphen(locale: str) -> None:
    assert format_money(2900, "eur", locale) == f"€{NBSP}29,00"


def test_case_of_the_currency_does_not_matter() -> None:
    assert format_money(2900, "JPY") == format_money(2900, "jpy")


@given(st.integers(0, 99_999_999), st.sampled_from(["usd", "jpy", "kwd", "eur", "huf", "idr", "twd"]))
def test_no_digit_of_the_amount_is_lost(amount: int, currency: str) -> None:
    digits = "".join(filter(str.isdigit, format_money(amount, currency)))

    assert int(digits) == amount


@pytest.mark.parametrize("code", sorted(ZERO_DECIMAL | THREE_DECIMAL | WHOLE_ONLY))
def test_every_currency_of_stripes_tables_is_known(code: str) -> None:
    assert is_currency(code)
    assert minor_digits(code) == (0 if code in ZERO_DECIMAL else 3 if code in THREE_DECIMAL else 2)


@pytest.mark.parametrize("code", ["USD", "xxy", "", "us", "dollar"])
def test_code_that_is_no_currency_is_none(code: str) -> None:
    assert not is_currency(code)


def test_price_formats_itself() -> None:
    price = Price(price_id="price_a", amount=900, currency="usd")

    assert (price.format(), price.format("de"), price.format(trim=True)) == ("$9.00", f"9,00{NBSP}US$", "$9")
