"""What the tests of the sandbox do again and again, over HTTP only: buy, ask, wait, sign in."""

import re
from typing import Any, Protocol, Self
from urllib.parse import parse_qs, urlsplit

import httpx

from sandbox.launch import RunningSandbox

PRODUCT, PRICE = "prod_sample", "price_sample"
RETURN = "http://app.test/payment/success?session_id={CHECKOUT_SESSION_ID}"
BACK = "http://app.test/payment/cancel"


class Place(Protocol):
    """Where a sandbox is: a process, or one in this process."""

    @property
    def payment_ms_url(self) -> str: ...
    @property
    def auth_ms_url(self) -> str: ...
    @property
    def stripe_url(self) -> str: ...
    @property
    def control_url(self) -> str: ...
    @property
    def api_key(self) -> str: ...


class ShopClient:
    """What a test asks of one sandbox."""

    def __init__(self, place: Place, http: httpx.Client) -> None:
        self.place, self.http = place, http
        self.key = {"X-API-Key": place.api_key}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def control(self, method: str, path: str, body: object = None) -> Any:
        """A control call's answer; an error status fails the test."""
        answer = self.http.request(method, f"{self.place.control_url}/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def set(self, **settings: object) -> None:
        self.control("PATCH", "settings", settings)

    def payment(self, method: str, path: str, body: object = None) -> httpx.Response:
        return self.http.request(method, f"{self.place.payment_ms_url}{path}", json=body, headers=self.key)

    def checkout(self, user_id: str = "user_1", kind: str = "subscription", **more: Any) -> dict[str, Any]:
        """A new checkout session as the Payment MS answers it."""
        body: dict[str, object] = {
            "user_id": user_id,
            "email": "ada@example.com",
            "product_id": PRODUCT,
            "price_id": PRICE,
            "success_url": RETURN,
            "cancel_url": BACK,
        }
        answer = self.payment("POST", f"/api/v1/checkout/{kind}", body | more)
        assert answer.status_code == 200, answer.text
        session: dict[str, Any] = answer.json()
        return session

    def pay(self, session: dict[str, Any], card: str = "4242 4242 4242 4242", **fields: str) -> httpx.Response:
        """Fill in the hosted page's form and press its button."""
        return self.http.post(session["checkout_url"], data={"email": "ada@example.com", "card": card, **fields})

    def buy(self, user_id: str = "user_1", **more: Any) -> dict[str, Any]:
        """A paid session whose webhook has arrived."""
        session = self.checkout(user_id, **more)
        assert self.pay(session).status_code == 303
        self.settle()
        return session

    def settle(self) -> None:
        """Wait until every webhook on its way has arrived."""
        assert self.control("GET", "settled?seconds=10")["settled"]

    def status(self, user_id: str = "user_1", product_id: str = PRODUCT) -> dict[str, Any]:
        answer = self.payment("GET", f"/api/v1/subscriptions/{user_id}/{product_id}")
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def subscription(self, user_id: str = "user_1") -> dict[str, Any]:
        """The user's newest subscription as Stripe has it."""
        found: list[dict[str, Any]] = self.control("GET", f"subscriptions?user_id={user_id}")
        return found[-1]

    def sign_in(self, name: str = "ada") -> dict[str, Any]:
        """The answer to ``/auth/session/create`` after choosing a sample person."""
        answer = self.http.post(
            f"{self.place.auth_ms_url}/auth/google",
            data={"user": name, "redirect_uri": "http://app.test/auth/callback?state=s1"},
        )
        code = parse_qs(urlsplit(answer.headers["location"]).query)["auth_code"][0]
        created = self.http.post(f"{self.place.auth_ms_url}/auth/session/create", json={"auth_code": code})
        content: dict[str, Any] = created.json()
        return content

    def refresh(self, session_id: str) -> dict[str, Any]:
        answer = self.http.post(f"{self.place.auth_ms_url}/auth/session/refresh", json={"session_id": session_id})
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def portal_url(self, user_id: str = "user_1") -> str:
        answer = self.payment("POST", "/api/v1/portal", {"user_id": user_id, "return_url": "http://app.test/account"})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["portal_url"])


class Shop(ShopClient):
    """A client of a sandbox process."""

    def __init__(self, running: RunningSandbox) -> None:
        super().__init__(running, httpx.Client(timeout=10.0))
        self.running = running


def text_of(page: httpx.Response) -> str:
    """A page's words without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))
