"""Any replica serves any user: what one writes another reads, one asks for all, and a wrong clock harms nobody."""

import asyncio
import time
from typing import Any

from deploy.rolling_restart import REPLICAS
from harness.cluster import OFF_REPLICA, Cluster, until
from harness.http_user import HttpUser
from harness.socket_tab import SocketTab, browser, open_tabs
from services.live_status.memory import SHARED_FOR

PRICE = "price_sandbox_premium_month"
SOLD = 3
"""How many plans the Payment MS is asked about in a full look."""


def tab_at(cluster: Cluster, person: HttpUser, replica: str, path: str = "/payment") -> SocketTab:
    return SocketTab(browser(cluster.url, [("session", person.session_cookie), ("replica", replica)]), path)


def put(cluster: Cluster, person: HttpUser, status: str) -> None:
    cluster.control("POST", f"/users/{person.user_id}/state", status=status, price_id=PRICE, email=person.email)


def calls(cluster: Cluster, person: HttpUser) -> dict[str, int]:
    by_user: dict[str, dict[str, int]] = cluster.control("GET", f"/requests?user_id={person.user_id}")["by_user"]
    return by_user.get(person.user_id, {})


def test_a_sign_in_at_one_replica_holds_at_the_others_also_where_the_clock_is_off(cluster: Cluster) -> None:
    for home in ("app1", OFF_REPLICA):
        person = HttpUser(cluster, replica=home).sign_in()
        seen = []
        for replica in REPLICAS:
            person.move_to(replica)
            seen.append((person.client.get("/account").status_code, person.replica))

        assert seen == [(200, replica) for replica in REPLICAS]


def test_the_open_checkout_is_found_at_every_replica(cluster: Cluster) -> None:
    person = HttpUser(cluster, replica=OFF_REPLICA).sign_in()
    addresses = []
    for replica in (OFF_REPLICA, "app1", "app2"):
        person.move_to(replica)
        addresses.append(person.press_subscribe(PRICE).headers["location"])

    assert "/c/pay/cs_test_" in addresses[0]
    assert len(set(addresses)) == 1
    assert len(person.sessions()) == 1


def test_a_cart_follows_its_owner(cluster: Cluster) -> None:
    person = HttpUser(cluster, replica="app1").sign_in()
    item = first_item(person)
    person.client.post("/cart/add", data={"price_id": item}, headers={"Origin": cluster.url})
    person.move_to(OFF_REPLICA)

    cart = person.client.get("/api/cart").json()

    assert [line["price_id"] for line in cart["lines"]] == [item]


def first_item(person: HttpUser) -> str:
    catalog: dict[str, Any] = person.client.get("/api/catalog").json()
    return str(catalog["items"][0]["price"]["price_id"])


async def test_a_change_reaches_tabs_at_all_replicas_and_one_replica_asks(cluster: Cluster) -> None:
    person = await asyncio.to_thread(HttpUser(cluster).sign_in)
    async with open_tabs([tab_at(cluster, person, replica) for replica in REPLICAS]) as tabs:
        assert await asyncio.to_thread(until, lambda: watched_at(cluster) == len(REPLICAS))
        await asyncio.sleep(SHARED_FOR.total_seconds())
        for status, looking in zip(("active", "past_due", "active"), tabs, strict=True):
            await asyncio.to_thread(put, cluster, person, status)
            await asyncio.to_thread(cluster.control, "POST", "/requests/reset")
            changed_at = time.monotonic()
            for tab in tabs:
                tab.forget()
            await looking.look()
            shown = await asyncio.gather(*(tab.shows(f'"data-state":"{status}"') for tab in tabs))

            assert max(shown) - changed_at < 3
            assert (await asyncio.to_thread(calls, cluster, person))["subscription_status"] <= 2 * SOLD


def watched_at(cluster: Cluster) -> int:
    return sum(cluster.metric("billing_watchers", replica) >= 1 for replica in REPLICAS)


async def test_another_replica_takes_over_the_asking_within_five_seconds(cluster: Cluster) -> None:
    person = await asyncio.to_thread(HttpUser(cluster).sign_in)

    def holder() -> str:
        answer = cluster.redis.command("GET", f"billing:v:lease:watch:{person.user_id}")
        return "" if answer.startswith("$-1") else answer.splitlines()[1]

    async with open_tabs([tab_at(cluster, person, "app1")]):
        assert await asyncio.to_thread(until, lambda: holder() != "")
        async with open_tabs([tab_at(cluster, person, "app2")]) as others:
            first = await asyncio.to_thread(holder)
            await asyncio.to_thread(cluster.replicas["app1"].kill)
            killed = time.monotonic()
            assert await asyncio.to_thread(until, lambda: holder() not in ("", first))
            taken_over = time.monotonic() - killed
            await asyncio.to_thread(put, cluster, person, "active")
            await others[0].look()
            await others[0].shows('"data-state":"active"')

    assert taken_over < 5
