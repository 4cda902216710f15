"""The whole tour over the service for an own Stripe account, with the sandbox's Stripe in Stripe's place."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from harness.app_process import NO_AUTHORITIES
from harness.own_stripe import OwnStripeProduct, running_own_stripe
from tests.browser.people import at_checkout, choose_person, pay, success_state
from tests.browser.shopping import at_the_shop
from tools.chromium import wait_until_connected

RENEWS = re.compile(r"Renews on \w+ \d+(, \d{4})? for \$29\.00\.")
ENDS = re.compile(r"You keep Premium until \w+ \d+(, \d{4})?\. It won't renew\.")
BASIC = "price_sandbox_basic_month"


@pytest.fixture(scope="module")
def own_stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnStripeProduct]:
    with running_own_stripe(tmp_path_factory.mktemp("own-stripe"), webhook_delay="0.5") as product:
        yield product


@pytest.fixture
def product(own_stripe: OwnStripeProduct) -> OwnStripeProduct:
    """Not forgotten between tests: the service would remember what its Stripe does not. Each test has its own buyer."""
    return own_stripe


def test_a_plan_is_bought_told_canceled_and_not_sold_twice(page: Page, product: OwnStripeProduct) -> None:
    page.goto("/pricing")
    page.get_by_test_id("subscribe-premium").click()
    choose_person(page)
    page.get_by_test_id("subscribe-premium").first.click()
    at_checkout(page)
    assert page.url.startswith(product.sandbox.stripe_url)
    expect(page.get_by_test_id("total-due")).to_have_text("$29.00")
    pay(page)
    success_state(page, "active")
    expect(page.get_by_role("main")).to_contain_text("Welcome to Premium")
    expect(page.get_by_role("main")).to_contain_text(RENEWS)

    page.goto("/payment")
    expect(page.get_by_role("main")).to_contain_text(RENEWS)
    expect(page.get_by_test_id("invoice")).to_have_count(1)
    for words in ("$29.00", "Paid"):
        expect(page.get_by_test_id("invoice")).to_contain_text(words)

    page.get_by_test_id("action-cancel").click()
    page.wait_for_url(re.compile(r"/p/session/\w+/sub_\w+/cancel$"))
    page.get_by_test_id("portal-confirm-cancel").click()
    page.get_by_test_id("portal-return").click()
    page.wait_for_url("**/payment?from=portal")
    expect(page.get_by_role("main")).to_contain_text(ENDS)
    expect(page.get_by_test_id("action-cancel")).to_have_count(0)

    assert refusals(page, product) == ("already_subscribed", "SUBSCRIPTION_EXISTS")
    wait_until_connected(page)
    page.get_by_test_id("subscribe-basic").first.click()
    page.wait_for_url(re.compile(r"/p/session/\w+\?flow=change_plan$"))
    truth = product.control("GET", f"/truth/{newest_buyer(product)}?events=false")
    assert truth["charged"] == {"usd": 2900}
    assert [one["status"] for one in truth["subscriptions"]] == ["active"]


def test_an_item_and_a_cart_are_bought_in_the_readers_language(page: Page, product: OwnStripeProduct) -> None:
    at_the_shop(page)
    page.get_by_test_id("more-sticker-pack").click()
    page.get_by_test_id("buy-sticker-pack").click()
    choose_person(page)
    page.get_by_role("combobox", name="Language").select_option("de")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    wait_until_connected(page)
    page.get_by_test_id("continue-to-checkout").click()
    at_checkout(page)
    assert_asked_for_in(page, "de")
    expect(page.get_by_test_id("total-due")).to_have_text("$18.00")
    pay(page)
    success_state(page, "submitted")

    at_the_shop(page)
    for item in ("api-credits", "training-seats"):
        page.get_by_test_id(f"add-to-cart-{item}").click()
        wait_until_connected(page)
        expect(page.get_by_test_id(f"in-cart-{item}")).to_be_visible()
    at_the_shop(page, "/cart")
    page.get_by_test_id("cart-checkout").click()
    at_checkout(page)
    assert_asked_for_in(page, "de")
    pay(page)
    success_state(page, "submitted")
    page.goto("/cart")
    expect(page.get_by_test_id("cart-empty")).to_be_visible()

    page.goto("/payment")
    page.get_by_test_id("open-portal").click()
    page.wait_for_url(re.compile(r"/p/session/\w+$"))
    assert_asked_for_in(page, "de")


def assert_asked_for_in(page: Page, language: str) -> None:
    expect(page.get_by_role("main")).to_have_attribute("data-locale", language)


def newest_buyer(product: OwnStripeProduct) -> str:
    """Whose checkout was opened last."""
    return str(product.control("GET", "/sessions")[0]["user_id"])


def refusals(page: Page, product: OwnStripeProduct) -> tuple[str, str]:
    """Try to buy a second plan, at the app and past it at the service; return what each calls the refusal."""
    asked = page.request.post("/api/payment/checkout", data={"price_id": BASIC}, headers={"Origin": product.url})
    body = {
        "user_id": newest_buyer(product),
        "email": "ada@example.com",
        "product_id": "prod_sandbox_basic",
        "price_id": BASIC,
        "success_url": product.url,
        "cancel_url": product.url,
    }
    answer = httpx.post(
        f"{product.service.url}/api/v1/checkout/subscription",
        json=body,
        headers={"X-API-Key": product.service.api_key},
        trust_env=False,
        verify=NO_AUTHORITIES,
    )
    assert (asked.status, answer.status_code) == (409, 409)
    return str(asked.json()["code"]), str(answer.json()["error"]["code"])
