"""What the client asks a service of either version: nothing that the service has not said it knows."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import SecretStr

from services.errors import AlreadySubscribed, UpstreamFailed
from services.payment_contract.features import VERSION_1, ContractFeature, PaymentContract, PortalFlow
from services.payment_contract.sessions import SessionStatus
from services.payment_contract.watch import ASK_AGAIN_AFTER, ASK_EVERY, ContractWatch
from services.payment_ms import PaymentMS, PlanRegistration
from services.purchase import CheckoutKind, Purchase, PurchaseLine
from services.upstream.client import Upstream
from tests.faults.fault_server import FaultServer, reply

SESSION = {"checkout_session_id": "cs_test_1", "checkout_url": "https://checkout.stripe.com/c/pay/cs_test_1"}
PORTAL = {"portal_session_id": "bps_1", "portal_url": "https://billing.stripe.com/p/session/1"}
HEALTHY = {"status": "healthy", "service": "billing", "timestamp": "2026-11-30T12:00:00Z"}
ALL = PaymentContract(2, frozenset(ContractFeature))


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as server:
        yield server


@pytest_asyncio.fixture
async def payment_ms(server: FaultServer) -> AsyncIterator[PaymentMS]:
    upstream = Upstream("payment_ms", server.url)
    yield PaymentMS(upstream, SecretStr("proj_secret"))
    await upstream.aclose()


async def checkout(payment_ms: PaymentMS) -> None:
    line = PurchaseLine(price_id="price_1", product_id="prod_1", amount=2900)
    await payment_ms.create_checkout(
        Purchase(kind=CheckoutKind.SUBSCRIPTION, lines=(line,)), user_id="user_1", email="ada@example.com",
        success_url="http://localhost/s", cancel_url="http://localhost/c", idempotency_key="idem-1", locale="de",
    )  # fmt: skip


async def test_a_first_version_is_asked_nothing_that_it_does_not_know(
    payment_ms: PaymentMS, server: FaultServer
) -> None:
    server.behave(reply(SESSION))
    await checkout(payment_ms)
    server.behave(reply(PORTAL))
    await payment_ms.create_portal_session("user_1", "http://localhost", flow=PortalFlow.CANCEL, locale="de")
    answers = [
        await payment_ms.subscriptions("user_1"),
        await payment_ms.checkout_session("cs_test_1"),
        await payment_ms.expire_session("cs_test_1"),
        await payment_ms.invoices("user_1"),
    ]

    assert answers == [None] * 4
    assert [request.target for request in server.requests] == ["/api/v1/checkout/subscription", "/api/v1/portal"]
    assert [set(json.loads(request.body)) & {"locale", "flow"} for request in server.requests] == [set(), set()]


async def test_a_second_version_is_told_the_language_and_the_page(payment_ms: PaymentMS, server: FaultServer) -> None:
    payment_ms.contract = ALL
    server.behave(reply(SESSION))
    await checkout(payment_ms)
    server.behave(reply(PORTAL))
    await payment_ms.create_portal_session(
        "user_1", "http://localhost", flow=PortalFlow.CANCEL, subscription_id="sub_1", locale="de"
    )

    opened, portal = (json.loads(request.body) for request in server.requests)
    assert opened["locale"] == "de"
    assert (portal["flow"], portal["subscription_id"], portal["locale"]) == ("cancel", "sub_1", "de")


async def test_a_subscription_that_the_service_knows_of_is_no_second_sale(
    payment_ms: PaymentMS, server: FaultServer
) -> None:
    server.behave(reply({"error": {"code": "SUBSCRIPTION_EXISTS", "subscription_id": "sub_1"}}, status=409))

    with pytest.raises(AlreadySubscribed):
        await checkout(payment_ms)


async def test_a_session_that_is_complete_can_not_be_ended_and_says_so(
    payment_ms: PaymentMS, server: FaultServer
) -> None:
    payment_ms.contract = ALL
    told = {"status": "complete", "payment_status": "paid", "subscription_id": "sub_1"}
    server.behave(reply({"error": {"code": "SESSION_NOT_OPEN"}, "session": told}, status=409))

    state = await payment_ms.expire_session("cs_test_1")

    assert state is not None
    assert state.status is SessionStatus.COMPLETE


async def test_an_unknown_session_and_an_unknown_customer_are_answers(
    payment_ms: PaymentMS, server: FaultServer
) -> None:
    payment_ms.contract = ALL
    server.behave(reply({"error": {"code": "SESSION_NOT_FOUND"}}, status=404))
    assert await payment_ms.checkout_session("cs_test_1") is None
    server.behave(reply({"error": {"code": "CUSTOMER_NOT_FOUND"}}, status=404))
    assert await payment_ms.subscriptions("user_1") == ()
    assert await payment_ms.invoices("user_1") == ()
    assert payment_ms.contract == ALL


@pytest.mark.parametrize(("status", "headers"), [(400, {}), (302, {"location": "/docs"}), (404, {})])
async def test_a_call_that_the_service_does_not_know_after_all_is_asked_once(
    payment_ms: PaymentMS, server: FaultServer, status: int, headers: dict[str, str]
) -> None:
    payment_ms.contract = ALL
    server.behave(reply({"error": {"code": "INVALID_URL"}}, status=status, headers=headers))

    assert await payment_ms.subscriptions("user_1") is None
    assert await payment_ms.subscriptions("user_1") is None
    assert len(server.requests) == 1
    assert payment_ms.contract.has(ContractFeature.INVOICES)


async def test_an_outage_is_no_missing_feature(payment_ms: PaymentMS, server: FaultServer) -> None:
    payment_ms.contract = ALL
    server.behave(reply({}, status=500))

    with pytest.raises(UpstreamFailed):
        await payment_ms.invoices("user_1")
    assert payment_ms.contract == ALL


async def test_only_a_service_that_takes_items_is_told_what_a_plan_is_called_here(
    payment_ms: PaymentMS, server: FaultServer
) -> None:
    price = {"stripe_price_id": "price_1", "amount": 900, "interval": "month", "currency": "usd"}
    made = {"plan_name": "Basic", "stripe_product_id": "prod_1", "prices": {"monthly": price}}
    server.behave(reply({"success": True, "products": [made]}, status=201))
    plan = PlanRegistration("Basic", "", (), 900, id="basic", group="main", currency="usd")
    for contract in (payment_ms.contract, ALL):
        payment_ms.contract = contract
        await payment_ms.register_products("shop", (plan,))

    first, second = (json.loads(request.body)["plans"][0] for request in server.requests)
    assert set(second) - set(first) == {"id", "group", "currency"}


async def test_the_service_is_asked_at_the_start_now_and_then_and_soon_after_a_failure(
    payment_ms: PaymentMS, server: FaultServer
) -> None:
    heard: list[PaymentContract] = []
    answers = [{**HEALTHY}, None, {**HEALTHY, "contract": {"version": 2, "features": ["invoices"]}}]
    pauses: list[float] = []

    asked_enough = asyncio.Event()

    async def wait(seconds: float) -> None:
        pauses.append(seconds)
        if not answers:
            asked_enough.set()
            await asyncio.Future()
        told = answers.pop(0)
        server.behave(reply(told) if told is not None else reply({}, status=503))

    async def told(contract: PaymentContract) -> None:
        heard.append(contract)

    server.behave(reply(HEALTHY))
    watch = ContractWatch(payment_ms, told, wait=wait)
    watch.start()
    await asyncio.wait_for(asked_enough.wait(), 10)
    await watch.stop()

    assert pauses == [ASK_EVERY, ASK_EVERY, ASK_AGAIN_AFTER, ASK_EVERY]
    assert heard == [VERSION_1, PaymentContract(2, frozenset({ContractFeature.INVOICES}))]
    assert {request.target for request in server.requests} == {"/health"}
