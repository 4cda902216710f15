"""One person's life with the product as `make run` starts it: the whole app and the whole sandbox in this process.

Pages are NiceGUI's user simulation, forms and the JSON API are the real routes, and `truth` is what the sandbox knows
to be so. The sandbox's webhooks take as long as its settings say; `settle` lets them arrive without waiting.
"""

import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI
from nicegui import Client, ui
from nicegui.testing import User as Browser
from nicegui.testing.user_simulation import user_simulation
from pydantic import SecretStr
from starlette.types import ASGIApp

from api.install import install
from examples import members_page
from sandbox.in_process import InProcessSandbox, ManualTime, settings_in_memory
from sandbox.state import Addresses
from sandbox.truth.model import SubscriptionTruth, Truth
from sandbox.truth.report import truth_about
from services.container import Container
from services.sessions.service import Session
from services.subscription.customer_status import CustomerStatus
from services.upstream.transport import Transport
from settings import load_settings
from tests.ui.reading import tags_in, text_of
from ui.pages import account, cancel, cart, errors, home, login, payment, pricing, shop, success, upgrade
from ui.pages.errors import too_many_requests
from wiring.build import build

PAYMENT: Final = "http://127.0.0.1:9000"
AUTH: Final = "http://127.0.0.1:8080"
STRIPE: Final = "http://localhost:4242"
PUBLIC_URL: Final = "https://localhost:8081"
"""With TLS, since without it our cookie has the name of NiceGUI's own, which its simulation sets too."""

STORAGE_SECRET: Final = "Zk3v9Qm1Xw7Lr5Tn8Bc2Hd6Jf4Gs0Py1"
PAGES: Final = (home, pricing, login, payment, success, cancel, account, members_page, upgrade, shop, cart, errors)


class PresentTime(ManualTime):
    """The time on the wall."""

    def __call__(self) -> float:
        return time.time()


class DirectTransport(Transport):
    """The app's transport, with the wire to a service replaced by a call of it."""

    def __init__(self, base_url: str, service: ASGIApp) -> None:
        super().__init__(base_url, connect_timeout=1.0, max_connections=1)
        self._http = httpx.ASGITransport(service, raise_app_exceptions=True)  # type: ignore[assignment]


class CustomerLife:
    """Ada, her browser, the app and the sandbox."""

    def __init__(self, browser: Browser, container: Container, sandbox: InProcessSandbox, routes: FastAPI) -> None:
        self.browser, self.container, self.sandbox = browser, container, sandbox
        self.email, self.user_id = "ada@example.com", ""
        url = container.settings.public_url
        self.api = httpx.AsyncClient(
            transport=httpx.ASGITransport(routes), base_url=url, headers={"sec-fetch-site": "same-origin"}
        )
        self.outside = httpx.AsyncClient(
            mounts={
                f"all://{urlsplit(base).netloc}": httpx.ASGITransport(app)
                for base, app in ((PAYMENT, sandbox.payment), (AUTH, sandbox.auth), (STRIPE, sandbox.stripe))
            }
        )

    async def sign_in(self, email: str = "ada@example.com", next_path: str = "/payment") -> None:
        """Sign in at the Auth MS's page, and come back to where it was wanted."""
        self.email = email
        start = await self.api.get("/auth/login", params={"provider": "google", "next": next_path})
        place = start.headers["location"]
        fields = {"email": email, "redirect_uri": httpx.URL(place).params["redirect_uri"]}
        chosen = await self.outside.post(place, data=fields)
        back = await self.api.get(chosen.headers["location"])
        assert (back.status_code, back.headers["location"]) == (303, next_path)
        self.browser.http_client.cookies.set(self.container.sessions.cookie_name, self.cookie)
        users = await self.control("GET", "users")
        self.user_id = next(one["user_id"] for one in users if one["email"] == email)

    async def open(self, path: str) -> str:
        """Open a page, let its socket connect, and return what it says."""
        await self.browser.open(path)
        return self.text()

    def text(self) -> str:
        """Return all visible words of the page."""
        assert self.browser.client is not None
        return text_of(self.browser.client.layout)

    def claims(self) -> list[dict[str, Any]]:
        """Return what the page says it claims, beside the sentences that claim it."""
        assert self.browser.client is not None
        written = [tag._props.get("data-claims") for tag in tags_in(self.browser.client.layout)]
        return [claim for one in written if one for claim in json.loads(one)]

    async def press(self, price_id: str, **answers: str) -> str:
        """Press the button of a price as a form without a script does; return where the browser is sent."""
        answer = await self.api.post("/payment/checkout", data={"price_id": price_id, **answers})
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    async def pay(self, address: str, card: str = "4242424242424242", **how: str) -> str:
        """Pay on Stripe's page; return where it sends the browser: our success page, as a path."""
        session = address.rpartition("/")[2]
        paid = await self.control("POST", f"pay/{session}", {"card": card, **how})
        return path_of(paid["success_url"].replace("{CHECKOUT_SESSION_ID}", session))

    async def subscribe(self, price_id: str, **how: str) -> str:
        """Buy a plan, come back, and let the webhook arrive; return what the success page then says."""
        back = await self.pay(await self.press(price_id), **how)
        await self.open(back)
        await self.settle()
        return await self.open(back)

    async def at_stripe(self, address: str, **fields: str) -> httpx.Response:
        """Send a form of Stripe's hosted pages."""
        return await self.outside.post(address, data=fields)

    async def portal(self) -> str:
        """Open the portal; return its address."""
        answer = await self.api.post("/payment/portal")
        address = str(answer.headers["location"])
        assert address.startswith(f"{STRIPE}/p/session/"), answer.text
        return address

    async def act(self, action: str, **how: Any) -> None:
        """Do something to the newest subscription, as the portal or the dashboard does; the news arrives."""
        await self.control("POST", f"subscriptions/{self.subscription.id}/{action}", how)
        await self.settle()

    async def settle(self) -> None:
        """Let every webhook on its way arrive, and the app ask anew."""
        await self.control("POST", "webhooks/flush")
        await self.ask()

    async def ask(self) -> CustomerStatus:
        """Have the app ask both services about everything, and tell the open pages, as their watcher does."""
        session = await self.container.sessions.find(self.cookie)
        assert isinstance(session, Session)
        status = await self.container.refresher.ask(session, "all", fresh=True)
        await self.container.status.changed(status)
        return status

    async def set(self, **values: Any) -> None:
        """Change settings of the sandbox."""
        await self.control("PATCH", "settings", values)

    async def days(self, number: float) -> None:
        """Let the sandbox's time pass."""
        await self.control("POST", "clock/advance", {"days": number})

    async def control(self, method: str, path: str, body: object = None) -> Any:
        """Call the sandbox's control panel and return its answer."""
        answer = await self.outside.request(method, f"{STRIPE}/control/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    @property
    def cookie(self) -> str:
        """The value of the session cookie."""
        return self.api.cookies[self.container.sessions.cookie_name]

    @property
    def truth(self) -> Truth:
        """What is so about Ada."""
        return truth_about(self.sandbox.state, self.user_id)

    @property
    def subscription(self) -> SubscriptionTruth:
        """Her newest subscription."""
        return max(self.truth.subscriptions, key=lambda one: one.created)

    async def close(self) -> None:
        await self.api.aclose()
        await self.outside.aclose()


@asynccontextmanager
async def life(folder: Path, *, settings: dict[str, Any] | None = None, **sandbox: Any) -> AsyncIterator[CustomerLife]:
    """Start both; `settings` are the app's, the others the sandbox's (its own defaults where nothing is said)."""
    world = InProcessSandbox(
        settings_in_memory(**{"webhook_delay": 2, **sandbox}),
        Addresses(PAYMENT, AUTH, STRIPE),
        PresentTime(),
    )
    given = {
        "public_url": PUBLIC_URL,
        "storage_path": str(folder / "app.sqlite3"),
        "storage_secret": SecretStr(STORAGE_SECRET),
        **(settings or {}),
    }
    running = build(
        load_settings(_env_file=None, **given),
        payment_transport=DirectTransport(PAYMENT, world.payment),
        auth_transport=DirectTransport(AUTH, world.auth),
    )
    container = running.container
    routes = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    install(routes, container, busy_page=partial(too_many_requests, container))
    async with user_simulation(root=None) as browser:
        for page in PAGES:
            page.register(container)
        ui.page("/c/pay/{name}")(_hosted_page)
        ui.page("/p/session/{name}")(_hosted_page)
        one = CustomerLife(browser, container, world, routes)
        try:
            yield one
        finally:
            for client in list(Client.instances.values()):
                client.delete()
            await one.close()
            await running.stop()
            world.close()


def path_of(address: str) -> str:
    """Return an address of ours without its host."""
    return re.sub(r"^https?://[^/]+", "", address)


def _hosted_page(name: str) -> None:
    """Stands for a page at Stripe: the simulated browser has to arrive somewhere."""
    ui.label(name)
