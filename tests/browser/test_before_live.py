"""What a user does before the page is live, or on one that never will be: it is kept, and what was shown is sold.

Those marked `optimized` press what is on screen before the scripts have run. Without `HTML_FIRST` nothing is, by design
(`docs/compatibility.md`): there is nothing to press, so `make test-plain` leaves them out, and no others.
"""

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, WebSocketRoute, expect

from harness.app_process import Product
from tests.browser.people import at_checkout, new_person, open_signed_in, pay, success_state
from tools.chromium import wait_until, wait_until_connected

ITEM = "api-credits"
START = re.compile(r"/static/(vue|nicegui|socket\.io)")
QUANTITIES = re.compile(r"quantity_field")
SOCKET = re.compile(r"/_nicegui_ws/")
ALL = re.compile(rf"/assets/app\.js|{START.pattern}")


class Gate:
    """Keeps scripts from a page until it is opened."""

    def __init__(self, page: Page, scripts: re.Pattern[str] = START) -> None:
        self._waiting: list[Route] = []
        self._open = False
        page.route(scripts, self._take)

    def _take(self, route: Route) -> None:
        if self._open:
            route.continue_()
        else:
            self._waiting.append(route)

    def open(self) -> None:
        """Let the scripts come."""
        self._open = True
        for route in self._waiting:
            route.continue_()


def block_socket(page: Page) -> None:
    """Let no socket through, and no polling in its place."""

    def close(socket: WebSocketRoute) -> None:
        socket.close()

    page.route_web_socket(SOCKET, close)
    page.route(SOCKET, lambda route: route.fulfill(status=503))


def open_early(page: Page, path: str) -> None:
    """Open a page and wait for all of its HTML and our own script alone: a form that has half come posts half."""
    page.goto(path, wait_until="commit")
    wait_until(page, "typeof front !== 'undefined' && document.readyState !== 'loading'")


def stop_clock(page: Page) -> None:
    """Let no time pass by itself on the pages that are opened from now on, so that no finger is down for too long."""
    page.clock.install(time=0)
    page.clock.pause_at(60)


def press(button: Locator) -> None:
    """Press as a hand does: Playwright's own click takes a press back when its button is drawn anew under it."""
    button.hover()
    button.page.mouse.down()
    button.page.mouse.up()


def press_slowly(page: Page) -> None:
    """Press where the mouse is, while the clock stands: what the page does of itself meanwhile, it has done."""
    page.mouse.down()
    page.clock.run_for(50)
    page.mouse.up()


def sold(page: Page, product: Product) -> list[tuple[str, int]]:
    """Return what the checkout sells that the browser is at: name and quantity of each line."""
    at_checkout(page)
    session: dict[str, Any] = next(one for one in product.control("GET", "/sessions") if one["id"] in page.url)
    return [(line["price_id"], line["quantity"]) for line in session["lines"]]


def put_one_in_cart(page: Page, product: Product) -> None:
    """Sign in somebody new and put something in their cart, without a page."""
    code = product.control("POST", "/users", email=new_person(), name="Ada")["auth_code"]
    for address in ("/auth/login?provider=google", f"/auth/callback?auth_code={code}"):
        page.request.get(address, max_redirects=0)
    form: dict[str, str | float | bool] = {"price_id": "price_sandbox_api_credits"}
    page.request.post("/cart/add", form=form, headers={"Origin": product.url}, max_redirects=0)


@pytest.mark.optimized
def test_a_quantity_typed_early_is_what_stands_there_later_and_what_is_sold(page: Page, product: Product) -> None:
    open_signed_in(page, "/payment")
    gate = Gate(page)
    open_early(page, "/shop")
    field = page.get_by_test_id(f"quantity-{ITEM}")
    field.fill("6")
    gate.open()
    wait_until_connected(page)

    expect(page.get_by_test_id(f"total-{ITEM}")).to_contain_text("$150.00 once")
    expect(field).to_have_value("6")
    page.get_by_test_id(f"buy-{ITEM}").click()
    assert sold(page, product) == [("price_sandbox_api_credits", 6)]


@pytest.mark.optimized
@pytest.mark.parametrize("scripts", [START, QUANTITIES])
def test_a_cart_that_is_posted_sells_what_stands_in_it(page: Page, product: Product, scripts: re.Pattern[str]) -> None:
    put_one_in_cart(page, product)
    stop_clock(page)
    open_cart_early(page, scripts)
    page.get_by_test_id(f"quantity-{ITEM}").fill("4")
    page.get_by_test_id("cart-checkout").hover()
    press_slowly(page)

    assert sold(page, product) == [("price_sandbox_api_credits", 4)]


@pytest.mark.optimized
def test_a_cart_is_sold_while_the_quantity_before_is_on_its_way(page: Page, product: Product) -> None:
    put_one_in_cart(page, product)
    page.route("**/cart/quantities", lambda _route: None)  # a line so slow that it never comes
    open_cart_early(page, START)
    page.get_by_test_id(f"quantity-{ITEM}").fill("4")
    page.get_by_test_id("cart-checkout").hover()
    with page.expect_request("**/cart/quantities"):
        page.evaluate("document.activeElement.blur()")
    with page.expect_request("**/cart/checkout"):
        page.mouse.down()
        page.mouse.up()

    assert sold(page, product) == [("price_sandbox_api_credits", 4)]


@pytest.mark.optimized
def test_a_quantity_is_kept_when_a_press_on_a_link_ends_it(page: Page, product: Product) -> None:
    put_one_in_cart(page, product)
    stop_clock(page)
    open_cart_early(page, START)
    page.get_by_test_id(f"quantity-{ITEM}").fill("4")
    page.get_by_role("link", name="Keep shopping").hover()
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/cart/quantities")):
        page.mouse.down()  # answered by an address, to which a request of a script's does not go
    page.mouse.up()

    page.wait_for_url("**/shop", wait_until="commit")
    expect(page.get_by_test_id("cart-count")).to_have_text("4")


def open_cart_early(page: Page, without: re.Pattern[str]) -> None:
    """Open the cart without these scripts, and wait for the others."""
    Gate(page, without)
    open_early(page, "/cart")
    if without is START:
        page.wait_for_load_state("domcontentloaded")  # the quantity field's own script has run


def test_a_cart_sells_what_was_typed_just_before_the_press(page: Page, product: Product) -> None:
    put_one_in_cart(page, product)
    page.goto("/cart")
    wait_until_connected(page)
    field = page.get_by_test_id(f"quantity-{ITEM}")
    for quantity in (4, 7, 2):
        field.fill(str(quantity))
        page.get_by_test_id("cart-checkout").click()
        if quantity != 4:  # the earlier one may be paid still
            page.get_by_test_id("start-new").click()
        assert sold(page, product) == [("price_sandbox_api_credits", quantity)]
        page.goto("/cart")
        wait_until_connected(page)


WATCH = """() => {
  const form = document.querySelector("form:has([data-testid=subscribe-premium])");
  new MutationObserver(() => console.log("drawn anew")).observe(document.getElementById("app"), { childList: true });
  new MutationObserver(() => console.log(`busy: ${"busy" in form.dataset}, slow: ${form.dataset.slow}`))
    .observe(form, { attributeFilter: ["data-busy", "data-slow"] });
}"""


@pytest.mark.optimized
def test_a_press_stays_pressed_when_the_scripts_come(page: Page, product: Product) -> None:
    open_signed_in(page, "/payment")
    product.control("POST", "/faults", operation="checkout_subscription", delay=5, times=1)
    gate = Gate(page)
    open_early(page, "/payment")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.evaluate(WATCH)
    press(page.get_by_test_id("subscribe-premium").first)
    gate.open()
    at_checkout(page)

    assert said[0] == "busy: true, slow: undefined"
    assert re.match("busy: true, slow: .*longer than usual", said[1])
    assert "drawn anew" not in said


@pytest.mark.optimized
@pytest.mark.parametrize("scripts", [START, ALL])
def test_a_press_that_is_held_while_the_scripts_come_is_a_press(page: Page, scripts: re.Pattern[str]) -> None:
    open_signed_in(page, "/account")
    stop_clock(page)
    gate = Gate(page, scripts)
    page.goto("/pricing", wait_until="commit")
    wait_until(page, "document.readyState !== 'loading'")
    page.get_by_role("main").get_by_role("link", name="Go to billing").last.hover()
    page.mouse.down()
    with page.expect_response(lambda answer: "nicegui.js" in answer.url):
        gate.open()
    wait_until(page, "typeof createApp === 'function'")
    page.mouse.up()

    page.wait_for_url("**/payment")


def test_a_page_that_loads_itself_again_waits_for_a_press(page: Page) -> None:
    stop_clock(page)
    page.goto("/shop")
    wait_until(page, "Boolean(front.line)")
    page.route("**/assets/version", lambda route: route.fulfill(json={"version": "another"}))
    page.get_by_test_id(f"add-to-cart-{ITEM}").hover()
    page.mouse.down()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.evaluate("front.line.ask()")  # answered after the one that the page has asked
    assert page.evaluate("sessionStorage.getItem('updated')") is None  # it does not load itself again yet
    page.mouse.up()

    expect(page.get_by_test_id("cart-count")).to_have_text("1")


@pytest.mark.optimized
def test_a_theme_chosen_early_stays_chosen(page: Page) -> None:
    gate = Gate(page)
    open_early(page, "/pricing")
    page.get_by_role("button", name="Dark").click()
    gate.open()
    wait_until_connected(page)

    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="System")).to_have_attribute("aria-pressed", "false")


@pytest.mark.optimized
def test_a_year_chosen_before_any_script_is_what_is_sold(page: Page, product: Product) -> None:
    open_signed_in(page, "/payment")
    gate = Gate(page, re.compile(r"/assets/app\.js"))
    page.goto("/payment", wait_until="commit")
    page.get_by_test_id("interval-year-link").click()
    page.wait_for_url("**/payment?interval=year", wait_until="commit")
    gate.open()

    expect(page.get_by_test_id("plan-price-premium")).to_contain_text("$24.17")
    press(page.get_by_test_id("subscribe-premium").first)
    assert sold(page, product) == [("price_sandbox_premium_year", 1)]


def test_a_page_that_never_comes_alive_says_so(page: Page) -> None:
    open_signed_in(page, "/account")
    block_socket(page)
    page.clock.install()
    page.goto("/pricing")
    expect(page.locator("#c0")).to_be_attached()

    page.clock.fast_forward(9_000)

    expect(page.locator("#popup")).to_be_visible()
    expect(page.locator("#popup")).to_have_text("This page isn't updating right now. Reload it to see what's new.")


def test_a_success_page_without_a_connection_still_updates_by_itself(page: Page, product: Product) -> None:
    product.change_settings(webhook_delay=3600)
    open_signed_in(page, "/payment")
    page.get_by_test_id("subscribe-premium").first.click()
    at_checkout(page)
    block_socket(page)
    pay(page)
    page.wait_for_url("**/payment/success?*")
    success_state(page, "confirming")
    product.control("POST", "/webhooks/flush")

    success_state(page, "active", seconds=60)


def test_scripts_that_do_not_come_are_a_failure_only_for_who_is_still_there(forgiving_page: Page) -> None:
    page, failures = forgiving_page, list[str]()
    open_signed_in(page, "/account")
    wait_until_connected(page)  # this page's scripts have come
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.route(START, lambda route: route.abort())
    stop_clock(page)

    open_without_scripts(page, "/account")
    page.clock.run_for(2_999)
    page.goto("/robots.txt")  # which has no scripts that might fail
    assert failures == []

    open_without_scripts(page, "/account")
    with page.expect_event("pageerror"):
        page.clock.run_for(3_000)


def open_without_scripts(page: Page, path: str) -> None:
    """Open a page and wait until it has found that its scripts do not come."""
    with page.expect_event("requestfailed"):
        page.goto(path)
    page.evaluate("import('vue').catch(() => null)")  # the page's own has failed with it


def test_a_link_leads_on_without_a_connection(page: Page, product: Product) -> None:
    email = new_person()
    user = product.control("POST", "/users", email=email, name="Ada")["user_id"]
    product.control("POST", f"/users/{user}/state", status="on_record")
    product.change_settings(status_shape="running")
    block_socket(page)
    open_signed_in(page, "/payment", email)
    expect(page.locator("#c0")).to_be_attached()
    page.get_by_test_id("has-ended").locator("summary").click()
    page.get_by_test_id("answer-ended").click()

    page.wait_for_url("**/payment?ended=yes*")


def test_a_problem_is_told_once(page: Page) -> None:
    open_signed_in(page, "/payment")
    page.goto(f"/payment?problem=upstream_timeout&interval=year&at={int(time.time())}")
    expect(page.get_by_role("main")).to_contain_text("Payments are unavailable right now. Nothing was charged.")

    page.reload()

    expect(page.get_by_test_id("interval-year")).to_be_checked()
    expect(page.get_by_role("main")).not_to_contain_text("Payments are unavailable right now.")


def test_a_page_of_another_account_sells_nothing(page: Page, product: Product) -> None:
    open_signed_in(page, "/payment")
    block_socket(page)
    page.goto("/payment")
    expect(page.locator("#c0")).to_be_attached()
    other = page.context.new_page()
    other.goto("/")
    wait_until_connected(other)  # a page that finds itself signed out while it connects loads itself again
    other.context.clear_cookies(name="session")
    open_signed_in(other, "/payment")

    press(page.get_by_test_id("subscribe-premium").first)

    expect(page.get_by_role("main")).to_contain_text("Someone signed in to another account in this browser")
    assert product.control("GET", "/sessions") == []
