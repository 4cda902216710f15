"""The main job: a plan is chosen, signed in for, paid for, and becomes active by itself."""

import re

import pytest
from playwright.sync_api import Page, expect

from harness.app_process import Product
from tests.browser.people import (
    DECLINED,
    NEEDS_CONFIRMATION,
    at_checkout,
    choose_person,
    pay,
    sign_in,
    subscription_state,
    success_state,
)


def choose_premium(page: Page) -> None:
    """From the public pricing page to the hosted checkout, signing in on the way."""
    page.goto("/pricing")
    page.get_by_test_id("subscribe-premium").click()
    choose_person(page)
    page.get_by_test_id("subscribe-premium").first.click()
    at_checkout(page)


def test_a_visitor_buys_a_plan_and_the_account_turns_active_by_itself(page: Page) -> None:
    choose_premium(page)
    pay(page)
    page.wait_for_url("**/payment/success?session_id=cs_test_*")
    success_state(page, "active")
    page.goto("/payment")
    subscription_state(page, "active")
    expect(page.get_by_test_id("subscription-status").first).to_contain_text("Active")
    expect(page.get_by_role("main")).to_contain_text("Premium")


def test_the_status_turns_without_a_reload_within_three_seconds_of_the_webhook(page: Page, product: Product) -> None:
    product.change_settings(webhook_delay=3600)
    choose_premium(page)
    pay(page)
    success_state(page, "confirming")
    loaded = page.evaluate("performance.timeOrigin")

    product.control("POST", "/webhooks/flush")
    success_state(page, "active", seconds=3)

    assert page.evaluate("performance.timeOrigin") == loaded


def test_a_declined_card_charges_nothing_and_can_be_tried_again(page: Page) -> None:
    choose_premium(page)
    pay(page, DECLINED)
    expect(page.locator("body")).to_contain_text(re.compile("declined", re.IGNORECASE))
    pay(page)
    success_state(page, "active")


def test_a_card_that_needs_confirmation_is_confirmed(page: Page) -> None:
    choose_premium(page)
    pay(page, NEEDS_CONFIRMATION)
    page.get_by_role("button", name=re.compile("complete", re.IGNORECASE)).click()
    success_state(page, "active")


def test_cancelling_at_checkout_keeps_the_choice_and_says_what_is_known_of_money(page: Page) -> None:
    page.goto("/pricing")
    page.get_by_test_id("interval-year").click()
    page.get_by_test_id("subscribe-premium").click()
    choose_person(page)
    page.get_by_test_id("subscribe-premium").first.click()
    at_checkout(page)
    first_session = page.url

    page.get_by_test_id("cancel-checkout").click()
    page.wait_for_url("**/payment/cancel?checkout=*")

    expect(page.get_by_role("main")).to_contain_text("Unless you paid in another tab, nothing was charged")
    expect(page.get_by_role("main")).to_contain_text("$290.00")
    page.get_by_test_id("continue-checkout").click()
    at_checkout(page)
    assert page.url == first_session


def test_somebody_signs_in_and_out_again(page: Page) -> None:
    page.goto("/pricing")
    sign_in(page, "grace")
    expect(page.get_by_test_id("user-name").first).to_contain_text("Grace")
    page.get_by_test_id("user-name").first.click()
    page.get_by_test_id("sign-out").first.click()
    expect(page.get_by_role("heading", name="You're signed out")).to_be_visible()
    expect(page.get_by_test_id("sign-in").first).to_be_visible()


def test_signing_out_in_one_tab_signs_out_the_others(page: Page) -> None:
    page.goto("/account")
    choose_person(page, "grace")
    other = page.context.new_page()
    other.goto("/payment")
    expect(other.get_by_test_id("subscription-status").first).to_be_visible()
    page.get_by_test_id("user-name").first.click()
    page.get_by_test_id("sign-out").first.click()

    other.wait_for_url(re.compile(r"/login\?next="))


@pytest.mark.parametrize("path", ["/payment", "/account"])
def test_a_page_of_ones_own_asks_for_sign_in_and_leads_back(page: Page, path: str) -> None:
    page.goto(path)
    page.wait_for_url(re.compile(r"/login\?next="))
    choose_person(page, "linus")

    page.wait_for_url(re.compile(re.escape(path) + "$"))


def test_every_page_says_that_this_is_a_sandbox(page: Page) -> None:
    for path in ("/", "/pricing", "/shop", "/cart", "/login"):
        page.goto(path)
        expect(page.get_by_test_id("sandbox-banner")).to_be_visible()
        expect(page.get_by_test_id("sandbox-panel-link")).to_be_visible()
