"""The sandbox in one process: the same answers each time, no waiting, three years in a moment."""

import asyncio
import json
import time
from datetime import timedelta
from typing import Any

import httpx
from pydantic import SecretStr

from sandbox.in_process import InProcessSandbox, settings_in_memory
from sandbox.payment.app_push import AppPush
from sandbox.truth.report import truth_about
from tests.sandbox.local import ADA, BASIC, LocalShop


def life(local: LocalShop) -> list[tuple[object, ...]]:
    """Three years of one customer, as the charges and events that came of it."""
    local.control("POST", "reset")
    local.set(webhook_delay=60, tax="added", coupon_duration="repeating")
    local.subscribe(promotion="HALF")
    local.days(100)
    local.act("switch", price_id=BASIC)
    local.set(renewals="fail")
    local.days(25)
    local.act("card")
    local.set(renewals="succeed")
    local.days(970)
    truth = local.truth()
    charges = [(one["paid_at"], one["amount"], one["status"]) for one in truth["charges"]]
    return [*charges, *((one["at"], one["type"], one["status"]) for one in truth["events"])]


def test_same_story_ends_the_same(local: LocalShop) -> None:
    first = life(local)

    assert life(local) == first
    assert len([one for one in first if one[2] == "paid"]) == 36


def test_three_years_take_a_moment(local: LocalShop) -> None:
    local.subscribe()
    begun = time.perf_counter()

    local.days(3 * 365)

    assert len(local.amounts()) == 36
    assert time.perf_counter() - begun < 3


def test_waiting_for_webhooks_moves_the_time_instead(local: LocalShop) -> None:
    local.set(webhook_delay=8)
    begun = time.perf_counter()

    local.subscribe()

    assert time.perf_counter() - begun < 3
    assert local.truth()["now"] == "2026-01-15T12:00:08Z"
    assert local.truth()["waiting_webhooks"] == 0


def test_webhook_later_than_the_wait_is_still_on_its_way(local: LocalShop) -> None:
    local.set(webhook_delay=60)
    session = local.checkout(ADA)["checkout_session_id"]
    local.control("POST", f"pay/{session}")

    assert local.control("GET", "settled?seconds=10") == {"settled": False, "waiting": 3}


def test_same_without_http(local: LocalShop) -> None:
    local.subscribe()

    local.sandbox.scheduler.advance(timedelta(days=32))

    assert truth_about(local.sandbox.state, ADA).model_dump(mode="json") == local.truth()
    assert local.amounts() == [2900, 2900]


def test_ids_may_hold_a_slash(local: LocalShop) -> None:
    local.subscribe(user_id="auth0/ada")

    assert local.amounts("auth0/ada") == [2900]


def test_app_in_the_same_process_is_told() -> None:
    async def story() -> set[tuple[str, str]]:
        told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        async def app(request: httpx.Request) -> httpx.Response:
            told.put_nowait(json.loads(request.content))
            return httpx.Response(204)

        settings = settings_in_memory(events_url="http://app.test/events", events_secret=SecretStr("s" * 32))
        sandbox = InProcessSandbox(settings)
        push = AppPush(sandbox.state, httpx.MockTransport(app))
        client = httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.stripe), base_url="http://stripe.sandbox")
        await client.post("/control/users/user_ada/state", json={"status": "active"})
        posts = [await told.get() for _ in range(2)]
        await push.close()
        sandbox.close()
        return {(one["type"], one["user_id"]) for one in posts}

    told = asyncio.run(story())

    assert told == {("customer.subscription.created", ADA), ("customer.subscription.updated", ADA)}
