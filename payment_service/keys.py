"""The project's API keys: made, listed, revoked, and looked up. A key is shown once and kept as its hash only."""

import hashlib
import hmac
import secrets
import threading
import time
from typing import Final

from pydantic import SecretStr
from sqlalchemy import select, update

from payment_service.database import ApiKeyRow, ServiceDatabase, insert

REMEMBERED: Final = 10.0
"""Seconds for which a key that was found is taken unasked: so long may a revoked one still work."""
_MOST_REMEMBERED: Final = 100


class KeyNameTaken(Exception):
    """There is a key of that name."""


class ProjectKeys:
    """All keys that are taken: those in the database, and one from the settings if there is one."""

    def __init__(self, database: ServiceDatabase, also: SecretStr | None = None) -> None:
        self._database = database
        self._also = _digest(also.get_secret_value()) if also else ""
        self._known: dict[str, float] = {}
        self._lock = threading.Lock()

    def accepts(self, key: str) -> bool:
        """Return whether a caller with this key is let in."""
        digest = _digest(key)
        if self._also and hmac.compare_digest(digest, self._also):
            return True
        now = time.monotonic()
        if self._known.get(digest, 0.0) > now:
            return True
        with self._database.reading() as session:
            found = session.scalar(select(ApiKeyRow).where(ApiKeyRow.digest == digest, ApiKeyRow.revoked.is_(None)))
        with self._lock:
            if found is None or len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            if found is not None:
                self._known[digest] = now + REMEMBERED
        return found is not None

    def make(self, name: str) -> str:
        """Make a key and return it: the one time that it is to be had. Raises KeyNameTaken."""
        key = f"proj_{secrets.token_urlsafe(32)}"
        row = {"digest": _digest(key), "name": name, "hint": key[-4:], "created": int(time.time()), "revoked": None}
        with self._database.writing() as session:
            if session.scalar(select(ApiKeyRow).where(ApiKeyRow.name == name)) is not None:
                raise KeyNameTaken(name)
            insert(session, ApiKeyRow, row)
        return key

    def listed(self) -> list[ApiKeyRow]:
        """Return every key ever made, oldest first."""
        with self._database.reading() as session:
            return list(session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.created, ApiKeyRow.name)))

    def revoke(self, name: str) -> bool:
        """Let nobody in with this key any more; return whether there was one to revoke."""
        wanted = (ApiKeyRow.name == name, ApiKeyRow.revoked.is_(None))
        with self._database.writing() as session:
            found = session.execute(update(ApiKeyRow).where(*wanted).values(revoked=int(time.time())))
        return bool(found.rowcount)  # type: ignore[attr-defined]


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
