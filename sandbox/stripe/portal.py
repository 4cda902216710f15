"""Stripe's portal sessions: a link to one customer's billing that is good for an hour of real time."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sandbox.clock import SandboxClock
from sandbox.database import Database, DocumentStore
from sandbox.stripe.objects import Document, new_id

_LIFE: Final = timedelta(hours=1)


class StripePortalSession(Document):
    id: str
    user_id: str
    customer: str = ""
    return_url: str
    created: datetime
    locale: str = ""
    flow: str = ""
    """The one thing that it was opened for, in Stripe's words; empty for all of billing."""
    flow_subscription: str = ""
    flow_return_url: str = ""


class StripePortal:
    def __init__(self, database: Database, clock: SandboxClock) -> None:
        self._clock = clock
        self._documents = DocumentStore(database, "portal_session", StripePortalSession)

    def open(
        self,
        user_id: str,
        customer: str,
        return_url: str,
        *,
        locale: str = "",
        flow: str = "",
        flow_subscription: str = "",
        flow_return_url: str = "",
    ) -> StripePortalSession:
        """A link to what this customer has; a user's other customers are not shown there."""
        session = StripePortalSession(
            id=new_id("bps"),
            user_id=user_id,
            customer=customer,
            return_url=return_url,
            created=self._now(),
            locale=locale,
            flow=flow,
            flow_subscription=flow_subscription,
            flow_return_url=flow_return_url,
        )
        return self._documents.put(session.id, session, owner=user_id)

    def get(self, session_id: str) -> StripePortalSession | None:
        """The session, with or without the ``test_`` its address carries; None when unknown or too old."""
        session = self._documents.get(session_id.removeprefix("test_"))
        return session if session and self._now() - session.created < _LIFE else None

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.real(), UTC)
