"""How it feels: an answer at once, words when it is slow, a calm line when the connection is lost, a way back."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from harness.app_process import Product
from tests.browser.people import at_checkout, open_signed_in
from tools.chromium import wait_until_connected

PRESS = """
() => {
  const button = document.querySelector("[data-testid=subscribe-premium]");
  const began = performance.now();
  button.click();
  const words = getComputedStyle(button, "::after").content;
  return { busy: "busy" in button.dataset, words, milliseconds: performance.now() - began };
}
"""
"""Press, and tell what the very next frame will show: nothing was awaited in between."""


def at_billing(page: Page) -> None:
    """Open the billing page as somebody new, alive."""
    open_signed_in(page, "/payment")
    wait_until_connected(page)


def test_a_press_is_answered_within_a_tenth_of_a_second_before_anybody_is_asked(page: Page, product: Product) -> None:
    at_billing(page)
    product.control("POST", "/faults", operation="checkout_subscription", delay=1.5)

    answer = page.evaluate(PRESS)

    assert answer["busy"]
    assert answer["words"] == '"Opening secure checkout…"'
    assert answer["milliseconds"] < 100
    at_checkout(page)


def test_a_slow_service_is_explained_and_then_comes_through(page: Page, product: Product) -> None:
    at_billing(page)
    product.control("POST", "/faults", operation="checkout_subscription", delay=9)

    page.get_by_test_id("subscribe-premium").first.click()

    form = page.locator("form:has([data-testid=subscribe-premium])").first
    expect(form).to_have_attribute("data-slow", re.compile("longer than usual"), timeout=8_000)
    at_checkout(page)


def test_a_refusal_gives_the_button_back(page: Page, product: Product) -> None:
    at_billing(page)
    product.control("POST", "/faults", operation="checkout_subscription", status=503, times=1)

    page.get_by_test_id("subscribe-premium").first.click()

    expect(page.get_by_test_id("notice").first).to_contain_text("Nothing was charged")
    expect(page.get_by_test_id("notice").first).to_be_focused()
    button = page.get_by_test_id("subscribe-premium").first
    expect(button).not_to_have_attribute("data-busy", "")
    expect(button).not_to_have_attribute("aria-disabled", "true")


def test_back_from_stripe_finds_the_page_as_it_was(page: Page) -> None:
    at_billing(page)
    page.get_by_test_id("interval-year").check(force=True)
    page.get_by_test_id("subscribe-premium").first.click()
    at_checkout(page)
    first = page.url

    page.go_back()
    wait_until_connected(page)
    button = page.get_by_test_id("subscribe-premium").first
    expect(button).to_be_enabled()
    expect(button).not_to_have_attribute("data-busy", "")
    page.goto(first)

    at_checkout(page)


@pytest.fixture
def forgiving_page(chromium: Browser, product: Product) -> Iterator[Page]:
    """A page whose console may complain, as it does about a server that is gone or an address that nobody serves."""
    context = chromium.new_context(base_url=product.url, locale="en-US")
    yield context.new_page()
    context.close()


def test_the_app_restarts_and_open_pages_recover(forgiving_page: Page, product: Product) -> None:
    page = forgiving_page
    open_signed_in(page, "/account")
    page.goto("/pricing")
    wait_until_connected(page)
    bar = page.locator(".connection-bar").filter(visible=True)
    expect(bar).to_have_count(0)

    product.app.kill()
    try:  # said by what hears of it first, the socket or the question whether the server is there
        expect(bar.first).to_have_text(re.compile(r"Connection lost\. Reconnecting…|There's no connection right now\."))
        expect(page.get_by_test_id("plan-card-premium")).to_be_visible()
    finally:
        product.app.start()
    expect(bar).to_have_count(0, timeout=20_000)
    wait_until_connected(page)
    page.get_by_test_id("interval-year").check(force=True)

    expect(page.get_by_test_id("plan-price-premium")).to_contain_text("$24.17")


def test_tabs_can_be_told_apart(forgiving_page: Page) -> None:
    page = forgiving_page
    open_signed_in(page, "/payment")
    titles = []
    for path in (
        "/",
        "/pricing",
        "/shop",
        "/cart",
        "/payment",
        "/account",
        "/payment/cancel",
        "/payment/success",
        "/no",
    ):
        page.goto(path, wait_until="domcontentloaded")
        titles.append(page.title())

    assert len(set(titles)) == len(titles), titles
    assert all(title.endswith("· Northwind Cloud") for title in titles), titles
    icon = page.request.get(page.locator("link[rel=icon]").get_attribute("href") or "")
    assert icon.headers["content-type"].startswith("image/svg+xml")
