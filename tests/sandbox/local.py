"""A sandbox in this process, driven like a running one: no sockets, no waiting, a time that stands still."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from sandbox.in_process import ADDRESSES, InProcessSandbox
from sandbox.settings import SANDBOX_API_KEY, SandboxSettings
from tests.sandbox.shop import ShopClient

ADA: Final = "user_ada"
MONTHLY: Final = "price_sandbox_premium_month"
YEARLY: Final = "price_sandbox_premium_year"
BASIC: Final = "price_sandbox_basic_month"
TRIAL: Final = "price_sandbox_enterprise_month"
PRODUCT_OF: Final = {
    MONTHLY: "prod_sandbox_premium",
    YEARLY: "prod_sandbox_premium",
    BASIC: "prod_sandbox_basic",
    TRIAL: "prod_sandbox_enterprise",
}


class AsgiTransport(httpx.BaseTransport):
    """Hands each request to the app that has its host."""

    def __init__(self, sandbox: InProcessSandbox) -> None:
        apps = {ADDRESSES.payment: sandbox.payment, ADDRESSES.auth: sandbox.auth, ADDRESSES.stripe: sandbox.stripe}
        self._transports = {urlsplit(url).netloc: httpx.ASGITransport(app) for url, app in apps.items()}
        self._runner = asyncio.Runner()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._runner.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transports[request.url.netloc.decode()].handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

    def close(self) -> None:
        self._runner.close()


@dataclass(frozen=True)
class InProcessAddresses:
    """Where the apps seem to be."""

    payment_ms_url: str = ADDRESSES.payment
    auth_ms_url: str = ADDRESSES.auth
    stripe_url: str = ADDRESSES.stripe
    control_url: str = f"{ADDRESSES.stripe}/control"
    api_key: str = SANDBOX_API_KEY


class LocalShop(ShopClient):
    """A client of a sandbox of its own, with Ada's life in it."""

    def __init__(self, settings: SandboxSettings | None = None) -> None:
        self.sandbox = InProcessSandbox(settings)
        super().__init__(InProcessAddresses(), httpx.Client(transport=AsgiTransport(self.sandbox)))

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.sandbox.close()

    def settle(self) -> None:
        """Let every webhook on its way arrive: the time moves by as much as that takes."""
        assert self.control("GET", "settled?seconds=120")["settled"]

    def days(self, number: float) -> None:
        """Let time pass."""
        self.control("POST", "clock/advance", {"days": number})

    def subscribe(
        self, price_id: str = MONTHLY, user_id: str = ADA, *, card: str = "4242424242424242", promotion: str = ""
    ) -> dict[str, Any]:
        """Buy a plan and let the news arrive; returns the session as it then is."""
        product = PRODUCT_OF.get(price_id, "prod_other")
        trial: dict[str, Any] = {"trial_days": 14} if price_id == TRIAL else {}
        session = self.checkout(user_id, product_id=product, price_id=price_id, **trial)["checkout_session_id"]
        paid: dict[str, Any] = self.control("POST", f"pay/{session}", {"card": card, "promotion": promotion})
        self.settle()
        return paid

    def act(self, action: str, user_id: str = ADA, **how: Any) -> dict[str, Any]:
        """Do something to the user's newest subscription."""
        subscription = self.subscription(user_id)["id"]
        done: dict[str, Any] = self.control("POST", f"subscriptions/{subscription}/{action}", how)
        return done

    def truth(self, user_id: str = ADA) -> dict[str, Any]:
        content: dict[str, Any] = self.control("GET", f"truth/{user_id}")
        return content

    def running_truth(self, user_id: str = ADA) -> dict[str, Any]:
        """The truth about the user's only subscription."""
        (subscription,) = self.truth(user_id)["subscriptions"]
        content: dict[str, Any] = subscription
        return content

    def amounts(self, user_id: str = ADA) -> list[int]:
        """What was charged, oldest first."""
        return [charge["amount"] for charge in self.truth(user_id)["charges"] if charge["status"] == "paid"]
