"""Two instances on one PostgreSQL, the sandbox's Stripe, and a crowd: nobody waits, and nothing is lost."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.app_process import free_port, sandbox_for_tests
from harness.cluster import until
from harness.postgres_server import PostgresServer
from sandbox.launch import RunningSandbox
from tests.payment_service.conftest import KEY, WEBHOOK_SECRET

pytestmark = pytest.mark.long

HOW_MANY, TABS = 40, 300
PRODUCT, PRICE = "prod_sandbox_premium", "price_sandbox_premium_month"
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Instance:
    """One process of the service."""

    port: int
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "payment_service"]
            self.process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **self.environment}, stderr=log,
                                            stdout=subprocess.DEVNULL)  # fmt: skip

    def end(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(30)

    def wait(self) -> None:
        until = time.monotonic() + 60
        while True:
            try:
                if httpx.get(f"{self.url}/health", timeout=5.0, trust_env=False).json()["status"] == "healthy":
                    return
            except (httpx.HTTPError, ValueError):
                pass
            assert time.monotonic() < until, self.log.read_text()[-3000:]
            time.sleep(0.1)


@dataclass
class Buyers:
    """Buyers and tabs, as an app would ask for them: of the first instance that answers."""

    instances: list[Instance]
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
        assert paid.status_code == 200, paid.text
        while self.ask("GET", f"/api/v1/subscriptions/{user_id}/{PRODUCT}").get("status") != "active":
            if time.monotonic() > began + 60:
                self.failed.append(f"{user_id} paid and is not confirmed")
                return
            time.sleep(0.2)
        self.confirmed.append(time.monotonic() - began)

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
        assert self.failed == []
        mine, once = sorted(self.confirmed), self.sold(name)
        print(f"{name}: {len(mine)} bought, confirmed after {mine[len(mine) // 2]:.1f} s in the middle and "
              f"{mine[-1]:.1f} s at most, {self.looks} looks, {len(self.failed)} failed")  # fmt: skip
        assert len(mine) == HOW_MANY
        assert once == HOW_MANY

    def sold(self, name: str) -> int:
        """How many of the buyers have exactly one subscription at Stripe."""
        held = [
            httpx.get(f"{self.stripe.control_url}/subscriptions?user_id={name}_{number}").json()
            for number in range(HOW_MANY)
        ]
        return sum(len(one) == 1 for one in held)


@pytest.fixture
def crowd(tmp_path: Path, postgres: PostgresServer) -> Iterator[Buyers]:
    ports = [free_port(), free_port()]
    hook = f"http://127.0.0.1:{ports[0]}/webhooks/stripe"
    settings = {"payment_ms": "none", "stripe_webhook_url": hook, "webhook_secret": WEBHOOK_SECRET}
    with sandbox_for_tests(tmp_path, **settings, webhook_delay="0.5") as stripe:
        environment = {
            "DATABASE_URL": postgres.make(tmp_path.name), "STRIPE_SECRET_KEY": "sk_test_sandbox", "POLL_EVENTS": "1",
            "STRIPE_API_BASE": stripe.stripe_url, "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET, "PAYMENT_MS_API_KEY": KEY,
        }  # fmt: skip
        instances = [
            Instance(port, {**environment, "PAYMENT_SERVICE_PORT": str(port)}, tmp_path / f"{port}.log")
            for port in ports
        ]
        for instance in instances:  # together: only one of them makes the tables
            instance.start()
        for instance in instances:
            instance.wait()
        people = Buyers(instances, stripe)
        yield people
        people.close()
        for instance in instances:
            instance.end(signal.SIGTERM)


def test_crowd_buys_and_nobody_is_refused_or_forgotten(crowd: Buyers) -> None:
    crowd.run("quiet", lambda: None)


def test_instance_that_takes_the_webhooks_is_killed_in_the_middle(crowd: Buyers) -> None:
    def kill() -> None:
        assert until(lambda: len(crowd.confirmed) >= 5, 60)
        crowd.instances[0].end(signal.SIGKILL)

    crowd.run("killed", kill)
    crowd.instances[0].start()
    crowd.instances[0].wait()


def test_postgres_is_restarted_in_the_middle(crowd: Buyers, postgres: PostgresServer) -> None:
    def restart() -> None:
        assert until(lambda: len(crowd.confirmed) >= 5, 60)
        postgres.restart()

    crowd.run("restarted", restart)


def test_status_is_quick_while_nothing_else_happens(crowd: Buyers) -> None:
    path = f"/api/v1/subscriptions/nobody/{PRODUCT}"
    took = []
    for _ in range(300):
        began = time.perf_counter()
        crowd.ask("GET", path)
        took.append(time.perf_counter() - began)

    middle = sorted(took)[len(took) // 2] * 1000
    print(json.dumps({"status_p50_ms": round(middle, 2)}))
    assert middle < 5.0
