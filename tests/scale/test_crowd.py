"""A hundred people at once: the fragile Payment MS stays whole, and a rolling restart loses none of their presses."""

import asyncio
import random

import httpx
import pytest

from deploy.rolling_restart import REPLICAS, restart_each
from harness.cluster import Cluster, until
from harness.http_user import HttpUser, asked_about
from harness.socket_tab import SocketTab, browser, open_tabs

PRICE = "price_sandbox_premium_month"
PEOPLE = 100
TABS_EACH = 3
PAUSE = (8.0, 15.0)
"""Seconds between two presses of one person during the restart."""


@pytest.fixture(scope="module")
def everybody(shared_cluster: Cluster) -> list[HttpUser]:
    people = [HttpUser(shared_cluster).sign_in() for _ in range(PEOPLE)]
    shared_cluster.forget_people()
    return people


def browser_of(cluster: Cluster, person: HttpUser, replica: str = "") -> httpx.AsyncClient:
    cookies = [("session", person.session_cookie)] + ([("replica", replica)] if replica else [])
    client = browser(cluster.url, cookies)
    client.headers["Origin"] = cluster.url
    return client


def errors_of(cluster: Cluster) -> str:
    lines = [line for line in cluster.logs().splitlines() if '"warning"' in line or '"error"' in line]
    return "\n".join(lines[-20:])


def tabs_of(cluster: Cluster) -> float:
    """Return how many tabs the replicas watch a status for."""
    return sum(cluster.metric("billing_tabs", replica) for replica in REPLICAS)


async def press(client: httpx.AsyncClient) -> str:
    """Press the button, go on with what is open already, and return where that leads, or what went wrong."""
    try:
        answer = await client.post("/payment/checkout", data={"price_id": PRICE})
        if asked := asked_about(answer.headers.get("location", "")):
            answer = await client.post("/payment/checkout", data={"price_id": PRICE, "resume": asked})
    except httpx.HTTPError as error:
        return f"{type(error).__name__}: {error}"
    return str(answer.headers.get("location", f"{answer.status_code} {answer.text[:200]}"))


@pytest.mark.long
async def test_a_hundred_people_with_three_tabs_each_do_not_break_the_payment_ms(
    cluster: Cluster, everybody: list[HttpUser]
) -> None:
    cluster.control("POST", "/requests/reset")
    tabs = [SocketTab(browser_of(cluster, person, replica), "/payment") for person in everybody for replica in REPLICAS]
    async with open_tabs(tabs, at_once=6):
        await asyncio.to_thread(until, lambda: tabs_of(cluster) == PEOPLE * TABS_EACH)
        connected = tabs_of(cluster)
        clients = [browser_of(cluster, person) for person in everybody[:10]]
        led_to = await asyncio.gather(*(press(client) for client in clients))
        for client in clients:
            await client.aclose()
        report = await asyncio.to_thread(cluster.control, "GET", "/requests")

    assert connected == PEOPLE * TABS_EACH
    assert report["overlap"]["payment"]["most"] == 1
    assert [address for address in led_to if "/c/pay/cs_test_" not in address] == []


@pytest.mark.long
async def test_a_rolling_restart_loses_no_press(cluster: Cluster, everybody: list[HttpUser]) -> None:
    led_to: dict[str, set[str]] = {person.user_id: set() for person in everybody}
    over = asyncio.Event()

    async def keep_pressing(person: HttpUser) -> int:
        presses = 0
        async with browser_of(cluster, person) as client:
            await asyncio.sleep(random.uniform(0, PAUSE[1]))
            while not over.is_set() or presses == 0:
                led_to[person.user_id].add(await press(client))
                presses += 1
                await asyncio.sleep(random.uniform(*PAUSE))
        return presses

    def restart(name: str) -> None:
        assert cluster.replicas[name].stop() in (0, -15)
        cluster.replicas[name].start()

    pressing = [asyncio.create_task(keep_pressing(person)) for person in everybody]
    await asyncio.to_thread(restart_each, cluster.haproxy.balancer, restart)
    over.set()
    presses = sum(await asyncio.gather(*pressing))

    assert presses >= PEOPLE
    assert {a for found in led_to.values() for a in found if "/c/pay/cs_test_" not in a} == set(), errors_of(cluster)
    assert [found for found in led_to.values() if len(found) != 1] == []
