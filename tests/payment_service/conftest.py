"""A service with a database of its own and a Stripe that can be broken."""

import hashlib
import hmac
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import stripe
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI

from harness.postgres_server import PostgresServer
from payment_service.api import application
from payment_service.migrate import migrate
from payment_service.service import PaymentService
from payment_service.settings import ServiceSettings
from tests.payment_service.fake_stripe import FakeStripe

KEY = "proj_of_the_tests_0123456789abcdef"
WEBHOOK_SECRET = "whsec_of_the_tests"
APP_SECRET = "shared with the app, long"


class Caller:
    """Calls the app without a socket, from a thread that is no event loop."""

    def __init__(self, portal: BlockingPortal, app: FastAPI) -> None:
        self._portal = portal
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://service", headers={"X-API-Key": KEY})
        self._running = portal.wrap_async_context_manager(app.router.lifespan_context(app))
        self._running.__enter__()

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self._portal.call(partial(self._client.get, path, **more))

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self._portal.call(partial(self._client.post, path, **more))

    def close(self) -> None:
        self._running.__exit__(None, None, None)
        self._portal.call(self._client.aclose)


@dataclass
class ServiceShop:
    """The running service, its Stripe, and what the app was told."""

    service: PaymentService
    stripe: FakeStripe
    http: Caller
    told: list[httpx.Request]
    app_answers: list[int]
    """What the app answers to what it is told, one a call; 204 after them."""
    auth_answers: threading.Event
    """Whether the Auth MS answers at all. While it does not, what it is told hangs."""

    def buy(self, user_id: str = "usr_1", key: str = "", **fields: Any) -> httpx.Response:
        body = {"user_id": user_id, "email": f"{user_id}@example.com", "product_id": "prod_pro",
                "price_id": "price_pro",
                "success_url": "https://app.example.com/ok?s={CHECKOUT_SESSION_ID}",
                "cancel_url": "https://app.example.com/no", **fields}  # fmt: skip
        headers = {"Idempotency-Key": key} if key else {}
        return self.http.post("/api/v1/checkout/subscription", json=body, headers=headers)

    def status(self, user_id: str = "usr_1", product: str = "prod_pro") -> Any:
        return self.http.get(f"/api/v1/subscriptions/{user_id}/{product}").json()

    def post(self, event: Any, secret: str = WEBHOOK_SECRET, at: int | None = None) -> httpx.Response:
        body, now = json.dumps(event).encode(), at or int(time.time())
        signed = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        return self.http.post("/webhooks/stripe", content=body, headers={"Stripe-Signature": f"t={now},v1={signed}"})

    def paid(self, session_id: str) -> Any:
        """Pay a session, and have Stripe say so; return the subscription."""
        session = self.stripe.pay(session_id)
        assert self.post(self.stripe.event("checkout.session.completed", session)).status_code == 200
        return self.stripe.things["subscriptions"][session["subscription"]]

    def tell(self) -> int:
        """Send whatever is due to the Auth MS and the app; return how much that was."""
        return sum(self.service.outbox.send_due(target) for target in self.service.outbox.targets)


OpenShops = Callable[..., ServiceShop]


ON_POSTGRES = bool(os.environ.get("PAYMENT_SERVICE_ON_POSTGRES"))
"""Whether all these tests run on PostgreSQL instead of SQLite: once for a release, since each test makes a database."""

NewDatabase = Callable[[Path], str]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server for all tests that want one."""
    server = PostgresServer()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> NewDatabase:
    """Make a database whose tables are there, a copy of one: the migrations run once."""
    if ON_POSTGRES:
        server: PostgresServer = request.getfixturevalue("postgres")
        _migrated(server.make("migrated"))
        return lambda folder: server.make(f"of {folder.name}", "migrated")
    template = tmp_path_factory.mktemp("migrated") / "empty.sqlite3"
    _migrated(f"sqlite:///{template}")
    content = template.read_bytes()

    def copied(folder: Path) -> str:
        (folder / "service.sqlite3").write_bytes(content)
        return f"sqlite:///{folder / 'service.sqlite3'}"

    return copied


def _migrated(address: str) -> None:
    service = PaymentService(ServiceSettings(_env_file=None, database_url=address))
    migrate(service.database)
    service.close()


@pytest.fixture
def open_shop(tmp_path: Path, new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenShops]:
    """Open a shop with settings of one's own; several of one test share the database and Stripe."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.0)  # between the library's own two attempts
    monkeypatch.setattr(stripe.HTTPClient, "MAX_DELAY", 0.0)
    address = new_database(tmp_path)
    opened: list[ServiceShop] = []
    fake = FakeStripe()

    def open_one(
        *, stripe_session: requests.Session | None = None, with_worker: bool = False, **settings: Any
    ) -> ServiceShop:
        told: list[httpx.Request] = []
        app_answers: list[int] = []
        auth_answers = threading.Event()
        auth_answers.set()

        def others(request: httpx.Request) -> httpx.Response:
            told.append(request)
            if request.url.host == "auth.test":
                auth_answers.wait()
                return httpx.Response(204)
            return httpx.Response(app_answers.pop(0) if app_answers else 204)

        given = {
            "stripe_secret_key": "sk_test_of_the_tests", "stripe_webhook_secret": WEBHOOK_SECRET,
            "database_url": address, "payment_ms_api_key": KEY, "payment_ms_webhook_secret": APP_SECRET,
            "app_events_url": "http://app.test/api/payment/events", "checkout_limit": "1000/minute",
        }  # fmt: skip
        made = ServiceSettings(_env_file=None, **{**given, **settings})
        service = PaymentService(made, httpx.MockTransport(others), stripe_session or fake.session())
        caller = Caller(portal, application(service, with_worker=with_worker))
        opened.append(ServiceShop(service, fake, caller, told, app_answers, auth_answers))
        return opened[-1]

    with start_blocking_portal() as portal:
        yield open_one
        for shop in opened:
            shop.auth_answers.set()
            shop.http.close()


@pytest.fixture
def shop(open_shop: OpenShops) -> ServiceShop:
    """The usual one."""
    return open_shop()
