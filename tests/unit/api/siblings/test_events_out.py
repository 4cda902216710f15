"""A purchase, an end, and a service beside us that is told of both, over real sockets."""

import asyncio
import json
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook

from sandbox.launch import RunningSandbox
from tests.hooks import SECRET, HookSocket, hook_server
from tests.unit.api.api_world import api_world
from tests.unit.api.test_operations import session_of

WITHIN = 5.0
"""Seconds within which a receiver knows."""


async def next_of(hook: HookSocket, kind: str) -> dict[str, Any]:
    """Return the next event of a kind, verified."""
    async with asyncio.timeout(10 * WITHIN):
        while True:
            headers, body = await asyncio.to_thread(hook.posts.get, True, 10 * WITHIN)
            event: dict[str, Any] = Webhook(SECRET).verify(body, headers)
            if event["type"] == kind:
                return event


async def test_what_a_purchase_unlocks_is_told_and_its_end_too(tmp_path: Path, api_sandbox: RunningSandbox) -> None:
    with hook_server() as hook:
        (tmp_path / "webhooks.json").write_text(
            json.dumps({"endpoints": [{"name": "reports", "url": hook.url, "secrets": [SECRET]}]}), encoding="utf-8"
        )
        async with api_world(tmp_path, api_sandbox, webhooks_path=str(tmp_path / "webhooks.json")) as world:
            world.container.webhooks.start()
            browser = await world.browser().sign_in()
            await browser.get("/api/payment/subscriptions")
            started = (await browser.post("/api/payment/checkout", json={"price_id": world.price()})).json()
            await browser.pay(started["checkout_url"])
            await world.control("GET", "settled")
            session = await session_of(world, browser)
            await world.container.refresher.ask(session, "all", fresh=True)
            unlocked = await next_of(hook, "entitlements.changed")

            await world.control("PUT", f"users/{session.user.user_id}/plan", {"status": "canceled", "plan": "premium"})
            await world.container.refresher.ask(session, "all", fresh=True)
            locked = await next_of(hook, "entitlements.changed")

    assert (unlocked["data"]["plan"], unlocked["data"]["features"]["projects"]) == ("premium", "unlimited")
    assert unlocked["data"]["user_id"] == session.user.user_id
    assert (locked["data"]["access"], locked["data"]["features"]["projects"]) == (False, 3)
