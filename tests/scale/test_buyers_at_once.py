"""Forty people buy at once at the sandbox's Stripe: from the service for an own account alone, and at the app before it
while three hundred tabs are open."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from bench.own_stripe_load import BUYERS, PEOPLE, confirmed_in_tabs
from bench.world import own_stripe_world
from harness.own_stripe import ServiceProcess, running_service

pytestmark = [pytest.mark.scale, pytest.mark.long]

PRODUCT: Final = "prod_sandbox_premium"


@dataclass
class Crowd:
    """All buyers, over one client."""

    service: ServiceProcess
    http: httpx.AsyncClient

    async def open(self, user_id: str) -> str:
        """The session of a new checkout."""
        body = {
            "user_id": user_id,
            "email": f"{user_id}@example.com",
            "product_id": PRODUCT,
            "price_id": "price_sandbox_premium_month",
            "success_url": "https://app.test/success",
            "cancel_url": "https://app.test/cancel",
        }
        headers = {"X-API-Key": self.service.api_key, "Idempotency-Key": f"checkout-{user_id}"}
        answer = await self.http.post(f"{self.service.url}/api/v1/checkout/subscription", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["checkout_session_id"])

    async def pay(self, session_id: str) -> None:
        answer = await self.http.post(f"{self.service.sandbox.control_url}/pay/{session_id}")
        assert answer.status_code == 200, answer.text

    async def status(self, user_id: str) -> str:
        path = f"/api/v1/subscriptions/{user_id}/{PRODUCT}"
        answer = await self.http.get(f"{self.service.url}{path}", headers={"X-API-Key": self.service.api_key})
        assert answer.status_code == 200, answer.text
        return str(answer.json().get("status", "none"))

    async def control(self, method: str, path: str, body: object = None) -> Any:
        answer = await self.http.request(method, f"{self.service.sandbox.control_url}/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    async def all_told(self, users: list[str]) -> None:
        """Wait until no webhook is on its way, and the Auth MS was told of everybody's."""
        assert (await self.control("GET", "settled?seconds=60"))["settled"]
        end = time.monotonic() + 60
        for user_id in users:
            while (await self._truth(user_id))["account"]["status"] != "active":
                assert time.monotonic() < end, f"the account of {user_id} says nothing"
                await asyncio.sleep(0.2)

    async def assert_all_have_it_once(self, users: list[str]) -> None:
        """Each has one subscription, has paid once, and both services say so."""
        for user_id in users:
            truth = await self._truth(user_id)
            assert await self.status(user_id) == "active"
            assert [one["status"] for one in truth["subscriptions"]] == ["active"]
            assert truth["charged"] == {"usd": 2900}
            assert truth["account"]["plan"] == "premium"

    async def _truth(self, user_id: str) -> Any:
        return await self.control("GET", f"truth/{user_id}?events=false")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ServiceProcess]:
    with running_service(tmp_path) as running:
        yield running


def crowd_of(service: ServiceProcess) -> Crowd:
    limits = httpx.Limits(max_connections=100)
    return Crowd(service, httpx.AsyncClient(timeout=60.0, limits=limits, trust_env=False))


def test_forty_who_buy_at_once_all_have_it_and_paid_once(service: ServiceProcess) -> None:
    users = [f"usr_{number:02d}" for number in range(BUYERS)]

    async def story() -> list[float]:
        crowd = crowd_of(service)

        async def buy(user_id: str) -> float:
            await crowd.pay(await crowd.open(user_id))
            paid = time.monotonic()
            while await crowd.status(user_id) != "active":
                assert time.monotonic() - paid < 30
                await asyncio.sleep(0.1)
            return time.monotonic() - paid

        async with crowd.http:
            waits = await asyncio.gather(*map(buy, users))
            await crowd.all_told(users)
            await crowd.assert_all_have_it_once(users)
            failed = [
                call for call in (await crowd.control("GET", "requests?limit=2000"))["recent"] if call["status"] != 200
            ]
            assert failed == []
        return waits

    waits = sorted(asyncio.run(story()))
    print(f"confirmed after {waits[BUYERS // 2]:.2f} s (median), {waits[-1]:.2f} s (last)")


def test_service_that_is_killed_while_people_pay_loses_nobody(service: ServiceProcess) -> None:
    users = [f"usr_{number:02d}" for number in range(BUYERS)]

    async def story() -> None:
        crowd = crowd_of(service)
        async with crowd.http:
            sessions = await asyncio.gather(*map(crowd.open, users))
            await asyncio.gather(*map(crowd.pay, sessions[: BUYERS // 2]))
            service.kill()
            await asyncio.gather(*map(crowd.pay, sessions[BUYERS // 2 :]))
            service.start()
            for _ in range(4):  # what was refused comes again after one minute, then after five
                await crowd.control("POST", "clock/advance", {"seconds": 301})
                await crowd.control("GET", "settled?seconds=10")
            await crowd.all_told(users)
            await crowd.assert_all_have_it_once(users)

    asyncio.run(story())


def test_forty_of_a_hundred_people_with_three_tabs_each_see_it_confirmed(tmp_path: Path) -> None:
    with own_stripe_world(tmp_path) as world:
        world.control("PATCH", "/settings", webhook_delay=3600)
        people = [world.person() for _ in range(PEOPLE)]
        waits = sorted(asyncio.run(confirmed_in_tabs(world, people)).waits)
        statuses = world.control("GET", "/requests")["by_status"]
        for buyer in people[:BUYERS]:
            truth = world.control("GET", f"/truth/{buyer.user_id}?events=false")
            assert ([one["status"] for one in truth["subscriptions"]], truth["charged"]) == (["active"], {"usd": 2900})

    assert {operation: told for operation, told in statuses.items() if set(told) != {"200"}} == {}
    print(f"told in the tab {waits[BUYERS // 2]:.2f} s (median), {waits[-1]:.2f} s (last) after all webhooks were sent")
