"""The service for an own Stripe account and the sandbox's Stripe as processes of their own, with or without the app."""

import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from harness.app_process import (
    ROOT,
    AppProcess,
    ProcessFailed,
    Product,
    app_basics,
    free_port,
    sandbox_for_tests,
)
from sandbox.launch import RunningSandbox
from sandbox.settings import SANDBOX_WEBHOOK_SECRET

_READY_SECONDS: Final = 30.0
_ENDED_SECONDS: Final = 30.0
_EVENTS_SECRET: Final = "shared by the service and the app of the proofs"  # noqa: S105 - of processes of a test


@dataclass
class ServiceProcess:
    """One process of `payment_service`. Kill it and start it again at will: its database and its port stay."""

    sandbox: RunningSandbox
    folder: Path
    port: int
    more: Mapping[str, str] = field(default_factory=dict)
    """Settings beside those that it needs."""
    api_key: str = "proj_of_the_proofs_0123456789abcdef"
    process: subprocess.Popen[str] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it listens. Raises ProcessFailed."""
        log = self.folder / "payment_service.log"
        with log.open("a") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "payment_service"],
                cwd=ROOT,
                env={**os.environ, **self._environment()},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        said = self.process.stdout
        line = said.readline() if said and select.select([said], [], [], _READY_SECONDS)[0] else ""
        if not line or json.loads(line)["url"] != self.url:
            self.kill()
            raise ProcessFailed(f"the service did not start:\n{log.read_text()[-3000:]}")

    def kill(self) -> None:
        """End it without a goodbye, as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as an operator would."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        self.process.wait(_ENDED_SECONDS)
        if self.process.stdout:
            self.process.stdout.close()
        self.process = None

    def _environment(self) -> dict[str, str]:
        return {
            "STRIPE_SECRET_KEY": "sk_test_of_the_sandbox",
            "STRIPE_WEBHOOK_SECRET": SANDBOX_WEBHOOK_SECRET,
            "STRIPE_API_BASE": self.sandbox.stripe_url,
            "PAYMENT_MS_API_KEY": self.api_key,
            "PAYMENT_SERVICE_PORT": str(self.port),
            "DATABASE_URL": f"sqlite:///{self.folder / 'payment_service.sqlite3'}",
            "AUTH_EVENTS_URL": f"{self.sandbox.auth_ms_url}/auth/subscriptions",
            **self.more,
        }


@contextmanager
def running_service(
    folder: Path, *, service: Mapping[str, str] | None = None, **sandbox_settings: str
) -> Iterator[ServiceProcess]:
    """Run both, with webhooks on; end both."""
    port = free_port()
    webhooks = f"http://127.0.0.1:{port}/webhooks/stripe"
    settings = {"payment_ms": "none", "stripe_webhook_url": webhooks, "webhook_delay": "0", **sandbox_settings}
    with sandbox_for_tests(folder, **settings) as sandbox:
        process = ServiceProcess(sandbox, folder, port, service or {})
        process.start()
        try:
            yield process
        finally:
            process.kill()


@dataclass(frozen=True)
class OwnStripeProduct(Product):
    """An app over the service, with the sandbox's Stripe and Auth MS behind both."""

    service: ServiceProcess

    @property
    def payment_ms(self) -> tuple[str, str]:
        """Where the service is, and the key that it takes."""
        return self.service.url, self.service.api_key


@contextmanager
def running_own_stripe(
    folder: Path, *, app: Mapping[str, str] | None = None, **sandbox: str
) -> Iterator[OwnStripeProduct]:
    """Run all three, set as docs/payment-service.md says; end all three."""
    port = free_port()
    url = f"http://localhost:{port}"
    told = {"APP_EVENTS_URL": f"{url}/api/payment/events", "PAYMENT_MS_WEBHOOK_SECRET": _EVENTS_SECRET}
    with running_service(folder, service=told, **{"app_url": url, **sandbox}) as service:
        environment = {**app_basics(folder, port), **_for_app(service, folder), **(app or {})}
        running = AppProcess(url, environment, folder / "app.log").start()
        try:
            yield OwnStripeProduct(running, service.sandbox, service)
        finally:
            running.stop()


def _for_app(service: ServiceProcess, folder: Path) -> dict[str, str]:
    stripe = urlsplit(service.sandbox.stripe_url).netloc
    return {
        "PAYMENT_MS_URL": service.url,
        "PAYMENT_MS_API_KEY": service.api_key,
        "PAYMENT_MS_WEBHOOK_SECRET": _EVENTS_SECRET,
        "PAYMENT_MS_MAX_IN_FLIGHT": "32",
        "AUTH_MS_URL": service.sandbox.auth_ms_url,
        "CHECKOUT_HOSTS": stripe,
        "PORTAL_HOSTS": stripe,
        "STORAGE_SECRET": secrets.token_urlsafe(48),
        "ALLOW_SANDBOX_IDS": "true",  # the Stripe of these tests sells what the catalog names
        "CATALOG_PATH": str(shutil.copy(ROOT / "products.json", folder / "products.json")),
    }
