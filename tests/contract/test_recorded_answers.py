"""Every recorded answer of the running Payment MS, served byte for byte over a real socket, is read right."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict, cast

import pytest
import pytest_asyncio
from pydantic import SecretStr

from services.errors import (
    CustomerUnknown,
    FrontendError,
    KeyRejected,
    RequestRefused,
    UpstreamContractError,
    UpstreamError,
)
from services.payment_ms import (
    CheckoutSession,
    Health,
    PaymentMS,
    PlanRegistration,
    PortalSession,
    RegisteredPrice,
    RegisteredProduct,
    RegisterResult,
    SubscriptionRecord,
)
from services.purchase import CheckoutKind, Purchase, PurchaseLine
from services.upstream.client import Upstream
from tests.faults.fault_server import FaultServer, reply


class Recorded(TypedDict):
    name: str
    request: str
    status: int
    content_type: str
    location: str | None
    body: str


_FILE = Path(__file__).parent / "fixtures" / "payment_ms_recorded.json"
RECORDED = {entry["name"]: entry for entry in cast(list[Recorded], json.loads(_FILE.read_text()))}

SUCCESS, CANCEL = "http://localhost/ok?session_id={CHECKOUT_SESSION_ID}", "http://localhost/cancel"
PLAN = PurchaseLine(price_id="price_1", product_id="prod_basic", amount=2900)
ITEM = PurchaseLine(price_id="price_2", product_id="prod_item", quantity=3, amount=500)

Ask = Callable[[PaymentMS], Awaitable[object]]


async def _open(ms: PaymentMS, kind: CheckoutKind, line: PurchaseLine) -> CheckoutSession:
    return await ms.create_checkout(
        Purchase(kind=kind, lines=(line,)),
        user_id="user_1",
        email="a@example.com",
        success_url=SUCCESS,
        cancel_url=CANCEL,
        idempotency_key="key-1",
    )


async def subscribe(ms: PaymentMS) -> CheckoutSession:
    return await _open(ms, CheckoutKind.SUBSCRIPTION, PLAN)


async def buy_item(ms: PaymentMS) -> CheckoutSession:
    return await _open(ms, CheckoutKind.ITEM, ITEM)


async def buy_cart(ms: PaymentMS) -> CheckoutSession:
    return await _open(ms, CheckoutKind.CART, ITEM)


async def status(ms: PaymentMS) -> SubscriptionRecord:
    return await ms.subscription("user_1", "prod_basic")


async def portal(ms: PaymentMS) -> PortalSession:
    return await ms.create_portal_session("user_1", "http://localhost/account")


async def register(ms: PaymentMS) -> RegisterResult:
    return await ms.register_products("p1", (PlanRegistration("Pro", "For teams", ("A", "B"), 2900, 29000),))


async def health(ms: PaymentMS) -> Health:
    return await ms.health()


ON_RECORD = SubscriptionRecord(
    exists=True,
    product_id="prod_basic",
    status=None,
    subscription_id="sub_1",
    customer_id="30a9ba4d-3e9b-4458-a39c-028be42a6f69",
    period_end=datetime(2026, 12, 23, 20, 15, 23, tzinfo=UTC),
)
CHECKOUT_AT = "https://checkout.stripe.com/c/pay/"
READ: dict[str, tuple[Ask, object]] = {
    "health": (health, Health(True, "billing-service", datetime(2026, 11, 23, 20, 15, 23, 503706, tzinfo=UTC))),
    "sub ok": (subscribe, CheckoutSession("cs_test_000004", f"{CHECKOUT_AT}cs_test_000004")),
    "item ok": (buy_item, CheckoutSession("cs_test_000005", f"{CHECKOUT_AT}cs_test_000005")),
    "cart ok": (buy_cart, CheckoutSession("cs_test_000006", f"{CHECKOUT_AT}cs_test_000006")),
    "status none": (status, SubscriptionRecord(exists=False, product_id="prod_basic")),
    "status active": (status, ON_RECORD),
    "status past_due": (status, ON_RECORD),
    "status canceled": (status, ON_RECORD),
    "portal ok": (portal, PortalSession("bps_000007", "https://billing.stripe.com/p/session/test_bps_000007")),
    "register": (
        register,
        RegisterResult(
            products=(
                RegisteredProduct(
                    "Pro",
                    "prod_000008",
                    {
                        "monthly": RegisteredPrice("price_000009", 2900, "month", "usd"),
                        "yearly": RegisteredPrice("price_000010", 29000, "year", "usd"),
                    },
                ),
            )
        ),
    ),
    "register again": (register, RegisterResult(existing_product_id="prod_000008")),
}
REFUSED: dict[str, tuple[Ask, type[UpstreamError], str | None]] = {
    "item no product": (buy_item, RequestRefused, "VALIDATION_FAILED"),
    "cart empty": (buy_cart, RequestRefused, "VALIDATION_FAILED"),
    "no key": (subscribe, KeyRejected, None),
    "bad key": (subscribe, KeyRejected, None),
    "malformed": (subscribe, RequestRefused, "INVALID_BODY"),
    "missing": (subscribe, RequestRefused, "VALIDATION_FAILED"),
    "get on post": (subscribe, RequestRefused, "METHOD_NOT_ALLOWED"),
    "status pct slash": (status, RequestRefused, "INVALID_URL"),
    "portal unknown": (portal, CustomerUnknown, "CUSTOMER_NOT_FOUND"),
    "unknown path": (status, UpstreamContractError, None),
}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as server:
        yield server


@pytest_asyncio.fixture
async def payment_ms(server: FaultServer) -> AsyncIterator[PaymentMS]:
    upstream = Upstream("payment_ms", server.url)
    yield PaymentMS(upstream, SecretStr("proj_secret"))
    await upstream.aclose()


def play(server: FaultServer, name: str) -> Recorded:
    recorded = RECORDED[name]
    location = {} if recorded["location"] is None else {"Location": recorded["location"]}
    server.behave(reply(recorded["body"], recorded["status"], content_type=recorded["content_type"], headers=location))
    return recorded


def test_every_recording_is_covered() -> None:
    assert READ.keys() | REFUSED.keys() == RECORDED.keys()


@pytest.mark.parametrize("name", READ)
async def test_recorded_success_is_read(server: FaultServer, payment_ms: PaymentMS, name: str) -> None:
    recorded = play(server, name)
    ask, expected = READ[name]

    found = await ask(payment_ms)

    assert found == expected
    assert f"{server.requests[0].method} {server.requests[0].target}" == recorded["request"]


@pytest.mark.parametrize("name", REFUSED)
async def test_recorded_refusal_becomes_its_error(server: FaultServer, payment_ms: PaymentMS, name: str) -> None:
    recorded = play(server, name)
    ask, kind, code = REFUSED[name]

    with pytest.raises(FrontendError) as caught:
        await ask(payment_ms)

    assert type(caught.value) is kind
    assert isinstance(caught.value, UpstreamError)
    assert caught.value.upstream_code == code
    assert caught.value.upstream_status == recorded["status"]
    assert len(server.requests) == 1
