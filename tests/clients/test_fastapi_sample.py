"""The sample of `docs/entitlements.md`, as it stands there, against the app and the sandbox over real sockets."""

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import httpx
import pytest
import uvicorn

from harness.app_process import free_port
from sandbox.launch import RunningSandbox
from services.web.service_tokens import digest_of, new_token
from tests.unit.api.api_world import ApiWorld, Browser, api_world
from tests.unit.api.test_operations import session_of

CLIENT = Path(__file__).resolve().parents[2] / "clients" / "python"
TOKEN = new_token()


def loaded(monkeypatch: pytest.MonkeyPatch, url: str) -> ModuleType:
    """The sample's module, with the client on the path and its settings in the environment."""
    monkeypatch.syspath_prepend(str(CLIENT))
    for name, value in {"BILLING_URL": url, "BILLING_TOKEN": TOKEN, "BILLING_WEBHOOK_SECRET": "whsec_AAAA"}.items():
        monkeypatch.setenv(name, value)
    spec = importlib.util.spec_from_file_location("fastapi_service", CLIENT / "example" / "fastapi_service.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fastapi_service", module)
    spec.loader.exec_module(module)
    return module


async def listening(port: int) -> None:
    """Return when something answers on a port."""
    async with httpx.AsyncClient(trust_env=False, transport=httpx.AsyncHTTPTransport(retries=20)) as asker:
        await asker.get(f"http://localhost:{port}/healthz")


@asynccontextmanager
async def served(world: ApiWorld, port: int) -> AsyncIterator[None]:
    """The app on a socket."""
    server = uvicorn.Server(uvicorn.Config(world.app, port=port, log_config=None, lifespan="off", ws="none"))
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(30):
        await listening(port)
    try:
        yield
    finally:
        server.should_exit = True
        await task


async def buy(world: ApiWorld, browser: Browser, plan: str) -> None:
    """Buy a plan, and have the app know of it."""
    started = (await browser.post("/api/payment/checkout", json={"price_id": world.price(plan)})).json()
    await browser.pay(started["checkout_url"])
    await world.control("GET", "settled")
    await world.container.refresher.ask(await session_of(world, browser), "all", fresh=True)


async def test_the_sample_is_open_to_whoever_bought_the_feature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api_sandbox: RunningSandbox
) -> None:
    port = free_port()
    tokens = (f"sample={digest_of(TOKEN)}",)
    async with api_world(tmp_path, api_sandbox, port=port, service_tokens=tokens) as world:
        sample = loaded(monkeypatch, world.url)
        service = httpx.AsyncClient(transport=httpx.ASGITransport(sample.app), base_url="http://sample")
        async with served(world, port):
            browser = await world.browser().sign_in()
            user_id = (await browser.get("/api/me")).json()["user_id"]
            headers = {"x-user-id": user_id}
            before = await service.get("/export", headers=headers)
            await buy(world, browser, "enterprise")
            sample.billing.forget(user_id)  # as an event does
            bought = await service.get("/export", headers=headers)
        kept = await service.get("/export", headers=headers)
        sample.billing.forget(user_id)
        gone = await service.get("/export", headers=headers)
        await service.aclose()

    assert before.status_code == 403
    assert (bought.status_code, bought.json()) == (200, {"user": user_id, "members": 100})
    assert (kept.status_code, gone.status_code) == (200, 503)  # what is known counts until it ends
