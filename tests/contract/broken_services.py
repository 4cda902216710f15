"""Payment MSs with one thing broken: what, which checks must name it, and in which words."""

import json
import re
import threading
import time
from dataclasses import replace

from tests.contract.mock_payment_ms import Breakage, MockAnswer, MockRequest, html, refusal

CHECKOUTS = {"checkout_subscription", "checkout_item", "checkout_cart", "second_checkout"}
OF_EVENTS = {"webhook_created", "webhook_plan_change"}


def on(path: str, told: MockAnswer, *, method: str = "", status: int = 0) -> Breakage:
    """Say `told` instead, at a path (as a pattern), where the right answer would have had that status."""

    def broken(asked: MockRequest, right: MockAnswer) -> MockAnswer:
        hit = re.fullmatch(path, asked.path) and method in ("", asked.method) and status in (0, right.status)
        return told if hit else right

    return broken


def altered(path: str, **fields: object) -> Breakage:
    """Change fields of the successes at a path; `None` takes one away."""

    def broken(asked: MockRequest, right: MockAnswer) -> MockAnswer:
        if not re.fullmatch(path, asked.path) or right.status >= 300:
            return right
        for name, value in fields.items():
            if name in right.content:
                right = right.without(name) if value is None else right.having(**{name: value})
        return right

    return broken


def every_key_works(asked: MockRequest, right: MockAnswer) -> MockAnswer:
    return MockAnswer(200, {"exists": False}) if right.status == 401 else right


def one_session_for_all(asked: MockRequest, right: MockAnswer) -> MockAnswer:
    return (
        right.having(checkout_session_id="cs_test_1") if "/checkout/" in asked.path and right.status == 200 else right
    )


def registers_twice(asked: MockRequest, right: MockAnswer) -> MockAnswer:
    return MockAnswer(201, {"success": True, "products": []}) if right.status == 409 else right


def forgets_which_product(asked: MockRequest, right: MockAnswer) -> MockAnswer:
    return right.without("existing_product_id") if right.status == 409 else right


def registers_another_amount(asked: MockRequest, right: MockAnswer) -> MockAnswer:
    if right.status != 201:
        return right
    content = json.loads(json.dumps(right.content).replace('"amount": 1000', '"amount": 999'))
    return replace(right, content=content)


def decodes_no_user_id(asked: MockRequest, right: MockAnswer) -> MockAnswer:
    return refusal(400, "INVALID_URL") if "%40" in asked.path else right


def believes_any_signature(asked: MockRequest, right: MockAnswer) -> MockAnswer:
    return MockAnswer(200, {"received": True}) if right.status == 400 and asked.signature else right


def no_purchase_appears(asked: MockRequest, right: MockAnswer) -> MockAnswer:
    mine = "/subscriptions/contract-" in asked.path and right.status == 200
    return MockAnswer(200, {"exists": False}) if mine else right


def keeps_the_old_product(asked: MockRequest, right: MockAnswer) -> MockAnswer:
    return MockAnswer(200, {"exists": False}) if asked.path.endswith("/customer_1/prod_9") else right


def silent_account(asked: MockRequest, right: MockAnswer) -> MockAnswer:
    silent = MockAnswer(200, {"session_id": "s1", "user_context": {"user_id": "customer_1"}})
    return silent if asked.path == "/auth/session/refresh" else right


class BrokenByTwo:
    """Two requests at once break it for good; its webhook goes on to answer 200, or says that it can't write."""

    def __init__(self, *, webhook_lies: bool) -> None:
        self._lies = webhook_lies
        self._lock = threading.Lock()
        self._busy = 0
        self.lost = False

    def __call__(self, asked: MockRequest, right: MockAnswer) -> MockAnswer:
        with self._lock:
            self._busy += 1
            self.lost = self.lost or self._busy > 1
        time.sleep(0.02 if asked.path.startswith("/api/v1/subscriptions/contract-nobody") else 0)
        with self._lock:
            self._busy -= 1
        if self.lost and asked.path.startswith("/api"):
            return MockAnswer(401, b'{"error":"Invalid API key"}', "text/plain")
        if self.lost and asked.path == "/webhooks/stripe" and not self._lies:
            return refusal(500, "DATABASE_ERROR")
        return right


CHECKOUT, STATUS, PORTAL = r"/api/v1/checkout/.*", r"/api/v1/subscriptions/.*", "/api/v1/portal"
BROKEN: dict[str, tuple[Breakage, set[str], str]] = {
    "health is a page": (on("/health", html()), {"health"}, "text/html"),
    "health without a time": (altered("/health", timestamp=None), {"health"}, "timestamp"),
    "every key works": (every_key_works, {"key_missing", "key_wrong"}, "instead of 401"),
    "no checkout url": (altered(CHECKOUT, checkout_url=None), CHECKOUTS, "field checkout_url is missing"),
    "another name for the session": (
        altered("/api/v1/checkout/item", checkout_session_id=None),
        {"checkout_item"},
        "field checkout_session_id is missing",
    ),
    "a session id that is a number": (
        altered("/api/v1/checkout/cart", checkout_session_id=7),
        {"checkout_cart"},
        "field checkout_session_id is a number",
    ),
    "a checkout over plain http": (
        altered("/api/v1/checkout/subscription", checkout_url="http://checkout.stripe.com/c"),
        {"checkout_subscription", "second_checkout"},
        "no https address",
    ),
    "a path for a checkout url": (altered(CHECKOUT, checkout_url="/c/pay/1"), CHECKOUTS, "no https address"),
    "a checkout as text": (on(CHECKOUT, MockAnswer(200, b"{}", "text/plain"), status=200), CHECKOUTS, "text/plain"),
    "a checkout that is not JSON": (
        on(CHECKOUT, MockAnswer(200, b'{"a": NaN}'), status=200),
        CHECKOUTS,
        "no JSON object",
    ),
    "one session for all": (one_session_for_all, {"sessions_differ"}, "one session id"),
    "500 for missing fields": (
        on(CHECKOUT, refusal(500, "DATABASE_ERROR"), status=400),
        {"checkout_refused", "cart_refused"},
        "answered 500 DATABASE_ERROR",
    ),
    "an empty cart is sold": (
        lambda asked, right: MockAnswer(200, {}) if asked.body.get("items") == [] else right,
        {"cart_refused"},
        "answered 200",
    ),
    "exists as a text": (
        altered(STATUS, exists="false"),
        {"status_none", "status_encoded_id", "status_steady", "unpaid_is_none", "status_on_record"} | OF_EVENTS,
        "field exists is a text",
    ),
    "everybody has a subscription": (
        on(STATUS, MockAnswer(200, {"exists": True, "subscription_id": "sub_1"}), status=200),
        {"status_none", "status_encoded_id", "status_steady", "unpaid_is_none"},
        "says that there is a subscription",
    ),
    "a fourth shape": (
        on(STATUS, MockAnswer(200, {"subscribed": False}), status=200),
        {"status_none", "status_encoded_id", "status_steady", "unpaid_is_none", "status_on_record"} | OF_EVENTS,
        "neither field exists nor field status",
    ),
    "a subscription without its id": (
        altered(STATUS, subscription_id=None),
        {"status_on_record"} | OF_EVENTS,
        "field subscription_id is missing",
    ),
    "a date as people write it": (
        altered(STATUS, current_period_end="23.12.2026"),
        {"status_on_record"} | OF_EVENTS,
        "field current_period_end is no RFC 3339 time",
    ),
    "an encoded id is refused": (decodes_no_user_id, {"status_encoded_id"}, "answered 400 INVALID_URL"),
    "404 without a code": (on(PORTAL, html(404), status=404), {"portal_unknown"}, "without an error code"),
    "no portal url": (altered(PORTAL, portal_url=None), {"portal"}, "field portal_url is missing"),
    "unknown calls succeed": (on("/api/v1/no-such-call", html()), {"unknown_path"}, "as if that call existed"),
    "registers twice": (registers_twice, {"register"}, "instead of 409"),
    "forgets which product": (forgets_which_product, {"register"}, "existing_product_id"),
    "registers another amount": (registers_another_amount, {"register"}, "prices.yearly.amount"),
    "no customer at Stripe": (on(CHECKOUT, refusal(500, "STRIPE_ERROR"), status=200), CHECKOUTS, "500 STRIPE_ERROR"),
    "any signature will do": (believes_any_signature, {"webhook_unsigned"}, "wrong signature was answered 200"),
    "no purchase appears": (no_purchase_appears, {"webhook_created"}, "knows of no subscription"),
    "records keep their product": (keeps_the_old_product, {"webhook_plan_change"}, "another product"),
    "a silent account": (silent_account, {"account_told"}, "says nothing of a plan"),
    "one connection, and a webhook that says so": (
        BrokenByTwo(webhook_lies=False),
        {"two_at_once"},
        "401 to a key that worked",
    ),
    "one connection, and a webhook that lies": (
        BrokenByTwo(webhook_lies=True),
        {"two_at_once", "failed_write"},
        "401",
    ),
}
