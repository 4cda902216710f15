"""One event to one endpoint: signed as Standard Webhooks says, once, and what came of it."""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from standardwebhooks import Webhook

from services.errors import FrontendError
from services.upstream.responses import Call
from services.upstream.transport import Transport
from services.webhooks.endpoints import Endpoint
from services.webhooks.model import WebhookEvent

DEADLINE: Final = 15.0
"""Seconds that a receiver may take: as the specification advises."""

CONNECT_TIMEOUT: Final = 5.0
GONE: Final = 410


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of one try. `taken`: the receiver said so. `gone`: it wants no more. `why` is a word for operators."""

    taken: bool
    gone: bool
    why: str
    retry_after: float | None = None


class WebhookSender:
    """Sends to one endpoint."""

    def __init__(self, endpoint: Endpoint, transport: Transport | None = None) -> None:
        parts = urlsplit(endpoint.url)
        self.endpoint = endpoint
        self._path = parts.path
        self._transport = transport or Transport(
            f"{parts.scheme}://{parts.netloc}", connect_timeout=CONNECT_TIMEOUT, max_connections=4
        )

    async def send(self, event: WebhookEvent, now: datetime) -> Sent:
        """Try once. Never raises for what a receiver or the way to it does."""
        body = json.dumps(event.body, separators=(",", ":"), ensure_ascii=False)
        headers = self._headers(event, now, body)
        call = Call("webhook", self.endpoint.name, event.id)
        try:
            async with asyncio.timeout(DEADLINE):
                answer = await self._transport.send(call, "POST", self._path, headers, body.encode())
        except TimeoutError:
            return Sent(taken=False, gone=False, why="timeout")
        except FrontendError as error:
            return Sent(taken=False, gone=False, why=getattr(error, "reason", None) or error.code)
        given = answer.headers.get("retry-after", "")
        return Sent(
            taken=200 <= answer.status < 300,
            gone=answer.status == GONE,
            why=str(answer.status),
            retry_after=float(given) if given.isdecimal() and len(given) < 7 else None,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    def _headers(self, event: WebhookEvent, now: datetime, body: str) -> dict[str, str]:
        signatures = (
            Webhook(secret.get_secret_value()).sign(event.id, now, body) for secret in self.endpoint.secrets
        )  # fmt: skip
        return {
            "Content-Type": "application/json",
            "webhook-id": event.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
