"""The one way in which anything of Stripe's is written: fetch the object now, and write it, unless newer is written.

Events only say what to look at. They may come twice, late and in any order, in two instances at the same moment: each
fetch takes a ticket first, and a fetch with a lower ticket than what is written is dropped. Whatever changed at Stripe
before an event came is in what is fetched after its ticket was taken, so the highest ticket that was written has it
all. No lock is held while Stripe is asked, and a crash leaves nothing but an unused number.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from stripe import InvalidRequestError, StripeError, Subscription
from stripe.checkout import Session as CheckoutSession

from payment_service.customers import Customers
from payment_service.database import CustomerRow, ServiceDatabase, SessionRow, SubscriptionRow, TicketRow, insert
from payment_service.guards import SecondSubscriptions
from payment_service.prices import Prices, SoldProduct
from payment_service.sessions import session_document
from payment_service.stripe_api import StripeAPI
from payment_service.subscriptions import (
    Document,
    charges_next,
    documents_of,
    may_still_be_charged,
    never_charges_again,
    next_charge,
    now_seconds,
    period_end,
)

SOLD_BY: Final = "billing-payment-service"
"""Stands in the metadata of what this service's checkouts made: only that is ever canceled or refunded by it."""

_NEWEST_INVOICES: Final = 20
"""Among so many of a subscription's the ones are looked for that wait for money."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom a written object is about."""

    user_id: str
    product_id: str = ""


class Sync:
    """Fetches and writes."""

    def __init__(
        self,
        database: ServiceDatabase,
        stripe: StripeAPI,
        customers: Customers,
        prices: Prices,
        seconds: SecondSubscriptions,
        project: str,
    ) -> None:
        self._database = database
        self._stripe = stripe
        self._customers = customers
        self._prices = prices
        self._seconds = seconds
        self._project = project

    def subscription(self, subscription_id: str, *, look_again: bool = False) -> Concerned | None:
        """Bring a subscription up to date; return whose it is, None where it is nobody's of this project.

        What is charged next is asked only where the subscription changed, or when told to look again.
        """
        ticket = self.ticket(subscription_id)
        try:
            found = self._stripe.v1.subscriptions.retrieve(
                subscription_id, {"expand": ["schedule", "schedule.phases.items.price"]}
            )
        except InvalidRequestError as error:
            if error.code != "resource_missing":
                raise
            return None
        self._stripe.same_mode(found)
        metadata = found.metadata.to_dict() if found.metadata else {}
        user_id = self._owner(found, metadata)
        if user_id is None:
            _log.info("subscription_of_nobody", subscription=found.id)
            return None
        documents = documents_of(found)
        first = documents[0] if documents and isinstance(documents[0], dict) else {}
        product = str(first.get("product_id", ""))
        sold = self._prices.product(product) if product else SoldProduct(metadata.get("group", ""), "")
        row: dict[str, object] = {
            "id": found.id,
            "user_id": user_id,
            "customer_id": _id(found.customer),
            "group_name": sold.group,
            "plan": sold.plan,
            "status": found.status,
            "sold_here": metadata.get("sold_by") == SOLD_BY,
            "created": found.created,
            "ended_at": found.ended_at,
            "documents": documents,
        }
        row |= self._charge(found, look_again)
        with self._database.writing() as session:
            if _is_newest(session, found.id, ticket):
                # Two subscriptions of one user may be written at once; each must see the other.
                session.execute(select(CustomerRow).where(CustomerRow.user_id == user_id).with_for_update())
                insert(session, SubscriptionRow, {**row, "as_of": now_seconds()}, replace=True)
                session.flush()
                self._seconds.look(session, user_id, found.id)
        return Concerned(user_id, product)

    def checkout_session(self, session_id: str) -> tuple[Document, Concerned] | None:
        """Bring a session, and the subscription it made, up to date; None for one that is not of this project."""
        ticket = self.ticket(session_id)
        try:
            found = self._stripe.v1.checkout.sessions.retrieve(session_id)
        except InvalidRequestError as error:
            if error.code != "resource_missing" and error.http_status != 404:
                raise
            return None
        return self.keep_session(found, ticket)

    def keep_session(self, found: CheckoutSession, ticket: int) -> tuple[Document, Concerned] | None:
        """Write a session as Stripe told it after this ticket was taken; 0 for one that was made just now."""
        self._stripe.same_mode(found)
        metadata = found.metadata.to_dict() if found.metadata else {}
        user_id = metadata.get("user_id", "")
        if not user_id or metadata.get("project") != self._project:
            return None
        document = session_document(found, user_id)
        paid = document["payment_status"] != "unpaid"
        values = {
            "id": found.id,
            "user_id": user_id,
            "settled": document["status"] == "expired" or (document["status"] == "complete" and paid),
            "document": document,
            "as_of": now_seconds(),
        }
        with self._database.writing() as session:
            if ticket == 0:  # an event about it may have been faster
                insert(session, SessionRow, values)
            elif _is_newest(session, found.id, ticket):
                insert(session, SessionRow, values, replace=True)
        if document["subscription_id"]:
            self.subscription(str(document["subscription_id"]))
        if values["settled"]:
            self._customers.back_from_stripe(user_id)
        return document, Concerned(user_id, metadata.get("product_id", ""))

    def customer(self, customer_id: str, *, look_again: bool = True) -> Concerned | None:
        """Bring all subscriptions of a customer up to date: a balance or a discount changes what is charged next."""
        concerned = None
        for row in self._stripe.v1.subscriptions.list({"customer": customer_id, "status": "all", "limit": 100}).data:
            concerned = self.subscription(row.id, look_again=look_again) or concerned
        return concerned

    def _owner(self, found: Subscription, metadata: dict[str, str]) -> str | None:
        if metadata.get("project", self._project) != self._project:
            return None
        return self._customers.user_of(_id(found.customer), metadata.get("user_id", ""))

    def _charge(self, found: Subscription, look_again: bool) -> dict[str, object]:
        """Return what is charged next, left out where Stripe can't say, and the mark of what that was said of."""
        mark = hashlib.sha256(json.dumps(found.to_dict(), sort_keys=True, default=str).encode()).hexdigest()
        unknown: dict[str, object] = {"next_charge": None, "charge_known": False, "fingerprint": mark}
        ends = never_charges_again(found)
        if not ends and not charges_next(found):
            return unknown
        with self._database.reading() as session:
            known = session.get(SubscriptionRow, found.id)
        if known is not None and known.charge_known and known.fingerprint == mark and not look_again:
            return unknown | {"next_charge": known.next_charge, "charge_known": True}
        try:
            invoices = self._stripe.v1.invoices.list({"subscription": found.id, "limit": _NEWEST_INVOICES}).data
            if any(may_still_be_charged(invoice) for invoice in invoices):
                return unknown
            if ends:
                return unknown | {"charge_known": True}
            preview = self._stripe.v1.invoices.create_preview({"subscription": found.id})
        except StripeError as error:
            _log.warning("preview_failed", subscription=found.id, reason=type(error).__name__)
            return unknown
        return unknown | {"next_charge": next_charge(preview, period_end(found)), "charge_known": True}

    def ticket(self, object_id: str) -> int:
        """Take the next number for an object, before it is fetched."""
        with self._database.writing() as session:
            dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
            first = dialect.insert(TicketRow).values(object_id=object_id, taken=1, written=0)
            taken = first.on_conflict_do_update(index_elements=["object_id"], set_={"taken": TicketRow.taken + 1})
            return int(session.execute(taken.returning(TicketRow.taken)).scalar_one())


def _is_newest(session: Session, object_id: str, ticket: int) -> bool:
    """Claim the object for what was fetched under this ticket; return False where something newer is written."""
    older = update(TicketRow).where(TicketRow.object_id == object_id, TicketRow.written < ticket)
    return bool(session.execute(older.values(written=ticket)).rowcount)  # type: ignore[attr-defined]


def _id(found: object) -> str:
    return found if isinstance(found, str) else str(getattr(found, "id", ""))
