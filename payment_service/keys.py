"""The project's API keys: made, listed, revoked, and looked up. A key is shown once and kept as its hash only."""

import hashlib
import secrets
import time
from typing import Final

from pydantic import SecretStr
from sqlalchemy import select, update

from payment_service.database import ApiKeyRow, ServiceDatabase, changed, insert
from payment_service.documents import now_seconds

REMEMBERED: Final = 10.0
"""Seconds for which a key that was found is taken unasked: so long may a revoked one still work."""


class KeyNameTaken(Exception):
    """There is a key of that name."""


class ProjectKeys:
    """All keys that are taken: those in the database, and one from the settings if there is one."""

    def __init__(self, database: ServiceDatabase, also: SecretStr | None = None) -> None:
        self._database = database
        self._taken_until = {_digest(also.get_secret_value()): float("inf")} if also else {}

    def accepts(self, key: str) -> bool:
        """Return whether a caller with this key is let in."""
        digest, now = _digest(key), time.monotonic()
        if self._taken_until.get(digest, 0.0) > now:
            return True
        with self._database.reading() as session:
            found = session.scalar(select(ApiKeyRow).where(ApiKeyRow.digest == digest, ApiKeyRow.revoked.is_(None)))
        if found is not None:
            self._taken_until[digest] = now + REMEMBERED
        return found is not None

    def make(self, name: str) -> str:
        """Make a key and return it: the one time that it is to be had. Raises KeyNameTaken."""
        key = f"proj_{secrets.token_urlsafe(32)}"
        row = {"digest": _digest(key), "name": name, "hint": key[-4:], "created": now_seconds(), "revoked": None}
        with self._database.writing() as session:
            if not insert(session, ApiKeyRow, row):
                raise KeyNameTaken(name)
        return key

    def listed(self) -> list[ApiKeyRow]:
        """Return every key ever made, oldest first."""
        with self._database.reading() as session:
            return list(session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.created, ApiKeyRow.name)))

    def revoke(self, name: str) -> bool:
        """Let nobody in with this key any more; return whether there was one to revoke."""
        wanted = update(ApiKeyRow).where(ApiKeyRow.name == name, ApiKeyRow.revoked.is_(None))
        with self._database.writing() as session:
            return changed(session, wanted.values(revoked=now_seconds())) > 0


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
