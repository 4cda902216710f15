"""Stripe's portal sessions: a link to one customer's billing that is good for an hour of real time."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sandbox.database import Database, Shelf
from sandbox.stripe_objects import PortalSession, new_id

_LIFE: Final = timedelta(hours=1)


class PortalDesk:
    def __init__(self, database: Database) -> None:
        self._shelf = Shelf(database, "portal_session", PortalSession)

    def open(self, user_id: str, return_url: str) -> PortalSession:
        session = PortalSession(id=new_id("bps"), user_id=user_id, return_url=return_url, created=datetime.now(UTC))
        return self._shelf.put(session.id, session, owner=user_id)

    def get(self, session_id: str) -> PortalSession | None:
        """The session, with or without the ``test_`` its address carries; None when unknown or too old."""
        session = self._shelf.get(session_id.removeprefix("test_"))
        return session if session and datetime.now(UTC) - session.created < _LIFE else None
