"""`POST /api/payment/events`: the Payment MS says that something changed for a customer. It is believed no further.

Signed with HMAC-SHA256 over timestamp and body; old, repeated or unsigned calls are refused. It makes the poller look
now, and carries no truth itself.
"""

import hashlib
import hmac
import re
import time
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from api.problems import BadRequest, problem_docs
from api.strict_json import read_json
from services.container import Container
from services.storage.port import Store

TOLERANCE: Final = 300
"""Seconds that the sender's clock, or its queue, may be off."""

_BODY: Final = {
    "requestBody": {
        "required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PaymentEvent"}}}
    }
}  # fmt: skip
"""Said in the document only: what is signed are the bytes as they were sent."""

Signature = Annotated[
    str, Header(max_length=200, description='`t=<unix time>,v1=<hex HMAC-SHA256 of "t.body">`, by the shared secret.')
]

_SIGNATURE: Final = re.compile(r"t=(?P<time>\d{1,12}),v1=(?P<digest>[0-9a-f]{64})", re.ASCII)

_log = structlog.get_logger("security")


class PaymentEvent(BaseModel):
    """What the Payment MS sends; only the customer is read."""

    model_config = ConfigDict(extra="ignore")

    user_id: str = Field(min_length=1, max_length=255)


def events_routes(container: Container) -> APIRouter:
    """The one route; without a secret it is not there."""
    router = APIRouter(tags=["events"])

    @router.post("/payment/events", status_code=204, responses=problem_docs(404, changes=True), openapi_extra=_BODY)
    async def receive_payment_event(request: Request, x_signature: Signature = "") -> Response:
        """For the Payment MS: look now at what a customer has. Off without PAYMENT_MS_WEBHOOK_SECRET."""
        secret = container.settings.payment_ms_webhook_secret
        if secret is None:
            raise BadRequest(404)
        body = await request.body()
        now = container.payment_upstream.clock_skew.now()
        sent_at = now.timestamp() if now is not None else time.time()
        if not signature_fits(x_signature, body, secret, sent_at) or not await _first_time(
            container.store, x_signature
        ):
            _log.warning("event_refused", reason="signature, age or replay")
            raise BadRequest(403)
        try:
            event = PaymentEvent.model_validate(read_json(body))
        except (ValueError, ValidationError):
            raise BadRequest(400) from None
        await container.alarms.event_received()
        await container.status.poll_once(event.user_id)
        await container.outbox.look_soon(event.user_id)
        return Response(status_code=204)

    return router


def signature_fits(header: str, body: bytes, secret: SecretStr, now: float) -> bool:
    """Whether the header signs this body with our secret, no more than five minutes ago or ahead."""
    found = _SIGNATURE.fullmatch(header)
    if found is None or abs(now - int(found["time"])) > TOLERANCE:
        return False
    signed = found["time"].encode() + b"." + body
    expected = hmac.new(secret.get_secret_value().encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, found["digest"])


async def _first_time(store: Store, header: str) -> bool:
    """Whether this signature was never used; raises StoreUnavailable when the store can't say."""
    return await store.add(f"event:{hashlib.sha256(header.encode()).hexdigest()}", "", 2 * TOLERANCE)
