"""What is charged: the list price less a coupon, with tax, in the currency that the buyer was shown. Pure functions.

Money is minor units and a currency. Tax and coupons are counted in the list currency; what comes out is converted last,
as Stripe's adaptive pricing does (https://docs.stripe.com/payments/currencies/localize-prices/adaptive-pricing).
"""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict

from money import minor_digits
from sandbox.clock import add_months
from sandbox.settings import CouponDuration, RuntimeSettings, Tax


class Coupon(BaseModel):
    """A promotion code's coupon. Without a duration of its own it takes that of the runtime settings."""

    model_config = ConfigDict(frozen=True)

    code: str
    percent_off: int
    duration: CouponDuration | None = None
    months: int | None = None


COUPONS: Final = {
    coupon.code: coupon
    for coupon in (
        Coupon(code="WELCOME20", percent_off=20),
        Coupon(code="HALF", percent_off=50),
        Coupon(code="ONCE50", percent_off=50, duration=CouponDuration.ONCE),
        Coupon(code="THREEMONTHS50", percent_off=50, duration=CouponDuration.REPEATING, months=3),
        Coupon(code="FOREVER50", percent_off=50, duration=CouponDuration.FOREVER),
        Coupon(code="FREE", percent_off=100, duration=CouponDuration.ONCE),
    )
}


class Discount(BaseModel):
    """A coupon on one subscription. `used` is for a coupon that holds once: its invoice has been made."""

    model_config = ConfigDict(frozen=True)

    code: str
    percent_off: int
    duration: CouponDuration
    start: datetime
    end: datetime | None = None
    used: bool = False

    def applies(self, moment: datetime) -> bool:
        """Whether an invoice of this moment is reduced."""
        if self.duration is CouponDuration.ONCE:
            return not self.used
        return self.end is None or moment < self.end


class Terms(BaseModel):
    """How amounts are made at one checkout, and then at every renewal of what was bought there."""

    model_config = ConfigDict(frozen=True)

    tax: Tax = Tax.NONE
    tax_percent: float = 0.0
    presentment_currency: str = ""


class AmountDue(BaseModel):
    """One invoice's sum. `amount` in `currency` is what the card is charged; the rest is in the list currency."""

    model_config = ConfigDict(frozen=True)

    amount: int
    currency: str
    list_amount: int
    list_currency: str
    subtotal: int
    discount: int = 0
    tax: int = 0


def discount_of(code: str, settings: RuntimeSettings, now: datetime) -> Discount | None:
    """The discount that a promotion code gives from now on; None without a code."""
    coupon = COUPONS.get(code)
    if coupon is None:
        return None
    duration = coupon.duration or settings.coupon_duration
    months = coupon.months or settings.coupon_months
    end = add_months(now, months) if duration is CouponDuration.REPEATING else None
    return Discount(code=code, percent_off=coupon.percent_off, duration=duration, start=now, end=end)


def terms_of(settings: RuntimeSettings) -> Terms:
    """The terms of a checkout that is opened now."""
    tax_percent = settings.tax_percent if settings.tax is not Tax.NONE else 0.0
    return Terms(tax=settings.tax, tax_percent=tax_percent, presentment_currency=settings.presentment_currency)


def amount_due(
    subtotal: int, currency: str, terms: Terms, exchange_rate: float, discount: Discount | None, moment: datetime
) -> AmountDue:
    """The sum of an invoice of this moment; never below zero."""
    subtotal = max(subtotal, 0)
    off = _rounded(Decimal(subtotal) * discount.percent_off / 100) if discount and discount.applies(moment) else 0
    total, tax, share = subtotal - off, 0, Decimal(str(terms.tax_percent)) / 100
    if terms.tax is Tax.ADDED:
        tax = _rounded(total * share)
        total += tax
    elif terms.tax is Tax.INCLUDED:
        tax = total - _rounded(total / (1 + share))
    charged_in = terms.presentment_currency or currency
    charged = total if charged_in == currency else convert(total, currency, charged_in, exchange_rate)
    return AmountDue(
        amount=charged,
        currency=charged_in,
        list_amount=total,
        list_currency=currency,
        subtotal=subtotal,
        discount=off,
        tax=tax,
    )


def convert(amount: int, currency: str, to: str, exchange_rate: float) -> int:
    """Minor units of one currency as minor units of another, at so many of the other for one."""
    shift = minor_digits(to) - minor_digits(currency)
    return _rounded((Decimal(amount) * Decimal(str(exchange_rate))).scaleb(shift))


def _rounded(amount: Decimal) -> int:
    """To whole minor units, half up."""
    return int(amount.to_integral_value(ROUND_HALF_UP))
