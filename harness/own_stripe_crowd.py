"""Two instances of the service for an own Stripe account, on one PostgreSQL, and a crowd that buys from them."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from harness.app_process import ProcessFailed, free_port, sandbox_for_tests
from harness.cluster import until
from harness.own_stripe import ServiceProcess
from harness.postgres_server import PostgresServer
from sandbox.launch import RunningSandbox
from sandbox.settings import SANDBOX_WEBHOOK_SECRET

HOW_MANY: Final = 40
TABS: Final = 300
PRODUCT: Final = "prod_sandbox_premium"
PRICE: Final = "price_sandbox_premium_month"
KEY: Final = "proj_of_the_proofs_0123456789abcdef"


class CrowdFailed(Exception):
    """A call failed, or somebody has not exactly what they bought."""


@dataclass
class Buyers:
    """Buyers and tabs, as an app would ask for them: of the first instance that answers."""

    instances: list[ServiceProcess]
    stripe: RunningSandbox
    failed: list[str] = field(default_factory=list)
    confirmed: list[float] = field(default_factory=list)
    looks: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._client = httpx.Client(timeout=60.0, trust_env=False, headers={"X-API-Key": KEY},
                                    limits=httpx.Limits(max_connections=32))  # fmt: skip

    def close(self) -> None:
        self._client.close()

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """Ask as a load balancer would: an instance that is away, or says that it can't now, is passed over."""
        until, answer = time.monotonic() + 30, ""
        while time.monotonic() < until:
            for instance in self.instances:
                try:
                    reply = self._client.request(method, instance.url + path, **more)
                except httpx.TransportError as error:
                    answer = repr(error)
                    continue
                if reply.status_code == 200:
                    return reply.json()
                answer = reply.text
                if "DATABASE_ERROR" not in answer:
                    break
            time.sleep(0.2)
        self.failed.append(f"{method} {path}: {answer[:300]}")
        return {}

    def buy(self, user_id: str) -> None:
        body = {"user_id": user_id, "email": f"{user_id}@example.com", "product_id": PRODUCT, "price_id": PRICE,
                "success_url": "https://app.example.com/ok", "cancel_url": "https://app.example.com/no"}  # fmt: skip
        opened = self.ask("POST", "/api/v1/checkout/subscription", json=body, headers={"Idempotency-Key": user_id})
        if not opened:
            return
        paid = httpx.post(f"{self.stripe.control_url}/pay/{opened['checkout_session_id']}", timeout=60.0)
        began = time.monotonic()
        paid.raise_for_status()
        status = f"/api/v1/subscriptions/{user_id}/{PRODUCT}"
        if until(lambda: self.ask("GET", status).get("status") == "active", 60, pause=0.2):
            self.confirmed.append(time.monotonic() - began)
        else:
            self.failed.append(f"{user_id} paid and is not confirmed")

    def look(self, share: int) -> None:
        for tab in range(share):
            if self._over.wait(2.0 / share * tab and 0.02):
                return
            self.ask("GET", f"/api/v1/subscriptions/tab_{tab}/{PRODUCT}")
            self.looks += 1

    def run(self, name: str, meanwhile: Callable[[], None]) -> None:
        with ThreadPoolExecutor(HOW_MANY + 5) as people:
            tabs = [people.submit(self.look, TABS // 4) for _ in range(4)]
            buyers = [people.submit(self.buy, f"{name}_{number}") for number in range(HOW_MANY)]
            meanwhile()
            for buyer in buyers:
                buyer.result()
            self._over.set()
            for tab in tabs:
                tab.result()
        if self.failed:
            raise CrowdFailed("\n".join(self.failed))
        mine, once = sorted(self.confirmed), self.sold(name)
        print(f"{name}: {len(mine)} bought, confirmed after {mine[len(mine) // 2]:.1f} s in the middle and "
              f"{mine[-1]:.1f} s at most, {self.looks} looks, {len(self.failed)} failed")  # fmt: skip
        if (len(mine), once) != (HOW_MANY, HOW_MANY):
            raise CrowdFailed(f"{len(mine)} of {HOW_MANY} are confirmed, {once} have exactly one subscription")

    def sold(self, name: str) -> int:
        """How many of the buyers have exactly one subscription at Stripe."""
        held = [
            httpx.get(f"{self.stripe.control_url}/subscriptions?user_id={name}_{number}").json()
            for number in range(HOW_MANY)
        ]
        return sum(len(one) == 1 for one in held)


@contextmanager
def two_instances(folder: Path, postgres: PostgresServer) -> Iterator[Buyers]:
    """Start both at a database of their own, and the sandbox's Stripe, which posts to the first."""
    ports = [free_port(), free_port()]
    hook = f"http://127.0.0.1:{ports[0]}/webhooks/stripe"
    settings = {"payment_ms": "none", "stripe_webhook_url": hook, "webhook_secret": SANDBOX_WEBHOOK_SECRET}
    with sandbox_for_tests(folder, **settings, webhook_delay="0.5") as stripe:
        more = {"DATABASE_URL": postgres.make(folder.name), "POLL_EVENTS": "1", "AUTH_EVENTS_URL": ""}
        instances = [ServiceProcess(stripe, _made(folder / str(port)), port, more, KEY) for port in ports]
        people = Buyers(instances, stripe)
        try:
            with ThreadPoolExecutor(len(instances)) as starters:  # together: only one of them makes the tables
                list(starters.map(ServiceProcess.start, instances))
            for instance in instances:
                wait_for(instance)
            yield people
        finally:
            people.close()
            for instance in instances:
                instance.stop()


def wait_for(instance: ServiceProcess) -> None:
    """Wait until an instance says that it is well: it has asked Stripe by then."""
    if not until(lambda: _health(instance) == "healthy", 60):
        raise ProcessFailed((instance.folder / "payment_service.log").read_text()[-3000:])


def _health(instance: ServiceProcess) -> object:
    try:
        return httpx.get(f"{instance.url}/health", timeout=5.0, trust_env=False).json()["status"]
    except (httpx.HTTPError, ValueError):
        return None


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
