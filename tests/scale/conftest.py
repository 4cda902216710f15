"""One set of replicas for all tests here; each test has people of its own and puts right what it broke."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from harness.cluster import Cluster, running_cluster
from harness.http_user import HttpUser
from tools.chromium import ARGUMENTS, EXECUTABLE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.scale)


@pytest.fixture(scope="session")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster"), webhook_delay="0", one_connection="true") as cluster:
        yield cluster


@pytest.fixture
def cluster(shared_cluster: Cluster) -> Iterator[Cluster]:
    """All replicas, up. The stand-in for the Payment MS breaks for good when two requests overlap."""
    shared_cluster.revive()
    shared_cluster.control("POST", "/settings/reset")
    yield shared_cluster
    shared_cluster.forget_people()
    health = shared_cluster.control("GET", "/health")
    shared_cluster.control("POST", "/payment/heal")
    assert health["poisoned"] is False, "two requests to the Payment MS overlapped"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Of a module only: while it is open no other event loop can run in this thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_tab(chromium: Browser, cluster: Cluster) -> Iterator[Callable[[HttpUser], Page]]:
    """Open a tab of somebody's, in a browser with their cookies."""
    contexts = []

    def open_one(person: HttpUser) -> Page:
        context = chromium.new_context(base_url=cluster.url, locale="en-US")
        context.set_default_timeout(10_000)
        context.add_cookies([{"name": "session", "value": person.session_cookie, "url": cluster.url}])
        contexts.append(context)
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()
