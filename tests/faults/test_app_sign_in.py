"""Rows 24 to 27 and 41: the Auth MS is slow, wrong or gone, and what that means for who is signed in."""

import time

import pytest

from tests.faults.fault_server import Behaviour, hang_up, limit_data, redirect, reply, reset_peer, slicer, timeout
from tests.faults.shop import CREATE, PREMIUM, REFRESH, AsyncHttpUser, ProxiedProduct, ScriptlessPage, until

DOWN = "Sign-in is unavailable right now."
EXPIRED = "That sign-in link has expired or was already used. Sign in again."
MINUTE = 60.0
FAILURES: dict[str, Behaviour] = {
    "slow headers": timeout(),
    "drip": slicer(b"{}" + b" " * 9999),
    "hang up": hang_up(),
    "reset": reset_peer(),
    "500": reply({"error": "CANARY of theirs"}, 500),
    "502 page": reply("<html>nginx", 502, content_type="text/html"),
    "503": reply({}, 503, headers={"Retry-After": "5"}),
    "429": reply({}, 429),
    "redirect": redirect("http://127.0.0.1:1/docs"),
    "no JSON": reply("{"),
    "truncated": limit_data({"session_id": "x" * 99}, 10),
    "no fields": reply({}),
    "no user": reply({"session_id": "s", "user_context": {}}),
    "text": reply("ok", content_type="text/plain"),
}


async def come_back(person: AsyncHttpUser) -> ScriptlessPage:
    """Sign in as far as the way back from the Auth MS, and follow where that leads."""
    code = await person.code()
    await person.client.get("/auth/login?provider=google&next=/payment")
    page = await person.look(f"/auth/callback?auth_code={code}")
    assert code not in page.html + page.path + person.shop.app.log()
    return page


NAMES = list(FAILURES)
GROUPS = [NAMES[start : start + 4] for start in range(0, len(NAMES), 4)]
"""Few enough failures at a time that the circuit stays closed."""


@pytest.mark.faults("24 Auth MS fails at sign-in", "group 8 Auth MS slow or gone")
@pytest.mark.parametrize("names", GROUPS, ids=" ".join)
async def test_a_sign_in_service_that_fails_is_said_on_the_sign_in_page(shop: ProxiedProduct, names: list[str]) -> None:
    await shop.open()
    for name in names:
        shop.auth.fail(CREATE, FAILURES[name])
        before, started = len(shop.auth.calls(CREATE)), time.monotonic()

        page = await come_back(shop.person())

        assert (page.status, page.path.partition("?")[0]) == (200, "/login"), name
        assert DOWN in page.text, name
        assert "Continue with Google" in page.text, name
        assert len(shop.auth.calls(CREATE)) == before + 1, name
        assert time.monotonic() - started < 4, name
    shop.auth.mend()
    assert await shop.person().sign_in()
    assert "CANARY" not in shop.app.log()


@pytest.mark.faults("24 Auth MS fails at sign-in", "group 8 Auth MS slow or gone")
async def test_without_a_sign_in_service_the_rest_works_and_nothing_loops(shop: ProxiedProduct) -> None:
    await shop.open()
    visitor = shop.person()
    await visitor.code()
    await shop.auth.stop()
    await visitor.client.get("/auth/login?provider=google&next=/payment")

    back = await visitor.look("/auth/callback?auth_code=code_gone")
    billing = await visitor.look("/payment")
    pricing = await visitor.look("/pricing")

    assert DOWN in back.text
    assert (billing.status, billing.path) == (200, "/login?next=/payment")
    assert (pricing.status, "$29" in pricing.text) == (200, True)
    await until(lambda: bool(shop.app.events("upstream_call", service="auth_ms", outcome="refused")))


@pytest.mark.faults("25 code used, expired or refused")
@pytest.mark.parametrize("status", [400, 401])
async def test_a_refused_code_starts_the_sign_in_again(shop: ProxiedProduct, status: int) -> None:
    await shop.open()
    shop.auth.fail(CREATE, reply("CANARY: code CANARY is bad", status, content_type="text/plain"))

    page = await come_back(shop.person())

    assert (page.status, EXPIRED in page.text) == (200, True)
    assert "CANARY" not in page.html + shop.app.log()
    await until(lambda: bool(shop.app.events("sign_in_refused", code="sign_in_failed")))
    assert {e["level"] for e in shop.app.events("sign_in_refused")} == {"info"}


@pytest.mark.faults("25 code used, expired or refused")
async def test_a_code_works_once_and_only_in_the_browser_that_began(shop: ProxiedProduct) -> None:
    await shop.open()
    ada, eve = shop.person(), shop.person()
    code = await ada.code()
    await ada.client.get("/auth/login?provider=google&next=/payment")

    stolen = await eve.client.get(f"/auth/callback?auth_code={code}")
    answer = await ada.client.get(f"/auth/callback?auth_code={code}")
    again = await ada.client.get(f"/auth/callback?auth_code={code}")

    assert "error=cookies" in stolen.headers["location"]
    assert answer.headers["location"] == "/payment"
    assert "error=" in again.headers["location"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert (await eve.client.get("/api/me")).status_code == 401


@pytest.mark.faults("26 Auth MS ends the session", "41 session expired at Stripe")
async def test_an_ended_session_leads_through_sign_in_back_to_the_page(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    shop.auth.fail(REFRESH, reply("unknown session", 401, content_type="text/plain"))
    await shop.app.restart(ahead=2 * MINUTE)

    api = await person.client.get("/api/me")
    page = await person.look("/payment/success?session_id=cs_test_1")
    billing = await person.client.get("/payment?interval=year")

    assert (api.status_code, api.json()["code"]) == (401, "not_signed_in")
    assert "Sign in" in page.text
    assert "/payment/success%3Fsession_id%3Dcs_test_1" in page.html
    assert billing.headers["location"] == "/login?next=/payment%3Finterval%3Dyear"


@pytest.mark.faults("27 Auth MS away, session still valid", "group 8 Auth MS slow or gone")
@pytest.mark.parametrize("fault", ["slow headers", "500"])
async def test_signed_in_people_stay_signed_in_for_ten_minutes_and_no_longer(shop: ProxiedProduct, fault: str) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    shop.auth.fail(REFRESH, FAILURES[fault])
    await shop.app.restart(ahead=9 * MINUTE)

    started = time.monotonic()
    page = await person.look("/account")
    waited = time.monotonic() - started
    write = await person.ask(PREMIUM)

    assert (page.status, page.path) == (200, "/account")
    assert person.email in page.text
    assert waited < 5
    assert (write.status_code, write.json()["code"]) == (503, "status_unknown")
    await shop.app.restart(ahead=11 * MINUTE)
    later = await person.look("/account")
    api = await person.client.get("/api/me")
    assert (later.status, later.path) == (503, "/account")
    assert "Sign-in is unavailable Opening a page never charges you. Try again in a minute." in later.text
    assert (api.status_code, api.json()["code"]) == (503, "sign_in_unavailable")
    shop.auth.mend()
    assert person.email in (await person.look("/account")).text
