"""The reference service, `python -m payment_service`, started privately beside a sandbox that stands in for Stripe.

Each is another process, of which nothing is imported. A customer buys a plan by the service's own calls first, so that
there is somebody to ask about.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contract.private_sandbox import EMAIL, WEBHOOK_PATH, SandboxFailed
from contract.stripe_side import StripeDoor
from contract.target import CANCEL_URL, SUCCESS_URL, KnownCustomer, Sale, WebhookDoor
from contract.wire import SerialClient

_STRIPE_KEY: Final = "sk_test_of_the_sandbox"
_CARD: Final = "4242424242424242"
_PATIENCE: Final = 30.0
_LOOK_EVERY: Final = 0.1


@dataclass(frozen=True)
class PrivateService:
    """Where the service is, and somebody who bought a plan there; `session_id` is theirs at the Auth MS.

    `stripe` is the sandbox's. In an `outage` it answers 500, so that the service can act on no event.
    """

    url: str
    api_key: str
    auth_ms_url: str
    known: KnownCustomer
    session_id: str
    webhook: WebhookDoor
    stripe: StripeDoor
    control: SerialClient

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Have Stripe answer 500 inside the block."""
        _content(self.control, "POST", "/control/faults", {"operation": "stripe", "status": 500})
        try:
            yield
        finally:
            _content(self.control, "DELETE", "/control/faults")


@contextmanager
def private_service(catalog: Path, sale: Sale, webhook_secret: str = "") -> Iterator[PrivateService]:
    """Run the service and its sandbox inside the block; without a secret, one of its own. Raises SandboxFailed."""
    port, api_key = _free_port(), f"proj_{secrets.token_hex(24)}"
    secret = webhook_secret or f"whsec_{secrets.token_hex(16)}"
    sandbox = {
        "SANDBOX_PAYMENT_MS": "none",
        "SANDBOX_STRIPE_WEBHOOK_URL": f"http://127.0.0.1:{port}{WEBHOOK_PATH}",
        "SANDBOX_WEBHOOK_SECRET": secret,
        "SANDBOX_WEBHOOK_DELAY": "0",
        "SANDBOX_CATALOG_PATH": str(catalog),
        "SANDBOX_EVENTS_URL": "",
        "SANDBOX_HOST": "127.0.0.1",
    }
    ports = [word for name in ("payment", "auth", "stripe") for word in (f"--{name}-port", "0")]
    with (
        tempfile.TemporaryDirectory() as folder,
        _process(
            ["-m", "sandbox", *ports, "--database", ":memory:", "--exit-with-parent"], sandbox, "SANDBOX_"
        ) as told,
    ):
        service = {
            "STRIPE_SECRET_KEY": _STRIPE_KEY,
            "STRIPE_WEBHOOK_SECRET": secret,
            "STRIPE_API_BASE": told["stripe_url"],
            "PAYMENT_MS_API_KEY": api_key,
            "PAYMENT_SERVICE_PORT": str(port),
            "DATABASE_URL": f"sqlite:///{Path(folder) / 'service.sqlite3'}",
            "AUTH_EVENTS_URL": f"{told['auth_ms_url']}/auth/subscriptions",
            "LOG_LEVEL": "ERROR",
        }
        with (
            _process(["-m", "payment_service"], service, "STRIPE_") as serving,
            SerialClient(told["stripe_url"]) as stripe,
        ):
            known, session_id = _bought(serving["url"], api_key, told, sale)
            door = WebhookDoor(WEBHOOK_PATH, secret)
            yield PrivateService(
                serving["url"], api_key, told["auth_ms_url"], known, session_id, door,
                StripeDoor(stripe, _STRIPE_KEY), stripe,
            )  # fmt: skip


def _bought(url: str, key: str, told: Mapping[str, Any], sale: Sale) -> tuple[KnownCustomer, str]:
    """Buy a plan as a customer does, and wait until the service knows of it."""
    with SerialClient(told["stripe_url"]) as control, SerialClient(told["auth_ms_url"]) as auth:
        user = _content(control, "POST", "/control/users", {"email": EMAIL})
        session = _content(auth, "POST", "/auth/session/create", {"auth_code": user["auth_code"]})
        with SerialClient(url, key) as service:
            body = {
                "user_id": user["user_id"], "email": EMAIL, "product_id": sale.product_id, "price_id": sale.price_id,
                "success_url": SUCCESS_URL, "cancel_url": CANCEL_URL,
            }  # fmt: skip
            opened = _content(service, "POST", "/api/v1/checkout/subscription", body)
            _content(control, "POST", f"/control/pay/{opened['checkout_session_id']}", {"card": _CARD})
            path, end = f"/api/v1/subscriptions/{user['user_id']}/{sale.product_id}", time.monotonic() + _PATIENCE
            while not _content(service, "GET", path).get("exists"):
                if time.monotonic() > end:
                    raise SandboxFailed("the service never heard of a purchase")
                time.sleep(_LOOK_EVERY)
    return KnownCustomer(user["user_id"], sale.product_id, sale.price_id), session["session_id"]


def _content(client: SerialClient, method: str, path: str, body: object = None) -> dict[str, Any]:
    reply = client.ask(method, path, body)
    if not 200 <= reply.status < 300:
        raise SandboxFailed(f"{method} {path} answered {reply.status}: {reply.body[:300]!r}")
    content: dict[str, Any] = json.loads(reply.body)
    return content


@contextmanager
def _process(arguments: list[str], environment: Mapping[str, str], prefix: str) -> Iterator[dict[str, Any]]:
    """Run a module as a process that tells in its first line where it is."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(prefix)}
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=kept | dict(environment)) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it was asked for above
            line = process.stdout.readline()
            if not line:
                raise SandboxFailed(f"{' '.join(arguments[:2])} did not start (exit code {process.wait()})")
            told: dict[str, Any] = json.loads(line)
            yield told
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
