"""A slow line, a search engine, a script that fails: the first HTML is the page, and its forms do the work."""

import json
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, Page, expect

from harness.app_process import Product
from tests.browser.people import at_checkout, choose_person, pay
from tests.browser.test_before_live import sold

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"


@pytest.fixture
def plain_page(chromium: Browser, product: Product) -> Iterator[Page]:
    context = chromium.new_context(base_url=product.url, java_script_enabled=False, locale="en-US")
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def test_a_plan_is_bought_without_a_script(plain_page: Page, product: Product) -> None:
    page = plain_page
    page.goto("/pricing")
    expect(page.get_by_test_id("plan-price-premium")).to_have_text("$29 per month")
    page.get_by_test_id("subscribe-premium").click()
    choose_person(page)
    page.get_by_test_id("subscribe-premium").first.click()
    at_checkout(page)
    pay(page)
    page.wait_for_url("**/payment/success?*")
    product.control("GET", "/settled")
    page.reload()
    expect(page.get_by_test_id("success-state")).to_have_attribute("data-state", "active")
    page.goto("/payment")

    expect(page.get_by_test_id("subscription-status").first).to_have_attribute("data-state", "active")
    expect(page.get_by_role("main")).to_contain_text("Premium")


@pytest.mark.parametrize("scripts", ["off", "blocked"])
def test_what_is_chosen_is_sold_where_no_script_of_ours_runs(chromium: Browser, product: Product, scripts: str) -> None:
    context = chromium.new_context(base_url=product.url, java_script_enabled=scripts == "blocked", locale="en-US")
    context.set_default_timeout(15_000)
    context.route("**/assets/*.js*", lambda route: route.abort())
    page = context.new_page()
    page.goto("/pricing")
    page.get_by_test_id("interval-year-link").click()
    expect(page.get_by_test_id("plan-price-premium")).to_have_text("$24.17 per month")
    page.get_by_test_id("subscribe-premium").click()
    choose_person(page)
    page.get_by_test_id("continue-to-checkout").click()
    assert sold(page, product) == [("price_sandbox_premium_year", 1)]

    page.goto("/shop")
    page.get_by_test_id("quantity-api-credits").fill("2")
    page.get_by_test_id("add-to-cart-api-credits").click()
    page.goto("/cart")
    page.get_by_test_id("quantity-api-credits").fill("5")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("cart-total")).to_have_text("$125.00")
    page.get_by_test_id("quantity-api-credits").fill("4")
    page.get_by_test_id("cart-checkout").click()
    assert sold(page, product) == [("price_sandbox_api_credits", 4)]
    context.close()


def test_language_and_theme_change_without_a_script(plain_page: Page) -> None:
    page = plain_page
    page.goto("/pricing")
    page.get_by_role("combobox", name="Language").select_option("de")
    page.get_by_role("button", name="Change").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.get_by_role("button", name="Dunkel").click()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_test_id("plan-price-premium")).to_contain_text("29")


@pytest.mark.parametrize("path", ["/", "/pricing"])
def test_the_head_speaks_to_search_engines(plain_page: Page, product: Product, path: str) -> None:
    plain_page.goto(path)
    head = {
        element.get_attribute("name") or element.get_attribute("property"): element.get_attribute("content")
        for element in plain_page.locator("meta[name], meta[property]").all()
    }
    data = [json.loads(each.text_content() or "") for each in plain_page.locator("script[type*=ld]").all()]
    offers = [offer for each in data if each["@type"] == "Product" for offer in each["offers"]]

    assert 50 <= len(head["description"] or "") <= 160
    assert head["og:title"] == plain_page.title()
    assert head["og:url"] == f"{product.url}{path}".removesuffix("/") or head["og:url"] == f"{product.url}{path}"
    assert {"29.00", "290.00"} <= {offer["price"] for offer in offers}
    assert {offer["priceCurrency"] for offer in offers} == {"USD"}


def test_search_engines_find_the_public_pages_and_no_others(plain_page: Page, product: Product) -> None:
    robots = plain_page.request.get("/robots.txt").text()
    address = re.search(r"^Sitemap: (\S+)$", robots, re.MULTILINE)
    assert address is not None
    tree = ElementTree.fromstring(plain_page.request.get(address[1]).text())  # noqa: S314 our own
    pages = [element.text or "" for element in tree.iter(SITEMAP)]

    assert {f"{product.url}/", f"{product.url}/pricing"} <= set(pages)
    for page in pages:
        answer = plain_page.request.get(page)
        assert answer.status == 200
        assert "noindex" not in answer.text()
    assert plain_page.request.get("/account", max_redirects=0).status == 303
