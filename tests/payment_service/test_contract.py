"""`python -m contract` at a service that looks at Stripe itself: subscriptions are really made there, and ended."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import httpx
import pytest
import requests

from contract.checks_webhook import created, failed_write, plan_change, unsigned
from contract.results import CheckOutcome, Result, Unmet
from contract.stripe_side import StripeDoor
from contract.target import ContractTarget, Sale, Sales, WebhookDoor
from contract.wire import SerialClient, ServiceReply
from tests.payment_service.at_sandbox import ToTheSandbox
from tests.payment_service.conftest import KEY, WEBHOOK_SECRET, OpenShops, ServiceShop
from tests.sandbox.local import BASIC, MONTHLY, PRODUCT_OF, LocalShop

Send = Callable[[str, str, Mapping[str, str], bytes | None], httpx.Response]
PREMIUM = Sale(MONTHLY, PRODUCT_OF[MONTHLY])
SALES = Sales(PREMIUM, other_plan=Sale(BASIC, PRODUCT_OF[BASIC]))


class WireInProcess(SerialClient):
    """A client without a socket; what `lost` says is answered 200 and goes nowhere."""

    def __init__(self, address: str, key: str, send: Send) -> None:
        super().__init__(address, key)
        self._send = send
        self.lost: Callable[[str], bool] = lambda path: False

    def ask(
        self, method: str, path: str, body: object = None, *, key: str | None = None,
        headers: Mapping[str, str] | None = None, content: bytes | None = None,
    ) -> ServiceReply:  # fmt: skip
        sent = {**(headers or {}), "X-API-Key": self.key if key is None else key}
        told = httpx.Response(200, json={}) if self.lost(path) else self._send(method, path, sent, content)
        return ServiceReply(method, path, told.status_code, told.headers, told.content, 0.0)


@pytest.fixture
def local() -> Iterator[LocalShop]:
    with LocalShop() as local:
        yield local


@pytest.fixture
def shop(open_shop: OpenShops, local: LocalShop) -> ServiceShop:
    session = requests.Session()
    session.mount("http://", ToTheSandbox(local))
    return open_shop(stripe_session=session, stripe_api_base=local.place.stripe_url)


@pytest.fixture
def subject(shop: ServiceShop, local: LocalShop) -> Iterator[ContractTarget]:
    def to_service(method: str, path: str, headers: Mapping[str, str], content: bytes | None) -> httpx.Response:
        if method == "GET":
            return shop.http.get(path, headers=headers)
        return shop.http.post(path, headers=headers, content=content)

    def to_stripe(method: str, path: str, headers: Mapping[str, str], content: bytes | None) -> httpx.Response:
        return local.http.request(method, local.place.stripe_url + path, headers=dict(headers), content=content)

    @contextmanager
    def outage() -> Iterator[None]:
        local.control("POST", "faults", {"operation": "stripe", "status": 500})
        yield
        local.control("DELETE", "faults")

    with (
        WireInProcess("http://service", KEY, to_service) as wire,
        WireInProcess(local.place.stripe_url, "", to_stripe) as stripe,
    ):
        door = WebhookDoor("/webhooks/stripe", WEBHOOK_SECRET)
        made = ContractTarget(
            wire, SALES, webhook=door, stripe=StripeDoor(stripe, "sk_test_x"), outage=outage, event_pause=0.0
        )
        opened = shop.buy(made.buyer, product_id=PREMIUM.product_id, price_id=PREMIUM.price_id)
        made.sessions["subscription"] = opened.json()["checkout_session_id"]
        yield made


EVENT_CHECKS = (unsigned, created, plan_change, failed_write)
Check = Callable[[ContractTarget], CheckOutcome]


@pytest.mark.parametrize("check", EVENT_CHECKS)
def test_checks_of_events_are_ok_and_leave_nothing_running(
    subject: ContractTarget, local: LocalShop, check: Check
) -> None:
    assert check(subject).result is Result.OK
    assert {one["status"] for one in local.truth(subject.buyer)["subscriptions"]} <= {"canceled"}


@pytest.mark.parametrize("check", EVENT_CHECKS)
def test_service_that_drops_its_events_is_found_out(subject: ContractTarget, local: LocalShop, check: Check) -> None:
    assert isinstance(subject.wire, WireInProcess)
    subject.wire.lost = lambda path: path == "/webhooks/stripe"

    with pytest.raises(Unmet):
        check(subject)
    assert {one["status"] for one in local.truth(subject.buyer)["subscriptions"]} <= {"canceled"}


def test_made_up_subscription_that_it_rightly_ignores_is_noted(subject: ContractTarget) -> None:
    subject.stripe, subject.features = None, frozenset({"status_details"})

    outcome = created(subject)

    assert outcome.result is Result.NOTE
    assert "--stripe-key" in outcome.detail


def test_stripe_that_refuses_what_a_check_needs_says_nothing_of_the_service(
    subject: ContractTarget, local: LocalShop
) -> None:
    local.control("POST", f"products/{PREMIUM.product_id}/retire")

    outcome = created(subject)

    assert outcome.result is Result.SKIPPED
    assert "must be recurring and active" in outcome.detail


@pytest.mark.parametrize("key", ["sk_live_0123456789", "pk_test_0123456789", "sk_test_é"])
def test_only_a_test_key_is_taken(key: str) -> None:
    with SerialClient("http://stripe.example") as wire, pytest.raises(ValueError, match="must be a test key"):
        StripeDoor(wire, key)
