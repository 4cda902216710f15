"""Stripe's own API, where it is at hand: what a check needs is really made there, and ended again.

A service that looks at Stripe itself believes no made-up subscription, and is right not to. Only a test key is taken.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from contract.results import Unmet
from contract.wire import SerialClient

STRIPE: Final = "https://api.stripe.com"
_TEST_KEYS: Final = ("sk_test_", "rk_test_")


class StripeRefused(Exception):
    """Stripe did not do what a check needs, which says nothing about the service; the text is Stripe's."""


class StripeDoor:
    """Makes, changes and ends subscriptions at Stripe. Nothing is charged: each begins with a day of trial."""

    def __init__(self, wire: SerialClient, key: str) -> None:
        """Raises ValueError for anything but a test key."""
        if not key.startswith(_TEST_KEYS) or not key.isascii():
            raise ValueError("--stripe-key must be a test key, sk_test_… or rk_test_…")
        self._wire = wire
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-www-form-urlencoded"}

    def subscribe(self, user_id: str, session_id: str, price_id: str, product_id: str) -> dict[str, Any]:
        """Return a new subscription of the customer that the service made for a checkout, marked as that one is."""
        session = self._asked("GET", f"/v1/checkout/sessions/{quote(session_id, safe='')}") if session_id else {}
        marks = {**(session.get("metadata") or {}), "user_id": user_id, "product_id": product_id}
        form = {f"metadata[{name}]": str(text) for name, text in marks.items()}
        form |= {"customer": self._customer(session, user_id), "items[0][price]": price_id, "trial_period_days": "1"}
        return self._asked("POST", "/v1/subscriptions", form)

    def move(self, subscription: Mapping[str, Any], price_id: str) -> dict[str, Any]:
        """Return the subscription as it is with another price."""
        item = subscription["items"]["data"][0]["id"]
        form = {"items[0][id]": item, "items[0][price]": price_id, "proration_behavior": "none"}
        return self._asked("POST", f"/v1/subscriptions/{subscription['id']}", form)

    def end(self, subscription: Mapping[str, Any]) -> dict[str, Any]:
        """Return the subscription as it is once it was canceled at once."""
        return self._asked("DELETE", f"/v1/subscriptions/{subscription['id']}")

    def _customer(self, session: Mapping[str, Any], user_id: str) -> str:
        """Return the session's customer; one of our own where the service lets Checkout make it on payment."""
        if known := session.get("customer"):
            return str(known)
        form = {"email": f"{user_id}@example.com", "metadata[user_id]": user_id}
        return str(self._asked("POST", "/v1/customers", form)["id"])

    def _asked(self, method: str, path: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        content = urlencode(form).encode() if form is not None else None
        try:
            reply = self._wire.ask(method, path, key="", headers=self._headers, content=content)
            told = json.loads(reply.body)
        except (Unmet, ValueError) as error:
            raise StripeRefused(str(error)) from None
        if reply.status != 200 or not isinstance(told, dict):
            said = told.get("error") if isinstance(told, dict) else None
            raise StripeRefused(said["message"] if isinstance(said, dict) else f"{path} answered {reply.status}")
        return told
