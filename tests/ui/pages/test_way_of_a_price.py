"""The way of a price from a plan's button to the Payment MS is the one that `docs/architecture.md` draws."""

import json
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from services.payment_ms import PaymentMS
from services.upstream.client import Upstream
from tests.ui.billing_world import billing_world
from tests.ui.reading import until
from tests.walk import drawn, walk

MONTHLY = "price_sandbox_premium_month"
MOST_ROOMS = 9


def answered(request: httpx.Request) -> httpx.Response:
    """Answer as the Payment MS does to somebody who has nothing."""
    address = "https://checkout.stripe.com/c/pay/cs_test_1"
    session = {"checkout_session_id": "cs_test_1", "checkout_url": address}
    body = json.dumps({"exists": False} if request.method == "GET" else session).encode()
    return httpx.Response(200, headers={"Content-Type": "application/json"}, stream=httpx.ByteStream(body))


async def test_a_press_over_the_socket_takes_the_way_that_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpx, "AsyncHTTPTransport", lambda **_settings: httpx.MockTransport(answered))
    payment_ms = PaymentMS(Upstream("payment_ms", "http://payment.test"), SecretStr("proj_1"))
    async with billing_world(tmp_path, payment_ms=payment_ms) as world:
        world.accounts.says("none")
        await world.sign_in()
        await world.open("/payment")

        with walk(MONTHLY) as found:
            world.press("subscribe-premium")
            await until(lambda: world.went_to.startswith("https://checkout.stripe.com/"))

    assert found.rooms == drawn("From a button")
    assert len(set(found.rooms)) == len(found.rooms) <= MOST_ROOMS
