"""The whole path with recognisable secrets: none is in a log line, an answer, a cookie, `/metrics` or the docs."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from sandbox.launch import RunningSandbox
from services.observability.logs import LineWriter, configure_logs
from services.sessions.service import Session
from tests.unit.api.api_world import OPS_TOKEN, STORAGE_SECRET, WEBHOOK_SECRET, ApiWorld, Browser, api_world

pytestmark = pytest.mark.slow


@pytest.fixture
def log() -> Iterator[tuple[io.StringIO, LineWriter]]:
    root = logging.getLogger()
    level, stream = root.level, io.StringIO()
    writer = configure_logs("DEBUG", "json", stream=stream)
    yield stream, writer
    root.removeHandler(writer)
    writer.close()
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


async def walk(api: ApiWorld, browser: Browser) -> list[str]:
    """Sign in, buy, look, fail, sign out; return everything that the browser got."""
    await browser.sign_in("ada.canary@example.com")
    seen = [
        await browser.post("/api/payment/checkout", json={"price_id": api.price()}),
        await browser.post("/payment/checkout", data={"price_id": api.price("basic")}),
        await browser.get("/auth/callback?auth_code=canary-code&state=canary-state"),
    ]
    for fault in ({"status": 500, "body": "canary-body"}, {"status": 401, "body": "no"}, {"truncate": True}):
        await api.control("POST", "faults", {"operation": "*", **fault})
        seen.append(await browser.post("/api/payment/portal", json={}))
        seen.append(await browser.get("/api/payment/subscriptions"))
        await api.control("DELETE", "faults")
    seen += [
        await browser.get(path, headers={"authorization": f"Bearer {OPS_TOKEN}"})
        for path in ("/api/me", "/api/entitlements", "/api/docs", "/api/openapi.json", "/metrics", "/readyz")
    ]
    return [answer.text + str(answer.headers) for answer in seen]


async def test_no_secret_shows_anywhere(
    tmp_path: Path, api_sandbox: RunningSandbox, log: tuple[io.StringIO, LineWriter]
) -> None:
    stream, writer = log
    async with api_world(tmp_path, api_sandbox) as api:
        browser = api.browser()
        seen = await walk(api, browser)
        session = await api.container.sessions.find(browser.cookies[api.container.sessions.cookie_name])
        assert isinstance(session, Session)
        user_id, key = session.user.user_id, api.container.settings.payment_ms_api_key
    writer.close()
    written = stream.getvalue()

    assert key is not None
    assert '"event": "upstream_call"' in written
    secrets = [
        key.get_secret_value(),
        STORAGE_SECRET,
        WEBHOOK_SECRET,
        OPS_TOKEN,
        session.auth_session_id.get_secret_value(),
    ]
    for secret in secrets:
        assert secret not in written
        assert all(secret not in text for text in seen)
    for personal in ("ada.canary@example.com", user_id, "canary-code", "canary-state", "canary-body", session.id):
        assert personal not in written
