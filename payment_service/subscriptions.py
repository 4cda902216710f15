"""The subscriptions that are on record. Nothing here asks Stripe: a status is one read of the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue
from sqlalchemy import select

from payment_service.database import ServiceDatabase, SubscriptionRow
from payment_service.documents import ENDED, Document, moment, now_seconds

SHOWN_AFTER_END: Final = 90 * 86400
"""Seconds for which an ended subscription is still among all of a user."""


@dataclass(frozen=True)
class Subscriptions:
    """What a user has: the live ones first, then the newest."""

    database: ServiceDatabase

    def status(self, user_id: str, product_id: str) -> Document:
        """Return the status object of a user's subscription to a product: the live one, else the newest."""
        for row in self._of(user_id):
            for document in row.documents:
                if document.get("product_id") == product_id:
                    return _told(row, document)
        return {"exists": False}

    def all_of(self, user_id: str) -> Document:
        """Return all of a user's: live ones first, newest first; those that ended in the last 90 days too."""
        since = now_seconds() - SHOWN_AFTER_END
        shown = [row for row in self._of(user_id) if row.ended_at is None or row.ended_at >= since]
        told: list[JsonValue] = [_told(row, row.documents[0]) for row in shown if row.documents]
        return {"subscriptions": told, "as_of": moment(now_seconds())}

    def account(self, user_id: str) -> Document:
        """Return what an Auth MS is told of a user: status, plan and end of the first one, and all of them."""
        first = next(iter(self._of(user_id)), None)
        return {
            "user_id": user_id,
            "status": first.status if first else "none",
            "plan": first.plan if first else None,
            "expires_at": first.documents[0].get("current_period_end") if first and first.documents else None,
            **self.all_of(user_id),
        }

    def live(self, user_id: str, group: str | None = None) -> list[SubscriptionRow]:
        """Return a user's live subscriptions, of one group or of all."""
        return [row for row in self._of(user_id) if row.status not in ENDED and group in (None, row.group_name)]

    def _of(self, user_id: str) -> Sequence[SubscriptionRow]:
        with self.database.reading() as session:
            rows = session.scalars(select(SubscriptionRow).where(SubscriptionRow.user_id == user_id)).all()
        return sorted(rows, key=lambda row: (row.status not in ENDED, row.created, row.id), reverse=True)


def _told(row: SubscriptionRow, document: Document) -> Document:
    told: Document = {**document, "as_of": moment(row.as_of)}
    return {**told, "next_charge": row.next_charge} if row.charge_known else told
