"""The routes and guards as one ASGI app over the real services, against a sandbox on real sockets; and its browsers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from api.install import install
from api.lifespan import RunningApp
from harness.app_process import NO_AUTHORITIES
from sandbox.launch import RunningSandbox
from settings import Settings, load_settings
from ui.pages.errors import too_many_requests
from wiring.build import build

WEBHOOK_SECRET = "whsec_0123456789abcdef0123456789"
STORAGE_SECRET = "Zk3v9Qm1Xw7Lr5Tn8Bc2Hd6Jf4Gs0Py1"
OPS_TOKEN = "ops-9f8e7d6c5b4a39281706"
OURS = {"sec-fetch-site": "same-origin"}


def settings_for(folder: Path, sandbox: RunningSandbox, **values: object) -> Settings:
    """Return the settings of an app that uses this sandbox and keeps its store in `folder`."""
    usual: dict[str, object] = {
        "_env_file": None,
        "storage_path": str(folder / "store.sqlite3"),
        "storage_secret": SecretStr(STORAGE_SECRET),
        "sandbox_payment_port": _port(sandbox.payment_ms_url),
        "sandbox_auth_port": _port(sandbox.auth_ms_url),
        "sandbox_stripe_port": _port(sandbox.stripe_url),
        "payment_ms_webhook_secret": SecretStr(WEBHOOK_SECRET),
        "ops_token": SecretStr(OPS_TOKEN),
        "limit_checkouts": "1000/minute",
        "limit_sign_ins": "1000/minute",
        "limit_page_views": "1000/minute",
    }
    return load_settings(**{**usual, **values})


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


class Browser(httpx.AsyncClient):
    """A browser on our own pages: it keeps cookies and says that its requests come from this site."""

    def __init__(self, app: FastAPI, url: str, client: tuple[str, int] = ("127.0.0.1", 40000)) -> None:
        super().__init__(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False, client=client), base_url=url, headers=OURS
        )
        self.outside = httpx.AsyncClient(verify=NO_AUTHORITIES, trust_env=False, timeout=10.0)

    async def aclose(self) -> None:
        await self.outside.aclose()
        await super().aclose()

    async def choose_person(self, address: str, email: str) -> str:
        """At the Auth MS: be this person; return where it sends the browser."""
        fields = {"email": email, "redirect_uri": httpx.URL(address).params["redirect_uri"]}
        return (await self.outside.post(address, data=fields)).headers["location"]

    async def sign_in(self, email: str = "ada@example.com", next_path: str = "/payment") -> Self:
        """Sign in as this person; return the browser."""
        start = await self.get("/auth/login", params={"provider": "google", "next": next_path})
        back = await self.get(await self.choose_person(start.headers["location"], email))
        assert back.status_code == 303, back.text
        assert back.headers["location"] == next_path
        return self

    async def pay(self, checkout_url: str) -> None:
        """Pay on the hosted checkout page."""
        answer = await self.outside.post(checkout_url, data={"email": "a@example.com", "card": "4242 4242 4242 4242"})
        assert answer.status_code == 303, answer.text


class ApiWorld:
    """One app in this process. `browser()` opens another browser of it."""

    def __init__(self, running: RunningApp, sandbox: RunningSandbox) -> None:
        self.running = running
        self.container = container = running.container
        self.sandbox = sandbox
        self.url = container.settings.public_url
        container.page_health.passed({})
        self.app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        install(self.app, container, busy_page=partial(too_many_requests, container))
        self._browsers: list[Browser] = []

    def browser(self, client: tuple[str, int] = ("127.0.0.1", 40000)) -> Browser:
        """Open a browser with no cookies."""
        browser = Browser(self.app, self.url, client)
        self._browsers.append(browser)
        return browser

    def price(self, plan: str = "premium") -> str:
        """Return the id of a plan's monthly price."""
        return next(iter(self.container.catalog.plan(plan).prices.values())).price_id

    def item_price(self, index: int = 0) -> str:
        """Return the id of an item's price."""
        return self.container.catalog.items[index].price.price_id

    async def control(self, method: str, path: str, body: object = None) -> Any:
        """Call the sandbox's control panel and return its answer."""
        async with httpx.AsyncClient(verify=NO_AUTHORITIES, trust_env=False, timeout=10.0) as client:
            answer = await client.request(method, f"{self.sandbox.control_url}/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Serve the app on a socket, at its PUBLIC_URL."""
        port = self.container.settings.port
        server = uvicorn.Server(uvicorn.Config(self.app, port=port, log_config=None, lifespan="off", ws="none"))
        task = asyncio.create_task(server.serve())
        patient = httpx.AsyncHTTPTransport(retries=20)
        async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False, transport=patient) as asker:
            await asker.get(f"{self.url}/healthz")
        try:
            yield
        finally:
            server.should_exit = True
            await task

    async def close(self) -> None:
        """Close the browsers and the app."""
        for browser in self._browsers:
            await browser.aclose()
        await self.running.stop()


@asynccontextmanager
async def api_world(folder: Path, sandbox: RunningSandbox, **values: object) -> AsyncIterator[ApiWorld]:
    """Give an app with these settings beside the usual ones, and a sandbox that knows nobody."""
    world = ApiWorld(build(settings_for(folder, sandbox, **values)), sandbox)
    await world.control("POST", "reset")
    try:
        yield world
    finally:
        await world.close()
