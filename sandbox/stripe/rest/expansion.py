"""`expand`: ids in an answer give way to what they name, and lists that come only on request are added."""

from collections.abc import Callable
from typing import Final

from sandbox.state import SandboxState
from sandbox.stripe.amounts import COUPONS
from sandbox.stripe.rest.checkout import session_or_404
from sandbox.stripe.rest.customers import customer_or_404
from sandbox.stripe.rest.invoices import invoice_or_404, paid_invoice_or_404
from sandbox.stripe.rest.problems import bad_request
from sandbox.stripe.rest.products import price_or_404, product_or_404
from sandbox.stripe.rest.shapes import Shape, listing
from sandbox.stripe.rest.shapes.checkout import line_items
from sandbox.stripe.rest.shapes.customers import customer_shape
from sandbox.stripe.rest.shapes.invoices import invoice_payments, invoice_shape
from sandbox.stripe.rest.shapes.payments import charge_shape, intent_shape
from sandbox.stripe.rest.shapes.products import price_shape, product_shape
from sandbox.stripe.rest.shapes.promotions import (
    code_of,
    coupon_shape,
    discount_id,
    discount_shape,
    promotion_code_shape,
)
from sandbox.stripe.rest.shapes.subscriptions import subscription_shape
from sandbox.stripe.rest.subscriptions import schedule_or_404, subscription_or_404

_DEEPEST: Final = 4


class Expansion:
    """Called with an answer and the paths to expand; raises StripeProblem for a path that can't be."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state
        named: dict[str, Callable[[str], Shape | None]] = {
            "charge": lambda key: charge_shape(paid_invoice_or_404(state, key, "charge")),
            "coupon": lambda key: coupon_shape(COUPONS[code_of(key)], state.runtime_settings.current),
            "customer": lambda key: customer_shape(customer_or_404(state, key)),
            "discounts": self._discount,
            "invoice": lambda key: invoice_shape(state, invoice_or_404(state, key)),
            "payment_intent": lambda key: intent_shape(paid_invoice_or_404(state, key, "payment_intent")),
            "price": lambda key: price_shape(price_or_404(state, key)),
            "product": lambda key: product_shape(product_or_404(state, key)),
            "promotion_code": lambda key: promotion_code_shape(COUPONS[code_of(key)]),
            "schedule": lambda key: schedule_or_404(state, key),
            "subscription": self._subscription,
        }
        aliases = {"default_price": "price", "latest_charge": "charge", "latest_invoice": "invoice"}
        self._named = named | {alias: named[name] for alias, name in aliases.items()}
        self._added: dict[tuple[str, str], Callable[[str], Shape]] = {
            ("checkout.session", "line_items"): lambda key: line_items(state, session_or_404(state, key)),
            ("invoice", "payments"): self._payments,
            ("customer", "subscriptions"): self._subscriptions,
        }

    def __call__(self, answer: Shape, paths: list[str]) -> Shape:
        for path in paths:
            parts = path.split(".")
            if len(parts) > _DEEPEST:
                raise bad_request(f"You cannot expand more than {_DEEPEST} levels of a property.", param="expand")
            self._expand(answer, parts, path)
        return answer

    def _expand(self, thing: object, parts: list[str], path: str) -> None:
        if isinstance(thing, list):
            for one in thing:
                self._expand(one, parts, path)
        if not isinstance(thing, dict):
            return
        name, rest = parts[0], parts[1:]
        adds = self._added.get((str(thing.get("object", "")), name))
        if adds and name not in thing:
            thing[name] = adds(str(thing["id"]))
        elif name not in thing or (not rest and name not in self._named and not adds):
            raise bad_request(f"This property cannot be expanded ({path}).", param="expand")
        else:
            thing[name] = self._in_full(name, thing[name])
        self._expand(thing[name], rest, path) if rest else None

    def _in_full(self, name: str, value: object) -> object:
        names = self._named.get(name)
        if names is None:
            return value
        if isinstance(value, list):
            return [self._in_full(name, one) for one in value]
        return names(value) if isinstance(value, str) else value

    def _subscription(self, key: str) -> Shape:
        one = subscription_or_404(self._state, key)
        return subscription_shape(one, self._state.products, self._state.runtime_settings.current)

    def _subscriptions(self, key: str) -> Shape:
        live = [one.id for one in self._state.subscriptions.of_customer(key) if one.status != "canceled"]
        return listing(f"/v1/customers/{key}/subscriptions", [self._subscription(one) for one in live])

    def _payments(self, key: str) -> Shape:
        return listing(f"/v1/invoice_payments?invoice={key}", invoice_payments(invoice_or_404(self._state, key)))

    def _discount(self, key: str) -> Shape | None:
        subscription = self._state.subscriptions.get(f"sub_{key.removeprefix('di_')}")
        return discount_shape(subscription) if subscription and discount_id(subscription.id) == key else None
