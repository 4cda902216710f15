"""The Payment MS's project ``webhook_url``: tells the app that something changed, signed. Off without a secret."""

import asyncio
import hashlib
import hmac
import json
import time

import httpx

from sandbox.state import SandboxState
from sandbox.stripe.objects import StripeEvent

_PAUSES = (0.0, 1.0, 3.0)


def signature(secret: str, timestamp: int, body: str) -> str:
    """The ``X-Signature`` header: HMAC-SHA256 over ``{timestamp}.{body}``."""
    digest = hmac.new(secret.encode(), f"{timestamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


class AppPush:
    """Posts each recorded event; three attempts, and the outcome stands in the event's history."""

    def __init__(self, state: SandboxState, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """`transport` takes the place of the network, for an app in the same process."""
        self._state = state
        self._client = httpx.AsyncClient(timeout=5.0, trust_env=False, transport=transport)
        self._tasks: set[asyncio.Task[None]] = set()
        if state.settings.events_url and state.settings.events_secret:
            state.webhooks.on_recorded.append(self._begin)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    def _begin(self, event: StripeEvent) -> None:
        task = asyncio.get_running_loop().create_task(self._post(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _post(self, event: StripeEvent) -> None:
        secret = self._state.settings.events_secret
        subscription = event.subscription
        if secret is None or subscription is None:
            return
        content = {
            "id": event.id,
            "type": event.type,
            "created": int(event.created.timestamp()),
            "user_id": event.user_id,
            "product_id": subscription.product_id,
        }
        body = json.dumps(content, separators=(",", ":"))
        result = "not tried"
        for pause in _PAUSES:
            await asyncio.sleep(pause)
            headers = {
                "Content-Type": "application/json",
                "X-Signature": signature(secret.get_secret_value(), int(time.time()), body),
            }
            try:
                answer = await self._client.post(self._state.settings.events_url, content=body, headers=headers)
                result = f"HTTP {answer.status_code}"
                if answer.status_code < 500:
                    break
            except httpx.HTTPError as error:
                result = type(error).__name__
        self._state.webhooks.note(event.id, "app", result)
