"""The way of a status from the Payment MS's answer to an open page is the one that `docs/architecture.md` draws."""

import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import time_machine
from pydantic import SecretStr

from services.payment_ms import PaymentMS
from services.subscription.model import State
from services.upstream.client import Upstream
from tests.ui.billing_states import SOON
from tests.ui.billing_world import ADA, CATALOG, billing_world
from tests.ui.reading import until
from tests.walk import drawn, status_walk

PRODUCT = CATALOG.plan("premium").product_id or ""


class Service:
    """A Payment MS that has Premium on record."""

    word = "active"

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer what stands on record of the product that is asked about."""
        known = {
            "exists": True, "product_id": PRODUCT, "subscription_id": "sub_1", "customer_id": "cus_1",
            "status": self.word, "current_period_end": SOON.isoformat(),
        }  # fmt: skip
        answer = known if request.url.path.endswith(PRODUCT) else {"exists": False}
        body = httpx.ByteStream(json.dumps(answer).encode())
        return httpx.Response(200, headers={"Content-Type": "application/json"}, stream=body)


async def test_a_poll_takes_the_way_that_is_drawn_with_the_rules_and_the_words_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service()
    monkeypatch.setattr(httpx, "AsyncHTTPTransport", lambda **_settings: httpx.MockTransport(service))
    payment_ms = PaymentMS(Upstream("payment_ms", "http://payment.test"), SecretStr("proj_1"))
    early = datetime.now(UTC).replace(second=2)  # words are made anew with each minute, since they tell distances
    with time_machine.travel(early):
        async with billing_world(tmp_path, payment_ms=payment_ms) as world:
            world.accounts.says("active", "premium")
            await world.sign_in()
            await world.open("/payment")
            await until(lambda: "You're on Premium" in world.text() and world.status.watchers)

            service.word = "past_due"
            world.accounts.says("past_due", "premium")
            with status_walk(State.PAST_DUE) as found:
                await world.status.poll_once(ADA.user_id)
                await until(lambda: found.calls["words_for"], 20)  # the page is drawn, and what differs is announced

            assert "Your last payment for Premium failed" in world.text()

    assert found.rooms == [*drawn("From an answer to a status"), *drawn("From a status to the page")]
    assert (found.calls["reconcile"], found.calls["describe"]) == (1, 1)
    assert found.calls["words_of"] > found.calls["describe"]
