"""A sandbox of our own on free ports, in memory, put into each shape: another process, of which nothing is imported."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contract.reading import AnswerShape
from contract.target import KnownCustomer
from contract.wire import SerialClient

CUSTOMER: Final = "contract-customer"


@dataclass(frozen=True)
class Sandbox:
    """Where the sandbox is. ``take_shape`` changes how it answers."""

    payment_ms_url: str
    api_key: str
    control: SerialClient

    def take_shape(self, shape: AnswerShape) -> KnownCustomer:
        """Empty it, let it answer in this shape, and return a customer with a subscription on record.

        Its one-connection fault is on, which any two overlapping requests would set off: so the checks themselves are
        shown to ask one at a time.
        """
        self._control("POST", "/reset")
        portal = "url" if shape is AnswerShape.DOCUMENTED else "portal_url"
        self._control(
            "PATCH", "/settings", {"status_shape": shape, "portal_shape": portal, "one_connection": True, "latency": 0}
        )
        state = self._control("POST", f"/users/{CUSTOMER}/state", {"status": "active"})
        return KnownCustomer(CUSTOMER, state["subscriptions"][0]["product_id"])

    def _control(self, method: str, path: str, body: object = None) -> Any:
        reply = self.control.ask(method, f"/control{path}", body)
        if reply.status != 200:
            raise RuntimeError(f"the sandbox's control panel answered {reply.status} to {method} {path}")
        return json.loads(reply.body)


class SandboxFailed(Exception):
    """The sandbox did not start; its own words are on stderr."""


@contextmanager
def private_sandbox(catalog: Path) -> Iterator[Sandbox]:
    """Run a sandbox on free ports inside the block; raises SandboxFailed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SANDBOX_")}
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
                yield Sandbox(told["payment_ms_url"], told["api_key"], control)
        finally:
            process.terminate()
