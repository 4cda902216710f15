"""What people do in the browser, as steps that several tests share."""

import re

from playwright.sync_api import Page, expect

VISA = "4242 4242 4242 4242"
DECLINED = "4000 0000 0000 0002"
NEEDS_CONFIRMATION = "4000 0025 0000 3155"


def sign_in(page: Page, name: str = "ada") -> None:
    """Sign in from any page of the app that shows the sign-in link."""
    page.get_by_test_id("sign-in").first.click()
    choose_person(page, name)


def choose_person(page: Page, name: str = "ada") -> None:
    """From `/login` through the sandbox's Auth MS and back."""
    page.get_by_test_id("sign-in-google").click()
    page.get_by_test_id(f"sandbox-user-{name}").click()
    page.wait_for_url(re.compile(r"//localhost:\d+/"))


def pay(page: Page, card: str = VISA) -> None:
    """On the hosted checkout page: fill in the card and pay."""
    page.get_by_test_id("card-number").fill(card)
    page.get_by_test_id("pay").click()


def at_checkout(page: Page) -> None:
    """Wait until the browser is at the hosted checkout."""
    page.wait_for_url(re.compile(r"/c/pay/cs_test_"))


def subscription_state(page: Page, state: str, *, seconds: float = 10) -> None:
    """Wait until the page shows the subscription in that state, with no reload."""
    expect(page.get_by_test_id("subscription-status").first).to_have_attribute(
        "data-state", state, timeout=seconds * 1000
    )


def success_state(page: Page, state: str, *, seconds: float = 10) -> None:
    """Wait until the success page is in that state."""
    expect(page.get_by_test_id("success-state")).to_have_attribute("data-state", state, timeout=seconds * 1000)
