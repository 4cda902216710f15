"""The hosted pages in Chromium: usable by everybody, at every size, without scripts, in light and dark."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.sandbox.shop import Shop
from tools.chromium import ARGUMENTS, EXECUTABLE

pytestmark = pytest.mark.browser
CHECKOUT = ("checkout", "declined", "promotion", "confirm", "complete")
PAGES = (*CHECKOUT, "portal", "cancel", "sign-in", "panel", "states", "calls")
READY = {
    "checkout": "Payment details",
    "declined": "Your card was declined",
    "promotion": "20% off",
    "confirm": "Your bank",
    "complete": "This checkout is complete",
}

NAME_PLANS = """name => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replace(/Premium/g, name);
}"""
"""Calls Premium something else, wherever it is named."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        yield browser
        browser.close()


def open_page(shop: Shop, page: Page, name: str) -> None:
    """Bring the browser to one of `PAGES`."""
    stripe, auth = shop.running.stripe_url, shop.running.auth_ms_url
    if name in ("portal", "cancel"):
        shop.control("POST", "users/user_1/state", {"status": "past_due"})
        page.goto(shop.portal_url())
        if name == "cancel":
            page.get_by_test_id("portal-cancel").click()
    elif name == "sign-in":
        page.goto(f"{auth}/auth/google?redirect_uri=http://app.test/auth/callback")
    elif name in ("panel", "states", "calls"):
        shop.buy()
        page.goto(f"{stripe}/{name if name != 'panel' else ''}")
    else:
        session = shop.buy() if name == "complete" else shop.checkout()
        page.goto(session["checkout_url"])
        card = {"declined": "4000 0000 0000 0002", "confirm": "4000 0025 0000 3155"}.get(name)
        if card:
            page.get_by_test_id("card-number").fill(card)
            page.get_by_test_id("pay").click()
        if name == "promotion":
            page.get_by_test_id("promotion-code").fill("WELCOME20")
            page.get_by_test_id("apply-promotion").click()
        page.get_by_text(READY[name]).first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_accessibility_violation(shop: Shop, chromium: Browser, name: str, scheme: Any) -> None:
    with chromium.new_context(color_scheme=scheme, bypass_csp=True, viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        open_page(shop, page, name)

        results = Axe().run(page)

    assert [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in results.response["violations"]] == []


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
@pytest.mark.parametrize("name", PAGES)
def test_page_fits_its_width(shop: Shop, chromium: Browser, name: str, width: int) -> None:
    with chromium.new_context(viewport={"width": width, "height": 844}) as context:
        page = context.new_page()
        open_page(shop, page, name)

        assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("name", ["checkout", "portal", "panel"])
def test_a_word_of_sixty_letters_does_not_push_the_page(shop: Shop, chromium: Browser, name: str) -> None:
    with chromium.new_context(viewport={"width": 390, "height": 844}, bypass_csp=True) as context:
        page = context.new_page()
        open_page(shop, page, name)
        page.evaluate(NAME_PLANS, "Donau" * 12)
        widths = []
        for width in (320, 390, 1024, 1440):
            page.set_viewport_size({"width": width, "height": 844})
            widths.append(page.evaluate("document.documentElement.scrollWidth"))

    assert widths == [320, 390, 1024, 1440]


def test_whole_path_without_scripts_and_by_keyboard(shop: Shop, chromium: Browser) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.route("http://app.test/**", lambda route: route.fulfill(body="back"))
        page.goto(f"{shop.running.auth_ms_url}/auth/google?redirect_uri=http://app.test/auth/callback")
        page.get_by_test_id("sandbox-user-ada").press("Enter")
        page.wait_for_url("http://app.test/auth/callback?auth_code=*")
        session = shop.checkout()
        page.goto(session["checkout_url"])
        page.get_by_test_id("card-number").fill("4242 4242 4242 4242")
        page.get_by_test_id("card-number").press("Enter")

        page.wait_for_url("http://app.test/payment/success?session_id=*")

    assert shop.subscription()["status"] == "active"


def test_click_on_a_listed_card_fills_it_in(shop: Shop, chromium: Browser) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(shop.checkout()["checkout_url"])

        page.get_by_role("link", name="4242 4242 4242 4242").click()

        assert page.get_by_test_id("card-number").input_value().replace(" ", "") == "4242" * 4


def test_pages_ask_nobody_else_and_log_nothing(shop: Shop, chromium: Browser) -> None:
    hosts: set[str] = set()
    complaints: list[str] = []
    with chromium.new_context() as context:
        page = context.new_page()
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.on("console", lambda message: complaints.append(message.text))
        for name in ("checkout", "portal", "sign-in", "panel", "states", "calls"):
            open_page(shop, page, name)

    ours = {url.split("/")[2] for url in (shop.running.stripe_url, shop.running.auth_ms_url)}
    assert {host for host in hosts if host} <= ours
    assert complaints == []
