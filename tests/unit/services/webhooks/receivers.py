"""A receiver of webhooks in this process, and a replica that tells it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import SecretStr
from standardwebhooks import Webhook

from services.upstream.responses import Call, RawResponse
from services.upstream.transport import Transport
from services.webhooks.absent import AbsentCustomers
from services.webhooks.deliverer import WebhookDeliverer
from services.webhooks.endpoints import Endpoint
from services.webhooks.sender import WebhookSender
from tests.replica import Outside, Replica

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ENDPOINT: Final = Endpoint(name="reports", url="https://reports.example/hooks", secrets=(SecretStr(SECRET),))


class HookReceiver(Transport):
    """Takes what it is sent, or answers what a test wants; keeps all of it, and refuses a wrong signature."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        """What to answer next; after these, 200."""
        self.headers: dict[str, str] = {}
        self.got: list[dict[str, Any]] = []
        self.tried: list[str] = []

    async def send(
        self, call: Call, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> RawResponse:
        text, sent_at = (body or b"").decode(), datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        assert headers["webhook-signature"] == Webhook(SECRET).sign(headers["webhook-id"], sent_at, text)
        self.tried.append(headers["webhook-id"])
        status = self.statuses.pop(0) if self.statuses else 200
        if status < 300:
            self.got.append({"id": headers["webhook-id"], **json.loads(text)})
        return RawResponse(status, dict(self.headers), b"")

    async def aclose(self) -> None:
        """There is nothing to close."""

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was taken, each event once, in the order of its first arrival."""
        return list({event["id"]: event for event in reversed(self.got)}.values())[::-1]

    @property
    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]


class Telling:
    """A replica whose customers' changes are told to a receiver."""

    def __init__(self, outside: Outside, receiver: HookReceiver, endpoint: Endpoint = ENDPOINT) -> None:
        self.replica = Replica(outside, endpoints=(endpoint,))
        absent = AbsentCustomers(self.replica.outbox, self.replica.refresher, self.replica.checkouts)
        self.deliverer = WebhookDeliverer(
            outside.store, self.replica.outbox, [WebhookSender(endpoint, receiver)],
            look=absent.look, settle=absent.settle, now=outside.clock,
        )  # fmt: skip

    @property
    def outbox(self) -> Any:
        return self.replica.outbox
