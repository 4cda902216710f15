"""The way through a sign-in: cookies that change, a callback that counts once, `next` within this site."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from sandbox.launch import RunningSandbox
from services.cart import visitor_owner
from services.sessions.service import Session
from tests.unit.api.api_world import ApiWorld, api_world


async def test_signing_in_changes_the_cookie_and_signing_out_takes_it(api: ApiWorld) -> None:
    browser, name = api.browser(), api.container.sessions.cookie_name
    await browser.get("/api/cart")
    visitor = browser.cookies[name]

    await browser.sign_in()
    signed_in = browser.cookies[name]
    out = await browser.post("/auth/sign-out")

    assert visitor != signed_in
    assert name not in browser.cookies
    assert (out.status_code, out.headers["location"]) == (303, "/signed-out")
    assert (await browser.get("/api/me", headers={"cookie": f"{name}={signed_in}"})).status_code == 401


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(api: ApiWorld) -> None:
    browser = api.browser()

    start = await browser.get("/auth/login?provider=google")
    back = await browser.get(await browser.choose_person(start.headers["location"], "ada@example.com"))

    for cookie in [*start.headers.get_list("set-cookie"), *back.headers.get_list("set-cookie")]:
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie


async def test_the_code_leaves_the_address_bar_and_is_named_to_nobody(api: ApiWorld) -> None:
    browser = api.browser()
    start = await browser.get("/auth/login?provider=google&next=/account")

    back = await browser.get(await browser.choose_person(start.headers["location"], "ada@example.com"))

    assert (back.status_code, back.headers["location"]) == (303, "/account")
    assert back.headers["referrer-policy"] == "no-referrer"
    assert back.headers["cache-control"] == "no-store"


async def test_a_callback_counts_once(api: ApiWorld) -> None:
    browser = api.browser()
    start = await browser.get("/auth/login?provider=google")
    address = await browser.choose_person(start.headers["location"], "ada@example.com")
    login = {"cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}

    await browser.get(address)
    again = await browser.get(address, headers=login)

    assert again.headers["location"] == "/login?error=expired&next=/payment"


async def test_a_callback_in_another_browser_signs_nobody_in(api: ApiWorld) -> None:
    attacker, victim = api.browser(), api.browser()
    start = await attacker.get("/auth/login?provider=google")
    address = await attacker.choose_person(start.headers["location"], "mallory@example.com")
    await victim.get("/auth/login?provider=google")

    for browser, why in ((victim, "expired"), (api.browser(), "cookies")):
        answer = await browser.get(address)
        assert answer.headers["location"].partition("&")[0] == f"/login?error={why}"
        assert (await browser.get("/api/me")).status_code == 401


async def test_a_head_request_does_not_use_the_callback_up(api: ApiWorld) -> None:
    browser = api.browser()
    start = await browser.get("/auth/login?provider=google")
    address = await browser.choose_person(start.headers["location"], "ada@example.com")

    head = await browser.head(address)
    back = await browser.get(address)

    assert head.status_code == 405
    assert back.headers["location"] == "/payment"


async def test_a_sign_in_ends_after_ten_minutes(api: ApiWorld) -> None:
    browser = api.browser()
    start = await browser.get("/auth/login?provider=google")
    address = await browser.choose_person(start.headers["location"], "ada@example.com")

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11)):
        back = await browser.get(address)

    assert back.headers["location"] == "/login?error=expired&next=/payment"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "\t/x", "", "x" * 3000],
)
async def test_next_stays_on_this_site(api: ApiWorld, elsewhere: str) -> None:
    browser = api.browser()
    start = await browser.get("/auth/login", params={"provider": "google", "next": elsewhere})

    back = await browser.get(await browser.choose_person(start.headers["location"], "ada@example.com"))

    assert back.headers["location"] == "/"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_site_can_not_start_a_sign_in(api: ApiWorld, site: str) -> None:
    answer = await api.browser().get("/auth/login?provider=google&next=/account", headers={"sec-fetch-site": site})

    assert answer.headers["location"] == "/login?next=/account"
    assert not answer.headers.get_list("set-cookie")


async def test_an_unknown_provider_leads_back_to_the_choice(api: ApiWorld) -> None:
    answer = await api.browser().get("/auth/login?provider=../admin")

    assert answer.headers["location"] == "/login?error=failed&next=/payment"


async def test_a_refusal_at_the_provider_is_said_without_its_words(api: ApiWorld) -> None:
    answer = await api.browser().get("/auth/callback?error=access_denied&error_description=<script>")

    assert answer.headers["location"] == "/login?error=failed"


async def test_an_auth_ms_that_is_away_is_said_so(api: ApiWorld) -> None:
    browser = api.browser()
    start = await browser.get("/auth/login?provider=google")
    address = await browser.choose_person(start.headers["location"], "ada@example.com")
    await api.control("POST", "faults", {"operation": "auth", "status": 503})

    try:
        back = await browser.get(address)
    finally:
        await api.control("DELETE", "faults")

    assert back.headers["location"] == "/login?error=unavailable&next=/payment"


async def test_the_visitors_cart_comes_along(api: ApiWorld) -> None:
    browser, name = api.browser(), api.container.sessions.cookie_name
    await browser.put(f"/api/cart/{api.item_price()}", json={"quantity": 2})
    visitor_id = api.container.sessions.id_of(browser.cookies[name])

    await browser.sign_in()

    assert (await browser.get("/api/cart")).json()["count"] == 2
    assert visitor_id is not None
    assert (await api.container.cart.read(visitor_owner(visitor_id))).count == 0


async def test_the_auth_ms_session_id_stays_in_the_store(api: ApiWorld) -> None:
    browser = api.browser()
    start = await browser.get("/auth/login?provider=google")
    back = await browser.get(await browser.choose_person(start.headers["location"], "ada@example.com"))
    session = await api.container.sessions.find(browser.cookies[api.container.sessions.cookie_name])
    assert isinstance(session, Session)
    secret = session.auth_session_id.get_secret_value()

    seen = [back, *[await browser.get(path) for path in ("/api/me", "/api/payment/subscriptions", "/api/entitlements")]]

    for answer in seen:
        assert secret not in answer.text + str(answer.headers)


async def test_a_sign_in_that_nobody_uses_ends_after_the_days_that_are_set(
    tmp_path: Path, api_sandbox: RunningSandbox
) -> None:
    async with api_world(tmp_path, api_sandbox, session_idle_days=2) as api:
        browser, start = await api.browser().sign_in(), datetime.now(UTC)

        statuses = []
        for days in (1.5, 3, 5.1):
            with time_machine.travel(start + timedelta(days=days)):
                statuses.append((await browser.get("/api/me")).status_code)

    assert statuses == [200, 200, 401]
