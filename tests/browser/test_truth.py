"""What pages say while the webhook is late, twice or lost; and that nobody is sold a second subscription."""

import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from playwright.sync_api import Error as PlaywrightError

from harness.app_process import Product
from tests.browser.people import at_checkout, new_person, open_signed_in, pay, subscription_state, success_state

PRESS = """plan => setTimeout(() => document.querySelector(`[data-testid=subscribe-${plan}]`)?.click(), 0) && null"""
"""Press a plan's button as fast as a script can; the page may be on its way to Stripe already."""


def to_checkout(page: Page, plan: str = "premium", who: str | None = None) -> None:
    """Sign in and go to the hosted checkout of a plan."""
    open_signed_in(page, "/payment", who)
    page.get_by_test_id(f"subscribe-{plan}").first.click()
    at_checkout(page)


@pytest.mark.parametrize("webhook", ["before the browser", "after it"])
def test_the_success_page_is_true_at_each_moment(page: Page, product: Product, webhook: str) -> None:
    early = webhook == "before the browser"
    product.change_settings(webhook_delay=0 if early else 3600)
    to_checkout(page)
    pay(page)
    page.wait_for_url("**/payment/success?*")
    loaded = page.evaluate("performance.timeOrigin")
    if not early:
        success_state(page, "confirming")
        expect(page.get_by_role("main")).not_to_contain_text(re.compile(r"thank you|is active", re.IGNORECASE))
        product.control("POST", "/webhooks/flush")
    success_state(page, "active")

    assert page.evaluate("performance.timeOrigin") == loaded


def test_while_confirming_nothing_sells_the_plan_again(page: Page, product: Product) -> None:
    product.change_settings(webhook_delay=3600)
    to_checkout(page)
    pay(page)
    success_state(page, "confirming")

    for path in ("/payment", "/pricing"):
        page.goto(path)
        expect(page.get_by_test_id("plan-card-premium")).to_be_attached()
        expect(page.get_by_test_id("subscribe-premium")).to_have_count(0)
    refused = page.request.post(
        "/api/payment/checkout",
        data={"price_id": "price_sandbox_basic_month"},
        headers={"Origin": product.url},
    )
    assert refused.status == 409
    assert len(product.control("GET", "/sessions")) == 1


def test_a_made_up_session_id_claims_nothing(page: Page) -> None:
    open_signed_in(page, "/payment/success?session_id=cs_test_made_up")

    success_state(page, "not_ours")
    expect(page.get_by_role("main")).not_to_contain_text(re.compile("thank you|active", re.IGNORECASE))


def test_a_shared_success_address_shows_nothing_of_the_buyer(
    page: Page, open_context: Callable[[], BrowserContext]
) -> None:
    to_checkout(page, who=new_person("buyer"))
    pay(page)
    success_state(page, "active")
    other = open_context().new_page()
    open_signed_in(other, page.url)

    success_state(other, "not_ours")
    expect(other.locator("body")).not_to_contain_text("Premium is")
    expect(other.locator("body")).not_to_contain_text(re.compile("buyer", re.IGNORECASE))


def test_a_change_reaches_every_tab_of_the_user(page: Page, product: Product) -> None:
    to_checkout(page)
    pay(page)
    success_state(page, "active")
    tabs = [page.context.new_page() for _ in range(4)]
    for tab in tabs:
        tab.goto("/payment")
        subscription_state(tab, "active")
    subscription = product.control("GET", "/subscriptions")[0]["id"]

    product.control("POST", f"/subscriptions/{subscription}/state", status="past_due", delay=0)
    for tab in tabs:
        tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    for tab in tabs:
        subscription_state(tab, "past_due", seconds=5)
        expect(tab.get_by_role("main")).to_contain_text("Update payment method")


def test_clicks_in_two_browsers_and_three_tabs_open_one_session_a_price(
    product: Product, open_context: Callable[[], BrowserContext]
) -> None:
    contexts, who = [open_context(), open_context()], new_person("grace")
    tabs = [contexts[0].new_page(), contexts[0].new_page(), contexts[1].new_page()]
    for tab in tabs:
        open_signed_in(tab, "/payment", who)
        expect(tab.get_by_test_id("subscribe-premium").first).to_be_visible()

    for number in range(20):
        with suppress(PlaywrightError):  # the tab has left for Stripe in this very moment
            tabs[number % 3].evaluate(PRESS, "premium" if number % 4 else "basic")
    tabs[0].wait_for_url(
        re.compile(r"/c/pay/cs_test_")
    )  # the first press; a later one, on another plan, is asked first

    sessions = product.control("GET", "/sessions")
    prices = [line["price_id"] for session in sessions for line in session["lines"]]
    assert len(prices) == len(set(prices)), prices


def test_the_app_may_be_killed_while_the_user_is_at_stripe(page: Page, product: Product) -> None:
    who = new_person()
    to_checkout(page, who=who)
    product.app.kill()
    product.app.start()
    pay(page)

    page.wait_for_url("**/payment/success?*")
    success_state(page, "active")
    expect(page.get_by_test_id("user-name").first).to_be_visible()


def test_a_visit_to_the_portal_shows_what_changed(page: Page) -> None:
    to_checkout(page)
    pay(page)
    success_state(page, "active")
    page.goto("/payment")
    page.get_by_test_id("action-manage").first.click()
    page.wait_for_url(re.compile(r"/p/session/"))
    page.get_by_test_id("portal-cancel").click()
    page.get_by_test_id("portal-cancel-now").click()
    page.get_by_test_id("portal-return").click()

    page.wait_for_url("**/payment?from=portal")
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"ends|ended|canceled", re.IGNORECASE), timeout=10_000)
