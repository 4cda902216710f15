"""`Idempotency-Key` as the second version honours it: the same key and body have the same answer for a day."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel
from starlette.responses import Response

from sandbox.clock import SandboxClock
from sandbox.database import Database, DocumentStore
from sandbox.payment.go_json import problem

_KEPT_FOR: Final = timedelta(hours=24)


class Answered(BaseModel):
    """What was answered under a key, to which body."""

    asked: str
    body: str
    at: datetime


class IdempotentAnswers:
    """Answers by key. Only those of calls that succeeded are kept: a failure may be tried again."""

    def __init__(self, database: Database, clock: SandboxClock) -> None:
        self._clock = clock
        self._answers = DocumentStore(database, "idempotent_answer", Answered)

    def answer(self, key: str, kind: str, body: bytes, call: Callable[[], Response]) -> Response:
        """The kept answer, or that of the call; 409 where the key was for another body."""
        if not key:
            return call()
        asked = hashlib.sha256(kind.encode() + b"\n" + body).hexdigest()
        known = self._answers.get(key)
        if known is not None and self._clock.now() - known.at < _KEPT_FOR:
            if known.asked != asked:
                said = "The key was used for another request"
                return problem(409, "conflict", "IDEMPOTENCY_KEY_REUSED", said, "Another body came with this key")
            return Response(known.body, media_type="application/json")
        response = call()
        if response.status_code == 200:
            self._answers.put(key, Answered(asked=asked, body=bytes(response.body).decode(), at=self._clock.now()))
        return response
