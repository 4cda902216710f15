"""`Idempotency-Key`: the same key and body have the same answer for a day; with another body the key is refused."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Final

from pydantic import JsonValue
from sqlalchemy import delete

from payment_service.database import AnswerRow, ServiceDatabase, insert
from payment_service.errors import ServiceError
from payment_service.subscriptions import Document

KEPT: Final = 86400
LONGEST: Final = 255


class Idempotency:
    """The answers that are kept. Only successes are: what was refused may be allowed a moment later."""

    def __init__(self, database: ServiceDatabase, project: str) -> None:
        self._database = database
        self._project = project

    def once(self, key: str, request: Mapping[str, JsonValue], answer: Callable[[str], Document]) -> Document:
        """Return the answer to a request, made by `answer` if it is the first; raises IDEMPOTENCY_KEY_REUSED.

        `answer` gets the key for Stripe. Two requests that come at once make the same calls there, under the same keys.
        """
        if not key:
            return answer("")
        if len(key) > LONGEST:
            raise ServiceError(400, "VALIDATION_FAILED", "Idempotency-Key is too long", f"At most {LONGEST}.")
        own = hashlib.sha256(f"{self._project}\0{key}".encode()).hexdigest()
        body = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
        with self._database.reading() as session:
            known = session.get(AnswerRow, own)
        if known is not None and known.created > time.time() - KEPT:
            return _same(known, body)
        made = answer(own)
        row = {"key": own, "request": body, "answer": made, "created": int(time.time())}
        with self._database.writing() as session:
            insert(session, AnswerRow, row, replace=known is not None)  # what is known by now is over
            return _same(session.get_one(AnswerRow, own), body)

    def prune(self) -> None:
        """Drop the answers that are older than a day."""
        with self._database.writing() as session:
            session.execute(delete(AnswerRow).where(AnswerRow.created < int(time.time()) - KEPT))


def _same(row: AnswerRow, body: str) -> Document:
    if row.request != body:
        description = "The key was used with another body; use a new key for another purchase."
        raise ServiceError(409, "IDEMPOTENCY_KEY_REUSED", "Idempotency-Key was used before", description)
    return row.answer
