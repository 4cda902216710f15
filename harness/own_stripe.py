"""The service for an own Stripe account and the sandbox's Stripe, as processes of their own, without the app."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.app_process import ROOT, ProcessFailed, free_port, sandbox_for_tests
from sandbox.launch import RunningSandbox
from sandbox.settings import SANDBOX_WEBHOOK_SECRET

_READY_SECONDS: Final = 30.0


@dataclass
class ServiceProcess:
    """One process of `payment_service`. Kill it and start it again at will: its database and its port stay."""

    sandbox: RunningSandbox
    folder: Path
    port: int
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
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
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
        }


@contextmanager
def running_service(folder: Path, **sandbox_settings: str) -> Iterator[ServiceProcess]:
    """Run both, with webhooks on; end both."""
    port = free_port()
    webhooks = f"http://127.0.0.1:{port}/webhooks/stripe"
    with sandbox_for_tests(
        folder, payment_ms="none", stripe_webhook_url=webhooks, webhook_delay="0", **sandbox_settings
    ) as sandbox:
        service = ServiceProcess(sandbox, folder, port)
        service.start()
        try:
            yield service
        finally:
            service.kill()
