"""What the Payment MS is sent, and how its answers are read in every shape."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from pydantic import SecretStr
from structlog.testing import capture_logs

from services.errors import CustomerUnknown, RequestRefused, UpstreamContractError
from services.lifecycle import Lifecycle
from services.payment_ms import (
    CheckoutSession,
    PaymentMS,
    PlanRegistration,
    PortalSession,
    SubscriptionRecord,
)
from services.purchase import CheckoutKind, Purchase, PurchaseLine
from services.upstream.client import Upstream
from tests.faults.fault_server import FaultServer, reply

SUCCESS = "http://localhost:8081/payment/success?session_id={CHECKOUT_SESSION_ID}"
CANCEL = "http://localhost:8081/payment/cancel"
SESSION = {"checkout_session_id": "cs_test_1", "checkout_url": "https://checkout.stripe.com/c/pay/cs_test_1"}
RUNNING = {"exists": True, "stripe_subscription_id": "sub_1", "period_end": "2026-12-23T20:15:23Z"}
DOCUMENTED = {"status": "active", "subscription_id": "sub_1", "current_period_end": "2026-12-23T20:15:23Z"}
PERIOD_END = datetime(2026, 12, 23, 20, 15, 23, tzinfo=UTC)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as server:
        server.behave(reply(SESSION))
        yield server


@pytest_asyncio.fixture
async def payment_ms(server: FaultServer) -> AsyncIterator[PaymentMS]:
    upstream = Upstream("payment_ms", server.url)
    yield PaymentMS(upstream, SecretStr("proj_secret"))
    await upstream.aclose()


PLAN = PurchaseLine(price_id="price_1", product_id="prod_1", amount=2900)


async def opened(payment_ms: PaymentMS, kind: CheckoutKind, *lines: PurchaseLine) -> CheckoutSession:
    """Open a checkout."""
    return await payment_ms.create_checkout(
        Purchase(kind=kind, lines=lines),
        user_id="user_1",
        email="ada@example.com",
        success_url=SUCCESS,
        cancel_url=CANCEL,
        idempotency_key="idem-1",
    )


@pytest.mark.parametrize(
    ("told", "end"),
    [
        ("2026-11-30T12:00:00Z", datetime(2026, 11, 30, 12, tzinfo=UTC)),
        (1796040000, datetime(2026, 11, 30, 12, tzinfo=UTC)),
        ("soon", None),
        ("0001-01-01T00:00:00Z", None),
        (10**30, None),
        (True, None),
        (None, None),
    ],
)
async def test_a_session_s_end_is_read_where_the_service_tells_it(
    server: FaultServer, payment_ms: PaymentMS, told: object, end: datetime | None
) -> None:
    address = "https://checkout.stripe.com/c/pay/cs_1"
    server.behave(reply({"checkout_session_id": "cs_1", "checkout_url": address, "expires_at": told}))

    assert (await opened(payment_ms, CheckoutKind.SUBSCRIPTION, PLAN)).expires_at == end


async def test_subscription_checkout_sends_what_the_service_requires(
    server: FaultServer, payment_ms: PaymentMS
) -> None:
    await opened(payment_ms, CheckoutKind.SUBSCRIPTION, PLAN)

    request = server.requests[0]
    assert (request.method, request.target) == ("POST", "/api/v1/checkout/subscription")
    assert request.headers["x-api-key"] == "proj_secret"
    assert request.headers["idempotency-key"] == "idem-1"
    assert request.json == {
        "user_id": "user_1",
        "email": "ada@example.com",
        "product_id": "prod_1",
        "price_id": "price_1",
        "success_url": SUCCESS,
        "cancel_url": CANCEL,
    }


async def test_placeholder_reaches_the_service_with_its_braces(server: FaultServer, payment_ms: PaymentMS) -> None:
    await opened(payment_ms, CheckoutKind.SUBSCRIPTION, PLAN)

    assert b"session_id={CHECKOUT_SESSION_ID}" in server.requests[0].body


async def test_item_checkout_sends_its_product_and_quantity(server: FaultServer, payment_ms: PaymentMS) -> None:
    line = PurchaseLine(price_id="price_9", product_id="prod_9", quantity=3, amount=500)

    await opened(payment_ms, CheckoutKind.ITEM, line)

    assert server.requests[0].target == "/api/v1/checkout/item"
    assert (server.requests[0].json["product_id"], server.requests[0].json["quantity"]) == ("prod_9", 3)


async def test_cart_checkout_sends_its_lines(server: FaultServer, payment_ms: PaymentMS) -> None:
    second = PurchaseLine(price_id="price_2", quantity=2, amount=500)

    await opened(payment_ms, CheckoutKind.CART, PLAN, second)

    assert server.requests[0].json["items"] == [
        {"price_id": "price_1", "quantity": 1, "product_id": "prod_1"},
        {"price_id": "price_2", "quantity": 2},
    ]


async def test_registration_sends_amounts_in_cents_and_leaves_out_what_a_plan_lacks(
    server: FaultServer, payment_ms: PaymentMS
) -> None:
    server.behave(reply({"success": False, "error": "ALREADY_EXISTS", "existing_product_id": "prod_8"}, 409))

    await payment_ms.register_products("shop", (PlanRegistration("Pro", "For teams", ("A",), monthly=2900),))

    assert server.requests[0].json == {
        "project_name": "shop",
        "plans": [{"name": "Pro", "description": "For teams", "features": ["A"], "pricing": {"monthly": 2900}}],
    }


async def test_health_and_openapi_are_asked_without_the_key(server: FaultServer, payment_ms: PaymentMS) -> None:
    server.behave(reply({"status": "healthy"}), reply({"openapi": "3.0.0", "paths": {}}))

    assert (await payment_ms.health()).healthy
    assert (await payment_ms.openapi())["openapi"] == "3.0.0"
    assert all("x-api-key" not in request.headers for request in server.requests)


@pytest.mark.parametrize(
    ("content", "record"),
    [
        ({"exists": False}, SubscriptionRecord(False, "prod_1")),
        (
            {"status": "none", "subscription_id": "", "current_period_end": "0001-01-01T00:00:00Z", "product_id": ""},
            SubscriptionRecord(False, "prod_1"),
        ),
        (
            {
                "status": "active",
                "subscription_id": "sub_1",
                "current_period_end": "2026-12-23T20:15:23Z",
                "product_id": "prod_1",
            },
            SubscriptionRecord(True, "prod_1", "active", "sub_1", None, PERIOD_END),
        ),
        (
            {
                "exists": True,
                "status": "past_due",
                "subscription_id": "sub_1",
                "customer_id": "cus_1",
                "current_period_end": "2026-12-23T20:15:23Z",
            },
            SubscriptionRecord(True, "prod_1", "past_due", "sub_1", "cus_1", PERIOD_END),
        ),
        (
            RUNNING | {"customer_id": "cus_1"},
            SubscriptionRecord(True, "prod_1", None, "sub_1", "cus_1", PERIOD_END),
        ),
        (
            RUNNING | {"period_end": "1970-01-01T00:00:00Z"},
            SubscriptionRecord(True, "prod_1", None, "sub_1", None, None),
        ),
        (
            RUNNING | {"status": "", "period_end": "0001-01-01T00:00:00Z"},
            SubscriptionRecord(True, "prod_1", None, "sub_1", None, None),
        ),
        (
            {"status": "in_a_new_state", "subscription_id": "sub_1", "current_period_end": "2026-12-23T20:15:23Z"},
            SubscriptionRecord(True, "prod_1", "in_a_new_state", "sub_1", None, PERIOD_END),
        ),
    ],
)
async def test_status_is_read_in_every_shape(
    server: FaultServer, payment_ms: PaymentMS, content: dict[str, object], record: SubscriptionRecord
) -> None:
    server.behave(reply(content | {"something_new": [1, 2]}))

    assert await payment_ms.subscription("user_1", "prod_1") == record


@pytest.mark.parametrize("flag", [(True, True), (False, False), (None, None), ("true", None), (1, None)])
async def test_end_at_the_period_is_believed_only_when_plainly_said(
    server: FaultServer, payment_ms: PaymentMS, flag: tuple[object, bool | None]
) -> None:
    said, believed = flag
    server.behave(reply(RUNNING | {"cancel_at_period_end": said}))

    assert (await payment_ms.subscription("user_1", "prod_1")).lifecycle.cancel_at_period_end is believed


@pytest.mark.parametrize("shape", [RUNNING, DOCUMENTED])
async def test_every_field_of_an_end_is_read_in_every_shape(
    server: FaultServer, payment_ms: PaymentMS, shape: dict[str, object]
) -> None:
    end = {"cancel_at": 1798675200, "canceled_at": "2026-12-01T00:00:00Z", "ended_at": None, "trial_end": "2026-12-09"}
    server.behave(reply(shape | end | {"pause_collection": {"behavior": "void"}, "cancel_at_period_end": False}))

    found = (await payment_ms.subscription("user_1", "prod_1")).lifecycle

    assert found == Lifecycle(
        cancel_at_period_end=False,
        cancel_at=datetime(2026, 12, 31, tzinfo=UTC),
        canceled_at=datetime(2026, 12, 1, tzinfo=UTC),
        trial_end=datetime(2026, 12, 9, 12, tzinfo=UTC),
        paused=True,
        told=True,
    )
    assert found.ending
    assert not found.goes_on


@pytest.mark.parametrize("end", [None, 1766520923, "soon", "2026-12-23", "9999-12-31T23:59:59Z", 5])
async def test_date_in_another_form_makes_no_answer_unusable(
    server: FaultServer, payment_ms: PaymentMS, end: object
) -> None:
    server.behave(reply(RUNNING | {"period_end": end}))

    assert (await payment_ms.subscription("user_1", "prod_1")).subscription_id == "sub_1"


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        None,
        ["none"],
        {"exists": None},
        {"exists": "true"},
        {"exists": 0},
        {"exists": False, "status": "active"},
        {"exists": True},
        {"exists": True, "status": "none", "subscription_id": "sub_1", "current_period_end": "2026-12-23T20:15:23Z"},
        {"exists": True, "stripe_subscription_id": "sub_1"},
        {"exists": True, "stripe_subscription_id": None, "period_end": "2026-12-23T20:15:23Z"},
        {"exists": True, "status": None, "subscription_id": "sub_1", "current_period_end": "2026-12-23T20:15:23Z"},
        {"status": ""},
        {"status": "active"},
        {"status": "active", "subscription_id": "", "current_period_end": "2026-12-23T20:15:23Z"},
    ],
)
async def test_status_in_no_known_shape_is_an_error_and_never_none(
    server: FaultServer, payment_ms: PaymentMS, content: object
) -> None:
    server.behave(reply(content))

    with pytest.raises(UpstreamContractError) as caught:
        await payment_ms.subscription("user_1", "prod_1")

    assert caught.value.fields
    assert len(server.requests) == 1


@pytest.mark.parametrize(("status", "code"), [(404, "CUSTOMER_NOT_FOUND"), (400, "NO_STRIPE_CUSTOMER")])
async def test_customer_who_never_bought_has_no_subscription_and_no_portal(
    server: FaultServer, payment_ms: PaymentMS, status: int, code: str
) -> None:
    server.behave(reply({"error": {"code": code}}, status))

    assert await payment_ms.subscription("user_1", "prod_1") == SubscriptionRecord(False, "prod_1")
    with pytest.raises(CustomerUnknown):
        await payment_ms.create_portal_session("user_1", "http://localhost/account")


@pytest.mark.parametrize(
    "answer",
    [
        reply("<html>not found</html>", 404, content_type="text/html"),
        reply("404 page not found", 404, content_type="text/plain"),
        reply({"detail": "Not Found"}, 404),
    ],
)
async def test_missing_path_is_not_a_missing_customer(
    server: FaultServer, payment_ms: PaymentMS, answer: object
) -> None:
    server.behave(answer)  # type: ignore[arg-type]

    with pytest.raises(UpstreamContractError):
        await payment_ms.subscription("user_1", "prod_1")
    with pytest.raises(UpstreamContractError):
        await payment_ms.create_portal_session("user_1", "http://localhost/account")


async def test_portal_is_read_in_both_shapes(server: FaultServer, payment_ms: PaymentMS) -> None:
    address = "https://billing.stripe.com/p/session/1"
    server.behave(reply({"portal_session_id": "bps_1", "portal_url": address}), reply({"url": address}))

    assert await payment_ms.create_portal_session("user_1", "http://x/account") == PortalSession("bps_1", address)
    assert await payment_ms.create_portal_session("user_1", "http://x/account") == PortalSession("", address)


async def test_refusal_keeps_its_code_for_the_operator_and_its_words_for_nobody(
    server: FaultServer, payment_ms: PaymentMS
) -> None:
    error = {"code": "VALIDATION_FAILED", "message": "<b>cus_raw</b>", "description": "Stripe said: sk_live_1"}
    server.behave(reply({"error": error, "meta": {"request_id": "up-7"}}, 422))

    with capture_logs() as logs, pytest.raises(RequestRefused) as caught:
        await payment_ms.create_portal_session("user_1", "http://x/account")

    assert (caught.value.upstream_code, caught.value.upstream_request_id) == ("VALIDATION_FAILED", "up-7")
    told = str(caught.value) + caught.value.sentence + json.dumps(logs)
    assert "cus_raw" not in told
    assert "sk_live_1" not in told


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"checkout_session_id": "cs_1"},
        {"checkout_session_id": "cs_1", "checkout_url": None},
        {"checkout_session_id": 5, "checkout_url": "https://checkout.stripe.com/x"},
        {"checkout_session_id": "", "checkout_url": "https://checkout.stripe.com/x"},
        {"checkout_session_id": "<script>", "checkout_url": "https://checkout.stripe.com/x"},
        {"checkout_session_id": "cs_1", "checkout_url": ""},
    ],
)
async def test_checkout_without_a_usable_session_is_an_error(
    server: FaultServer, payment_ms: PaymentMS, content: object
) -> None:
    server.behave(reply(content))
    with pytest.raises(UpstreamContractError):
        await opened(payment_ms, CheckoutKind.SUBSCRIPTION, PLAN)

    assert len(server.requests) == 1


@pytest.mark.parametrize(("days", "sent"), [(0, {}), (14, {"trial_days": 14})])
async def test_a_trial_is_asked_for_in_the_call_and_only_where_there_is_one(
    server: FaultServer, payment_ms: PaymentMS, days: int, sent: dict[str, int]
) -> None:
    purchase = Purchase(kind=CheckoutKind.SUBSCRIPTION, lines=(PLAN,))
    await payment_ms.create_checkout(
        purchase, user_id="user_1", email="ada@example.com", success_url=SUCCESS, cancel_url=CANCEL,
        idempotency_key="idem-1", trial_days=days,
    )  # fmt: skip

    assert {name: value for name, value in server.requests[0].json.items() if name == "trial_days"} == sent
