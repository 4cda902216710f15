"""No id can become another path: the service sees exactly the right segments, or no call is made."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import unquote

import pytest
import pytest_asyncio
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from services.errors import InvalidIdentifier
from services.payment_ms import PaymentMS
from services.purchase import CheckoutKind, Purchase, PurchaseLine
from services.upstream.client import Upstream
from services.upstream.identifiers import check_identifier, path_with
from tests.examples import examples
from tests.faults.fault_server import FaultServer, reply

TAKEN = [
    "user_1",
    "30a9ba4d-3e9b-4458-a39c-028be42a6f69",
    "ada@example.com",
    "ada+test@example.co.uk",
    "o'brien@example.com",
    "auth0|507f1f77bcf86cd799439020",
    "google-oauth2|1",
    "jürgen@example.com",
    "...a",
    "a..b",
    "~x",
    "a" * 200,
]
REFUSED = [
    "",
    ".",
    "..",
    "...",
    "a/b",
    "a%2Fb",
    "%2e%2e",
    "a\\b",
    "a?b",
    "a#b",
    "a;b",
    "a b",
    "a\nb",
    "a\x00b",
    "\ud800",
    "a\u202eb",
    "a" * 201,
    "/",
    "../../admin",
]


@pytest.mark.parametrize("value", TAKEN)
def test_ids_in_use_are_taken(value: str) -> None:
    assert check_identifier("user_id", value) == value
    assert path_with("/api", user_id=value).count("/") == 2


@pytest.mark.parametrize("value", REFUSED)
def test_ids_that_could_lead_elsewhere_are_refused_and_not_quoted(value: str) -> None:
    with pytest.raises(InvalidIdentifier) as caught:
        check_identifier("user_id", value)

    assert "user_id" in str(caught.value)
    assert len(value) < 3 or value not in str(caught.value)


@given(user=st.text(), product=st.text())
@example(user="..", product="..")
@example(user="a%2f..%2f", product="prod_1")
@example(user="..a", product="b.")
@examples(2000)
def test_path_decodes_to_the_very_ids(user: str, product: str) -> None:
    try:
        path = path_with("/api/v1/subscriptions", user_id=user, product_id=product)
    except InvalidIdentifier:
        return

    assert path.isascii()
    assert [unquote(segment) for segment in path.split("/")] == ["", "api", "v1", "subscriptions", user, product]
    assert not {".", ".."} & set(path.split("/"))


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as server:
        yield server


@pytest.mark.parametrize("base", ["", "/", "/billing", "/billing/"])
async def test_base_address_may_have_a_path(server: FaultServer, base: str) -> None:
    server.behave(reply({"exists": False}))
    upstream = Upstream("payment_ms", server.url + base)

    await PaymentMS(upstream, SecretStr("k")).subscription("ada@example.com", "prod_1")

    await upstream.aclose()
    assert server.requests[0].target == base.rstrip("/") + "/api/v1/subscriptions/ada%40example.com/prod_1"


@pytest.mark.parametrize(
    "path", ["/a/../b", "/../x", "//evil.example/x", "/a/./b", "/a?b", "/a#b", "@evil.example/", ":1/x", "/ü", "/a\nb"]
)
async def test_path_that_would_become_another_is_never_requested(server: FaultServer, path: str) -> None:
    upstream = Upstream("payment_ms", server.url + "/base")

    with pytest.raises(InvalidIdentifier):
        await upstream.call("status", "GET", path, deadline=2.0)

    await upstream.aclose()
    assert server.requests == []


@pytest.mark.parametrize("value", REFUSED)
async def test_nobody_can_buy_who_could_not_be_looked_up(server: FaultServer, value: str) -> None:
    upstream = Upstream("payment_ms", server.url)
    line = PurchaseLine(price_id="price_1", product_id="prod_1", amount=2900)
    payment_ms = PaymentMS(upstream, SecretStr("k"))

    with pytest.raises(InvalidIdentifier):
        await payment_ms.create_checkout(
            Purchase(kind=CheckoutKind.SUBSCRIPTION, lines=(line,)),
            user_id=value,
            email="a@example.com",
            success_url="http://x/s",
            cancel_url="http://x/c",
            idempotency_key="k1",
        )
    with pytest.raises(InvalidIdentifier):
        await payment_ms.create_portal_session(value, "http://x/account")

    await upstream.aclose()
    assert server.requests == []


@given(users=st.lists(st.text(min_size=1, max_size=30), min_size=5, max_size=20))
@examples(40)
def test_service_sees_the_very_segments_or_nothing(users: list[str]) -> None:
    asyncio.run(_ask_for_each(users))


async def _ask_for_each(users: list[str]) -> None:
    async with FaultServer() as server:
        server.behave(reply({"exists": False}))
        upstream = Upstream("payment_ms", server.url)
        asked = []
        for user in users:
            try:
                await PaymentMS(upstream, SecretStr("k")).subscription(user, "prod_1")
            except InvalidIdentifier:
                continue
            asked.append(["", "api", "v1", "subscriptions", user, "prod_1"])
        await upstream.aclose()

    assert [[unquote(part) for part in request.target.split("/")] for request in server.requests] == asked
