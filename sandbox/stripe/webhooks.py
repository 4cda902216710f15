"""How news is delivered: Stripe → (after a delay) Payment MS → Auth MS, and every way in which that goes wrong.

Deliveries are rows with a due time by the sandbox clock, so that a restart loses none. The sandbox's own services are
handed an event; webhook endpoints outside are posted to (`posting`), and what they don't take comes again.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from sandbox.clock import SandboxClock
from sandbox.database import Database, DocumentStore
from sandbox.faults.planned import FaultList
from sandbox.payment.single_connection import SingleConnection
from sandbox.runtime_settings import RuntimeSettingsStore
from sandbox.settings import Reach, WebhookMode
from sandbox.stripe.endpoints import WebhookEndpoints
from sandbox.stripe.objects import Delivery, DeliveryOutcome, StripeEvent, new_id

_GAP: Final = 0.5
"""Seconds between events that arrive in the wrong order."""
_STRIPE_RETRIES: Final = (60, 300, 1800, 7200, 18_000, 36_000, 43_200, 43_200)
"""Seconds between Stripe's attempts, which go on for about three days (https://docs.stripe.com/webhooks#retries)."""


@dataclass(frozen=True)
class DeliveryOptions:
    """How one piece of news is delivered. What is None goes by the runtime settings."""

    mode: WebhookMode | None = None
    delay: float | None = None
    reach: Reach | None = None


AS_SET: Final = DeliveryOptions()
AT_ONCE: Final = DeliveryOptions(WebhookMode.DELIVER, 0.0, Reach.BOTH)


class Receiver(Protocol):
    """A service that hears of an event and says what it did with it."""

    def receive(self, event: StripeEvent) -> str: ...


class Webhooks:
    def __init__(
        self,
        database: Database,
        clock: SandboxClock,
        runtime: RuntimeSettingsStore,
        faults: FaultList,
        connection: SingleConnection,
        payment: Receiver,
        auth: Receiver,
        endpoints: WebhookEndpoints,
        *,
        recorded: bool = True,
    ) -> None:
        """`recorded`: the sandbox's own Payment MS is there to hear of events."""
        self._database, self._clock, self._runtime = database, clock, runtime
        self._faults, self._connection = faults, connection
        self._payment, self._auth = payment, auth
        self._endpoints, self._recorded = endpoints, recorded
        self._events = DocumentStore(database, "event", StripeEvent)
        self._deliveries = DocumentStore(database, "delivery", Delivery)
        self.changed = asyncio.Event()
        """Set whenever there is something new to deliver, or time has moved."""
        self.on_recorded: list[Callable[[StripeEvent], None]] = []
        """Called when the Payment MS has recorded an event (the push to the app hangs here)."""
        self.post: Callable[[Delivery, StripeEvent], None] | None = None
        """Begins to post an event to its endpoint, and calls `answered` when that is done."""
        self.posts: set[asyncio.Task[None]] = set()
        """Posts under way."""
        self.shape: Callable[[StripeEvent], Mapping[str, object]] | None = None
        """Writes down what an event is about."""
        self._take_up_posts()

    def emit(self, events: Sequence[StripeEvent], delivery: DeliveryOptions = AS_SET) -> None:
        """Send what belongs together, the runtime settings' way or another."""
        settings = self._runtime.current
        mode, reach = delivery.mode or settings.webhook_mode, delivery.reach or settings.webhook_reach
        wait = settings.webhook_delay if delivery.delay is None else delivery.delay
        due = self._clock.timestamp() + wait
        step = 0.0
        if mode is WebhookMode.OUT_OF_ORDER:
            events, step = list(reversed(events)), _GAP
            waiting = self._deliveries.first_due()
            due = min(due, waiting[0] - _GAP) if waiting else due
        with self._database.transaction():
            for place, event in enumerate(events):
                if mode is WebhookMode.LOSE:
                    self._note(event, "app", "lost", state="lost")
                    continue
                self._send(event, reach, due + place * step)
                if mode is WebhookMode.TWICE:
                    self._send(event, reach, due + place * step + max(wait, _GAP))
        self.changed.set()

    def emit_outside(self, event: StripeEvent) -> None:
        """Send what services outside alone hear of: the sandbox's own Payment MS has no use for it."""
        if not self._recorded or any(endpoint.wants(event.type) for endpoint in self._endpoints.all()):
            self.emit([event], DeliveryOptions(reach=Reach.PAYMENT))

    def next_due(self) -> float | None:
        first = self._deliveries.first_due()
        return first[0] if first else None

    def deliver_due(self) -> int:
        """Hand over everything whose time has come, earliest first; returns how many."""
        return self._deliver(self._clock.timestamp())

    def flush(self) -> int:
        """Hand over everything that is waiting, now."""
        delivered = self._deliver(float("inf"))
        self.changed.set()
        return delivered

    def redeliver(self, event_id: str, reach: Reach = Reach.BOTH) -> StripeEvent | None:
        """Deliver one event now, whatever happened to it before (Stripe's "Resend")."""
        event = self._events.get(event_id)
        if event and reach is not Reach.AUTH:
            self._send_outside(event, reach, self._clock.timestamp())
            self.changed.set()
        hears = self._recorded or reach is Reach.AUTH
        return self._hand_over(event, reach) if event and hears else event

    def event(self, event_id: str) -> StripeEvent | None:
        return self._events.get(event_id)

    def answered(self, delivery: Delivery, said: str) -> None:
        """What came of a post: `recorded`, or what was wrong, and then it comes again after a longer pause."""
        event = self._events.get(delivery.event_id)
        if said in ("recorded", "gone") or event is None:
            self._deliveries.drop(delivery.id)
            if event:
                self._note(event, "payment_ms", said)
        else:
            self._note(event, "payment_ms", said, state="pending")
            self._again(delivery, self._clock.timestamp())
        self.changed.set()

    def accept(self, event: StripeEvent) -> bool:
        """Take an event that somebody posts to the Payment MS; return whether that could write it down."""
        if self._runtime.current.webhooks_share_connection and self._connection.lost:
            return False
        self._events.put(event.id, event, owner=event.user_id)
        self._hand_over(event, Reach.BOTH)
        return True

    def waiting(self) -> int:
        return self._deliveries.count()

    def log(self, user_id: str = "", limit: int = 200) -> list[StripeEvent]:
        """Events, newest first."""
        return list(reversed(self._events.of(user_id)))[:limit] if user_id else self._events.newest(limit)

    def _deliver(self, until: float) -> int:
        delivered = 0
        while (first := self._deliveries.first_due()) and first[0] <= until:
            delivery = first[1]
            if delivery.endpoint:
                self._begin_post(delivery)
                delivered += 1
                continue
            with self._database.transaction():
                self._deliveries.drop(delivery.id)
                event = self._events.get(delivery.event_id)
                if event and not self._write_fails(event, delivery):
                    self._hand_over(event, delivery.reach)
            delivered += 1
        return delivered

    def _send(self, event: StripeEvent, reach: Reach, due: float) -> None:
        """Keep an event, and have it delivered to everybody who is to hear of it."""
        if self._recorded or reach is Reach.AUTH:
            self._schedule(event, reach, due)
        if reach is not Reach.AUTH and self._send_outside(event, reach, due) and self.shape and not event.about:
            event = event.model_copy(update={"about": self.shape(event)})
        self._events.put(event.id, event, owner=event.user_id)

    def _send_outside(self, event: StripeEvent, reach: Reach, due: float) -> int:
        """Have it posted to the endpoints that want it; returns how many do.

        A purchase without a session (a state that was set by hand) is no event that Stripe could send.
        """
        if event.type.startswith("checkout.session.") and not event.session_id:
            return 0
        wanting = [endpoint for endpoint in self._endpoints.all() if endpoint.wants(event.type)]
        for endpoint in wanting:
            self._schedule(event, reach, due, endpoint.id)
        return len(wanting)

    def _schedule(self, event: StripeEvent, reach: Reach, due: float, endpoint: str = "") -> None:
        delivery = Delivery(id=new_id("dlv"), event_id=event.id, reach=reach, endpoint=endpoint, due=due)
        self._deliveries.put(delivery.id, delivery, due=due)

    def _begin_post(self, delivery: Delivery) -> None:
        """Post it, unless it is planned to get lost. While it is under way it is due no more, but still there."""
        event = self._events.get(delivery.event_id)
        if event is None or self.post is None:
            self._deliveries.drop(delivery.id)
        elif self._faults.take_webhook(event.user_id):
            self.answered(delivery, "lost on the way")
        else:
            self._deliveries.put(delivery.id, delivery)
            self.post(delivery, event)

    def _take_up_posts(self) -> None:
        """At the start: what was under way when the sandbox ended is due again."""
        for delivery in self._deliveries.newest(100_000):
            if delivery.endpoint:
                self._deliveries.put(delivery.id, delivery, due=delivery.due)

    def _again(self, delivery: Delivery, since: float) -> None:
        """Another attempt after the next pause; after the last one, none."""
        if delivery.attempts >= len(_STRIPE_RETRIES):
            self._deliveries.drop(delivery.id)
            return
        due = since + _STRIPE_RETRIES[delivery.attempts]
        again = delivery.model_copy(update={"due": due, "attempts": delivery.attempts + 1})
        self._deliveries.put(again.id, again, due=due)

    def _write_fails(self, event: StripeEvent, delivery: Delivery) -> bool:
        """Whether the Payment MS could not write it down. Stripe sends it again, unless it was told 200."""
        settings = self._runtime.current
        if delivery.reach is Reach.AUTH:
            return False
        if settings.webhooks_share_connection:
            self._connection.hold_for_a_write()
        fault = self._faults.take_webhook(event.user_id)
        if fault is None and not (settings.webhooks_share_connection and self._connection.lost):
            return False
        if settings.failed_writes_answer_200:
            self._note(event, "payment_ms", "write failed, answered 200", state="lost")
            return True
        self._note(event, "payment_ms", "write failed", state="pending")
        self._again(delivery, delivery.due)
        return True

    def _hand_over(self, event: StripeEvent, reach: Reach) -> StripeEvent:
        result = "recorded"
        if self._runtime.current.tells_nobody and reach is Reach.BOTH:
            reach = Reach.PAYMENT
        if reach is not Reach.AUTH:
            result = self._payment.receive(event)
            event = self._note(event, "payment_ms", result)
        if reach is not Reach.PAYMENT and result == "recorded":
            event = self._note(event, "auth_ms", self._auth.receive(event))
        if reach is not Reach.AUTH and result == "recorded" and not self._runtime.current.tells_nobody:
            for listener in self.on_recorded:
                listener(event)
        return event

    def note(self, event_id: str, to: str, result: str) -> None:
        """Add a line to an event's history (the push to the app reports here)."""
        event = self._events.get(event_id)
        if event:
            self._note(event, to, result, state=event.state)

    def _note(self, event: StripeEvent, to: str, result: str, *, state: str = "delivered") -> StripeEvent:
        outcome = DeliveryOutcome(at=datetime.fromtimestamp(self._clock.timestamp(), UTC), to=to, result=result)
        noted = event.model_copy(update={"outcomes": [*event.outcomes, outcome], "state": state})
        return self._events.put(event.id, noted, owner=event.user_id)
