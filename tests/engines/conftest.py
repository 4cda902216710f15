"""Firefox and WebKit against the whole product. One app and one sandbox serve all; each visitor is new."""

from collections.abc import Iterator

import pytest

from harness.app_process import Product, free_port, running_product
from tools.engines.engine import Engine
from tools.engines.firefox import Firefox, firefox
from tools.engines.visitor import BrowserVisitor
from tools.engines.webkit import webkit

ENGINES = ("firefox", "webkit")


@pytest.fixture(scope="session")
def shared_product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running_product(tmp_path_factory.mktemp("product"), webhook_delay="1") as product:
        yield product


@pytest.fixture
def product(shared_product: Product) -> Product:
    shared_product.reset()
    return shared_product


@pytest.fixture(scope="session")
def started_firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with firefox(tmp_path_factory.mktemp("firefox")) as browser:
        yield browser


@pytest.fixture(params=ENGINES)
def browser(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A browser that knows nobody, at 1280 by 900."""
    if request.param == "firefox":
        started: Firefox = request.getfixturevalue("started_firefox")
        with started.fresh() as tab:
            tab.resize(1280, 900)
            yield tab
    else:
        with webkit(tmp_path_factory.mktemp("webkit"), free_port()) as window:
            window.resize(1280, 900)
            yield window


@pytest.fixture
def visitor(browser: Engine, product: Product) -> Iterator[BrowserVisitor]:
    """Somebody new. Whatever the console says against a page fails the test."""
    yield BrowserVisitor(browser, product.url)
    complaints = browser.complaints()
    assert not complaints, complaints
