"""A line that goes down: it is said at once, what is pressed is kept, and no link leads to the browser's error page."""

import re

from playwright.sync_api import Page, expect

from harness.app_process import Product
from tests.browser.people import at_checkout, open_signed_in
from tools.chromium import wait_until_connected

GONE = "There's no connection right now."
KEPT = f"{GONE} Once it's back, we'll continue with what you pressed."
BACK = "You're back online."
VERSION = "**/assets/version"


def says(page: Page, text: str) -> None:
    """Wait until the line about the connection says so."""
    expect(page.locator("#line")).to_have_text(text)


def open_ready(page: Page, path: str) -> None:
    """Open a page and wait until it has heard from the server once."""
    with page.expect_response(VERSION):
        page.goto(path)
    wait_until_connected(page)


def test_on_a_document_a_link_waits_for_the_line(forgiving_page: Page) -> None:
    page = forgiving_page
    page.clock.install()
    open_ready(page, "/pricing")

    page.context.set_offline(offline=True)
    says(page, GONE)
    page.get_by_role("button", name="Dark").click()
    page.get_by_role("link", name="Shop").first.click()
    says(page, KEPT)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.context.set_offline(offline=False)
    page.wait_for_url("**/shop")

    with page.expect_response(VERSION):  # the same without a word from the browser: nothing answers any more
        wait_until_connected(page)
    page.route(VERSION, lambda route: route.abort())
    says(page, GONE)
    page.get_by_test_id("add-to-cart-api-credits").click()
    says(page, KEPT)
    page.clock.fast_forward(180_000)
    page.unroute(VERSION)
    says(page, f"{BACK} Nothing was sent meanwhile: press again to continue.")
    expect(page).to_have_url(re.compile("/shop$"))


def test_on_a_live_page_a_press_is_kept_and_made_once(forgiving_page: Page, product: Product) -> None:
    page = forgiving_page
    open_signed_in(page, "/payment")
    open_ready(page, "/payment")

    page.context.set_offline(offline=True)
    says(page, GONE)
    page.get_by_test_id("subscribe-premium").first.click()
    page.get_by_test_id("subscribe-premium").first.click()
    says(page, KEPT)
    assert product.control("GET", "/sessions") == []
    page.context.set_offline(offline=False)

    at_checkout(page)
    assert len(product.control("GET", "/sessions")) == 1
