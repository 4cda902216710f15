"""People who use the product over HTTP, with no browser: they sign in, open pages and press buttons."""

import secrets
from typing import Any, Protocol, Self

import httpx

from harness.app_process import NO_AUTHORITIES


class ProductAccess(Protocol):
    """Where they go: the product's address, its sandbox, and the browsers to close afterwards."""

    clients: list[httpx.Client]

    @property
    def url(self) -> str:
        """The product's address."""

    def control(self, method: str, path: str, **body: Any) -> Any:
        """Call the sandbox's control panel and return its JSON answer."""


class HttpUser:
    """A user whose browser runs no scripts."""

    def __init__(self, place: ProductAccess, name: str = "", replica: str = "") -> None:
        self.place = place
        self.name = name or f"person{secrets.token_hex(5)}"
        self.email = f"{self.name}@example.com"
        self.user_id = ""
        self.client = httpx.Client(
            base_url=place.url, timeout=20, trust_env=False, headers={"Accept": "text/html"}, verify=NO_AUTHORITIES
        )
        place.clients.append(self.client)
        if replica:
            self.move_to(replica)

    def move_to(self, replica: str) -> None:
        """Have HAProxy send this browser to that replica from now on."""
        self.client.cookies.delete("replica") if "replica" in self.client.cookies else None
        self.client.cookies.set("replica", replica, domain="localhost.local", path="/")

    def sign_in(self) -> Self:
        """Sign in, by the sandbox's Auth MS."""
        made = self.place.control("POST", "/users", email=self.email, name=self.name.title())
        self.user_id = made["user_id"]
        self.client.get("/auth/login?provider=google&next=/payment")
        answer = self.client.get(f"/auth/callback?auth_code={made['auth_code']}")
        if (answer.status_code, answer.headers.get("location")) != (303, "/payment"):
            raise AssertionError(f"{self.name} is not signed in: {answer.status_code} {answer.headers}")
        return self

    def press_subscribe(self, price_id: str) -> httpx.Response:
        """Press a plan's button, as a form without a script does; go on with a checkout that is open already."""
        answer = self._post(price_id)
        asked = asked_about(answer.headers.get("location", ""))
        return self._post(price_id, resume=asked) if asked else answer

    def _post(self, price_id: str, **answers: str) -> httpx.Response:
        fields = {"price_id": price_id, **answers}
        return self.client.post("/payment/checkout", data=fields, headers={"Origin": self.place.url})

    @property
    def replica(self) -> str:
        """Where HAProxy sends this browser."""
        return next((cookie.value or "" for cookie in self.client.cookies.jar if cookie.name == "replica"), "")

    @property
    def session_cookie(self) -> str:
        """The value of the session cookie."""
        return self.client.cookies["session"]

    def sessions(self) -> list[dict[str, Any]]:
        """Return this person's checkout sessions at the sandbox."""
        found: list[dict[str, Any]] = self.place.control("GET", f"/sessions?user_id={self.user_id}")
        return found

    def subscriptions(self) -> list[dict[str, Any]]:
        """Return this person's subscriptions at the sandbox."""
        found: list[dict[str, Any]] = self.place.control("GET", f"/subscriptions?user_id={self.user_id}")
        return found


def asked_about(location: str) -> str:
    """Return our id of the checkout that a press is asked about, from where it was led; nothing for no question."""
    query = httpx.URL(location).params
    return query.get("checkout", "") if query.get("problem") == "checkout_in_progress" else ""
