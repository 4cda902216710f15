"""Stripe's own library against a sandbox in this process: nothing of the library is changed but its transport."""

from collections.abc import Mapping
from typing import Any, Final

import httpx
import stripe

from tests.sandbox.local import LocalShop

KEY: Final = "sk_test_sandbox_no_money_moves"


class LocalHTTPClient(stripe.HTTPClient):
    """The library's way out of it, into the sandbox's apps."""

    name = "local"

    def __init__(self, http: httpx.Client) -> None:
        super().__init__()
        self._http = http

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        answer = self._http.request(method.upper(), url, headers=dict(headers or {}), content=post_data)
        return answer.text, answer.status_code, answer.headers


def stripe_client(local: LocalShop, key: str = KEY) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        http_client=LocalHTTPClient(local.http),
        base_addresses={"api": local.place.stripe_url},
        max_network_retries=0,
    )


class StripeShop:
    """A merchant with a product for each month, at a sandbox's Stripe."""

    def __init__(self, local: LocalShop) -> None:
        self.local, self.client = local, stripe_client(local)
        self.v1 = self.client.v1

    def customer(self, user_id: str = "u1", **more: Any) -> stripe.Customer:
        wanted: Any = {"email": "ada@example.com", "metadata": {"user_id": user_id}}
        return self.v1.customers.create(wanted | more)

    def price(self, amount: int = 2900, name: str = "Gold", **more: Any) -> stripe.Price:
        product = self.v1.products.create({"name": name, "metadata": {"plan": "gold", "group": "plans"}})
        wanted: Any = {"product": product.id, "unit_amount": amount, "currency": "usd"}
        return self.v1.prices.create(wanted | {"recurring": {"interval": "month"}} | more)

    def session(self, customer: stripe.Customer, price: stripe.Price, **more: Any) -> stripe.checkout.Session:
        wanted: Any = {
            "mode": "subscription",
            "customer": customer.id,
            "line_items": [{"price": price.id, "quantity": 1}],
            "success_url": "https://app.test/success?session_id={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://app.test/cancel",
        }
        return self.v1.checkout.sessions.create(wanted | more)

    def pay(self, session: stripe.checkout.Session, card: str = "4242424242424242") -> stripe.checkout.Session:
        """The session after its page was filled in."""
        assert session.url
        answer = self.local.http.post(session.url, data={"email": "ada@example.com", "card": card, "agree": "yes"})
        assert answer.status_code == 303, answer.text
        return self.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "payment_intent"]})

    def subscribe(self, user_id: str = "u1", **more: Any) -> stripe.Subscription:
        subscription = self.pay(self.session(self.customer(user_id), self.price(), **more)).subscription
        assert isinstance(subscription, stripe.Subscription)
        return subscription

    def get(self, path: str) -> dict[str, Any]:
        """An answer as it is on the wire."""
        return self.send("GET", path)

    def send(self, method: str, path: str, **form: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {KEY}"}
        url = f"{self.local.place.stripe_url}/v1/{path}"
        answer = self.local.http.request(method, url, headers=headers, data=form)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content
