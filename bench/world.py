"""What the benches run against: our app with its sandbox, and the bare NiceGUI app, as processes of their own."""

import contextlib
import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import psutil

from harness.app_process import NO_AUTHORITIES, ROOT, Product, free_port, running_product
from harness.http_user import HttpUser
from harness.own_stripe import running_own_stripe
from harness.socket_tab import elements_of

PRICE: Final = "price_sandbox_premium_month"
LIMITS: Final = {
    "LIMIT_UNCONNECTED_VIEWS": "10000",
    "LIMIT_PAGE_VIEWS": "1000000/minute",
    "LIMIT_CHECKOUTS": "1000000/minute",
    "LIMIT_SIGN_INS": "1000000/minute",
    "LOG_LEVEL": "WARNING",
}


@dataclass
class MeasuredProduct:
    """One app of ours, its sandbox and its people."""

    product: Product
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where the app is."""
        return self.product.url

    @property
    def process(self) -> psutil.Process:
        """The app's process."""
        running = self.product.app.process
        if running is None:
            raise RuntimeError("the app does not run")
        return psutil.Process(running.pid)

    def control(self, method: str, path: str, **body: Any) -> Any:
        """Call the sandbox's control panel."""
        return self.product.control(method, path, **body)

    def person(self) -> HttpUser:
        """Return somebody new who is signed in."""
        return HttpUser(self).sign_in()

    def put(self, person: HttpUser, status: str) -> None:
        """Give somebody a subscription in that state, at both services."""
        self.control("POST", f"/users/{person.user_id}/state", status=status, price_id=PRICE, email=person.email)

    def tell(self, person: HttpUser, secret: str) -> None:
        """Tell the app that something changed for somebody, as a Payment MS does."""
        body = json.dumps({"user_id": person.user_id}).encode()
        moment = str(int(time.time()))
        digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Signature": f"t={moment},v1={digest}"}
        answer = httpx.post(
            f"{self.url}/api/payment/events", content=body, headers=headers, trust_env=False, verify=NO_AUTHORITIES
        )
        answer.raise_for_status()


@contextlib.contextmanager
def our_world(folder: Path, *, app: dict[str, str] | None = None, **sandbox: str) -> Iterator[MeasuredProduct]:
    """Start our app and its sandbox."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        running_product(folder, app={**LIMITS, **(app or {})}, webhook_delay="0", **sandbox) as product,
        _measured(product) as world,
    ):
        yield world


@contextlib.contextmanager
def own_stripe_world(folder: Path, *, app: dict[str, str] | None = None) -> Iterator[MeasuredProduct]:
    """Start our app over the service for an own Stripe account, and the sandbox's Stripe."""
    folder.mkdir(parents=True, exist_ok=True)
    with running_own_stripe(folder, app={**LIMITS, **(app or {})}) as product, _measured(product) as world:
        yield world


@contextlib.contextmanager
def _measured(product: Product) -> Iterator[MeasuredProduct]:
    world = MeasuredProduct(product)
    try:
        yield world
    finally:
        for client in world.clients:
            client.close()


@dataclass(frozen=True)
class Bare:
    """The bare app."""

    url: str
    process: psutil.Process


def bare_command(port: int, pricing: int, payment: int) -> list[str]:
    """Return what starts the bare app."""
    return [sys.executable, "-m", "bench.bare", str(port), str(pricing), str(payment)]


@contextlib.contextmanager
def bare_world(pricing: int = 10, payment: int = 10) -> Iterator[Bare]:
    """Start the bare app with pages of that many elements."""
    port = free_port()
    process = subprocess.Popen(
        bare_command(port, pricing, payment), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    url = f"http://localhost:{port}"
    try:
        wait_for(url)
        yield Bare(url, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(20)


def wait_for(url: str, path: str = "/", seconds: float = 90.0) -> None:
    """Wait until an address answers."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url + path, timeout=10, trust_env=False, verify=NO_AUTHORITIES).status_code < 500:
                return
        if time.monotonic() > end:
            raise TimeoutError(f"{url} does not answer")
        time.sleep(0.05)


def element_counts(world: MeasuredProduct, person: HttpUser) -> tuple[int, int]:
    """Return how many elements `/pricing` and `/payment` have."""
    pricing, payment = (person.client.get(path).text for path in ("/pricing", "/payment"))
    return len(elements_of(pricing)), len(elements_of(payment))


def cpu_seconds(process: psutil.Process) -> float:
    """Return the processor time that a process has used."""
    times = process.cpu_times()
    return float(times.user + times.system)
