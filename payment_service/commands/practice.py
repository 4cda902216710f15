"""`python -m payment_service practice`: the app, this service and the sandbox's sign-in together, with a test key.

For the first ten minutes with an account of one's own: each is a process of its own, started here and ended together.
The app gets no Stripe key. With a live key nothing starts: at the sandbox's sign-in anybody can be anybody.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from payment_service.settings import LOOPBACK, BadSettings, ServiceSettings

ROOT: Final = Path(__file__).resolve().parents[2]
PATIENCE: Final = 60.0
ASK_EVERY: Final = 0.2
"""Seconds between two questions whether the service has reached Stripe."""
_PERIODS: Final = {"month": "monthly", "year": "yearly"}


def practice(settings: ServiceSettings) -> int:
    """Start all three, and end them when one ends or a signal comes. Raises BadSettings before anything is started."""
    if settings.livemode:
        raise BadSettings(
            "STRIPE_SECRET_KEY is a live key, and this starts the sandbox's sign-in, where anybody can be anybody. "
            "Use a test key (sk_test_…), or put your own Auth MS beside the service: docs/payment-service.md."
        )
    folder = Path(".data/stripe")
    folder.mkdir(parents=True, exist_ok=True)
    kept = {name: _kept(folder / name) for name in ("api_key", "webhook_secret", "storage_secret")}
    app_port, auth_port = os.environ.get("PORT", "8081"), os.environ.get("SANDBOX_AUTH_PORT", "8080")
    service_url, auth_url = f"http://127.0.0.1:{settings.payment_service_port}", f"http://127.0.0.1:{auth_port}"
    catalog = Path(os.environ.get("CATALOG_PATH", "products.json"))
    running = _Processes()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        sandbox = {
            "SANDBOX_PAYMENT_MS": "none",
            "SANDBOX_CATALOG_PATH": str(catalog.resolve()),
            "SANDBOX_DATABASE": str(folder.resolve() / "sandbox.sqlite3"),
        }
        ports = ("--auth-port", auth_port, "--stripe-port", os.environ.get("SANDBOX_STRIPE_PORT", "4242"))
        running.start(sandbox, "-m", "sandbox", *ports, quiet=True)
        running.start(_for_service(settings, kept, app_port, auth_url), "-m", "payment_service", quiet=True)
        _wait_for_stripe(f"{service_url}/health", running.one_ended)
        sold = folder / "products.json"
        sold.write_text(json.dumps(_registered(catalog, service_url, kept["api_key"]), ensure_ascii=False, indent=2))
        print("Stripe's test mode: no real money. Pay with 4242 4242 4242 4242.", file=sys.stderr, flush=True)
        running.start(_for_app(settings, kept, service_url, auth_url, sold), "app.py")
        running.one_ended.wait()
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        running.end()


def _for_service(settings: ServiceSettings, kept: Mapping[str, str], app_port: str, auth_url: str) -> dict[str, str]:
    told = {
        "PAYMENT_MS_API_KEY": kept["api_key"],
        "PAYMENT_MS_WEBHOOK_SECRET": kept["webhook_secret"],
        "APP_EVENTS_URL": f"http://127.0.0.1:{app_port}/api/payment/events",
        "AUTH_EVENTS_URL": f"{auth_url}/auth/subscriptions",
    }
    if not settings.stripe_webhook_secret and not settings.poll_events:
        told["POLL_EVENTS"] = "3"  # Stripe can't reach a laptop: its list of events is read instead
    return told


def _for_app(
    settings: ServiceSettings, kept: Mapping[str, str], service_url: str, auth_url: str, catalog: Path
) -> dict[str, str]:
    told = {
        "PAYMENT_MS_URL": service_url,
        "PAYMENT_MS_API_KEY": kept["api_key"],
        "PAYMENT_MS_WEBHOOK_SECRET": kept["webhook_secret"],
        "PAYMENT_MS_MAX_IN_FLIGHT": "32",
        "AUTH_MS_URL": auth_url,
        "STORAGE_SECRET": kept["storage_secret"],
        "STORAGE_PATH": os.environ.get("STORAGE_PATH", ".data/stripe/app.sqlite3"),
        "CATALOG_PATH": str(catalog),
        "STRIPE_SECRET_KEY": "",
        "STRIPE_WEBHOOK_SECRET": "",
    }
    stripe = urlsplit(settings.stripe_api_base)
    if stripe.hostname in LOOPBACK:  # the sandbox's Stripe in Stripe's place
        told |= {"CHECKOUT_HOSTS": stripe.netloc, "PORTAL_HOSTS": stripe.netloc}
    return told


class _Processes:
    """What was started here. `one_ended` is set as soon as one of them has ended."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[bytes]] = []
        self.one_ended = threading.Event()

    def start(self, environment: Mapping[str, str], *arguments: str, quiet: bool = False) -> None:
        """Start another one; what a quiet one says on standard output is for programs."""
        output = subprocess.DEVNULL if quiet else None
        command, told = [sys.executable, *arguments], {**os.environ, **environment}
        process = subprocess.Popen(command, cwd=ROOT, env=told, stdout=output)
        self._running.append(process)
        threading.Thread(target=self._watch, args=(process,), daemon=True).start()

    def end(self) -> None:
        """End all of them, the last one first."""
        for process in reversed(self._running):
            process.terminate()
        for process in self._running:
            process.wait(20)

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        self.one_ended.set()


def _wait_for_stripe(address: str, one_ended: threading.Event) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            if httpx.get(address, timeout=5.0, trust_env=False).json()["stripe"]["ok"]:
                return
        except (httpx.HTTPError, ValueError, KeyError):
            pass
        if one_ended.wait(ASK_EVERY):
            raise BadSettings("It did not start; the lines above say why.")
    raise BadSettings(f"Stripe can't be used with this key; {address} says why.")


def _registered(catalog: Path, service_url: str, key: str) -> dict[str, Any]:
    """Make the catalog's plans and items at Stripe, and return the catalog with their ids. A second time finds them."""
    content: dict[str, Any] = json.loads(catalog.read_text(encoding="utf-8"))
    paid = [plan for plan in content.get("plans", []) if plan.get("prices")]
    items = content.get("items", [])
    body = {"project_name": "practice", "plans": [_plan(plan) for plan in paid], "items": [_item(one) for one in items]}
    headers = {"X-API-Key": key}
    answer = httpx.post(f"{service_url}/admin/products/register", json=body, headers=headers, timeout=120.0,
                        trust_env=False)  # fmt: skip
    if not answer.is_success:
        raise BadSettings(f"The catalog could not be made at Stripe: {answer.json()['error']['description']}")
    told = answer.json()
    for plan, made in zip(paid, told["products"], strict=True):
        plan["product_id"] = made["stripe_product_id"]
        for interval, price in plan["prices"].items():
            price["price_id"] = made["prices"][_PERIODS[interval]]["stripe_price_id"]
    for item, made in zip(items, told["items"], strict=True):
        item["product_id"], item["price"]["price_id"] = made["stripe_product_id"], made["stripe_price_id"]
    return content


def _plan(plan: Mapping[str, Any]) -> dict[str, Any]:
    prices = plan["prices"]
    return {
        "id": plan["id"],
        "group": plan.get("group") or "main",
        "name": _english(plan["name"]),
        "description": _english(plan.get("tagline", "")),
        "features": [_english(feature["text"]) for feature in plan.get("features", []) if "text" in feature],
        "pricing": {_PERIODS[interval]: price["amount"] for interval, price in prices.items()},
        "currency": next(iter(prices.values()))["currency"],
    }


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    price = item["price"]
    texts = {"name": _english(item["name"]), "description": _english(item.get("description", ""))}
    return {"id": item["id"], **texts, "amount": price["amount"], "currency": price["currency"]}


def _english(text: object) -> str:
    return str(text.get("en") or next(iter(text.values()))) if isinstance(text, Mapping) else str(text)


def _kept(path: Path) -> str:
    """Return a secret that is made once and kept, readable by its owner only."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
            file.write(f"proj_{secrets.token_urlsafe(32)}" if path.name == "api_key" else secrets.token_urlsafe(48))
    return path.read_text(encoding="utf-8").strip()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
