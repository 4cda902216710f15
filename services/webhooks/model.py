"""An event as it is told to other services, and the row in the store that holds what is to be told of one customer.

The row is written as a whole, so that what was told and the events that tell it change in one step: whatever ends the
process, either both are there or neither, and neither is found again by comparing.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, JsonValue

from catalog_features import FeatureValue
from services.storage.rows import StoredMoment
from services.subscription.model import State

KEPT_SENT: Final = 20
KEPT_DEAD: Final = 50
"""How many events of a customer are kept to be replayed: those that were taken, and those that nobody took."""


class EventKind(StrEnum):
    """What is told. Further kinds may be added; receivers pass over what they do not know."""

    ENTITLEMENTS_CHANGED = "entitlements.changed"
    SUBSCRIPTION_STARTED = "subscription.started"
    SUBSCRIPTION_CHANGED = "subscription.changed"
    SUBSCRIPTION_ENDING = "subscription.ending"
    SUBSCRIPTION_ENDED = "subscription.ended"
    SUBSCRIPTION_PAST_DUE = "subscription.past_due"
    CHECKOUT_OPENED = "checkout.opened"
    CHECKOUT_CONFIRMED = "checkout.confirmed"
    CHECKOUT_LOST = "checkout.lost"
    ORDER_RETURNED = "order.returned"
    DISAGREEMENT_FOUND = "disagreement.found"
    RENEWAL_UPCOMING = "renewal.upcoming"
    TEST = "test"
    """Sent by `python app.py events test`; says nothing."""


class WebhookEvent(BaseModel):
    """One thing that is told. The id is the same however often it is sent."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: EventKind
    at: StoredMoment
    data: Mapping[str, JsonValue]

    @property
    def body(self) -> dict[str, JsonValue]:
        """What is sent, in the form of Standard Webhooks."""
        return {"type": self.kind.value, "timestamp": self.at.isoformat(), "data": dict(self.data)}


class WebhookDelivery(BaseModel):
    """One event on its way to one endpoint: how often it was tried, when next, and what came of the last try."""

    model_config = ConfigDict(frozen=True)

    event: WebhookEvent
    endpoint: str
    attempts: int = 0
    next_at: StoredMoment
    last: str = ""


class ToldSubscription(BaseModel):
    """What was told last of a group of plans."""

    model_config = ConfigDict(frozen=True)

    state: State = State.NONE
    plan: str | None = None
    ends: bool = False
    renewal: StoredMoment | None = None
    """The renewal that was last announced."""


class Told(BaseModel):
    """What was told last of a customer, or counted as known when telling began."""

    model_config = ConfigDict(frozen=True)

    plan: str | None = None
    access: bool = False
    features: Mapping[str, FeatureValue] = {}
    groups: Mapping[str, ToldSubscription] = {}
    checkouts: Mapping[str, tuple[EventKind, ...]] = {}
    disagreeing: tuple[str, ...] = ()


class OutboxRow(BaseModel):
    """All that is kept of one customer."""

    model_config = ConfigDict(frozen=True)

    user_id: str = ""
    told: Told
    queue: tuple[WebhookDelivery, ...] = ()
    sent: tuple[WebhookEvent, ...] = ()
    dead: tuple[WebhookDelivery, ...] = ()
    look_at: StoredMoment | None = None
    """When to look again although nobody is there: a confirmation that is late, the end of what was paid for."""

    def due_at(self) -> datetime | None:
        """Return when there is something to do next, None for nothing."""
        heads = [self.head(endpoint) for endpoint in dict.fromkeys(one.endpoint for one in self.queue)]
        moments = [one.next_at for one in heads if one is not None]
        return min((*moments, *((self.look_at,) if self.look_at is not None else ())), default=None)

    def head(self, endpoint: str) -> WebhookDelivery | None:
        """Return what that endpoint is to get next: each gets a customer's events in their order."""
        return next((one for one in self.queue if one.endpoint == endpoint), None)

    def taken(self, delivery: WebhookDelivery) -> "OutboxRow":
        """Return the row after an endpoint took an event."""
        known = any(event.id == delivery.event.id for event in self.sent)
        sent = self.sent if known else (*self.sent, delivery.event)[-KEPT_SENT:]
        return self.model_copy(update={"queue": self._without(delivery), "sent": sent})

    def put_off(self, delivery: WebhookDelivery, pause: timedelta, now: datetime, why: str) -> "OutboxRow":
        """Return the row after a try that failed, to be made again."""
        again = delivery.model_copy(
            update={"attempts": delivery.attempts + 1, "next_at": now + pause, "last": why}
        )  # fmt: skip
        queue = tuple(again if _same(one, delivery) else one for one in self.queue)
        return self.model_copy(update={"queue": queue})

    def given_up(self, delivery: WebhookDelivery, why: str) -> "OutboxRow":
        """Return the row after the last try, or one that can't succeed."""
        dead = delivery.model_copy(update={"attempts": delivery.attempts + 1, "last": why})
        return self.model_copy(update={"queue": self._without(delivery), "dead": (*self.dead, dead)[-KEPT_DEAD:]})

    def _without(self, delivery: WebhookDelivery) -> tuple[WebhookDelivery, ...]:
        return tuple(one for one in self.queue if not _same(one, delivery))


class Backlog(BaseModel):
    """How many deliveries wait, and since when the oldest event does (None: nothing waits)."""

    model_config = ConfigDict(frozen=True)

    events: int
    oldest: StoredMoment | None

    @classmethod
    def of(cls, row: OutboxRow) -> Self:
        """Return that of one customer."""
        return cls(events=len(row.queue), oldest=min((one.event.at for one in row.queue), default=None))

    def age(self, now: datetime) -> float:
        """Return for how many seconds the oldest has waited; 0 where nothing does."""
        return max(0.0, (now - self.oldest).total_seconds()) if self.oldest is not None else 0.0


def _same(one: WebhookDelivery, other: WebhookDelivery) -> bool:
    return one.event.id == other.event.id and one.endpoint == other.endpoint
