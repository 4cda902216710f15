"""Rows 33, 36 and 49, and slow answers, in Chromium: a socket that is blocked, a second click, the way back."""

import json
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, Route, WebSocketRoute, async_playwright, expect

from tests.faults.fault_server import reply, timeout
from tests.faults.shop import CHECKOUT, PORTAL, AsyncHttpUser, ProxiedProduct, until
from tools.chromium import ARGUMENTS, EXECUTABLE, connected

SUBSCRIBE = "subscribe-premium"
SOCKET = re.compile(r"/_nicegui_ws/")
AT_STRIPE = re.compile(r"/c/pay/cs_test_")


@pytest_asyncio.fixture
async def context() -> AsyncIterator[BrowserContext]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        context = await browser.new_context(locale="en-US")
        context.set_default_timeout(15_000)
        yield context
        await browser.close()


async def page_of(context: BrowserContext, person: AsyncHttpUser) -> Page:
    """Open a tab with somebody's sign-in."""
    url = person.shop.app.url
    await context.add_cookies([{"name": "session", "value": person.client.cookies["session"], "url": url}])
    return await context.new_page()


async def block_sockets(page: Page) -> None:
    """Let no socket through, and no polling in its place."""

    async def close(socket: WebSocketRoute) -> None:
        await socket.close()

    async def abort(route: Route) -> None:
        await route.abort()

    await page.route_web_socket(SOCKET, close)
    await page.route(SOCKET, abort)


@pytest.mark.browser
@pytest.mark.faults("49 websocket blocked")
async def test_without_a_socket_the_page_is_read_and_its_forms_work(
    shop: ProxiedProduct, context: BrowserContext
) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    page = await page_of(context, person)
    await block_sockets(page)

    await page.goto(f"{shop.app.url}/payment")
    await expect(page.get_by_test_id("plan-card-premium")).to_contain_text("$29")
    await page.get_by_test_id(SUBSCRIBE).first.click()
    await page.wait_for_url(AT_STRIPE)
    assert len(shop.payment.calls(CHECKOUT)) == 1

    member = await shop.person().sign_in()
    await shop.control("POST", f"/users/{member.user_id}/state", status="active", email=member.email)
    page = await page_of(context, member)
    await block_sockets(page)
    await page.goto(f"{shop.app.url}/payment")
    await page.get_by_test_id("action-manage").first.click()
    await page.wait_for_url(re.compile(r"/p/session/"))

    assert member.user_id in [json.loads(call.body)["user_id"] for call in shop.payment.calls(PORTAL)]


@pytest.mark.browser
@pytest.mark.faults("33 double-click", "36 back from Stripe")
async def test_two_clicks_open_one_checkout_and_the_button_lives_again_on_the_way_back(
    shop: ProxiedProduct, context: BrowserContext
) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    page = await page_of(context, person)
    await page.goto(f"{shop.app.url}/payment")

    await page.get_by_test_id(SUBSCRIBE).first.dblclick()
    await page.wait_for_url(AT_STRIPE)
    first = page.url
    await page.go_back()
    button = page.get_by_test_id(SUBSCRIBE).first
    await expect(button).not_to_have_attribute("data-busy", "")
    await button.click()
    await expect(page.get_by_test_id("start-new").first).to_be_visible()
    await page.get_by_test_id("continue-checkout").first.click()
    await page.wait_for_url(AT_STRIPE)

    assert page.url == first
    assert len(shop.payment.calls(CHECKOUT)) == len(await person.sessions()) == 1


@pytest.mark.browser
@pytest.mark.faults("4 slow headers", "group 2 slow headers")
async def test_a_slow_answer_is_explained_and_leaves_a_way_out(shop: ProxiedProduct, context: BrowserContext) -> None:
    await shop.open({"PAYMENT_MS_CHECKOUT_DEADLINE": "60"})
    page = await page_of(context, await shop.person().sign_in())
    await page.clock.install()
    await page.goto(f"{shop.app.url}/payment")
    await connected(page)  # a form that is posted would keep the click waiting for its answer
    shop.payment.fail(CHECKOUT, timeout())
    button = page.get_by_test_id(SUBSCRIBE).first
    form = page.locator("form[data-once]", has=button).first

    await button.click()
    await expect(form).to_have_attribute("data-busy", "")
    await button.click(force=True)
    await until(lambda: bool(shop.payment.calls(CHECKOUT)), 15)
    await page.clock.fast_forward(3_100)
    await expect(form).to_have_attribute("data-slow", re.compile("takes longer than usual. Nothing has been charged"))
    await page.clock.fast_forward(7_000)
    await expect(form).to_have_attribute("data-slow", re.compile("isn't answering. Nothing has been charged"))

    await expect(form).not_to_have_attribute("data-busy", "")
    await expect(button).not_to_have_attribute("aria-disabled", "true")
    assert len(shop.payment.calls(CHECKOUT)) == 1


@pytest.mark.browser
@pytest.mark.faults("7 status 500", "group 3 status 500")
async def test_a_press_over_the_socket_says_what_happened_and_can_be_tried_again(
    shop: ProxiedProduct, context: BrowserContext
) -> None:
    await shop.open()
    page = await page_of(context, await shop.person().sign_in())
    await page.goto(f"{shop.app.url}/payment")
    await connected(page)
    shop.payment.fail(CHECKOUT, reply({"error": {"message": "CANARY"}}, 500))

    await page.get_by_test_id(SUBSCRIBE).first.click()
    await expect(page.get_by_role("main")).to_contain_text("Payments are unavailable right now. Nothing was charged.")
    assert "CANARY" not in await page.content()
    shop.payment.mend()
    await page.get_by_test_id("try-again").click()

    await page.wait_for_url(AT_STRIPE)
    assert len(shop.payment.calls(CHECKOUT)) == 2
