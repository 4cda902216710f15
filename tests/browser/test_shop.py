"""The shop in a real browser: through Stripe, in several tabs, and without a script."""

import json
import re
import time
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, WebSocketRoute, expect

from harness.app_process import Product
from harness.cluster import until
from tests.browser.people import at_checkout, choose_person, open_signed_in, pay, sign_in, success_state
from tests.browser.shopping import PRODUCTS, ProductWithCatalog, at_the_shop, catalog_version, running_shop
from tests.browser.test_before_live import SOCKET
from tools.chromium import wait_until, wait_until_connected


@pytest.fixture(scope="module")
def started_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProductWithCatalog]:
    with running_shop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture
def shop(started_shop: ProductWithCatalog) -> Iterator[ProductWithCatalog]:
    started_shop.product.reset()
    started_shop.until_first_catalog()
    yield started_shop
    started_shop.sell(PRODUCTS)


@pytest.fixture
def product(shop: ProductWithCatalog) -> Product:
    return shop.product


def put_in_cart(page: Page, **quantities: int) -> None:
    """Add items at the shop, by id with `_` for `-`, and wait until the page has counted them."""
    at_the_shop(page)
    for name, quantity in quantities.items():
        item = name.replace("_", "-")
        page.get_by_test_id(f"quantity-{item}").fill(str(quantity))
        page.get_by_test_id(f"add-to-cart-{item}").click()
        expect(page.get_by_test_id(f"in-cart-{item}")).to_contain_text(f"{quantity} in your cart")
        wait_until_connected(page)  # the first piece turned the document into a live page


def lines(page: Page) -> dict[str, str]:
    """Return what the open cart page shows: quantities by item."""
    fields = page.locator("[data-testid^=cart-line-] [data-testid^=quantity-]")
    return {str(field.get_attribute("data-testid"))[9:]: field.input_value() for field in fields.all()}


def test_one_item_is_bought_three_times_at_once(page: Page) -> None:
    at_the_shop(page)
    page.get_by_test_id("more-sticker-pack").click()
    page.get_by_test_id("more-sticker-pack").click()
    expect(page.get_by_test_id("total-sticker-pack")).to_contain_text("$27.00")

    page.get_by_test_id("buy-sticker-pack").click()
    choose_person(page)
    expect(page.get_by_role("main")).to_contain_text("3 × Sticker pack")
    expect(page.get_by_test_id("quantity-sticker-pack")).to_have_value("3")
    page.get_by_test_id("continue-to-checkout").click()
    at_checkout(page)
    expect(page.get_by_test_id("total-due")).to_contain_text("27.00")
    pay(page)

    success_state(page, "submitted")
    expect(page.get_by_role("main")).not_to_contain_text(re.compile("paid", re.IGNORECASE))


def test_a_cart_of_three_kinds_is_bought_and_only_then_emptied(page: Page) -> None:
    put_in_cart(page, sticker_pack=2, api_credits=3, training_seats=4)
    expect(page.get_by_test_id("cart-count")).to_have_text("9")
    page.goto("/cart")
    expect(page.get_by_test_id("cart-total")).to_have_text("$289.00")

    wait_until_connected(page)
    page.get_by_test_id("cart-checkout").click()
    choose_person(page)
    page.wait_for_url("**/cart")
    assert lines(page) == {"api-credits": "3", "training-seats": "4", "sticker-pack": "2"}
    wait_until_connected(page)
    page.get_by_test_id("cart-checkout").click()
    at_checkout(page)
    expect(page.get_by_test_id("total-due")).to_contain_text("289.00")
    pay(page)
    success_state(page, "submitted")

    page.goto("/cart")
    expect(page.get_by_test_id("cart-empty")).to_be_visible()


def test_cancelling_at_stripe_finds_the_cart_whole_also_after_a_crash(page: Page, product: Product) -> None:
    put_in_cart(page, sticker_pack=2, api_credits=3)
    sign_in(page)
    page.goto("/cart")
    wait_until_connected(page)
    page.get_by_test_id("cart-checkout").click()
    at_checkout(page)
    product.app.kill()
    product.app.start()

    page.get_by_test_id("cancel-checkout").click()
    page.wait_for_url("**/payment/cancel?checkout=*")
    expect(page.get_by_role("main")).to_contain_text("Unless you paid in another tab, nothing was charged")
    page.goto("/cart")

    assert lines(page) == {"api-credits": "3", "sticker-pack": "2"}


def test_signing_in_half_way_merges_both_carts(open_context: Callable[[], BrowserContext]) -> None:
    earlier = open_context().new_page()
    earlier.goto("/login")
    choose_person(earlier, "grace")
    put_in_cart(earlier, onboarding=1, sticker_pack=1)
    page = open_context().new_page()
    put_in_cart(page, sticker_pack=4, api_credits=2)

    sign_in(page, "grace")
    page.goto("/cart")

    assert lines(page) == {"onboarding": "1", "api-credits": "2", "sticker-pack": "4"}
    expect(earlier.get_by_test_id("cart-count")).to_have_text("7")


def test_the_twenty_first_line_and_a_quantity_of_zero_are_refused_with_a_sentence(
    page: Page, shop: ProductWithCatalog
) -> None:
    items = [
        {
            "id": f"thing-{number}", "name": f"Thing {number}", "description": "One of many things.", "image": "box",
            "product_id": f"prod_sandbox_thing_{number}", "max_quantity": 9,
            "price": {"price_id": f"price_sandbox_thing_{number}", "amount": 100 * number, "currency": "usd"},
        }
        for number in range(1, 22)
    ]  # fmt: skip
    at_the_shop(page)
    shop.sell({**PRODUCTS, "items": items})
    expect(page.get_by_test_id("item-thing-21")).to_be_visible(timeout=15_000)
    wait_until_connected(page)
    for number in range(1, 21):
        page.get_by_test_id(f"add-to-cart-thing-{number}").click()
        expect(page.get_by_test_id(f"in-cart-thing-{number}")).to_be_visible()

    page.get_by_test_id("add-to-cart-thing-21").click()
    expect(page.get_by_test_id("item-thing-21")).to_contain_text("A cart holds at most 20 different items.")
    page.get_by_test_id("quantity-thing-1").fill("0")
    page.get_by_test_id("add-to-cart-thing-1").click()
    expect(page.get_by_test_id("item-thing-1")).to_contain_text("We don't sell this item in that quantity")
    page.goto("/cart")
    wait_until_connected(page)
    page.get_by_test_id("quantity-thing-1").fill("0")
    page.get_by_test_id("quantity-thing-1").press("Tab")

    expect(page.get_by_test_id("notice")).to_contain_text("Thing 1: from 1 to 9.")
    assert len(lines(page)) == 20


def test_all_tabs_show_the_same_cart(page: Page) -> None:
    put_in_cart(page, sticker_pack=1)
    other, third = page.context.new_page(), page.context.new_page()
    at_the_shop(other, "/cart")
    at_the_shop(third, "/pricing")

    other.get_by_test_id("more-sticker-pack").click()
    for tab in (page, other, third):
        expect(tab.get_by_test_id("cart-count")).to_have_text("2")
    expect(page.get_by_test_id("in-cart-sticker-pack")).to_contain_text("2 in your cart")
    page.get_by_test_id("add-to-cart-api-credits").click()
    expect(other.get_by_test_id("cart-line-api-credits")).to_be_visible()
    other.get_by_test_id("remove-sticker-pack").click()

    expect(other.get_by_test_id("cart-undo")).to_be_visible()
    expect(third.get_by_test_id("cart-count")).to_have_text("1")
    other.get_by_test_id("cart-undo").click()
    expect(third.get_by_test_id("cart-count")).to_have_text("3")


def test_what_was_typed_stays_while_the_page_changes_around_it(page: Page) -> None:
    at_the_shop(page)
    page.get_by_test_id("quantity-training-seats").fill("12")

    page.get_by_test_id("add-to-cart-sticker-pack").click()
    expect(page.get_by_test_id("cart-count")).to_have_text("1")

    expect(page.get_by_test_id("quantity-training-seats")).to_have_value("12")


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    at_the_shop(page)
    page.get_by_test_id("quantity-sticker-pack").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("in-cart-sticker-pack")).to_contain_text("3 in your cart")

    at_the_shop(page, "/cart")
    page.get_by_test_id("remove-sticker-pack").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("notice")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_test_id("cart-line-sticker-pack")).to_be_visible()


def test_everything_works_without_a_script(chromium: Browser, shop: ProductWithCatalog) -> None:
    context = chromium.new_context(base_url=shop.product.url, java_script_enabled=False, locale="en-US")
    page = context.new_page()
    page.goto("/shop")
    page.get_by_test_id("quantity-sticker-pack").fill("3")
    page.get_by_test_id("add-to-cart-sticker-pack").click()
    expect(page.get_by_test_id("in-cart-sticker-pack")).to_contain_text("3 in your cart")
    expect(page.get_by_test_id("cart-count")).to_have_text("3")

    page.goto("/cart")
    page.get_by_test_id("quantity-sticker-pack").fill("5")
    page.get_by_role("button", name="Update").click()
    expect(page.get_by_test_id("cart-total")).to_have_text("$45.00")
    page.get_by_test_id("remove-sticker-pack").click()
    expect(page.get_by_test_id("cart-empty")).to_be_visible()
    page.get_by_test_id("cart-undo").click()
    expect(page.get_by_test_id("cart-total")).to_have_text("$45.00")
    page.get_by_test_id("cart-checkout").click()
    choose_person(page)
    page.get_by_test_id("cart-checkout").click()
    at_checkout(page)

    expect(page.get_by_test_id("total-due")).to_contain_text("45.00")
    context.close()


def test_a_new_price_shows_on_every_open_page_within_five_seconds(page: Page, shop: ProductWithCatalog) -> None:
    put_in_cart(page, sticker_pack=2)
    cart, frame = page.context.new_page(), page.context.new_page()
    at_the_shop(cart, "/cart")
    at_the_shop(frame, "/embed/pricing")
    document = json.loads(json.dumps(PRODUCTS))
    document["items"][4]["price"]["amount"] = 1100
    document["plans"][1]["prices"]["month"]["amount"] = 1200

    shop.sell(document)
    changed = time.monotonic()

    expect(page.get_by_test_id("item-sticker-pack")).to_contain_text("$11", timeout=5000)
    expect(cart.get_by_test_id("cart-total")).to_have_text("$22.00", timeout=5000)
    expect(frame.get_by_test_id("plan-price-basic")).to_contain_text("$12", timeout=5000)
    assert time.monotonic() - changed < 5


def test_a_cart_that_is_cut_off_reviews_a_new_price_and_sells_at_the_one_it_shows(
    chromium: Browser, shop: ProductWithCatalog
) -> None:
    page = chromium.new_context(base_url=shop.product.url, locale="en-US").new_page()
    open_signed_in(page, "/payment")
    put_in_cart(page, sticker_pack=2)
    connection = Connection(page)
    at_the_shop(page, "/cart")
    connection.cut()
    document = json.loads(json.dumps(PRODUCTS))
    document["items"][4]["price"]["amount"] = 1100
    shop.sell(document)
    assert until(lambda: catalog_version(shop.product) != shop.first_version)
    expect(page.get_by_test_id("cart-total")).to_have_text("$18.00")

    page.get_by_test_id("cart-checkout").click()

    expect(page.get_by_test_id("notice").first).to_contain_text("Nothing was charged")
    expect(page.get_by_test_id("cart-total")).to_have_text("$22.00")
    assert shop.product.control("GET", "/sessions") == []
    page.get_by_test_id("cart-checkout").click()
    at_checkout(page)
    expect(page.get_by_test_id("total-due")).to_contain_text("22.00")
    page.context.close()


class Connection:
    """The sockets of a page, through to the server until they are cut; from then on nothing comes through."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._sockets: list[WebSocketRoute] = []
        self._is_cut = False
        page.route_web_socket(SOCKET, self._open)

    def _open(self, socket: WebSocketRoute) -> None:
        if self._is_cut:
            socket.close()
            return
        socket.connect_to_server()
        self._sockets.append(socket)

    def cut(self) -> None:
        """Cut it, and wait until the page has noticed."""
        self._is_cut = True
        self._page.route(SOCKET, lambda route: route.fulfill(status=503))
        self._sockets[-1].close()
        wait_until(self._page, "!window.socket.connected")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_are_accessible_and_fit_a_small_phone(page: Page, theme: str, product: Product) -> None:
    page.context.add_cookies([{"name": "theme", "value": theme, "url": product.url}])
    at_the_shop(page, "/cart")
    found = {"empty cart": problems(page)}
    put_in_cart(page, sticker_pack=2, training_seats=3)
    page.get_by_test_id("quantity-api-credits").fill("0")
    page.get_by_test_id("add-to-cart-api-credits").click()
    expect(page.get_by_test_id("notice")).to_be_visible()
    found["shop"] = problems(page)
    at_the_shop(page, "/cart")
    page.get_by_test_id("remove-sticker-pack").click()
    expect(page.get_by_test_id("cart-undo")).to_be_visible()
    found["cart"] = problems(page)
    at_the_shop(page, "/embed/pricing")
    found["embed"] = problems(page)

    assert not any(found.values()), found
    page.set_viewport_size({"width": 320, "height": 640})
    for path in ("/shop", "/cart", "/embed/pricing"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path


def problems(page: Page) -> list[str]:
    """Return what axe has against the page, with where."""
    violations = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['target']}" for each in violations for node in each["nodes"]]
