"""Events reach a webhook endpoint outside: signed, in order, at least once, and wrong in the ways that are set."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from sandbox.in_process import InProcessSandbox, settings_in_memory
from sandbox.settings import SANDBOX_WEBHOOK_SECRET
from tests.sandbox.local import AsgiTransport, InProcessAddresses, LocalShop
from tests.sandbox.shop import ShopClient
from tests.sandbox.stripe_client import StripeShop

FIRST = [
    "invoice.paid",
    "checkout.session.completed",
    "customer.subscription.created",
    "customer.subscription.updated",
]


@dataclass
class Receiving:
    """Somebody else's Payment MS: takes what is posted, or answers as it is told to."""

    posts: list[httpx.Request] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.posts.append(request)
        return httpx.Response(self.statuses.pop(0) if self.statuses else 200)

    def events(self) -> list[stripe.Event]:
        """What came, each verified by Stripe's own library."""
        return [
            stripe.Webhook.construct_event(post.content, post.headers["stripe-signature"], SANDBOX_WEBHOOK_SECRET)
            for post in self.posts
        ]

    def types(self) -> list[str]:
        return [event.type for event in self.events()]


class OutsideShop(LocalShop):
    """A sandbox without a Payment MS of its own."""

    def __init__(self, service: Receiving, **values: Any) -> None:
        url = "https://service.test/webhooks/stripe"
        settings = settings_in_memory(payment_ms="none", stripe_webhook_url=url, **values)
        self.sandbox = InProcessSandbox(settings, endpoints=httpx.MockTransport(service.answer))
        ShopClient.__init__(self, InProcessAddresses(), httpx.Client(transport=AsgiTransport(self.sandbox)))


@pytest.fixture
def service() -> Receiving:
    return Receiving()


@pytest.fixture
def shop(service: Receiving) -> Iterator[StripeShop]:
    with OutsideShop(service) as local:
        yield StripeShop(local)


def test_purchase_is_told_in_order_signed_and_once(shop: StripeShop, service: Receiving) -> None:
    subscription = shop.subscribe()
    shop.local.settle()
    events = service.events()

    assert service.types() == FIRST
    assert {post.url.path for post in service.posts} == {"/webhooks/stripe"}
    assert events[0].data.object["parent"]["subscription_details"]["subscription"] == subscription.id
    assert events[1].data.object["subscription"] == subscription.id
    assert [event.data.object["status"] for event in events[2:]] == ["incomplete", "active"]
    assert events[3].data.object["metadata"].to_dict() == {}
    assert events[0].api_version == stripe.api_version


def test_signature_is_of_this_body_and_secret(shop: StripeShop, service: Receiving) -> None:
    shop.subscribe()
    shop.local.settle()
    post = service.posts[0]

    for body, secret in ((post.content + b" ", SANDBOX_WEBHOOK_SECRET), (post.content, "whsec_other")):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, post.headers["stripe-signature"], secret)


def test_what_is_not_taken_comes_again_after_growing_pauses(shop: StripeShop, service: Receiving) -> None:
    service.statuses = [500, 503, 400, 302]
    shop.subscribe()
    shop.local.control("GET", "settled?seconds=1")
    failed = len(service.posts)
    shop.local.control("POST", "clock/advance", {"seconds": 61})
    shop.local.control("GET", "settled?seconds=1")

    assert failed == 4
    assert sorted(service.types()[4:]) == sorted(FIRST)
    assert shop.local.control("GET", "health")["waiting_webhooks"] == 0


def test_endpoint_that_is_away_for_a_day_has_everything_in_the_end(shop: StripeShop, service: Receiving) -> None:
    service.statuses = [500] * 28  # seven rounds of four
    shop.subscribe()
    for _ in range(8):
        shop.local.control("GET", "settled?seconds=120")
        shop.local.days(0.5)
    shop.local.control("GET", "settled?seconds=120")

    assert sorted(service.types()[-4:]) == sorted(FIRST)
    assert shop.local.control("GET", "health")["waiting_webhooks"] == 0


def test_what_was_not_taken_outlives_the_sandbox(service: Receiving, database: Path) -> None:
    service.statuses = [500] * 4
    with OutsideShop(service, database=database) as local:
        StripeShop(local).subscribe()
        local.control("GET", "settled?seconds=1")
    with OutsideShop(service, database=database) as local:
        local.control("POST", "clock/advance", {"seconds": 61})
        local.control("GET", "settled?seconds=1")
        assert local.control("GET", "health")["waiting_webhooks"] == 0

    assert sorted(service.types()[4:]) == sorted(FIRST)


@pytest.mark.parametrize(
    ("mode", "told"),
    [("lose", []), ("twice", sorted(FIRST[1:] * 2)), ("out_of_order", FIRST[:0:-1]), ("deliver", FIRST[1:])],
)
def test_ways_of_delivery_hold_for_endpoints(shop: StripeShop, service: Receiving, mode: str, told: list[str]) -> None:
    shop.local.set(webhook_mode=mode)
    shop.subscribe()
    shop.local.settle()

    types = [kind for kind in service.types() if kind != "invoice.paid"]  # a piece of news of its own
    assert (sorted(types) if mode == "twice" else types) == told


def test_late_event_says_what_was_so_when_it_happened(shop: StripeShop, service: Receiving) -> None:
    shop.local.set(webhook_delay=600)
    subscription = shop.subscribe()
    shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    shop.local.control("POST", "clock/advance", {"seconds": 601})
    shop.local.settle()
    subscriptions = [event.data.object for event in service.events() if event.type.startswith("customer.subscription.")]

    assert [one["cancel_at_period_end"] for one in subscriptions] == [False, False, True]


def test_fault_on_the_way_is_made_good(shop: StripeShop, service: Receiving) -> None:
    shop.local.control("POST", "faults", {"operation": "webhook", "times": 1})
    shop.subscribe()
    shop.local.control("GET", "settled?seconds=1")
    assert len(service.posts) == 3
    shop.local.control("POST", "clock/advance", {"seconds": 61})
    shop.local.settle()

    assert service.types()[-1] == FIRST[0]


def test_event_is_sent_again_by_hand_and_its_history_says_so(shop: StripeShop, service: Receiving) -> None:
    shop.subscribe()
    shop.local.settle()
    event = shop.v1.events.list({"type": FIRST[0]}).data[0]
    shop.local.control("POST", f"events/{event.id}/deliver")
    shop.local.settle()

    assert service.types() == [*FIRST, FIRST[0]]
    outcomes = shop.local.control("GET", "events?user_id=u1")[-1]["outcomes"]
    assert [(one["to"], one["result"]) for one in outcomes] == [("payment_ms", "recorded")] * 2


def test_endpoint_made_over_the_api_gets_what_it_asked_for_with_its_own_secret(
    shop: StripeShop, service: Receiving
) -> None:
    kind: Any = "customer.subscription.updated"
    made = shop.v1.webhook_endpoints.create({"url": "https://service.test/other", "enabled_events": [kind]})
    shop.subscribe()
    shop.local.settle()
    (post,) = [post for post in service.posts if post.url.path == "/other"]
    event: Any = stripe.Webhook.construct_event(post.content, post.headers["stripe-signature"], made.secret)

    assert event.type == kind
    assert shop.v1.webhook_endpoints.delete(made.id).deleted
    assert [one.id for one in shop.v1.webhook_endpoints.list().data] == ["we_settings"]


def test_own_services_hear_nothing_and_the_account_says_what_it_is_told(shop: StripeShop) -> None:
    shop.subscribe("usr_1")
    shop.local.settle()
    told = {"user_id": "usr_1", "status": "active", "plan": "gold", "expires_at": "2026-02-15T12:00:00Z"}
    before = shop.local.truth("usr_1")
    answer = shop.local.http.post(f"{shop.local.place.auth_ms_url}/auth/subscriptions", json=told)

    assert (before["records"], before["account"]["status"]) == ([], "none")
    assert answer.json() == {"status": "active", "plan": "gold", "expires_at": "2026-02-15T12:00:00Z"}
    assert shop.local.truth("usr_1")["account"]["plan"] == "gold"
    assert [event["heard"].keys() for event in before["events"]] == [{"payment_ms"}] * 4
    refused = shop.local.http.post(f"{shop.local.place.auth_ms_url}/auth/subscriptions", json={"user_id": "usr_1"})
    assert (refused.status_code, "status or subscriptions is needed" in refused.text) == (400, True)


@pytest.mark.parametrize(
    ("changes", "status", "expires_at"),
    [
        ({}, "active", "2026-02-15T12:00:00Z"),
        ({"cancel_at_period_end": True}, "canceled", "2026-02-15T12:00:00Z"),
        ({"status": "canceled", "ended_at": "2026-01-20T00:00:00Z"}, "canceled", "2026-01-20T00:00:00Z"),
    ],
)
def test_account_takes_subscriptions_as_the_contract_tells_them(
    shop: StripeShop, changes: dict[str, Any], status: str, expires_at: str
) -> None:
    end = {"current_period_end": "2026-02-15T12:00:00Z", "exists": True, "livemode": False}
    one = {"status": "active", "product_id": "prod_sandbox_premium", **end, **changes}
    told = {"user_id": "usr_1", "event": "customer.subscription.updated", "subscriptions": [one], "as_of": "now"}
    answer = shop.local.http.post(f"{shop.local.place.auth_ms_url}/auth/subscriptions", json=told)

    assert answer.json() == {"status": status, "plan": "premium", "expires_at": expires_at}


def test_account_takes_what_is_said_of_it_before_what_the_subscriptions_say(shop: StripeShop) -> None:
    url = f"{shop.local.place.auth_ms_url}/auth/subscriptions"
    one = {"status": "active", "product_id": "prod_of_stripe", "current_period_end": "2026-02-15T12:00:00Z"}
    told = {"user_id": "usr_1", "status": "active", "plan": "gold", "expires_at": None, "subscriptions": [one]}
    nothing: Any = {"user_id": "usr_1", "status": "none", "plan": None, "expires_at": None, "subscriptions": []}

    assert shop.local.http.post(url, json=told).json()["plan"] == "gold"
    assert shop.local.http.post(url, json=nothing).json() == {"status": "none", "plan": "free", "expires_at": None}


def test_states_set_by_hand_reach_the_service_and_are_taken_away_at_stripe(
    shop: StripeShop, service: Receiving
) -> None:
    shop.local.control("POST", "users/usr_1/state", {"status": "past_due"})
    shop.local.control("POST", "users/usr_1/state", {"status": "none"})
    shop.local.settle()
    statuses = [
        event.data.object["status"] for event in service.events() if event.type.startswith("customer.subscription.")
    ]

    assert statuses == ["active", "past_due", "canceled"]
    assert service.types()[-1] == "customer.deleted"
    assert "checkout.session.completed" not in service.types()
