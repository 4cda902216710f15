"""News that redraws what somebody stands on with the keyboard takes neither their place nor their next press."""

from playwright.sync_api import Page, expect

from harness.app_process import Product
from tests.browser.people import new_person, open_signed_in, subscription_state
from tools.chromium import wait_until_connected

WHERE = """() => {
  const active = document.activeElement;
  const near = active.closest("[data-testid^=plan-card], section.subscription");
  return [active.tagName, active.dataset.testid ?? "", near?.dataset.testid ?? near?.className ?? ""];
}"""
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"


def billing(page: Page, product: Product) -> str:
    """Open the billing page as somebody new, wait until it hears news, and return who it is."""
    who = new_person()
    open_signed_in(page, "/payment", who)
    wait_until_connected(page)
    users = {user["email"]: user["user_id"] for user in product.control("GET", "/users")}
    return str(users[who])


def become(page: Page, product: Product, user: str, state: str) -> None:
    product.control("POST", f"/users/{user}/state", status=state)
    page.evaluate(LOOK)


def test_a_button_drawn_anew_keeps_the_focus(page: Page, product: Product) -> None:
    user = billing(page, product)
    page.get_by_test_id("subscribe-basic").focus()
    become(page, product, user, "active")
    subscription_state(page, "active")

    expect(page.get_by_test_id("subscribe-basic")).to_have_text("Change to Basic")
    expect(page.get_by_test_id("subscribe-basic")).to_be_focused()


def test_without_its_button_the_focus_stays_at_the_plan(page: Page, product: Product) -> None:
    user = billing(page, product)
    page.get_by_test_id("subscribe-premium").focus()
    become(page, product, user, "active")
    subscription_state(page, "active")

    expect(page.get_by_test_id("subscribe-premium")).to_have_count(0)
    assert page.evaluate(WHERE) == ["H3", "", "plan-card-premium"]


def test_an_action_that_is_gone_leaves_the_focus_at_the_card_not_at_another_action(
    page: Page, product: Product
) -> None:
    user = billing(page, product)
    become(page, product, user, "active")
    subscription_state(page, "active")
    page.get_by_test_id("action-change_plan").focus()
    become(page, product, user, "past_due")
    subscription_state(page, "past_due")

    assert page.evaluate(WHERE) == ["H2", "", "card subscription"]


def test_who_left_a_button_is_not_called_back_to_it(page: Page, product: Product) -> None:
    user = billing(page, product)
    page.get_by_test_id("subscribe-basic").focus()
    page.evaluate("document.activeElement.blur()")
    become(page, product, user, "active")
    subscription_state(page, "active")

    assert page.evaluate("document.activeElement.tagName") == "BODY"
