"""What comes while a page is looked at moves nothing of it: a banner, and the first answer about what a user has."""

import secrets

import pytest
from playwright.sync_api import Page, expect

from harness.app_process import Product

WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const { hadRecentInput, value, sources } of list.getEntries()) {
    const moved = sources.map(({ node }) => node?.className ?? node?.nodeName);
    if (!hadRecentInput) window.shifts.push(`${moved}: ${value.toFixed(4)}`);
  }
}).observe({ type: "layout-shift", buffered: true });
"""
SETTLED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"


def arrive(page: Page, product: Product, state: str) -> None:
    """Sign in somebody in that state of whom the app has not heard yet."""
    email = f"still.{secrets.token_hex(4)}@example.com"
    user = product.control("POST", "/users", email=email, name="Ada Lovelace")
    product.control("POST", f"/users/{user['user_id']}/state", status=state)
    for address in ("/auth/login?provider=google", f"/auth/callback?auth_code={user['auth_code']}"):
        page.request.get(address, max_redirects=0)
    page.add_init_script(WATCH_SHIFTS)


def shifts(page: Page) -> list[str]:
    """Return what has moved on the page so far, once what is new has been drawn."""
    page.evaluate(SETTLED)
    found: list[str] = page.evaluate("window.shifts")
    return found


@pytest.mark.parametrize("width", [390, 1440])
def test_a_banner_that_arrives_moves_nothing_and_hides_nothing_for_good(
    page: Page, product: Product, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    arrive(page, product, "past_due")
    page.goto("/account")
    banner = page.locator(".banners")

    expect(banner).to_be_in_viewport()
    assert shifts(page) == []
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    end, top = (
        page.locator(selector).evaluate(f"(box) => box.getBoundingClientRect().{edge}")
        for selector, edge in ((".site-footer", "bottom"), (".banners", "top"))
    )
    assert end <= top

    page.goto("/account")  # now it is known from the start
    assert banner.evaluate("(box) => box.getBoundingClientRect().bottom") < page.locator("h1").evaluate(
        "(box) => box.getBoundingClientRect().top"
    )
    assert shifts(page) == []


def test_the_first_answer_about_a_new_customer_takes_the_place_that_was_kept_for_it(
    page: Page, product: Product
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    arrive(page, product, "none")
    product.control("POST", "/faults", operation="payment", delay=2.5, times=1)  # longer than a page waits
    page.goto("/payment")
    expect(page.locator(".subscription[aria-busy]")).to_be_visible()

    expect(page.get_by_test_id("subscription-status").first).to_have_attribute("data-state", "none", timeout=15_000)
    assert shifts(page) == []
