"""Users and their customers at Stripe: made once, found again.

A customer that was made at Stripe and not written here (a crash, a lost answer, a restored backup) is found again by
its metadata, and in the first day by the idempotency key as well.
"""

import hashlib
import time
from typing import Final

import structlog
from sqlalchemy import delete, select, update
from stripe import Customer, InvalidRequestError

from payment_service.database import CustomerRow, ServiceDatabase, insert
from payment_service.stripe_api import StripeAPI

_log = structlog.get_logger(__name__)
LONGEST_ID: Final = 200
_VISIT: Final = 1800
"""Seconds for which somebody who was sent to Stripe is thought to be there."""


class Customers:
    """The customers of one project."""

    def __init__(self, database: ServiceDatabase, stripe: StripeAPI, project: str) -> None:
        self._database = database
        self._stripe = stripe
        self._project = project

    def known(self, user_id: str) -> str | None:
        """Return the customer that a user is known to be; asks nobody."""
        with self._database.reading() as session:
            return session.scalar(select(CustomerRow.customer_id).where(CustomerRow.user_id == user_id))

    def sent_to_stripe(self, user_id: str) -> None:
        """Note that a user goes to Stripe now, to pay or to its portal."""
        self._stays(user_id, int(time.time()) + _VISIT)

    def back_from_stripe(self, user_id: str) -> None:
        """Note that all that a user did at Stripe is on record."""
        self._stays(user_id, 0)

    def at_stripe(self, user_id: str) -> str | None:
        """Return the customer of a user who may be doing something at Stripe; None for anybody else."""
        there = CustomerRow.at_stripe_until > int(time.time())
        with self._database.reading() as session:
            return session.scalar(select(CustomerRow.customer_id).where(CustomerRow.user_id == user_id, there))

    def find_or_make(self, user_id: str, email: str, instead_of: str = "") -> tuple[str, bool]:
        """Return a user's customer, and whether it was made just now; `instead_of` is one that is gone at Stripe."""
        if instead_of:
            with self._database.writing() as session:
                session.execute(delete(CustomerRow).where(CustomerRow.customer_id == instead_of))
        known = self.known(user_id)
        if known is not None:
            return known, False
        found = self._found_at_stripe(user_id, instead_of)
        made = found is None
        if found is None:
            identity = "\0".join((self._project, user_id, email, instead_of))
            found = self._stripe.v1.customers.create(
                {"email": email, "metadata": {"user_id": user_id, "project": self._project}},
                {"idempotency_key": f"customer-{hashlib.sha256(identity.encode()).hexdigest()[:40]}"},
            )
        self._stripe.same_mode(found)
        return self._keep(user_id, found.id), made

    def user_of(self, customer_id: str, told: str = "") -> str | None:
        """Return whose customer this is: ours, or the one that its metadata (`told`, or Stripe's) names."""
        with self._database.reading() as session:
            known = session.scalar(select(CustomerRow.user_id).where(CustomerRow.customer_id == customer_id))
        if known is not None:
            return known
        user_id = told or self._told_by_stripe(customer_id)
        if user_id is None:
            return None
        self._keep(user_id, customer_id)
        return user_id

    def is_known(self, customer_id: str) -> bool:
        """Return whether this is a customer of ours; asks nobody."""
        with self._database.reading() as session:
            return session.scalar(select(CustomerRow).where(CustomerRow.customer_id == customer_id)) is not None

    def forget(self, customer_id: str) -> None:
        """A customer was deleted at Stripe: the user's next checkout makes another."""
        with self._database.writing() as session:
            session.execute(delete(CustomerRow).where(CustomerRow.customer_id == customer_id))

    def _stays(self, user_id: str, until: int) -> None:
        with self._database.writing() as session:
            mine = update(CustomerRow).where(CustomerRow.user_id == user_id)
            session.execute(mine.values(at_stripe_until=until))

    def _keep(self, user_id: str, customer_id: str) -> str:
        """Write it down, unless another thread was first; return the one that is written."""
        row = {"user_id": user_id, "customer_id": customer_id, "created": int(time.time())}
        with self._database.writing() as session:
            insert(session, CustomerRow, row)
            return session.scalar(select(CustomerRow.customer_id).where(CustomerRow.user_id == user_id)) or customer_id

    def _found_at_stripe(self, user_id: str, gone: str) -> Customer | None:
        query = f"metadata['user_id']:'{_quoted(user_id)}' AND metadata['project']:'{self._project}'"
        try:
            found = self._stripe.v1.customers.search({"query": query, "limit": 10}).data
        except InvalidRequestError as error:  # where Stripe has no search, as in India
            _log.warning("customer_search_refused", code=error.code)
            return None
        return min((one for one in found if one.id != gone), key=lambda one: one.created, default=None)

    def _told_by_stripe(self, customer_id: str) -> str | None:
        found = self._stripe.v1.customers.retrieve(customer_id)
        if getattr(found, "deleted", False):
            return None
        metadata = found.metadata.to_dict() if found.metadata else {}
        if metadata.get("project", self._project) != self._project:
            return None
        return metadata.get("user_id") or None


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
