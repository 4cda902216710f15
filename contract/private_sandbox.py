"""A sandbox of our own on free ports, in memory, put into each shape: another process, of which nothing is imported."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from contract.reading import AnswerShape
from contract.target import KnownCustomer, WebhookDoor
from contract.wire import SerialClient

EMAIL: Final = "contract-customer@example.com"
WEBHOOK_PATH: Final = "/webhooks/stripe"


@dataclass(frozen=True)
class Sandbox:
    """Where the sandbox is. ``take_shape`` and ``take_preset`` change how it answers."""

    payment_ms_url: str
    auth_ms_url: str
    api_key: str
    webhook: WebhookDoor
    control: SerialClient

    def take_shape(self, shape: AnswerShape) -> tuple[KnownCustomer, str]:
        """Empty it, let it answer in this shape; return a customer with a subscription on record, and a session.

        Its one-connection fault is on, which any two overlapping requests would set off: so the checks themselves are
        shown to ask one at a time.
        """
        known = self._customer()
        portal = "url" if shape is AnswerShape.DOCUMENTED else "portal_url"
        self._control(
            "PATCH", "/settings", {"status_shape": shape, "portal_shape": portal, "one_connection": True, "latency": 0}
        )
        return known

    def take_preset(self, name: str) -> tuple[KnownCustomer, str]:
        """Empty it and let it behave as a preset says; return a customer from before, and a session of theirs."""
        known = self._customer()
        self._control("POST", f"/presets/{quote(name, safe='')}")
        return known

    def _customer(self) -> tuple[KnownCustomer, str]:
        self._control("POST", "/reset")
        user = self._control("POST", "/users", {"email": EMAIL}, status=201)
        body = {"status": "active", "email": EMAIL}
        (sold, *_others) = self._control("POST", f"/users/{user['user_id']}/state", body)["subscriptions"]
        with SerialClient(self.auth_ms_url) as auth:
            reply = auth.ask("POST", "/auth/session/create", {"auth_code": user["auth_code"]})
        session_id = json.loads(reply.body)["session_id"]
        return KnownCustomer(user["user_id"], sold["product_id"], sold["price_id"]), session_id

    def _control(self, method: str, path: str, body: object = None, *, status: int = 200) -> Any:
        reply = self.control.ask(method, f"/control{path}", body)
        if reply.status != status:
            raise SandboxFailed(f"the sandbox's control panel answered {reply.status} to {method} {path}")
        return json.loads(reply.body)


class SandboxFailed(Exception):
    """The sandbox did not start; its own words are on stderr."""


@contextmanager
def private_sandbox(catalog: Path) -> Iterator[Sandbox]:
    """Run a sandbox on free ports inside the block; raises SandboxFailed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SANDBOX_")}
    secret = f"whsec_{secrets.token_hex(16)}"
    environment |= {"SANDBOX_WEBHOOK_SECRET": secret, "SANDBOX_WEBHOOK_DELAY": "0"}
    environment |= {"SANDBOX_CATALOG_PATH": str(catalog), "SANDBOX_EVENTS_URL": "", "SANDBOX_HOST": "127.0.0.1"}
    ports = [word for name in ("payment", "auth", "stripe") for word in (f"--{name}-port", "0")]
    command = [sys.executable, "-m", "sandbox", *ports, "--database", ":memory:", "--exit-with-parent"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it was asked for above
            line = process.stdout.readline()
            if not line:
                raise SandboxFailed(f"the sandbox did not start (exit code {process.wait()})")
            told = json.loads(line)
            with SerialClient(told["stripe_url"]) as control:
                door = WebhookDoor(WEBHOOK_PATH, secret)
                yield Sandbox(told["payment_ms_url"], told["auth_ms_url"], told["api_key"], door, control)
        finally:
            process.terminate()
