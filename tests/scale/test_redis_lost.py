"""Redis stalls, dies, or comes back empty: prices stay readable, nothing is sold meanwhile, and all heals by itself."""

import time
from collections.abc import Iterator

import httpx
import pytest

from deploy.rolling_restart import REPLICAS
from harness.app_process import NO_AUTHORITIES
from harness.cluster import Cluster, until
from harness.http_user import HttpUser
from services.storage.redis_store import CONNECTIONS

PRICE = "price_sandbox_premium_month"
PATIENCE = 6.0
"""Seconds within which a page opens while Redis does not answer."""


@pytest.fixture
def person(cluster: Cluster) -> Iterator[HttpUser]:
    person = HttpUser(cluster).sign_in()
    yield person
    cluster.redis.resume()
    assert until(lambda: all(store(cluster, replica) == "ok" for replica in REPLICAS), 15)


def store(cluster: Cluster, replica: str) -> str:
    """Return what a replica says of its store; it stays ready for users all the time."""
    ready = httpx.get(f"{cluster.replicas[replica].url}/readyz", timeout=10, trust_env=False, verify=NO_AUTHORITIES)
    assert ready.status_code == 200
    return str(ready.json()["checks"]["store"]["status"])


def pages_open_but_nothing_is_sold(cluster: Cluster, person: HttpUser) -> None:
    began = time.monotonic()
    prices = person.client.get("/pricing")
    took = time.monotonic() - began
    pressed = person.press_subscribe(PRICE)
    asked = person.client.post(
        "/api/payment/checkout", json={"price_id": PRICE}, headers={"Origin": cluster.url, "Accept": "application/json"}
    )

    assert (prices.status_code, took < PATIENCE) == (200, True), took
    assert "/c/pay/" not in pressed.headers.get("location", "")
    assert (asked.status_code, asked.json()["code"]) == (503, "store_unavailable")
    assert store(cluster, "app1") == "failing"
    assert cluster.up()


def buys(person: HttpUser) -> bool:
    return "/c/pay/cs_test_" in person.press_subscribe(PRICE).headers.get("location", "")


def test_a_stalled_redis_stops_selling_and_nobody_is_signed_out(cluster: Cluster, person: HttpUser) -> None:
    cluster.redis.pause()
    pages_open_but_nothing_is_sold(cluster, person)
    cluster.redis.resume()

    assert until(lambda: person.client.get("/payment").status_code == 200)
    assert until(lambda: buys(person))
    assert len(person.sessions()) == 1


def test_a_redis_that_is_gone_and_comes_back_empty_asks_people_to_sign_in_once(
    cluster: Cluster, person: HttpUser
) -> None:
    cluster.redis.kill()
    pages_open_but_nothing_is_sold(cluster, person)
    cluster.redis.start()

    assert until(lambda: person.client.get("/payment").status_code == 303)
    assert until(lambda: all(store(cluster, replica) == "ok" for replica in REPLICAS), 15)
    person.sign_in()
    assert until(lambda: buys(person))
    assert "session_store_empty" in cluster.logs()


def test_connections_to_redis_are_bounded_however_many_come(cluster: Cluster) -> None:
    with httpx.Client(base_url=cluster.url, trust_env=False) as client:
        for _ in range(60):
            client.cookies.clear()
            assert client.get("/login").status_code == 200

    assert cluster.redis.clients <= len(REPLICAS) * (CONNECTIONS + 5 + 1)
