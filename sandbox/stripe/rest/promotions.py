"""The calls about promotion codes and coupons: those that the sandbox has."""

from collections.abc import Iterable

from sandbox.state import SandboxState
from sandbox.stripe.amounts import COUPONS, Coupon
from sandbox.stripe.rest.gate import ApiCall, call
from sandbox.stripe.rest.lists import page_of
from sandbox.stripe.rest.params import CallParams, ListParams
from sandbox.stripe.rest.problems import no_such
from sandbox.stripe.rest.shapes import Shape
from sandbox.stripe.rest.shapes.promotions import code_of, coupon_shape, promotion_code_shape, promotion_id


class ListPromotionCodes(ListParams):
    active: bool | None = None
    code: str = ""
    coupon: str = ""


def promotion_calls(state: SandboxState) -> Iterable[ApiCall]:
    def codes(params: ListPromotionCodes, _: str) -> Shape:
        """Codes are found in either case, as buyers type them."""
        known = [
            one
            for one in COUPONS.values()
            if params.active is not False and params.code.upper() in ("", one.code) and params.coupon in ("", one.code)
        ]
        return page_of(known, params, "/v1/promotion_codes", lambda one: promotion_id(one.code), promotion_code_shape)

    def code(_: CallParams, key: str) -> Shape:
        return promotion_code_shape(_coupon_or_404(key, "promotion code"))

    def coupons(params: ListParams, _: str) -> Shape:
        return page_of(list(COUPONS.values()), params, "/v1/coupons", lambda one: one.code, shape)

    def coupon(_: CallParams, key: str) -> Shape:
        return shape(_coupon_or_404(key, "coupon"))

    def shape(one: Coupon) -> Shape:
        return coupon_shape(one, state.runtime_settings.current)

    return (
        call("GET", "/promotion_codes", ListPromotionCodes, codes),
        call("GET", "/promotion_codes/{key}", CallParams, code),
        call("GET", "/coupons", ListParams, coupons),
        call("GET", "/coupons/{key}", CallParams, coupon),
    )


def _coupon_or_404(key: str, kind: str) -> Coupon:
    code = code_of(key)
    if not code:
        raise no_such(kind, key)
    return COUPONS[code]
