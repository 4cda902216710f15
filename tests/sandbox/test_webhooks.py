"""How news travels from the checkout to the two services, and every way in which it goes wrong."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from sandbox.launch import FREE_PORTS, start_sandbox
from tests.sandbox.shop import Shop

SECRET = "whsec_of_a_test"


def event_states(shop: Shop) -> set[str]:
    return {event["state"] for event in shop.control("GET", "events")}


def test_news_arrives_by_itself_after_the_delay(shop: Shop) -> None:
    shop.set(webhook_delay=2)
    shop.pay(shop.checkout())
    early = shop.status()

    shop.settle()

    assert early == {"exists": False}
    assert shop.status()["exists"] is True


def test_time_that_passes_delivers_what_is_due(shop: Shop) -> None:
    shop.set(webhook_delay=600)
    shop.pay(shop.checkout())

    shop.control("POST", "clock/advance", {"hours": 1})

    assert shop.status()["exists"] is True


def test_lost_news_never_arrives_until_sent_again(shop: Shop) -> None:
    shop.set(webhook_mode="lose")
    shop.pay(shop.checkout())
    lost = shop.status()

    event = next(event for event in shop.control("GET", "events") if event["type"].endswith("updated"))
    shop.control("POST", f"events/{event['id']}/deliver", {"reach": "both"})

    assert lost == {"exists": False}
    assert shop.status()["exists"] is True


def test_news_sent_twice_changes_nothing(shop: Shop) -> None:
    shop.set(webhook_mode="twice")

    shop.buy()

    outcomes = [event["outcomes"] for event in shop.control("GET", "events")]
    assert outcomes
    assert all(len([one for one in each if one["to"] == "payment_ms"]) == 2 for each in outcomes)
    assert shop.status()["exists"] is True
    assert len(shop.control("GET", "payment-records")) == 1


@pytest.mark.parametrize(("stale", "status"), [("ignore", "active"), ("apply", "incomplete")])
def test_news_out_of_order(shop: Shop, stale: str, status: str) -> None:
    shop.set(webhook_mode="out_of_order", stale_events=stale, status_shape="openapi")

    shop.buy()

    assert shop.status()["status"] == status


@pytest.mark.parametrize(("reach", "exists", "plan"), [("payment", True, "none"), ("auth", False, "active")])
def test_news_that_reaches_one_service_only(shop: Shop, reach: str, exists: bool, plan: str) -> None:
    session = shop.sign_in()
    shop.set(webhook_reach=reach)

    shop.buy(user_id=session["user_context"]["user_id"])

    assert shop.status(session["user_context"]["user_id"])["exists"] is exists
    assert shop.refresh(session["session_id"])["user_context"]["subscription_status"] == plan


def test_end_of_one_of_two_subscriptions_keeps_the_other_ones_plan(shop: Shop) -> None:
    session = shop.sign_in()
    user_id = session["user_context"]["user_id"]
    shop.buy(user_id, product_id="prod_old", price_id="price_old")
    shop.buy(user_id, product_id="prod_new", price_id="price_new")
    newest = shop.subscription(user_id)["id"]

    shop.control("POST", f"subscriptions/{newest}/cancel")
    shop.settle()

    assert shop.refresh(session["session_id"])["user_context"]["subscription_status"] == "active"


class Hook(BaseHTTPRequestHandler):
    """The app's side of the push: keeps what was posted."""

    posts: Queue[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.posts.put((self.headers["X-Signature"], body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def hook() -> Iterator[tuple[str, Queue[tuple[str, bytes]]]]:
    """An address to post to, and what was posted there."""
    posts: Queue[tuple[str, bytes]] = Queue()
    with HTTPServer(("127.0.0.1", 0), type("_Hook", (Hook,), {"posts": posts})) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api/payment/events", posts
        server.shutdown()
        thread.join()


def test_app_is_told_with_a_signature(hook: tuple[str, Queue[tuple[str, bytes]]], database: Path) -> None:
    url, posts = hook
    environment = {"SANDBOX_WEBHOOK_DELAY": "0", "SANDBOX_EVENTS_URL": url, "SANDBOX_EVENTS_SECRET": SECRET}
    with start_sandbox([*FREE_PORTS, "--database", str(database)], environment) as running, Shop(running) as shop:
        shop.buy()

        signature, body = posts.get(timeout=10)

    stamp, digest = (part.split("=")[1] for part in signature.split(","))
    expected = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert digest == expected
    assert json.loads(body)["user_id"] == "user_1"
