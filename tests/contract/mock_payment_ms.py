"""A Payment MS in memory that keeps the contract, until a test breaks one thing in it. Real sockets, one free port.

It takes Stripe's events, and is the Auth MS of its one customer as well.
"""

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from sandbox.payment.openapi import OPENAPI

KEY = "proj_" + "m" * 43
SECRET = "whsec_of_the_mock"
CUSTOMER, PRODUCT = "customer_1", "prod_1"


@dataclass(frozen=True)
class MockRequest:
    """A request as it came; `path` is still encoded."""

    method: str
    path: str
    key: str
    body: dict[str, Any]
    raw: bytes = b""
    signature: str = ""


@dataclass(frozen=True)
class MockAnswer:
    """An answer; `content` is what becomes JSON, or bytes as they are."""

    status: int
    content: Any
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    def without(self, name: str) -> "MockAnswer":
        """The same answer without one field."""
        return replace(self, content={key: value for key, value in self.content.items() if key != name})

    def having(self, **fields: object) -> "MockAnswer":
        """The same answer with other fields."""
        return replace(self, content={**self.content, **fields})


Breakage = Callable[[MockRequest, MockAnswer], MockAnswer]


@dataclass
class MockPaymentMS:
    """The service: what it was asked, what it has, and the one thing that is broken."""

    url: str = ""
    breakage: Breakage = lambda asked, told: told
    asked: list[MockRequest] = field(default_factory=list)
    registered: dict[str, str] = field(default_factory=dict)
    ahead: timedelta = timedelta(0)
    records: dict[str, tuple[str, str]] = field(default_factory=lambda: {"sub_1": (CUSTOMER, PRODUCT)})
    """By subscription: whose it is, and the product."""

    def answer(self, asked: MockRequest) -> MockAnswer:
        """Return what to say, broken or not."""
        self.asked.append(asked)
        return self.breakage(asked, self._rightly(asked))

    def _rightly(self, asked: MockRequest) -> MockAnswer:
        if asked.path == "/health":
            now = (datetime.now(UTC) + self.ahead).isoformat()
            return MockAnswer(200, {"status": "healthy", "timestamp": now, "service": "mock"})
        if asked.path == "/openapi.json":
            return MockAnswer(200, OPENAPI)
        if asked.path == "/webhooks/stripe":
            return self._webhook(asked)
        if asked.path == "/auth/session/refresh":
            plan = {"subscription_status": "active", "subscription_plan": "premium"}
            return MockAnswer(200, {"session_id": "s1", "user_context": {"user_id": CUSTOMER, **plan}})
        if asked.key != KEY:
            return MockAnswer(401, b'{"error":"Invalid API key"}\n', "text/plain; charset=utf-8")
        if asked.path.startswith("/api/v1/checkout/"):
            return self._checkout(asked)
        if asked.path.startswith("/api/v1/subscriptions/"):
            return self._status(asked)
        if asked.path == "/api/v1/portal":
            return self._portal(asked)
        if asked.path == "/admin/products/register":
            return self._register(asked)
        return MockAnswer(302, b'<a href="/docs">Found</a>.', "text/html; charset=utf-8", {"Location": "/docs"})

    def _checkout(self, asked: MockRequest) -> MockAnswer:
        if not (asked.body.get("price_id") or asked.body.get("items")):
            return refusal(400, "VALIDATION_FAILED")
        session = f"cs_live_{len(self.asked):06}"
        where = f"https://checkout.stripe.com/c/pay/{session}"
        return MockAnswer(200, {"checkout_session_id": session, "checkout_url": where})

    def _status(self, asked: MockRequest) -> MockAnswer:
        user_id, product_id = map(unquote, asked.path.split("/")[4:])
        name = next((sub for sub, record in self.records.items() if record == (user_id, product_id)), None)
        if name is None:
            return MockAnswer(200, {"exists": False})
        end = "2026-12-23T20:15:23Z"
        return MockAnswer(200, {"exists": True, "status": "active", "subscription_id": name, "current_period_end": end})

    def _webhook(self, asked: MockRequest) -> MockAnswer:
        moment, _, digest = asked.signature.removeprefix("t=").partition(",v1=")
        expected = hmac.new(SECRET.encode(), f"{moment}.".encode() + asked.raw, hashlib.sha256).hexdigest()
        if digest != expected:
            return refusal(400, "INVALID_SIGNATURE")
        about = asked.body["data"]["object"]
        if asked.body["type"].startswith("customer.subscription."):
            product = about["items"]["data"][0]["price"]["product"]
            self.records[about["id"]] = (about["metadata"]["user_id"], product)
        return MockAnswer(200, {"received": True})

    def _portal(self, asked: MockRequest) -> MockAnswer:
        if asked.body.get("user_id") != CUSTOMER:
            return refusal(404, "CUSTOMER_NOT_FOUND")
        return MockAnswer(200, {"portal_session_id": "bps_1", "portal_url": "https://billing.stripe.com/p/session/1"})

    def _register(self, asked: MockRequest) -> MockAnswer:
        [plan] = asked.body["plans"]
        name, number = plan["name"], len(self.registered)
        if name in self.registered:
            existing = {"existing_product_id": self.registered[name]}
            return MockAnswer(409, {"success": False, "error": "ALREADY_EXISTS", "message": "It exists"} | existing)
        self.registered[name] = f"prod_made_{number}"
        prices = {
            period: {
                "stripe_price_id": f"price_made_{number}_{interval}",
                "amount": plan["pricing"][period],
                "interval": interval,
                "currency": "usd",
            }
            for period, interval in (("monthly", "month"), ("yearly", "year"))
            if period in plan["pricing"]
        }
        product = {"plan_name": name, "stripe_product_id": self.registered[name], "prices": prices}
        return MockAnswer(201, {"success": True, "project_id": "p1", "products": [product]})


def refusal(status: int, code: str) -> MockAnswer:
    """An error in the service's envelope."""
    return MockAnswer(status, {"error": {"type": "invalid_request", "code": code, "message": code}, "meta": {}})


def html(status: int = 200) -> MockAnswer:
    """A page where JSON should be."""
    return MockAnswer(status, b"<!doctype html><title>Hello</title>", "text/html")


@contextmanager
def mock_payment_ms() -> Iterator[MockPaymentMS]:
    """Serve a mock inside the block."""
    mock = MockPaymentMS()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            content = json.loads(body) if body else {}
            signature = self.headers.get("Stripe-Signature", "")
            key = self.headers.get("X-API-Key", "")
            told = mock.answer(MockRequest(self.command, self.path, key, content, body, signature))
            sent = told.content if isinstance(told.content, bytes) else json.dumps(told.content).encode()
            self.send_response(told.status)
            for name, value in {"Content-Type": told.content_type, **told.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = answer

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        mock.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield mock
        finally:
            server.shutdown()
            thread.join()
