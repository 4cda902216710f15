"""API and token say of money, dates and access what the claims say, and both say the same."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from structlog.testing import capture_logs

from services.errors import ClockUnsure
from tests.unit.api.api_world import ApiWorld, Browser
from tests.unit.api.test_operations import session_of


async def says(api: ApiWorld, browser: Browser, **grant: str) -> None:
    """Have the Auth MS say this of the browser's user."""
    user_id = (await browser.get("/api/me")).json()["user_id"]
    await api.control("PUT", f"users/{user_id}/plan", grant)


async def token_of(browser: Browser) -> dict[str, object]:
    """Return what the signed token holds."""
    answer = (await browser.get("/api/entitlements")).json()
    keys = KeySet.import_key_set((await browser.get("/.well-known/jwks.json")).json())
    return jwt.decode(answer["token"], keys, algorithms=["ES256"]).claims


async def test_a_plan_that_the_catalog_does_not_know_is_one_state_everywhere(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()
    await says(api, browser, status="active", plan="gold-2023")

    with capture_logs() as logs:
        shown = (await browser.get("/api/payment/subscriptions")).json()
        await browser.get("/api/payment/subscriptions")
    token, metrics = await token_of(browser), (await browser.get("/metrics")).text
    refused = await browser.post("/api/payment/checkout", json={"price_id": api.price()})

    current = shown["current"]
    assert (current["state"], current["access"], current["plan"]) == ("on_account", True, None)
    assert current["account_plan"] == token["account_plan"] == "gold-2023"
    assert (token["state"], token["access"], token["plan"]) == ("on_account", True, None)
    assert [claim["says"] for claim in shown["claims"]] == ["on_account_unknown", "has_access"]
    assert not await api.container.entitlements.has_plan(await session_of(api, browser), "premium")
    assert refused.json()["code"] == "subscription_on_record"
    assert "billing_unknown_account_plans 1.0" in metrics
    assert [entry["plan"] for entry in logs if entry["event"] == "account_plan_unknown"] == ["gold-2023"]


async def test_two_ends_are_one_date_that_access_follows(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()
    await says(api, browser, status="canceled", plan="premium", expires_at="2036-12-20T00:00:00Z")

    current = (await browser.get("/api/payment/subscriptions")).json()["current"]
    token = await token_of(browser)

    assert current["until"] == token["until"] == "2036-12-20T00:00:00Z"
    assert (current["ends"], current["access"], token["access"]) == (False, True, True)


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59Z", "2036-12-31T00:00:00", "2036-12-31", "0001-01-01T00:00:00Z"])
async def test_no_date_of_an_account_keeps_anybody_out(api: ApiWorld, end: str) -> None:
    browser = await api.browser().sign_in()
    await says(api, browser, status="active", plan="premium", expires_at=end)

    again = await api.browser().sign_in()

    for path in ("/api/payment/subscriptions", "/api/entitlements"):
        assert (await again.get(path)).status_code == 200
    assert (await token_of(again))["access"] is True


async def test_every_group_has_an_entry_in_api_and_token(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()

    shown, token = (await browser.get("/api/payment/subscriptions")).json(), await token_of(browser)

    groups = {plan.group for plan in api.container.catalog.plans}
    assert shown["groups"].keys() == groups
    assert isinstance(token["groups"], dict)
    assert token["groups"].keys() == groups


class TestClockThatIsOff:
    """A clock that is wrong is said, and tokens go by the services' clocks, or are not issued."""

    async def test_a_token_is_issued_by_the_services_time(self, api: ApiWorld) -> None:
        browser = await api.browser().sign_in()
        session = await session_of(api, browser)
        entitlement = await api.container.entitlements.of(session)
        skew = api.container.payment_upstream.clock_skew
        ahead = datetime.now(UTC) + timedelta(seconds=600)
        for service in ("payment_ms", "auth_ms"):
            for _time in range(5):
                skew.note(service, format_datetime(ahead, usegmt=True), 0.0)

        signed = api.container.entitlements.sign(session.user.user_id, entitlement)
        ready = (await browser.get("/readyz")).json()
        metrics = (await browser.get("/metrics")).text

        assert signed.expires_at > datetime.now(UTC) + timedelta(seconds=500)
        assert ready["checks"]["clock"]["status"] == "degraded"
        assert "s behind the services'" in ready["checks"]["clock"]["problem"]
        assert "billing_clock_off_seconds" in metrics

    async def test_no_token_is_issued_while_nobody_knows_the_time(self, api: ApiWorld) -> None:
        browser = await api.browser().sign_in()
        session = await session_of(api, browser)
        entitlement = await api.container.entitlements.of(session)
        skew = api.container.payment_upstream.clock_skew
        for service, off in (("payment_ms", 600), ("auth_ms", -600)):
            for _time in range(5):
                skew.note(service, format_datetime(datetime.now(UTC) + timedelta(seconds=off), usegmt=True), 0.0)

        with pytest.raises(ClockUnsure):
            api.container.entitlements.sign(session.user.user_id, entitlement)
