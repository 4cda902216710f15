"""Chromium against the whole product. One app and one sandbox serve all tests; each test has people of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from harness.app_process import Product, running_product
from tools.chromium import ARGUMENTS, EXECUTABLE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Of a module only: while it is open no other event loop can run in this thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shared_product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("product")
    with running_product(folder, app={"EXTENSIONS": "examples.members_page"}, webhook_delay="1") as product:
        yield product


@pytest.fixture
def product(shared_product: Product) -> Product:
    shared_product.reset()
    return shared_product


@pytest.fixture
def open_context(chromium: Browser, product: Product) -> Iterator[Callable[[], BrowserContext]]:
    """Open a browser of its own: no cookies but its own. Whatever the console says against a page fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_one() -> BrowserContext:
        context = chromium.new_context(base_url=product.url, locale="en-US", timezone_id="Europe/Berlin")
        context.set_default_timeout(15_000)
        context.on("page", lambda page: _listen(page, product.url, complaints))
        contexts.append(context)
        return context

    yield open_one
    for context in contexts:
        context.close()
    assert not complaints, complaints


@pytest.fixture
def page(open_context: Callable[[], BrowserContext]) -> Page:
    return open_context().new_page()


@pytest.fixture
def forgiving_page(chromium: Browser, product: Product) -> Iterator[Page]:
    """A page whose console may complain, as it does about a socket that is cut and a line that is down."""
    context = chromium.new_context(base_url=product.url, locale="en-US")
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def _listen(page: Page, url: str, complaints: list[str]) -> None:
    page.on("pageerror", lambda error: complaints.append(str(error)) if page.url.startswith(url) else None)
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text) if message.type == "error" and page.url.startswith(url) else None
        ),
    )
