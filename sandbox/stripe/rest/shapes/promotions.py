"""Coupons, promotion codes, and the discount that one of them gives to a subscription."""

from datetime import UTC, datetime
from typing import Final

from sandbox.settings import CouponDuration, RuntimeSettings
from sandbox.stripe.amounts import COUPONS, Coupon
from sandbox.stripe.objects import StripeSubscription
from sandbox.stripe.rest.shapes import Shape, nulls, unix, unix_or_none

_MADE: Final = unix(datetime(2026, 1, 1, tzinfo=UTC))


def promotion_id(code: str) -> str:
    return f"promo_{code}"


def code_of(key: str) -> str:
    """The promotion code of a promotion's id, or of a coupon's (they are called alike); empty for another."""
    code = key.removeprefix("promo_")
    return code if code in COUPONS else ""


def coupon_shape(coupon: Coupon, settings: RuntimeSettings) -> Shape:
    duration = coupon.duration or settings.coupon_duration
    months = coupon.months or settings.coupon_months
    return {
        **nulls("amount_off currency max_redemptions redeem_by"),
        "id": coupon.code,
        "object": "coupon",
        "created": _MADE,
        "duration": str(duration),
        "duration_in_months": months if duration is CouponDuration.REPEATING else None,
        "livemode": False,
        "metadata": {},
        "name": f"{coupon.percent_off}% off",
        "percent_off": float(coupon.percent_off),
        "times_redeemed": 0,
        "valid": True,
    }


def promotion_code_shape(coupon: Coupon) -> Shape:
    return {
        **nulls("customer customer_account expires_at max_redemptions"),
        "id": promotion_id(coupon.code),
        "object": "promotion_code",
        "active": True,
        "code": coupon.code,
        "created": _MADE,
        "livemode": False,
        "metadata": {},
        "promotion": {"type": "coupon", "coupon": coupon.code},
        "restrictions": {
            "first_time_transaction": False,
            "minimum_amount": None,
            "minimum_amount_currency": None,
        },
        "times_redeemed": 0,
    }


def discount_id(subscription_id: str) -> str:
    return f"di_{subscription_id.removeprefix('sub_')}"


def discount_shape(subscription: StripeSubscription) -> Shape | None:
    """The discount of a subscription; None without one."""
    discount = subscription.discount
    if discount is None:
        return None
    return {
        **nulls("customer_account invoice invoice_item subscription_item"),
        "id": discount_id(subscription.id),
        "object": "discount",
        "checkout_session": subscription.session_id or None,
        "customer": subscription.customer,
        "end": unix_or_none(discount.end),
        "promotion_code": promotion_id(discount.code),
        "source": {"type": "coupon", "coupon": discount.code},
        "start": unix(discount.start),
        "subscription": subscription.id,
    }
