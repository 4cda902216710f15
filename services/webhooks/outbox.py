"""Keeps what is to be told of each customer, and by when somebody has to see to it.

Everything of one customer is one row, written only over the row that it was made from. Which rows want something, and
when, stands in an index beside them: whoever writes a row puts it there before and after, whoever delivers takes it out
before reading the row. So no row is forgotten, and one that stands there for nothing costs one look. What a crash may
have left out is found at the next start.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from pydantic import TypeAdapter

from catalog import Catalog
from services.checkout_record import Checkout
from services.entitlements.model import entitlement_of
from services.errors import StoreUnavailable
from services.storage.port import Store
from services.storage.rows import RowKind, StoredMoment, read_row
from services.subscription.customer_status import CustomerStatus
from services.subscription.last_word import LastWord
from services.webhooks.endpoints import Endpoint
from services.webhooks.model import Backlog, OutboxRow, Told, WebhookDelivery, WebhookEvent
from services.webhooks.news import Known, Seen, baseline, look_again_at, news

KEPT_FOR: Final = timedelta(days=400)
_ROW: Final = "outbox"
_INDEX: Final = "outbox-due:index"
_BEGAN: Final = "outbox-began:at"
_REMEMBERED: Final = 10_000
LOOKED_AT_SOON: Final = timedelta(seconds=3)
"""How long a page that is open has, to look itself."""

BELIEVED_FOR: Final = timedelta(minutes=1)
"""For how long a row that was read says what was told: another replica may have told more."""

DEAD_KEPT_FOR: Final = timedelta(days=30)
_DEAD: Final = "outbox-dead:index"
_WAITING: Final = "outbox-waiting:index"

_TRIES: Final = 20
"""How often a row is read again because somebody else wrote it meanwhile."""

_read_moment: Final = TypeAdapter[datetime](StoredMoment).validate_python

_log = structlog.get_logger(__name__)


class Outbox:
    """What is to be told, of all customers. `endpoints` get what they ask for; without any nothing is kept."""

    def __init__(
        self,
        store: Store,
        endpoints: Sequence[Endpoint],
        *,
        catalog: Callable[[], Catalog],
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._store = store
        self._endpoints = tuple(endpoints)
        self._catalog = catalog
        self._now = now or (lambda: datetime.now(UTC))
        self._known: dict[str, tuple[OutboxRow, datetime]] = {}
        self.wake = asyncio.Event()
        """Set when something became due: whoever delivers looks then."""

    @property
    def on(self) -> bool:
        """Whether anybody is told anything."""
        return bool(self._endpoints)

    async def begin(self) -> None:
        """Note when telling began, and index what a crash may have left out. Raises StoreUnavailable."""
        await self._store.add(_BEGAN, self._now().isoformat(), None)
        for customer in await self.customers():
            await self._index(customer, await self.row(customer))
        self.wake.set()

    async def looked(
        self, customer: str, user_id: str, status: CustomerStatus, checkouts: Sequence[Checkout]
    ) -> None:  # fmt: skip
        """Take note of a look at both services. Never raises: what can't be kept now is new still at the next look."""
        if not self.on:
            return
        entitlement = entitlement_of(status, self._catalog())
        sure = None if status.stale else Known(status, entitlement)
        with suppress(StoreUnavailable):  # logged by the store
            await self._note(customer, Seen(user_id, checkouts, self._now(), sure))

    async def note_absent(
        self, customer: str, user_id: str, word: LastWord, checkouts: Sequence[Checkout]
    ) -> None:  # fmt: skip
        """Take note of a look at billing alone. Raises StoreUnavailable."""
        known = None
        if word.status is not None and word.billing_answered:
            told = entitlement_of(word.status, self._catalog())
            known = Known(word.status, told.model_copy(update={"stale": word.memory}))
        await self._note(customer, Seen(user_id, checkouts, self._now(), known))

    async def note_checkouts(self, customer: str, checkouts: Sequence[Checkout]) -> None:
        """Take note of what has become of a customer's checkouts. Raises StoreUnavailable."""
        row = await self.row(customer) if self.on else None
        if row is not None:
            await self._note(customer, Seen(row.user_id, checkouts, self._now(), None))

    async def checkouts_changed(self, customer: str, checkouts: Sequence[Checkout]) -> None:
        """The same, for whoever has other things to do: what can't be kept now is new still at the next look."""
        with suppress(StoreUnavailable):  # logged by the store
            await self.note_checkouts(customer, checkouts)

    async def _note(self, customer: str, seen: Seen) -> None:
        known, read_at = self._known.get(customer, (None, seen.at))
        if known is not None and seen.at - read_at < BELIEVED_FOR and _nothing_new(known, seen):
            return
        began = await self._began()
        row = await self.change(customer, lambda row: _with_news(row, seen, began, self.addressed))
        if row is not None:
            self._remember(customer, row)

    async def look_soon(self, customer: str) -> None:
        """Have somebody look at a customer who may not be here: a service says that something changed."""
        if not self.on:
            return
        soon = self._now() + LOOKED_AT_SOON
        self._known.pop(customer, None)  # else nobody would see that somebody looked, and look again
        with suppress(StoreUnavailable):  # logged by the store
            await self.change(customer, lambda row: row and row.model_copy(update={"look_at": soon}))

    async def row(self, customer: str) -> OutboxRow | None:
        """Return what is kept of a customer. Raises StoreUnavailable."""
        return read_row(RowKind.OUTBOX, await self._store.get(outbox_key(customer)), OutboxRow.model_validate_json)

    async def due(self) -> tuple[list[str], datetime | None]:
        """Return who is due now, the longest due first, and when the next one will be. Raises StoreUnavailable."""
        index = await self._store.fields(_INDEX)
        moments = {
            customer: read_row(RowKind.OUTBOX_DUE, text, _read_moment) or self._now()
            for customer, text in index.items()
        }
        now = self._now()
        ordered = sorted(moments.items(), key=lambda item: item[1])
        later = [moment for _customer, moment in ordered if moment > now]
        return [customer for customer, moment in ordered if moment <= now], min(later, default=None)

    async def change(
        self, customer: str, change: Callable[[OutboxRow | None], OutboxRow | None]
    ) -> OutboxRow | None:  # fmt: skip
        """Change what is kept of a customer in one step, and return it. Raises StoreUnavailable.

        `change` may be called again, with what somebody else wrote meanwhile.
        """
        for _try in range(_TRIES):
            text = await self._store.get(outbox_key(customer))
            before = read_row(RowKind.OUTBOX, text, OutboxRow.model_validate_json)
            after = change(before)
            if after is None or after == before:
                await self._index(customer, before)
                return before
            await self._index(customer, after)
            if await self._write(customer, text, after.model_dump_json()):
                await self._index(customer, after)
                if before is not None and before.queue and not after.queue:
                    await self._store.delete_field(_WAITING, customer)
                await self._note_waiting(customer, after)
                self.wake.set()
                return after
        raise StoreUnavailable("a row of the outbox is written by others without end")

    async def settled(self, customer: str) -> OutboxRow | None:
        """Take a customer out of the index, unless their row still wants something; return the row."""
        await self._store.delete_field(_INDEX, customer)
        await self._store.delete_field(_WAITING, customer)
        row = await self.row(customer)
        await self._index(customer, row)
        await self._note_waiting(customer, row)
        return row

    async def backlog(self) -> Backlog:
        """Return how much is to be sent, of all customers, as of their last change. Raises StoreUnavailable."""
        rows = (await self._store.fields(_WAITING)).values()
        found = (read_row(RowKind.OUTBOX_WAITING, text, Backlog.model_validate_json) for text in rows)
        kept = [one for one in found if one is not None]
        oldest = min((one.oldest for one in kept if one.oldest is not None), default=None)
        return Backlog(events=sum(one.events for one in kept), oldest=oldest)

    async def bury(self, delivery: WebhookDelivery, why: str) -> None:
        """Let operators see an event that an endpoint never took. Raises StoreUnavailable."""
        event = delivery.event.model_copy(update={"data": {}})
        dead = delivery.model_copy(update={"last": why, "attempts": delivery.attempts + 1, "event": event})
        field = f"{delivery.event.id}/{delivery.endpoint}"
        await self._store.put_field(_DEAD, field, dead.model_dump_json(), DEAD_KEPT_FOR.total_seconds())

    async def unbury(self, event_id: str, endpoint: str) -> None:
        """Show it no more. Raises StoreUnavailable."""
        await self._store.delete_field(_DEAD, f"{event_id}/{endpoint}")

    async def buried(self) -> tuple[WebhookDelivery, ...]:
        """Return what no endpoint took in a day, without what it told, the youngest first. Raises StoreUnavailable."""
        rows = (await self._store.fields(_DEAD)).values()
        found = (read_row(RowKind.OUTBOX_DEAD, text, WebhookDelivery.model_validate_json) for text in rows)
        return tuple(sorted((one for one in found if one is not None), key=lambda one: one.event.at, reverse=True))

    async def customers(self) -> list[str]:
        """Return all of whom something is kept. Walks the store: for operators."""
        return [key.removeprefix(f"{_ROW}:") for key in await self._store.keys(f"{_ROW}:")]

    def addressed(self, events: Iterable[WebhookEvent]) -> tuple[WebhookDelivery, ...]:
        """Return the deliveries of events: one for each endpoint that wants them."""
        now = self._now()
        return tuple(
            WebhookDelivery(event=event, endpoint=endpoint.name, next_at=now)
            for event in events
            for endpoint in self._endpoints
            if endpoint.wants(event.kind)
        )

    async def _began(self) -> datetime:
        return read_row(RowKind.OUTBOX_BEGAN, await self._store.get(_BEGAN), _read_moment) or self._now()

    async def _write(self, customer: str, before: str | None, after: str) -> bool:
        key, life = outbox_key(customer), KEPT_FOR.total_seconds()
        if before is None:
            return await self._store.add(key, after, life)
        return await self._store.replace(key, before, after, life)

    async def _index(self, customer: str, row: OutboxRow | None) -> None:
        due = row.due_at() if row is not None else None
        if due is not None:
            await self._store.put_field(_INDEX, customer, due.isoformat(), None)

    async def _note_waiting(self, customer: str, row: OutboxRow | None) -> None:
        """Keep what `backlog` adds up; what a crash leaves out is put right when the customer is seen to."""
        if row is not None and row.queue:
            await self._store.put_field(_WAITING, customer, Backlog.of(row).model_dump_json(), None)

    def _remember(self, customer: str, row: OutboxRow) -> None:
        self._known.pop(customer, None)
        self._known[customer] = row, self._now()
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]


def outbox_key(customer: str) -> str:
    """Return what is kept under it: all that is to be told of a customer."""
    return f"{_ROW}:{customer}"


def _nothing_new(known: OutboxRow, seen: Seen) -> bool:
    told, events = news(known.told, seen)
    same = told == known.told and known.user_id == seen.user_id
    return not events and same and _look_at(known, seen) == known.look_at


def _look_at(row: OutboxRow, seen: Seen) -> datetime | None:
    """Return when to look at the customer again."""
    found = look_again_at(seen)
    if seen.sure is not None:
        return found
    # Of the subscription nothing is known now that was not known before.
    return min((at for at in (found, row.look_at) if at is not None), default=None)


def _with_news(
    row: OutboxRow | None,
    seen: Seen,
    began: datetime,
    addressed: Callable[[Iterable[WebhookEvent]], tuple[WebhookDelivery, ...]],
) -> OutboxRow | None:
    """Return the row with what is new. Of a customer who is seen for the first time nothing is, unless they came to buy
    here since telling began: what they have otherwise, they had before."""
    if row is None:
        if seen.sure is None:
            return None
        bought_since = any(checkout.started_at >= began for checkout in seen.checkouts)
        row = OutboxRow(user_id=seen.user_id, told=Told() if bought_since else baseline(seen))
    told, events = news(row.told, seen)
    queue, look_at = (*row.queue, *addressed(events)), _look_at(row, seen)
    return row.model_copy(update={"told": told, "user_id": seen.user_id, "queue": queue, "look_at": look_at})
