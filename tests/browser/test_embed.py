"""The plan cards in another site's frame, in a real browser: shown where the site is listed, and nowhere else."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from harness.app_process import Product
from tests.browser.people import choose_person
from tests.browser.shopping import ProductWithCatalog, running_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProductWithCatalog]:
    with running_shop(tmp_path_factory.mktemp("embed")) as shop:
        yield shop


@pytest.fixture
def product(shop: ProductWithCatalog) -> Product:
    return shop.product


class _MarketingSite(BaseHTTPRequestHandler):
    """Another site's page with our prices in a frame."""

    def __init__(self, prices: str, *arguments: Any) -> None:
        self._prices = prices
        super().__init__(*arguments)

    def do_GET(self) -> None:
        page = f'<!doctype html><title>Elsewhere</title><iframe src="{self._prices}" width=1100 height=900></iframe>'
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


@contextmanager
def marketing_site(port: int, prices: str) -> Iterator[str]:
    """Serve a page with our prices in a frame; yields its address."""
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(_MarketingSite, prices))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def prices_in(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def test_another_sites_frame_shows_the_prices_and_leads_out_of_it(page: Page, shop: ProductWithCatalog) -> None:
    port = int(shop.marketing.rpartition(":")[2])
    with marketing_site(port, f"{shop.product.url}/embed/pricing?interval=year&theme=light") as address:
        page.goto(address)
        card = prices_in(page).get_by_test_id("plan-card-premium")
        expect(card).to_contain_text("$290.00 today, then yearly")
        prices_in(page).get_by_test_id("interval-month").check(force=True)
        expect(card).not_to_contain_text("then yearly")

        prices_in(page).get_by_test_id("subscribe-premium").click()
        page.wait_for_url(re.compile(r"//localhost:\d+/login\?next=/payment"))

    choose_person(page)
    page.wait_for_url(re.compile(r"/payment\?price=price_sandbox_premium_month$"))


BLOCKED = """for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });"""


def test_in_a_frame_without_storage_prices_are_shown_and_lead_out_of_it(page: Page, shop: ProductWithCatalog) -> None:
    port = int(shop.marketing.rpartition(":")[2])
    page.add_init_script(f"if (window !== top) {{ {BLOCKED} }}")
    with marketing_site(port, f"{shop.product.url}/embed/pricing") as address:
        page.goto(address)
        card = prices_in(page).get_by_test_id("plan-card-premium")
        expect(card).to_contain_text("$29")
        prices_in(page).get_by_test_id("interval-year").check(force=True)
        expect(card).to_contain_text("$290.00 today, then yearly")

        prices_in(page).get_by_test_id("subscribe-premium").click()

        page.wait_for_url(re.compile(r"//localhost:\d+/login\?next=/payment"))


def test_a_site_that_is_not_listed_gets_an_empty_frame(chromium: Browser, shop: ProductWithCatalog) -> None:
    context = chromium.new_context()
    page = context.new_page()
    with marketing_site(0, f"{shop.product.url}/embed/pricing") as address:
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            page.goto(address)

        expect(prices_in(page).get_by_test_id("embedded-pricing")).to_have_count(0)
    context.close()
