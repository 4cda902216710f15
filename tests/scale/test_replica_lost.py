"""The replica that somebody is on dies like a crash, at each step of a purchase: the tab goes on by itself."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from harness.cluster import Cluster, until
from harness.http_user import HttpUser
from tests.browser.people import at_checkout, pay, subscription_state, success_state
from tools.chromium import CONNECTED, wait_until, wait_until_connected

WITHIN: float = 5.0
"""Seconds after which the tab must be at another replica, with no help."""

OpenTab = Callable[[HttpUser], Page]


def replica_of(page: Page) -> str:
    return next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "replica")


def kill_replica_of(cluster: Cluster, page: Page) -> None:
    """Kill the tab's replica and wait until the tab has loaded itself anew at another one."""
    wait_until_connected(page)
    loaded = page.evaluate("performance.timeOrigin")
    cluster.replicas[replica_of(page)].kill()
    wait_until(page, f"performance.timeOrigin !== {loaded} && {CONNECTED}", WITHIN)


def is_signed_in(page: Page, person: HttpUser) -> None:
    expect(page.get_by_test_id("user-name").first).to_contain_text(person.name.title())


def bought(person: HttpUser) -> list[str]:
    return [subscription["status"] for subscription in person.subscriptions()]


@pytest.fixture
def person(cluster: Cluster) -> HttpUser:
    return HttpUser(cluster).sign_in()


@pytest.mark.parametrize("path", ["/pricing", "/payment", "/account"])
def test_a_page_goes_on_at_another_replica(cluster: Cluster, person: HttpUser, open_tab: OpenTab, path: str) -> None:
    page = open_tab(person)
    page.goto(path)

    kill_replica_of(cluster, page)

    is_signed_in(page, person)
    assert page.url == f"{cluster.url}{path}"
    assert cluster.replicas[replica_of(page)].process is not None


def test_a_press_that_died_with_its_replica_can_be_made_again_and_sells_one_subscription(
    cluster: Cluster, person: HttpUser, open_tab: OpenTab
) -> None:
    page = open_tab(person)
    page.goto("/payment")
    wait_until_connected(page)
    cluster.control("PATCH", "/settings", one_connection=False)  # this crash breaks today's Payment MS, whoever calls
    cluster.control("POST", "/faults", operation="checkout_subscription", delay=1, times=1)
    page.get_by_test_id("subscribe-premium").first.click()
    assert until(lambda: len(calls_of(cluster, person, "checkout_subscription")) == 1)

    kill_replica_of(cluster, page)
    is_signed_in(page, person)
    press_until_at_checkout(page)
    pay(page)
    success_state(page, "active")

    assert bought(person) == ["active"]


def test_a_replica_lost_while_somebody_pays_is_not_noticed(
    cluster: Cluster, person: HttpUser, open_tab: OpenTab
) -> None:
    page = open_tab(person)
    page.goto("/payment")
    wait_until_connected(page)
    page.get_by_test_id("subscribe-premium").first.click()
    at_checkout(page)
    cluster.replicas[replica_of(page)].kill()

    pay(page)

    success_state(page, "active")
    is_signed_in(page, person)
    assert len(person.sessions()) == 1
    assert bought(person) == ["active"]


def test_waiting_for_the_confirmation_goes_on_at_another_replica(
    cluster: Cluster, person: HttpUser, open_tab: OpenTab
) -> None:
    cluster.control("PATCH", "/settings", webhook_delay=3600)
    page = open_tab(person)
    page.goto("/payment")
    wait_until_connected(page)
    page.get_by_test_id("subscribe-premium").first.click()
    at_checkout(page)
    pay(page)
    success_state(page, "confirming")

    kill_replica_of(cluster, page)
    success_state(page, "confirming")
    cluster.control("POST", "/webhooks/flush")
    success_state(page, "active", seconds=8)
    page.goto("/payment")
    subscription_state(page, "active")

    assert len(person.sessions()) == 1
    assert bought(person) == ["active"]


def press_until_at_checkout(page: Page) -> None:
    """Press, and press again where the page says that the last press is not settled: no more than a person would."""
    for _press in range(3):
        button = page.get_by_test_id("continue-checkout").or_(page.get_by_test_id("subscribe-premium"))
        button.first.click()
        try:
            page.wait_for_url("**/c/pay/cs_test_*", timeout=25_000)
        except TimeoutError:
            continue
        return
    raise AssertionError(page.get_by_role("main").inner_text())


def calls_of(cluster: Cluster, person: HttpUser, operation: str) -> list[object]:
    recent = cluster.control("GET", f"/requests?user_id={person.user_id}")["recent"]
    return [call for call in recent if call["operation"] == operation]
