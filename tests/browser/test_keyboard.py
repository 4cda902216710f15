"""A plan is chosen, signed in for and paid for without a mouse, and the focus can always be seen."""

import re

from playwright.sync_api import Page, expect

from tests.browser.people import new_person, success_state
from tools.chromium import wait_until_connected

MOST_TABS = 60
FOCUS = """
() => {
  const element = document.activeElement;
  const shown = element.matches("input[type=radio]") ? element.closest("label") ?? element : element;
  const style = getComputedStyle(shown), own = getComputedStyle(element);
  const ring = [style, own].some((each) => each.outlineStyle !== "none" && parseFloat(each.outlineWidth) >= 2);
  return [element.dataset.testid ?? "", element.outerHTML.slice(0, 90), ring];
}
"""


def tab_to(page: Page, testid: str) -> None:
    """Press Tab until that element has the focus; on the way every stop must show its focus."""
    page.wait_for_load_state()  # its style sheet draws the ring
    invisible = []
    for _press in range(MOST_TABS):
        page.keyboard.press("Tab")
        found, html, ring = page.evaluate(FOCUS)
        if not ring and "<body" not in html:
            invisible.append(html)
        if found == testid:
            assert invisible == []
            return
    raise AssertionError(f"no {testid} within {MOST_TABS} tabs")


def test_the_whole_purchase_by_keyboard(page: Page) -> None:
    page.goto("/pricing")
    wait_until_connected(page)
    tab_to(page, "interval-month")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_test_id("plan-price-premium")).to_contain_text("$24.17")
    page.keyboard.press("ArrowLeft")
    tab_to(page, "subscribe-premium")
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(r"/login\?next="))
    tab_to(page, "sign-in-google")
    page.keyboard.press("Enter")
    page.get_by_test_id("sandbox-user-email").wait_for()
    tab_to(page, "sandbox-user-email")
    page.keyboard.type(new_person())
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(r"/payment\?price="))
    wait_until_connected(page)
    tab_to(page, "subscribe-premium")
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(r"/c/pay/cs_test_"))
    tab_to(page, "card-number")
    page.keyboard.type("4242424242424242")
    page.keyboard.press("Enter")

    success_state(page, "active")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Premium")


def test_a_refusal_takes_the_focus_and_is_announced(page: Page) -> None:
    page.goto("/login?error=expired")
    wait_until_connected(page)

    expect(page.get_by_test_id("notice")).to_be_focused()
    assert page.get_by_test_id("notice").get_attribute("role") in ("alert", "status", "group")


def test_the_skip_link_is_the_first_stop(page: Page) -> None:
    page.goto("/pricing")
    wait_until_connected(page)
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#main")).to_be_focused()
