"""Users and their customers at Stripe: made once, found again.

A customer that was made at Stripe and not written here (a crash, a lost answer, a restored backup) is found again by
its metadata, and in the first day by the idempotency key as well.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from stripe import Customer, InvalidRequestError

from payment_service.database import CustomerRow, ServiceDatabase, changed, insert
from payment_service.documents import metadata_of, now_seconds
from payment_service.stripe_api import StripeAPI

_VISIT: Final = 1800
"""Seconds for which somebody who was sent to Stripe is thought to be there."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Customers:
    """The customers of one project."""

    database: ServiceDatabase
    stripe: StripeAPI
    project: str

    def known(self, user_id: str) -> str | None:
        """Return the customer that a user is known to be; asks nobody."""
        with self.database.reading() as session:
            return session.scalar(select(CustomerRow.customer_id).where(CustomerRow.user_id == user_id))

    def owner(self, customer_id: str) -> str | None:
        """Return the user that a customer is known to be; asks nobody."""
        with self.database.reading() as session:
            return session.scalar(select(CustomerRow.user_id).where(CustomerRow.customer_id == customer_id))

    def sent_to_stripe(self, user_id: str) -> None:
        """Note that a user goes to Stripe now, to pay or to its portal."""
        self._stays(user_id, now_seconds() + _VISIT)

    def back_from_stripe(self, user_id: str) -> None:
        """Note that all that a user did at Stripe is on record."""
        self._stays(user_id, 0)

    def has_news(self, session: Session, user_id: str) -> None:
        """Note, in the transaction of what is written of a user, that they have something else now."""
        session.execute(update(CustomerRow).where(CustomerRow.user_id == user_id).values(untold=True))

    def take_news(self, session: Session, user_id: str) -> bool:
        """Return whether a user has something else since this was last asked, by any instance's look or event."""
        untold = update(CustomerRow).where(CustomerRow.user_id == user_id, CustomerRow.untold)
        return changed(session, untold.values(untold=False)) > 0

    def at_stripe(self, user_id: str) -> str | None:
        """Return the customer of a user who may be doing something at Stripe; None for anybody else."""
        there = CustomerRow.at_stripe_until > now_seconds()
        with self.database.reading() as session:
            return session.scalar(select(CustomerRow.customer_id).where(CustomerRow.user_id == user_id, there))

    def find_or_make(self, user_id: str, email: str, instead_of: str = "") -> tuple[str, bool]:
        """Return a user's customer, and whether it was made just now; `instead_of` is one that is gone at Stripe."""
        if instead_of:
            self.forget(instead_of)
        known = self.known(user_id)
        if known is not None:
            return known, False
        found = self._found_at_stripe(user_id, instead_of)
        made = found is None
        if found is None:
            identity = "\0".join((self.project, user_id, email, instead_of))
            found = self.stripe.v1.customers.create(
                {"email": email, "metadata": {"user_id": user_id, "project": self.project}},
                {"idempotency_key": f"customer-{hashlib.sha256(identity.encode()).hexdigest()[:40]}"},
            )
        self.stripe.same_mode(found)
        self._keep(user_id, found.id)
        return self.known(user_id) or found.id, made  # another thread may have been first

    def user_of(self, customer_id: str, told: str = "") -> str | None:
        """Return whose customer this is: ours, or the one that its metadata (`told`, or Stripe's) names."""
        known = self.owner(customer_id)
        if known is not None:
            return known
        user_id = told or self._told_by_stripe(customer_id)
        if user_id is not None:
            self._keep(user_id, customer_id)
        return user_id

    def forget(self, customer_id: str) -> None:
        """A customer was deleted at Stripe: the user's next checkout makes another."""
        with self.database.writing() as session:
            session.execute(delete(CustomerRow).where(CustomerRow.customer_id == customer_id))

    def _stays(self, user_id: str, until: int) -> None:
        with self.database.writing() as session:
            session.execute(update(CustomerRow).where(CustomerRow.user_id == user_id).values(at_stripe_until=until))

    def _keep(self, user_id: str, customer_id: str) -> None:
        row = {"user_id": user_id, "customer_id": customer_id, "created": now_seconds()}
        with self.database.writing() as session:
            insert(session, CustomerRow, row)

    def _found_at_stripe(self, user_id: str, gone: str) -> Customer | None:
        quoted = user_id.replace("\\", "\\\\").replace("'", "\\'")
        query = f"metadata['user_id']:'{quoted}' AND metadata['project']:'{self.project}'"
        try:
            found = self.stripe.v1.customers.search({"query": query, "limit": 10}).data
        except InvalidRequestError as error:  # where Stripe has no search, as in India
            _log.warning("customer_search_refused", code=error.code)
            return None
        return min((one for one in found if one.id != gone), key=lambda one: one.created, default=None)

    def _told_by_stripe(self, customer_id: str) -> str | None:
        """Return whom a customer's metadata names; those of another project, and deleted ones, are nobody's."""
        metadata = metadata_of(self.stripe.v1.customers.retrieve(customer_id))
        ours = metadata.get("project", self.project) == self.project
        return metadata.get("user_id") or None if ours else None
