"""The whole product with a fault proxy before each service, and its users: browsers that run no scripts."""

import asyncio
import contextlib
import json
import os
import re
import secrets
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any, Final, Self

import httpx

from harness.app_process import NO_AUTHORITIES, free_port
from sandbox.launch import RunningSandbox
from tests.faults.fault_proxy import FaultProxy
from tests.forks import Forks

API_KEY: Final = "proj_CANARYapikeyCANARYapikeyCANARYapikeyCANARY1"
STORAGE_SECRET: Final = "CANARYstoreCANARYstore0987xyzKQWv4Tg7Lm"
WEBHOOK_SECRET: Final = "CANARYwebhookCANARYwebhook0123456789"
OPS_TOKEN: Final = "CANARYopsCANARYops0123456789"
CHECKOUT: Final = "/api/v1/checkout"
STATUS: Final = "/api/v1/subscriptions"
PORTAL: Final = "/api/v1/portal"
REFRESH: Final = "/auth/session/refresh"
CREATE: Final = "/auth/session/create"
PREMIUM: Final = "price_sandbox_premium_month"
STICKERS: Final = "price_sandbox_sticker_pack"
STATUS_DEADLINE: Final = 1.0
CHECKOUT_DEADLINE: Final = 1.5


async def until(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until the condition holds; fail when it does not in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.02)


@dataclass
class ForkedApp:
    """One process of the app."""

    url: str
    environment: dict[str, str]
    output: Path
    forks: Forks
    largest_file: int | None = None
    pid: int = 0

    async def start(self, *, ahead: float = 0.0) -> Self:
        """Start the process, its clock `ahead` by so many seconds, and wait until it answers."""
        self.pid = self.forks.start(self.environment, self.output, largest_file=self.largest_file, ahead=ahead)
        async with httpx.AsyncClient(verify=NO_AUTHORITIES, trust_env=False, timeout=2.0) as client:
            end = time.monotonic() + 30
            while True:
                code = self.forks.ended(self.pid)
                assert code is None, f"the app ended with {code}:\n{self.log()[-3000:]}"
                assert time.monotonic() < end, f"the app does not answer:\n{self.log()[-3000:]}"
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{self.url}/healthz")).status_code == 200:
                        return self
                await asyncio.sleep(0.02)

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        os.kill(self.pid, number)

    async def ended(self, seconds: float = 25.0) -> int:
        """Return the exit code of a process that is about to end."""
        end = time.monotonic() + seconds
        while (code := self.forks.ended(self.pid)) is None:
            assert time.monotonic() < end, "the app does not end"
            await asyncio.sleep(0.02)
        self.pid = 0
        return code

    async def restart(self, *, ahead: float = 0.0) -> None:
        """End the process as a crash would, and start it again."""
        await self.kill()
        await self.start(ahead=ahead)

    async def kill(self) -> None:
        """End the process as a crash would."""
        if self.pid and self.forks.ended(self.pid) is None:
            self.signal(signal.SIGKILL)
            await self.ended()

    def log(self) -> str:
        """Return everything the process has written."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def events(self, event: str, **fields: object) -> list[dict[str, Any]]:
        """Return the log's events of that name with these fields."""
        found = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return [e for e in found if e["event"] == event and all(e.get(n) == value for n, value in fields.items())]


@dataclass(frozen=True)
class ScriptlessPage:
    """A page as a browser without scripts got it."""

    path: str
    status: int
    headers: httpx.Headers
    html: str

    @property
    def text(self) -> str:
        """What somebody reads."""
        body = self.html[self.html.find("<body") :]
        shown = re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", body)
        shown = re.sub(r"(</span>)?<wbr[^>]*>(<span[^>]*>)?", "", shown)  # a word may break there, and is one
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())


class AsyncHttpUser:
    """Somebody with a browser of their own."""

    def __init__(self, shop: "ProxiedProduct", name: str) -> None:
        self.shop, self.name, self.email = shop, name, f"{name}@example.com"
        self.user_id = ""
        self.client = httpx.AsyncClient(
            base_url=shop.app.url,
            timeout=25.0,
            verify=NO_AUTHORITIES,
            trust_env=False,
            headers={"Accept": "text/html", "Origin": shop.app.url, "Sec-Fetch-Site": "same-origin"},
        )

    async def code(self, display_name: str = "") -> str:
        """Be known at the Auth MS, and return the one-time code of a sign-in there."""
        made = await self.shop.control("POST", "/users", email=self.email, name=display_name or self.name.title())
        self.user_id = made["user_id"]
        return str(made["auth_code"])

    async def sign_in(self, display_name: str = "") -> Self:
        """Sign in at the Auth MS and come back."""
        code = await self.code(display_name)
        await self.client.get("/auth/login?provider=google&next=/payment")
        answer = await self.client.get(f"/auth/callback?auth_code={code}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/payment"), answer.headers
        return self

    async def look(self, path: str, hops: int = 3) -> ScriptlessPage:
        """Open a page and follow redirects within the site."""
        return await self._page(await self.client.get(path), hops)

    async def press(self, price_id: str, path: str = "/payment/checkout", **fields: str) -> ScriptlessPage:
        """Press a button as a form without scripts does, and see where it leads."""
        answer = await self.client.post(path, data={"price_id": price_id, **fields})
        return await self._page(answer)

    async def ask(self, price_id: str, **fields: object) -> httpx.Response:
        """Ask the JSON API for a checkout."""
        return await self.client.post("/api/payment/checkout", json={"price_id": price_id, **fields})

    async def _page(self, answer: httpx.Response, hops: int = 3) -> ScriptlessPage:
        while answer.is_redirect and hops and answer.headers["location"].startswith("/"):
            answer, hops = await self.client.get(answer.headers["location"]), hops - 1
        where = answer.headers.get("location") or str(answer.url).removeprefix(self.shop.app.url)
        return ScriptlessPage(where, answer.status_code, answer.headers, answer.text)

    async def sessions(self) -> list[dict[str, Any]]:
        """Return this person's checkout sessions at Stripe."""
        found: list[dict[str, Any]] = await self.shop.control("GET", f"/sessions?user_id={self.user_id}")
        return found


@dataclass
class ProxiedProduct:
    """The app, the sandbox, and the proxies between them."""

    folder: Path
    sandbox: RunningSandbox
    forks: Forks
    payment: FaultProxy
    auth: FaultProxy
    app: ForkedApp = field(init=False)
    people: list[AsyncHttpUser] = field(default_factory=list)
    apps: list[ForkedApp] = field(default_factory=list)

    async def open(
        self,
        settings: Mapping[str, str] | None = None,
        *,
        largest_file: int | None = None,
        output: Path | None = None,
    ) -> "ProxiedProduct":
        """Start the app with these settings beside the usual ones."""
        port = free_port()
        url = f"http://localhost:{port}"
        environment = {**self.environment(port, url), **(settings or {})}
        output = output or self.folder / f"app-{port}.log"
        self.app = ForkedApp(url, environment, output, self.forks, largest_file)
        self.apps.append(self.app)
        await self.app.start()
        return self

    def environment(self, port: int, url: str) -> dict[str, str]:
        """Return the settings of an app that takes money, as far as it knows."""
        stripe = self.sandbox.stripe_url.removeprefix("http://")
        return {
            "PORT": str(port),
            "PUBLIC_URL": url,
            "PAYMENT_MS_URL": self.payment.url,
            "PAYMENT_MS_API_KEY": API_KEY,
            "ALLOW_SANDBOX_IDS": "true",  # behind the faults is the sandbox
            "PAYMENT_MS_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "PAYMENT_MS_STATUS_DEADLINE": str(STATUS_DEADLINE),
            "PAYMENT_MS_CHECKOUT_DEADLINE": str(CHECKOUT_DEADLINE),
            "PAYMENT_MS_CONNECT_TIMEOUT": "0.5",
            "AUTH_MS_URL": self.auth.url,
            "AUTH_MS_DEADLINE": "1.5",
            "STORAGE_SECRET": STORAGE_SECRET,
            "STORAGE_PATH": str(self.folder / "store.sqlite3"),
            "OPS_TOKEN": OPS_TOKEN,
            "CHECKOUT_HOSTS": f"checkout.stripe.com,{stripe}",
            "PORTAL_HOSTS": f"billing.stripe.com,{stripe}",
            "SUPPORT_URL": "mailto:help@example.com",
            "EXTENSIONS": "examples.members_page",
            "LIMIT_CHECKOUTS": "1000/minute",
            "LIMIT_SIGN_INS": "1000/minute",
            "LIMIT_PAGE_VIEWS": "10000/minute",
        }

    def person(self, name: str = "") -> AsyncHttpUser:
        """Return somebody new, not signed in."""
        made = AsyncHttpUser(self, name or f"p{secrets.token_hex(5)}")
        self.people.append(made)
        return made

    async def control(self, method: str, path: str, **body: Any) -> Any:
        """Call the sandbox's control panel and return its answer."""
        async with httpx.AsyncClient(verify=NO_AUTHORITIES, trust_env=False, timeout=10.0) as client:
            answer = await client.request(method, f"{self.sandbox.control_url}{path}", json=body or None)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def ready(self) -> dict[str, Any]:
        """Return what `/readyz` says."""
        async with httpx.AsyncClient(verify=NO_AUTHORITIES, trust_env=False, timeout=10.0) as client:
            found: dict[str, Any] = (await client.get(f"{self.app.url}/readyz")).json()
        return found

    async def close(self) -> None:
        """End everything."""
        for person in self.people:
            await person.client.aclose()
        for app in self.apps:
            await app.kill()


@contextlib.asynccontextmanager
async def open_shop(folder: Path, sandbox: RunningSandbox, forks: Forks) -> AsyncIterator[ProxiedProduct]:
    """Give a shop whose app is not started yet."""
    async with FaultProxy(sandbox.payment_ms_url) as payment, FaultProxy(sandbox.auth_ms_url) as auth:
        shop = ProxiedProduct(folder, sandbox, forks, payment, auth)
        try:
            yield shop
        finally:
            await shop.close()
