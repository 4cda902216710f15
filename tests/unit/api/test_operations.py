"""Health, readiness, metrics, entitlements and the key that signs them."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from joserfc import jwt
from joserfc.jwk import KeySet

from sandbox.launch import RunningSandbox
from services.entitlements.model import Entitlement
from services.errors import PlanRequired, StoreUnavailable
from services.people.reconciled import LastReconcile, ReconcileFigures
from services.people.reconciliation import FindingKind, ReconcileFinding
from services.rate_limits import RateLimits
from services.readiness import LEVELS
from services.sessions.service import Session
from services.storage.sqlite.opened_files import FileReplaced
from services.subscription.model import Reason, Source, State
from tests.unit.api.api_world import OPS_TOKEN, ApiWorld, Browser, api_world
from version import VERSION

pytestmark = pytest.mark.slow

PRODUCTS = (Path(__file__).parents[3] / "products.json").read_bytes()


async def session_of(api: ApiWorld, browser: Browser) -> Session:
    sessions = api.container.sessions
    found = await sessions.find(browser.cookies[sessions.cookie_name])
    assert isinstance(found, Session)
    return found


async def member(api: ApiWorld) -> Browser:
    """Ada, who has paid for Premium and is known to both services."""
    browser = await api.browser().sign_in()
    started = (await browser.post("/api/payment/checkout", json={"price_id": api.price()})).json()
    await browser.pay(started["checkout_url"])
    await api.control("GET", "settled")
    await api.container.refresher.ask(await session_of(api, browser), "all", fresh=True)
    return browser


async def test_healthy_and_ready(api: ApiWorld) -> None:
    health, ready = await api.browser().get("/healthz"), await api.browser().get("/readyz")

    assert (health.status_code, health.json()) == (200, {"status": "ok", "version": VERSION})
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    checks = {"pages", "store", "payment_ms", "auth_ms", "catalog", "clock", "limits", "money"}
    assert checks == ready.json()["checks"].keys()


async def test_an_open_circuit_degrades_and_still_takes_users(api: ApiWorld) -> None:
    await api.control("POST", "faults", {"operation": "payment", "status": 500})
    session = await session_of(api, await api.browser().sign_in())
    for _ in range(5):
        await api.container.refresher.ask(session, "all", fresh=True)
    await api.control("DELETE", "faults")

    ready = await api.browser().get("/readyz")

    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert "open" in ready.json()["checks"]["payment_ms"]["circuits"].values()


async def test_a_key_that_never_worked_degrades_and_names_both_causes(api: ApiWorld) -> None:
    await api.control("POST", "faults", {"operation": "payment", "status": 401})
    session = await session_of(api, await api.browser().sign_in())

    await api.container.refresher.ask(session, "all", fresh=True)

    await api.control("DELETE", "faults")
    ready = (await api.browser().get("/readyz")).json()
    check = ready["checks"]["payment_ms"]
    assert (ready["status"], check["status"]) == ("degraded", "degraded")
    assert "either the key is wrong, or it has lost its database connection" in check["problem"]
    assert "PAYMENT_MS_API_KEY" in check["cure"]


async def test_a_key_that_worked_names_the_lost_connection(api: ApiWorld) -> None:
    session = await session_of(api, await api.browser().sign_in())
    await api.container.refresher.ask(session, "all", fresh=True)
    await api.control("POST", "faults", {"operation": "payment", "status": 401})

    await api.container.refresher.ask(session, "all", fresh=True)

    await api.control("DELETE", "faults")
    check = (await api.browser().get("/readyz")).json()["checks"]["payment_ms"]
    assert check["problem"] == "It refuses a key that worked: it has lost its database connection."


async def test_a_store_that_is_gone_degrades_and_still_takes_users(api: ApiWorld) -> None:
    await api.container.store.close()

    ready = await api.browser().get("/readyz")

    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert ready.json()["checks"]["store"]["status"] == "failing"


async def test_a_process_that_can_draw_no_page_takes_nobody(api: ApiWorld) -> None:
    api.container.page_health.failed("NameError: no template")

    ready = await api.browser().get("/readyz")

    assert (ready.status_code, ready.json()["status"]) == (503, "failing")
    assert ready.json()["checks"]["pages"]["problem"] == "NameError: no template"
    assert (await api.browser().get("/healthz")).status_code == 200


async def test_an_optimization_that_does_not_fit_degrades_and_says_which(api: ApiWorld) -> None:
    api.container.page_health.passed({"own_document": "pages start in a new way"})

    ready = await api.browser().get("/readyz")

    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert ready.json()["checks"]["pages"]["left_off"] == {"own_document": "pages start in a new way"}


async def test_a_broken_catalog_file_degrades_and_says_why(tmp_path: Path, api_sandbox: RunningSandbox) -> None:
    path = tmp_path / "products.json"
    path.write_bytes(PRODUCTS)
    async with api_world(tmp_path, api_sandbox, catalog_path=str(path)) as api:
        path.write_text('{"plans": []}')
        await api.running.catalog_file.look()

        ready = (await api.browser().get("/readyz")).json()
        sold = (await api.browser().get("/api/catalog")).json()

    assert ready["status"] == "degraded"
    assert "plans" in ready["checks"]["catalog"]["problem"]
    assert len(sold["plans"]) > 1


async def test_a_sandbox_behind_a_public_address_is_said(tmp_path: Path, api_sandbox: RunningSandbox) -> None:
    async with api_world(tmp_path, api_sandbox, public_url="https://billing.example.com") as api:
        ready = (await api.browser().get("/readyz")).json()

    assert ready["status"] == "degraded"
    assert ready["checks"]["money"]["mode"] == "sandbox"


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("::ffff:127.0.0.1", {}, 200),
        ("::ffff:203.0.113.9", {}, 403),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.9"}, 403),
        ("203.0.113.9", {}, 403),
        ("203.0.113.9", {"authorization": f"Bearer {OPS_TOKEN}"}, 200),
        ("203.0.113.9", {"authorization": "Bearer wrong"}, 403),
        ("203.0.113.9", {"authorization": OPS_TOKEN}, 403),
        ("203.0.113.9", {"x-forwarded-for": "127.0.0.1"}, 403),
    ],
)
async def test_metrics_are_for_this_machine_and_the_operator(
    api: ApiWorld, client: str, headers: dict[str, str], status: int
) -> None:
    answer = await api.browser((client, 1)).get("/metrics", headers=headers)

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8081", 200), ("127.0.0.1:8081", 200), ("[::1]:8081", 200), ("evil.example:8081", 403), ("[", 403),
     ("[::ffff:127.0.0.1]:8081", 200), ("localhost.evil.example", 403), ("10.0.0.7", 403)],
)  # fmt: skip
async def test_a_foreign_name_that_leads_to_this_machine_opens_no_metrics(
    api: ApiWorld, host: str, status: int
) -> None:
    answer = await api.browser(("127.0.0.1", 1)).get("/metrics", headers={"host": host})
    token = await api.browser(("127.0.0.1", 1)).get(
        "/metrics", headers={"host": host, "authorization": f"Bearer {OPS_TOKEN}"}
    )

    assert (answer.status_code, token.status_code) == (status, 200)


async def test_metrics_count_what_happens_and_name_nobody(api: ApiWorld) -> None:
    browser = await member(api)

    text = (await browser.get("/metrics")).text

    assert 'billing_checkouts_total{kind="subscription",outcome="opened",result="sold"} 1.0' in text
    assert 'billing_sign_ins_total{outcome="completed"} 1.0' in text
    assert (
        'billing_upstream_calls_total{operation="checkout_subscription",outcome="ok",service="payment_ms"} 1.0' in text
    )
    assert 'billing_upstream_seconds_count{operation="checkout_subscription",service="payment_ms"} 1.0' in text
    assert 'billing_requests_total{route="press",status="2xx"} 1.0' in text
    assert 'billing_request_seconds_bucket{le="10.0",route="press"} 1.0' in text
    assert 'billing_key_refused{service="payment_ms"} 0.0' in text
    assert 'billing_readiness{check="store"} 0.0' in text
    assert 'billing_optimization_off{optimization="packed_elements"} ' in text
    assert 'billing_circuit_state{operation="checkout_subscription",service="payment_ms"} 0.0' in text
    for name in ("in_flight", "waiting"):
        assert f'billing_upstream_{name}{{service="payment_ms"}} 0.0' in text
    for name in ("watchers", "tabs", "unconnected_views", "catalog_refused", "limits_degraded"):
        assert f"billing_{name} " in text
    assert "usr_" not in text
    assert "ada" not in text


async def test_metrics_say_what_the_last_reconcile_found(api: ApiWorld) -> None:
    browser, ended = api.browser(), datetime(2026, 11, 30, 4, tzinfo=UTC)
    before = (await browser.get("/metrics")).text
    two = ReconcileFinding(
        kind=FindingKind.TWO, customer="ada", user_id="ada", detail="basic and premium", heard=ended
    )  # fmt: skip
    await LastReconcile(api.container.store).keep(ReconcileFigures.of(ended, 7, [two]))

    api.container.reconciled._read_at = float("-inf")  # as a quarter of a minute later
    after = (await browser.get("/metrics")).text

    assert 'billing_reconcile_findings{kind="two_subscriptions"} NaN' in before
    assert "billing_reconcile_customers NaN" in before
    assert 'billing_reconcile_findings{kind="two_subscriptions"} 1.0' in after
    assert 'billing_reconcile_findings{kind="not_asked"} 0.0' in after
    assert "billing_reconcile_customers 7.0" in after
    assert float(after.partition("\nbilling_reconcile_finished_timestamp_seconds ")[2].split()[0]) == ended.timestamp()
    assert "ada" not in after


async def test_a_store_whose_file_was_replaced_says_what_to_do(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    async def replaced() -> None:
        raise StoreUnavailable from FileReplaced("replaced")

    monkeypatch.setattr(api.container.store, "ping", replaced)

    store = (await api.browser().get("/readyz")).json()["checks"]["store"]

    assert store["status"] == "failing"
    assert store["problem"].endswith("neither is written to; restart the app.")


async def test_metrics_say_what_readiness_says(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away() -> None:
        raise StoreUnavailable

    monkeypatch.setattr(api.container.store, "ping", away)
    monkeypatch.setattr(api.container.page_health, "left_off", {"late_scripts": "no such hook"})
    monkeypatch.setattr(RateLimits, "degraded", True)
    session = await session_of(api, await api.browser().sign_in())
    await api.control("POST", "faults", {"operation": "payment", "status": 500})
    for _ in range(5):
        await api.container.refresher.ask(session, "all", fresh=True)
    await api.control("DELETE", "faults")
    browser = api.browser(("127.0.0.1", 1))

    text, checks = (await browser.get("/metrics")).text, (await browser.get("/readyz")).json()["checks"]

    assert 'billing_readiness{check="store"} 2.0' in text
    for name in ("pages", "limits", "payment_ms"):
        assert f'billing_readiness{{check="{name}"}} 1.0' in text
    told = dict(re.findall(r'billing_readiness{check="(\w+)"} (\d)', text))
    assert told == {name: str(LEVELS[check["status"]]) for name, check in checks.items()}
    for name, check in checks.items():
        assert {"problem", "cure"} <= check.keys() or check["status"] == "ok", name


async def test_entitlements_are_signed_for_a_minute_with_the_published_key(api: ApiWorld) -> None:
    browser = await member(api)

    answer = (await browser.get("/api/entitlements")).json()
    keys = KeySet.import_key_set((await browser.get("/.well-known/jwks.json")).json())
    token = jwt.decode(answer["token"], keys, algorithms=["ES256"])

    assert (answer["plan"], answer["state"], answer["access"]) == ("premium", "active", True)
    shared = ("plan", "state", "access", "features", "as_of", "source", "reason", "stale")
    assert {name: token.claims[name] for name in shared} == {name: answer[name] for name in shared}
    assert token.header == {"alg": "ES256", "kid": token.header["kid"], "typ": "JWT"}
    assert token.claims["iss"] == token.claims["aud"] == api.url
    assert token.claims["features"]["projects"] == "unlimited"
    assert token.claims["sub"] == (await browser.get("/api/me")).json()["user_id"]
    assert token.claims["exp"] - token.claims["iat"] == 60
    again = jwt.decode((await browser.get("/api/entitlements")).json()["token"], keys, algorithms=["ES256"])
    assert again.claims["jti"] != token.claims["jti"]


async def test_the_published_key_holds_nothing_private(api: ApiWorld) -> None:
    answer = await api.browser().get("/.well-known/jwks.json")
    (key,) = answer.json()["keys"]

    assert answer.headers["cache-control"] == "no-cache"  # without ENTITLEMENTS_KEY a restart makes another one
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"}


async def test_a_plan_opens_what_needs_it_and_the_plans_that_it_includes(api: ApiWorld) -> None:
    entitlements, session = api.container.entitlements, await session_of(api, await member(api))

    assert (await entitlements.require_plan(session, "premium")).plan == "premium"
    assert await entitlements.has_plan(session, "basic") is (api.container.catalog.plan("premium").includes == "basic")
    with pytest.raises(PlanRequired):
        await entitlements.require_plan(session, "enterprise")


@pytest.mark.parametrize("plan", [None, "gone"])
async def test_access_without_a_plan_of_the_catalog_opens_nothing(api: ApiWorld, plan: str | None) -> None:
    entitlement = Entitlement(
        plan=plan,
        state=State.COMPED,
        access=True,
        as_of=datetime.now(UTC),
        source=Source.ACCOUNT,
        reason=Reason.GRANTED,
    )

    assert not api.container.entitlements.grants(entitlement, "premium")


async def test_access_survives_ten_minutes_of_outage_and_no_longer(api: ApiWorld) -> None:
    session = await session_of(api, await member(api))
    await api.control("POST", "faults", {"operation": "*", "status": 503})
    now = datetime.now(UTC)

    try:
        with time_machine.travel(now + timedelta(minutes=9)):
            kept = await api.container.entitlements.of(session)
        with time_machine.travel(now + timedelta(minutes=12)):
            ended = await api.container.entitlements.of(session)
    finally:
        await api.control("DELETE", "faults")

    assert (kept.access, kept.plan) == (True, "premium")
    assert (ended.access, ended.plan) == (False, None)


async def test_the_docs_list_every_route_and_every_code_without_a_script(api: ApiWorld) -> None:
    page = await api.browser().get("/api/docs")
    document = (await api.browser().get("/api/openapi.json")).json()

    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text
    assert re.findall(r"""(?:src|href|action)=["']?https?:|url\(|@import""", page.text) == []
    for path in document["paths"]:
        assert f"<code>/api{path}</code>" in page.text
    for name in document["components"]["schemas"]:
        assert f'id="{name}"' in page.text
    for code in ("already_subscribed", "plan_required", "unsupported_media_type", "internal_error"):
        assert f'id="{code}"' in page.text
