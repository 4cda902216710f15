"""The samples of `docs/entitlements.md`, as they stand there, against the app and the sandbox over real sockets."""

import json
import re
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from harness.app_process import free_port
from sandbox.launch import RunningSandbox
from services.entitlements import service, without_session
from services.web.service_tokens import digest_of, new_token
from tests.clients.samples import SAMPLES, ports, running, until
from tests.hooks import SECRET
from tests.unit.api.api_world import ApiWorld, Browser, api_world
from tests.unit.api.test_events import signed
from tests.unit.api.test_operations import session_of

ROOT = Path(__file__).resolve().parents[2]
TOKEN = new_token()
OPEN = {"members": 100}
CLOSED = {"detail": "This needs audit_log."}


async def person(world: ApiWorld, email: str) -> tuple[Browser, str]:
    """Sign in, and look at a page."""
    browser = await world.browser().sign_in(email)
    await browser.get("/api/payment/subscriptions")
    return browser, (await browser.get("/api/me")).json()["user_id"]


async def buy(world: ApiWorld, browser: Browser) -> None:
    """Buy the plan with the feature, and be back."""
    started = (await browser.post("/api/payment/checkout", json={"price_id": world.price("enterprise")})).json()
    await browser.pay(started["checkout_url"])
    await world.control("GET", "settled")
    await look(world, browser)


async def look(world: ApiWorld, browser: Browser) -> None:
    """Ask both services, as the user's open page does."""
    await world.container.refresher.ask(await session_of(world, browser), "all", fresh=True)


async def cancel_now(world: ApiWorld, user_id: str) -> None:
    """End the subscription at Stripe."""
    (subscription,) = await world.control("GET", f"subscriptions?user_id={user_id}")
    await world.control("POST", f"subscriptions/{subscription['id']}/cancel")
    await world.control("GET", "settled")


async def payment_ms_tells(world: ApiWorld, user_id: str) -> None:
    """The Payment MS's own event: something changed for that user."""
    body = json.dumps({"user_id": user_id})
    headers = {"content-type": "application/json", "x-signature": signed(body)}
    answer = await world.browser().post("/api/payment/events", content=body, headers=headers)
    assert answer.status_code == 204


@pytest.mark.slow
async def test_the_samples_open_and_close_with_what_is_bought_and_go_by_their_policy_while_billing_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api_sandbox: RunningSandbox
) -> None:
    named, port = ports(), free_port()
    hooks = tmp_path / "webhooks.json"
    endpoints = [
        {"name": f"sample-{at}", "url": f"http://127.0.0.1:{at}/hooks/billing", "secrets": [SECRET]}
        for at in named.values()
    ]
    hooks.write_text(json.dumps({"endpoints": endpoints}), encoding="utf-8")
    settings = {"port": port, "service_tokens": (f"samples={digest_of(TOKEN)}",), "webhooks_path": str(hooks)}
    environment = {"BILLING_URL": f"http://localhost:{port}", "BILLING_TOKEN": TOKEN, "BILLING_WEBHOOK_SECRET": SECRET}
    async with (
        api_world(tmp_path, api_sandbox, **settings) as world,
        running(named, tmp_path, environment) as samples,
    ):
        async with world.served():
            # With events: an answer counts for a minute, what changes sooner was told. Ada is on a page of ours.
            world.container.webhooks.start()
            ada, ada_id = await person(world, "ada@example.com")
            _seconds, before = await until(samples, ada_id, 403)
            await buy(world, ada)
            opened_in, bought = await until(samples, ada_id, 200)
            await cancel_now(world, ada_id)
            await look(world, ada)
            closed_in, ended = await until(samples, ada_id, 403)

            # Dan is on none, and the Payment MS tells what a subscription's status is.
            await world.control("PATCH", "settings", {"status_shape": "documented"})
            dan, dan_id = await person(world, "dan@example.com")
            await buy(world, dan)
            await until(samples, dan_id, 200)
            await cancel_now(world, dan_id)
            await payment_ms_tells(world, dan_id)
            closed_absent_in, _body = await until(samples, dan_id, 403)
            await world.container.webhooks.stop()

            # Without events: what was told last counts until it ends, and billing asks no more often than it does.
            within = (service.LIFE + service.FRESH_FOR).total_seconds()
            monkeypatch.setattr(service, "LIFE", timedelta(seconds=1))
            monkeypatch.setattr(without_session, "FRESH_FOR", timedelta(seconds=0.5))
            (bob, bob_id), (cyd, cyd_id) = (
                await person(world, "bob@example.com"),
                await person(world, "cyd@example.com"),
            )
            await until(samples, bob_id, 403)
            await buy(world, bob)
            await buy(world, cyd)
            await until(samples, bob_id, 200)
            await until(samples, cyd_id, 200)
            await cancel_now(world, bob_id)
            ended_in, _body = await until(samples, bob_id, 403)

        # Billing is gone: these samples go by what they knew for five minutes, and open nothing that they never asked.
        over = time.monotonic() + 2
        gone = []
        async with httpx.AsyncClient(trust_env=False) as http:
            while time.monotonic() < over:
                for who in (cyd_id, bob_id, "usr_never_asked"):
                    gone += [(who, *await sample.export(http, who)) for sample in samples]

    print(f"open in {opened_in:.1f} s, closed in {closed_in:.1f} s, for the absent in {closed_absent_in:.1f} s")
    print(f"without events closed in {ended_in:.1f} s where answers count for 1 s and are kept for 0.5 s")
    assert (before, bought, ended) == (CLOSED, {"user": ada_id, **OPEN}, CLOSED)
    assert max(opened_in, closed_in, closed_absent_in) < 30
    assert within <= 75
    told = {(cyd_id, 200, "members"), (bob_id, 403, "detail"), ("usr_never_asked", 503, "detail")}
    assert {(who, status, min(body)) for who, status, body in gone} == told


@pytest.mark.parametrize(("name", "path"), SAMPLES.items())
def test_the_page_shows_the_sample_as_it_is_in_less_than_twenty_lines(name: str, path: Path) -> None:
    page = (ROOT / "docs" / "entitlements.md").read_text(encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    code = [line for line in text.splitlines() if line.strip() and not line.startswith(("//", '"""'))]

    assert re.search(rf"^\*\*{name}\*\*.*\n\n```\w+\n{re.escape(text)}```$", page, re.MULTILINE)
    assert len(code) < 20
