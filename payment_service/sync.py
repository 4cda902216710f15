"""The one way in which anything of Stripe's is written: fetch the object now, and write it, unless newer is written.

Events only say what to look at. They may come twice, late and in any order, in two instances at the same moment: each
fetch takes a ticket first, and a fetch with a lower ticket than what is written is dropped. Whatever changed at Stripe
before an event came is in what is fetched after its ticket was taken, so the highest ticket that was written has it
all. No lock of the database is held while Stripe is asked, and a crash leaves nothing but an unused number.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from stripe import StripeError, Subscription
from stripe.checkout import Session as CheckoutSession

from payment_service.customers import Customers
from payment_service.database import (
    CustomerRow,
    ServiceDatabase,
    SessionRow,
    SubscriptionRow,
    TicketRow,
    changed,
    insert,
)
from payment_service.documents import (
    Document,
    charges_next,
    group_of,
    id_of,
    may_still_be_charged,
    metadata_of,
    never_charges_again,
    next_charge,
    now_seconds,
    period_end,
    session_document,
    subscription_document,
)
from payment_service.guards import SecondSubscriptions
from payment_service.looks import StripeLooks
from payment_service.stripe_api import StripeAPI

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


@dataclass(frozen=True)
class Sync:
    """Fetches and writes."""

    database: ServiceDatabase
    stripe: StripeAPI
    customers: Customers
    seconds: SecondSubscriptions
    project: str
    looks: StripeLooks = field(default_factory=StripeLooks)

    def subscription(
        self, subscription_id: str, *, look_again: bool = False, came: float | None = None
    ) -> Concerned | None:
        """Bring a subscription up to date; return whose it is, None where it is nobody's of this project.

        What is charged next is asked only where the subscription changed, or when told to look again. Nothing is asked
        for the sake of what `came` (`time.monotonic`) before a look at it began.
        """
        if came is None:
            return self._looked_up(subscription_id, look_again=look_again)
        with self.looks.turn(subscription_id):
            seen = self.looks.since(subscription_id, came, with_charge=look_again)
            if seen is not None:
                return Concerned(seen.user_id, seen.product_id)
            return self._looked_up(subscription_id, look_again=look_again)

    def _looked_up(self, subscription_id: str, *, look_again: bool) -> Concerned | None:
        began, ticket = time.monotonic(), self.ticket(subscription_id)
        expand = ["items.data.price.product", "schedule.phases.items.price"]
        retrieve = self.stripe.v1.subscriptions.retrieve
        found = self.stripe.fetched(lambda: retrieve(subscription_id, {"expand": expand}))
        if found is None:
            return None
        metadata = metadata_of(found)
        user_id = None
        if metadata.get("project", self.project) == self.project:
            user_id = self.customers.user_of(id_of(found.customer), metadata.get("user_id", ""))
        if user_id is None:
            _log.info("subscription_of_nobody", subscription=found.id)
            return None
        items = found.items.data
        product = items[0].price.product if items else ""
        with self.database.reading() as session:
            known = session.get(SubscriptionRow, found.id)
        row = {
            "id": found.id,
            "user_id": user_id,
            "customer_id": id_of(found.customer),
            "group_name": group_of(product),
            "plan": metadata_of(product).get("plan") or id_of(product),
            "status": found.status,
            "sold_here": metadata.get("sold_by") == SOLD_BY,
            "created": found.created,
            "ended_at": found.ended_at,
            "documents": [subscription_document(found, item) for item in items],
            **self._charge(found, known, look_again),
        }
        with self.database.writing() as session:
            if _is_newest(session, found.id, ticket):
                # Two subscriptions of one user may be written at once; each must see the other.
                session.execute(select(CustomerRow).where(CustomerRow.user_id == user_id).with_for_update())
                if _says_something_else(known, row):
                    self.customers.has_news(session, user_id)
                insert(session, SubscriptionRow, {**row, "as_of": now_seconds()}, replace=True)
                self.seconds.look(session, user_id, found.id)
        charge_asked = look_again or known is None or known.fingerprint != row["fingerprint"]
        charge_asked = charge_asked and bool(row["charge_known"])
        self.looks.note(subscription_id, user_id, id_of(product), began, charge_asked=charge_asked)
        return Concerned(user_id, id_of(product))

    def checkout_session(self, session_id: str, came: float | None = None) -> tuple[Document, Concerned] | None:
        """Bring a session, and the subscription it made, up to date; None for one that is not of this project.

        `came` is as for `subscription`, and about that alone.
        """
        ticket = self.ticket(session_id)
        found = self.stripe.fetched(lambda: self.stripe.v1.checkout.sessions.retrieve(session_id))
        return self.keep_session(found, ticket, came) if found is not None else None

    def keep_session(
        self, found: CheckoutSession, ticket: int, came: float | None = None
    ) -> tuple[Document, Concerned] | None:
        """Write a session as Stripe told it after this ticket was taken; 0 for one that was made just now."""
        self.stripe.same_mode(found)
        metadata = metadata_of(found)
        user_id = metadata.get("user_id", "")
        if not user_id or metadata.get("project") != self.project:
            return None
        document = session_document(found, user_id)
        paid = document["status"] == "complete" and document["payment_status"] != "unpaid"
        settled = paid or document["status"] == "expired"
        row = {"id": found.id, "user_id": user_id, "settled": settled, "document": document, "as_of": now_seconds()}
        with self.database.writing() as session:
            if ticket == 0:  # an event about it may have been faster
                insert(session, SessionRow, row)
            elif _is_newest(session, found.id, ticket):
                before = session.get(SessionRow, found.id)
                if before is None or before.document | {"as_of": ""} != document | {"as_of": ""}:
                    self.customers.has_news(session, user_id)
                insert(session, SessionRow, row, replace=True)
        if document["subscription_id"]:
            self.subscription(str(document["subscription_id"]), came=came)
        if settled:
            self.customers.back_from_stripe(user_id)
        return document, Concerned(user_id, metadata.get("product_id", ""))

    def customer(self, customer_id: str, *, look_again: bool = True) -> Concerned | None:
        """Bring all subscriptions of a customer up to date: a balance or a discount changes what is charged next."""
        concerned = None
        for row in self.stripe.v1.subscriptions.list({"customer": customer_id, "status": "all", "limit": 100}).data:
            concerned = self.subscription(row.id, look_again=look_again) or concerned
        return concerned

    def ticket(self, object_id: str) -> int:
        """Take the next number for an object, before it is fetched."""
        mine = update(TicketRow).where(TicketRow.object_id == object_id)
        with self.database.writing() as session:
            insert(session, TicketRow, {"object_id": object_id, "taken": 0, "written": 0})
            taken = mine.values(taken=TicketRow.taken + 1).returning(TicketRow.taken)
            return session.execute(taken).scalar_one()

    def _charge(self, found: Subscription, known: SubscriptionRow | None, look_again: bool) -> dict[str, object]:
        """Return what is charged next, left out where Stripe can't say, and the mark of what that was said of."""
        mark = hashlib.sha256(json.dumps(found.to_dict(), sort_keys=True, default=str).encode()).hexdigest()
        unknown: dict[str, object] = {"next_charge": None, "charge_known": False, "fingerprint": mark}
        ends = never_charges_again(found)
        if not ends and not charges_next(found):
            return unknown
        if known is not None and known.charge_known and known.fingerprint == mark and not look_again:
            return unknown | {"next_charge": known.next_charge, "charge_known": True}
        try:
            invoices = self.stripe.v1.invoices.list({"subscription": found.id, "limit": _NEWEST_INVOICES}).data
            if any(may_still_be_charged(invoice) for invoice in invoices):
                return unknown
            if ends:
                return unknown | {"charge_known": True}
            preview = self.stripe.v1.invoices.create_preview({"subscription": found.id})
        except StripeError as error:
            _log.warning("preview_failed", subscription=found.id, reason=type(error).__name__)
            return unknown
        return unknown | {"next_charge": next_charge(preview, period_end(found)), "charge_known": True}


def _is_newest(session: Session, object_id: str, ticket: int) -> bool:
    """Claim the object for what was fetched under this ticket; return False where something newer is written."""
    older = update(TicketRow).where(TicketRow.object_id == object_id, TicketRow.written < ticket)
    return changed(session, older.values(written=ticket)) > 0


def _says_something_else(before: SubscriptionRow | None, row: Mapping[str, object]) -> bool:
    """Return whether a row differs in more than the mark of the object that it was made of."""
    return before is None or any(getattr(before, name) != row[name] for name in row if name != "fingerprint")
