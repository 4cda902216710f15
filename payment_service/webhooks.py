"""Stripe's events: verified, each acted on once. An event only says what to look at; what is so is fetched.

Where anything fails it is not called taken, so Stripe sends it again, for three days.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import func, select
from stripe import Event, InvalidRequestError, SignatureVerificationError

from payment_service.customers import Customers
from payment_service.database import EventRow, ServiceDatabase, insert
from payment_service.documents import id_of, now_seconds
from payment_service.errors import ServiceError, WrongMode
from payment_service.metrics import ServiceMetrics
from payment_service.outbox import EventOutbox
from payment_service.settings import ServiceSettings
from payment_service.stripe_api import StripeAPI
from payment_service.sync import Concerned, Sync

_OVERLAP: Final = 600
_FAMILIES: Final = (
    "checkout.session.", "customer.subscription.", "invoice.", "subscription_schedule.", "customer.updated",
    "customer.deleted", "customer.discount.",
)  # fmt: skip
"""The events that are acted on; any other that is posted is taken, and nothing done."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class StripeEvents:
    """Takes events from Stripe: as they are posted, or from its list."""

    settings: ServiceSettings
    database: ServiceDatabase
    stripe: StripeAPI
    sync: Sync
    customers: Customers
    outbox: EventOutbox
    metrics: ServiceMetrics

    def verified(self, body: bytes, header: str) -> Event:
        """Return the event of a signed body; raises INVALID_SIGNATURE, whatever is wrong with it."""
        for secret in self.settings.stripe_webhook_secret:
            try:
                return self.stripe.construct_event(body, header, secret.get_secret_value())
            except (SignatureVerificationError, ValueError, KeyError, AttributeError, TypeError):
                continue
        description = "Stripe-Signature does not fit; nothing done."
        raise ServiceError(400, "INVALID_SIGNATURE", "Invalid signature", description)

    def take(self, event: Event, came: float) -> bool:
        """Act on an event; return False for one that was acted on before. Raises whatever keeps it from being done.

        `came` is when (`time.monotonic`) it had come.
        """
        self.stripe.same_mode(event)
        self.metrics.last_event.set(time.time())
        with self.database.reading() as session:
            if session.get(EventRow, event.id) is not None:
                self.metrics.events.labels(event.type, "repeated").inc()
                return False
        concerned = self._act(event, came)
        with self.database.writing() as session:
            row = {"id": event.id, "type": event.type, "created": event.created, "done": now_seconds()}
            first = insert(session, EventRow, row)
            if first and concerned is not None:
                user_id, news = concerned.user_id, self.customers.take_news(session, concerned.user_id)
                self.outbox.add(session, event.id, event.type, user_id, concerned.product_id, event.created, news=news)
        self.metrics.events.labels(event.type, "done").inc()
        return first

    def resync(self, since: int) -> int:
        """Take every event that Stripe lists since then and that was never acted on, oldest first; return how many."""
        listed = self.stripe.v1.events.list({"created": {"gte": since}, "limit": 100})
        events = sorted(listed.auto_paging_iter(), key=lambda event: (event.created, event.id))
        came = time.monotonic()
        return sum(self._taken(event, came) for event in events if event.type.startswith(_FAMILIES))

    def _taken(self, event: Event, came: float) -> bool:
        """Act on an event of the list; one that can't be acted on keeps no other from it."""
        try:
            return self.take(event, came)
        except (InvalidRequestError, WrongMode) as error:
            _log.error("event_failed", id=event.id, type=event.type, reason=type(error).__name__)
            return False

    def newest(self) -> int:
        """Return from when on Stripe's list is to be read: a little before the newest event that was acted on."""
        with self.database.reading() as session:
            newest = session.scalar(select(func.max(EventRow.created)))
        return (newest or now_seconds()) - _OVERLAP

    def last_done(self) -> int | None:
        """Return when an event was last acted on, by any instance."""
        with self.database.reading() as session:
            return session.scalar(select(func.max(EventRow.done)))

    def _act(self, event: Event, came: float) -> Concerned | None:
        """Bring what the event is about up to date; return whom that concerns."""
        about: dict[str, Any] = event.data.object.to_dict()
        match event.type.split("."):
            case ["checkout", "session", *_]:
                found = self.sync.checkout_session(about["id"], came)
                return found[1] if found else None
            case ["customer", "subscription", *_]:
                return self.sync.subscription(about["id"], came=came)
            case ["invoice" | "subscription_schedule", *_]:
                subscription = _subscription_of(about)
                if subscription:
                    return self.sync.subscription(subscription, look_again=True, came=came)
            case ["customer", "updated"]:
                return self._customer(about["id"])
            case ["customer", "discount", *_]:
                return self._customer(id_of(about.get("customer")))
            case ["customer", "deleted"]:
                self.customers.forget(about["id"])
        return None

    def _customer(self, customer: str) -> Concerned | None:
        return self.sync.customer(customer) if self.customers.owner(customer) else None


def _subscription_of(about: Mapping[str, Any]) -> str:
    """Return the subscription of an invoice or a schedule, as old and new versions of Stripe's API have it."""
    details = (about.get("parent") or {}).get("subscription_details") or {}
    return id_of(about.get("subscription") or about.get("released_subscription") or details.get("subscription"))
