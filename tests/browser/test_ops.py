"""The operator's page: only with the token, alive, and without a complaint of the browser's."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from harness.app_process import Product, running_product

TOKEN = "an-operators-token-for-tests"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder: Path = tmp_path_factory.mktemp("ops")
    with running_product(folder, app={"OPS_TOKEN": TOKEN}) as product:
        yield product


def test_it_is_not_there_without_the_setting(product: Product) -> None:
    answer = httpx.get(f"{product.url}/ops", headers={"Accept": "text/html"}, trust_env=False)

    assert answer.status_code == 404


def test_it_asks_for_the_token(watched: Product) -> None:
    answers = [
        httpx.get(f"{watched.url}/ops", auth=auth, trust_env=False) for auth in (None, ("ops", "wrong"), ("ops", TOKEN))
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 200]
    assert "Basic" in answers[0].headers["www-authenticate"]


def test_it_shows_each_call_while_one_looks(watched: Product, chromium: Browser) -> None:
    context = chromium.new_context(http_credentials={"username": "ops", "password": TOKEN})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{watched.url}/ops")
    expect(page.get_by_test_id("plot")).to_have_count(9)
    watched.control("POST", "/faults", operation="session_create", status=503, times=1)
    with httpx.Client(base_url=watched.url, trust_env=False) as visitor:
        visitor.get("/auth/login?provider=google&next=/payment")
        visitor.get("/auth/callback?auth_code=made_up")

    expect(page.get_by_test_id("ops-auth_ms").locator("tr[data-state]")).to_have_count(1, timeout=15_000)
    expect(page.locator("summary", has_text="upstream_call")).to_be_visible(timeout=15_000)
    context.close()
    assert said == []
