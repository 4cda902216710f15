"""The operator's page: only with the token, alive, and without a complaint of the browser's."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from harness.app_process import ROOT, Product, running_product
from services.upstream.circuit import CircuitPolicy
from tests.browser.people import at_checkout, open_signed_in, pay, success_state
from tests.browser.staged import OVERFLOWING
from tools.a11y import violations_of

TOKEN = "an-operators-token-for-tests"
OPENS_A_CIRCUIT = CircuitPolicy().failures_in_a_row


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder: Path = tmp_path_factory.mktemp("ops")
    with running_product(folder, app={"OPS_TOKEN": TOKEN, "PAYMENT_MS_GIVES_TRIALS": "false"}) as product:
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
    expect(page.get_by_test_id("ops-unwell")).to_have_count(0)
    watched.control("POST", "/faults", operation="session_create", status=503, times=OPENS_A_CIRCUIT)
    for _visitor in range(OPENS_A_CIRCUIT):
        with httpx.Client(base_url=watched.url, trust_env=False) as visitor:
            visitor.get("/auth/login?provider=google&next=/payment")
            visitor.get("/auth/callback?auth_code=made_up")

    expect(page.get_by_test_id("unwell-auth_ms")).to_contain_text("Its last calls failed: create.", timeout=15_000)
    expect(page.get_by_test_id("ops-auth_ms").locator("tr[data-state]")).to_have_count(1, timeout=15_000)
    expect(page.locator("summary", has_text="upstream_call")).to_have_count(OPENS_A_CIRCUIT, timeout=15_000)
    context.close()
    assert said == []


def test_everybody_can_read_it_at_every_width(watched: Product, chromium: Browser) -> None:
    credentials = {"username": "ops", "password": TOKEN}
    context = chromium.new_context(http_credentials=credentials, bypass_csp=True, color_scheme="dark", locale="ar")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{watched.url}/ops")
    expect(page.get_by_test_id("plot")).to_have_count(9)
    found = violations_of(page)
    for width in (320, 390, 768):
        page.set_viewport_size({"width": width, "height": 800})
        found += [f"at {width}: {each}" for each in page.evaluate(OVERFLOWING)]
    context.close()

    assert found == []


PRESET = "public_service_november_2025"
UNTRUE = re.compile(
    r"is active|is ready|renews|thank you|you're on the free plan|subscribe again|days free|in a minute|two services",
    re.IGNORECASE,
)
"""What nobody can know or keep with these services: access, a renewal, a trial, a cure by waiting, a conflict."""


@pytest.mark.long
def test_tour_through_the_public_service_of_november_2025(watched: Product, chromium: Browser) -> None:
    """Who has no customer at Stripe can't buy, who bought never appears: nobody is told it falsely, the operator is."""
    panel = chromium.new_page()
    panel.goto(watched.sandbox.stripe_url)
    panel.get_by_test_id(f"preset-{PRESET}").click()
    expect(panel.get_by_test_id("preset-now")).to_contain_text("November 2025")
    operator = chromium.new_context(http_credentials={"username": "ops", "password": TOKEN}).new_page()
    operator.goto(f"{watched.url}/ops")
    expect(operator.get_by_test_id("ops-alarms")).to_contain_text("None stands.")

    for who in ("ada", "grace"):
        page = chromium.new_context(base_url=watched.url, locale="en-US").new_page()
        open_signed_in(page, "/payment", who)
        says_nothing_untrue(page)
        page.get_by_test_id("subscribe-premium").first.click()
        expect(page.get_by_test_id("notice").first).to_contain_text("Nothing was charged")
        says_nothing_untrue(page)
    expect(operator.get_by_test_id("alarm-new_customers_refused")).to_be_visible(timeout=30_000)

    page = chromium.new_context(base_url=watched.url, locale="en-US").new_page()
    open_signed_in(page, "/account", "mary")
    (mary,) = [user for user in watched.control("GET", "/users") if user["email"].startswith("mary")]
    watched.control("POST", f"/users/{mary['user_id']}/customers", email=mary["email"])
    page.goto("/payment")
    page.get_by_test_id("subscribe-premium").first.click()
    at_checkout(page)
    pay(page)
    page.wait_for_url("**/payment/success?*")
    success_state(page, "confirming")
    says_nothing_untrue(page)

    let_time_pass(watched, minutes=12)
    for path in (page.url, "/payment", "/account", "/pricing"):
        page.goto(path)
        says_nothing_untrue(page)
    page.goto("/payment")
    expect(page.get_by_role("main")).to_contain_text("cs_test_")
    expect(page.get_by_test_id("subscribe-premium")).to_have_count(0)
    operator.goto(f"{watched.url}/ops")
    expect(operator.get_by_test_id("alarm-purchases_not_recorded")).to_be_visible(timeout=30_000)
    expect(operator.get_by_test_id("alarm-account_silent")).to_be_visible()
    expect(operator.get_by_test_id("alarm-new_customers_refused")).to_have_count(0)
    assert watched.app.log().count('"event": "alarm_raised"') == 3
    metrics = httpx.get(f"{watched.url}/metrics", trust_env=False).text
    assert 'billing_alarm{alarm="purchases_not_recorded"} 1.0' in metrics
    assert 'billing_alarm{alarm="new_customers_refused"} 0.0' in metrics


def says_nothing_untrue(page: Page) -> None:
    expect(page.get_by_role("main")).not_to_be_empty()
    assert UNTRUE.findall(page.get_by_role("main").inner_text()) == []


def let_time_pass(product: Product, minutes: int) -> None:
    """Start the app again with its clock so far ahead, and the services' clocks with it."""
    product.app.stop()
    product.app.environment.update(PYTHONPATH=str(ROOT / "harness" / "clock"), CLOCK_OFF=str(minutes * 60))
    product.change_settings(date_offset=minutes * 60)
    product.app.start()
