"""Posts events to webhook endpoints as Stripe does: signed, at least once, the events of one customer in turn."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Final
from weakref import WeakValueDictionary

import httpx

from sandbox.state import SandboxState
from sandbox.stripe.endpoints import WebhookEndpoint
from sandbox.stripe.objects import Delivery, StripeEvent
from sandbox.stripe.rest.shapes.events import about_shape, event_shape

_TIMEOUT: Final = httpx.Timeout(20.0, pool=None)
_AT_ONCE: Final = httpx.Limits(max_connections=32, max_keepalive_connections=32)


def signature(secret: str, timestamp: int, body: str) -> str:
    """The `Stripe-Signature` header (https://docs.stripe.com/webhooks#verify-manually)."""
    digest = hmac.new(secret.encode(), f"{timestamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


class EndpointPoster:
    """What `Webhooks` hands deliveries to. Says of each how it went; who is to try again is not its business."""

    def __init__(
        self,
        state: SandboxState,
        transport: httpx.AsyncBaseTransport | None = None,
        real_time: Callable[[], float] = time.time,
    ) -> None:
        """`transport` takes the place of the network, for a service in the same process; `real_time` is its clock's."""
        self._state, self._real_time = state, real_time
        self._client = httpx.AsyncClient(timeout=_TIMEOUT, limits=_AT_ONCE, trust_env=False, transport=transport)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        state.webhooks.shape = lambda event: about_shape(state, event)
        state.webhooks.post = self._begin

    async def close(self) -> None:
        posts = list(self._state.webhooks.posts)
        for task in posts:
            task.cancel()
        await asyncio.gather(*posts, return_exceptions=True)
        await self._client.aclose()

    def _begin(self, delivery: Delivery, event: StripeEvent) -> None:
        posts = self._state.webhooks.posts
        task = asyncio.get_running_loop().create_task(self._deliver(delivery, event))
        posts.add(task)
        task.add_done_callback(posts.discard)

    async def _deliver(self, delivery: Delivery, event: StripeEvent) -> None:
        endpoint = self._state.endpoints.get(delivery.endpoint)
        turn = self._turns.setdefault(event.customer or event.user_id or event.id, asyncio.Lock())
        async with turn:
            said = await self._post(endpoint, event) if endpoint else "gone"
        self._state.webhooks.answered(delivery, said)

    async def _post(self, endpoint: WebhookEndpoint, event: StripeEvent) -> str:
        """`recorded` for any 2xx, else what was wrong."""
        body = json.dumps(event_shape(self._state, event), separators=(",", ":"))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            # The receiver compares it with its own clock, so it goes by the real time, whatever the sandbox's is.
            "Stripe-Signature": signature(endpoint.secret, int(self._real_time()), body),
        }
        try:
            answer = await self._client.post(endpoint.url, content=body, headers=headers)
        except httpx.HTTPError as error:
            return type(error).__name__
        return "recorded" if answer.is_success else f"HTTP {answer.status_code}"
