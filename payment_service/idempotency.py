"""`Idempotency-Key`: the same key and body have the same answer for a day; with another body the key is refused."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from payment_service.database import AnswerRow, ServiceDatabase, insert
from payment_service.documents import Document, now_seconds
from payment_service.errors import ServiceError, key_reused

KEPT: Final = 86400
LONGEST: Final = 255


@dataclass(frozen=True)
class Idempotency:
    """The answers that are kept. Only successes are: what was refused may be allowed a moment later."""

    database: ServiceDatabase
    project: str

    def once(self, key: str, request: Mapping[str, JsonValue], answer: Callable[[str], Document]) -> Document:
        """Return the answer to a request, made by `answer` if it is the first; raises IDEMPOTENCY_KEY_REUSED.

        `answer` gets the key for Stripe. Two requests that come at once make the same calls there, under the same keys.
        """
        if not key:
            return answer("")
        if len(key) > LONGEST:
            raise ServiceError(400, "VALIDATION_FAILED", "Idempotency-Key is too long", f"At most {LONGEST}.")
        own = hashlib.sha256(f"{self.project}\0{key}".encode()).hexdigest()
        body = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
        with self.database.reading() as session:
            known = session.get(AnswerRow, own)
        if known is None or known.created <= now_seconds() - KEPT:
            row = {"key": own, "request": body, "answer": answer(own), "created": now_seconds()}
            with self.database.writing() as session:
                insert(session, AnswerRow, row, replace=known is not None)  # what is known by now is over
                known = session.get_one(AnswerRow, own)
        if known.request != body:
            raise key_reused()
        return known.answer
