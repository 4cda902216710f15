"""Examples of what the JSON API takes and answers, by the published name of their schema. A test holds them to it."""

from collections.abc import Mapping
from typing import Final

from api.problems import problem_of
from services.errors import AlreadySubscribed

_MONTHLY: Final = {
    "price_id": "price_premium_month", "amount": 2900, "currency": "usd", "interval": "month", "trial_days": 0
}  # fmt: skip
_PREMIUM: Final = {
    "id": "premium", "name": "Premium", "tagline": "For people who work with it every day", "kind": "paid",
    "group": "plans", "product_id": "prod_premium", "highlighted": True, "includes": "basic",
    "features": ["Unlimited projects", "Exports"], "grants": {"projects": "unlimited", "exports": True},
    "prices": [_MONTHLY],
}  # fmt: skip
_STICKERS: Final = {
    "id": "sticker_pack", "name": "Sticker pack", "description": "Twenty stickers, sent by mail",
    "product_id": "prod_stickers", "min_quantity": 1, "max_quantity": 20,
    "price": {"price_id": "price_stickers", "amount": 900, "currency": "usd", "interval": None, "trial_days": 0},
}  # fmt: skip
_CHECKOUT: Final = {
    "checkout_url": "https://checkout.stripe.com/c/pay/cs_test_a1b2c3", "checkout_session_id": "cs_test_a1b2c3",
    "checkout_id": "b7f0c2d4e6",
}  # fmt: skip
_HAD: Final = {
    "state": "active", "access": True, "reason": "agreed", "source": "both", "as_of": "2026-11-30T08:15:02Z",
    "plan": "premium", "account_plan": None,
}  # fmt: skip
_CLAIM: Final = {
    "says": "has_access", "evidence": "both", "as_of": "2026-11-30T08:15:02Z", "group": "plans", "plan": "premium",
    "account_plan": None, "other_plan": None, "product_id": "prod_premium", "subscription_id": None,
    "checkout_id": None, "date": None, "amount": None, "currency": None, "interval": None, "tax": None,
    "tax_amount": None, "percent_off": None, "days": None, "word": None,
}  # fmt: skip
_SUBSCRIPTION: Final = {
    **_HAD, "group": "plans", "product_id": "prod_premium", "until": "2026-12-21T00:00:00Z", "ends": False,
    "renews": None, "word": "active", "amount": None, "currency": None, "interval": None, "claims": [_CLAIM],
    "actions": ["manage", "change_plan"],
}  # fmt: skip
_GROUP: Final = {**_HAD, "until": None}
_ENTITLED: Final = {
    **_GROUP, "features": {"projects": "unlimited", "exports": True}, "stale": False, "groups": {"plans": _GROUP},
    "token": "eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJ1c3JfMSJ9.c2lnbmF0dXJl",
    "expires_at": "2026-11-30T08:16:02Z",
}  # fmt: skip

_PROBLEM: Final = problem_of(AlreadySubscribed(), "https://billing.example.com")

EXAMPLES: Final[Mapping[str, Mapping[str, object]]] = {
    "Catalog": {
        "version": "4b1f0c9d2e7a",
        "features": [{"key": "exports", "kind": "flag", "name": "Exports", "unit": None}],
        "plans": [_PREMIUM],
        "items": [_STICKERS],
    },
    "Me": {
        "user_id": "usr_1", "name": "Grace Hopper", "email": "grace@example.com", "picture": "",
        "signed_in_at": "2026-11-30T08:12:44Z",
    },
    "MyData": {
        "exported_at": "2026-11-30T08:15:02Z", "user_id": "usr_1", "customer_id": "usr_1",
        "kept": {"cart": {"price_stickers": 2}},
    },
    "Subscription": _SUBSCRIPTION,
    "Subscriptions": {
        "current": _SUBSCRIPTION, "groups": {"plans": _SUBSCRIPTION}, "others": [], "claims": [_CLAIM], "stale": False,
        "open_checkout": None,
    },
    "Claim": _CLAIM,
    "CheckoutRequest": {
        "price_id": "price_premium_month", "amount": 2900, "currency": "usd", "interval": "month", "locale": "de",
    },
    "CartCheckoutRequest": {"total": 1800, "currency": "usd"},
    "CheckoutStarted": _CHECKOUT,
    "PortalRequest": {"return_to": "/payment", "flow": "cancel", "locale": "de"},
    "PortalOpened": {"portal_url": "https://billing.stripe.com/p/session/test_a1b2c3"},
    "QuantityRequest": {"quantity": 2},
    "Cart": {
        "lines": [
            {
                "item": "sticker_pack", "name": "Sticker pack", "price_id": "price_stickers", "quantity": 2,
                "amount": 900, "total": 1800,
            }
        ],
        "count": 2, "total": 1800, "currency": "usd", "gone": 0,
    },
    "Entitlement": _ENTITLED,
    "UserEntitlement": {"user_id": "usr_1", **_ENTITLED},
    "EntitlementsQuery": {"user_ids": ["usr_1", "usr_2"]},
    "EntitlementsAnswer": {"users": [{"user_id": "usr_1", **_ENTITLED}]},
    "PaymentEvent": {"user_id": "usr_1"},
    "Problem": _PROBLEM.model_dump(mode="json", exclude_none=True) | {"request_id": "7f3c2a91"},
}  # fmt: skip
