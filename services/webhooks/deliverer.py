"""Sees to whoever is due: sends what is to be told, and looks at customers who are not here.

Every replica does; a lease says which of them has a customer at a moment. What was sent and could not be noted is sent
again, under the same id.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from services.concurrency.tasks import end
from services.errors import StoreUnavailable
from services.storage.lease import Lease
from services.storage.port import Store
from services.webhooks.model import Backlog, OutboxRow, WebhookDelivery
from services.webhooks.outbox import Outbox
from services.webhooks.sender import Sent, WebhookSender

_SECONDS: Final = (5, 30, 120, 600, 1800, 3600, 7200, *5 * (14400,))
PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in _SECONDS)
"""How long to wait after each try that failed; the last one is tried about a day after the first."""

AT_ONCE: Final = 8
"""How many customers are seen to at the same time."""

LOOKS_EVERY: Final = 30.0
"""Seconds after which the index is read again, also where nothing here says that anything is due."""

AFTER_TROUBLE: Final = 5.0
"""Seconds after which to go on when the store, or something here, failed."""

LOOKED_AT_AGAIN: Final = timedelta(minutes=5)
"""When to look again at a customer of whom nothing could be learned."""

LEASE: Final = 40.0
"""Seconds for which a replica has a customer: longer than a try may take."""

_log = structlog.get_logger(__name__)


class WebhookDeliverer:
    """Sends what is due to each endpoint. `look` looks at a customer who is not here, and notes what is new."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        senders: Sequence[WebhookSender],
        *,
        look: Callable[[str, OutboxRow], Awaitable[None]],
        settle: Callable[[str], Awaitable[None]],
        now: Callable[[], datetime] | None = None,
    ) -> None:
        """`settle` notes what a customer's checkouts say: for those that a crash kept from the outbox."""
        self._store = store
        self._outbox = outbox
        self._senders = {sender.endpoint.name: sender for sender in senders}
        self._look = look
        self._settle = settle
        self._now = now or (lambda: datetime.now(UTC))
        self._holder = secrets.token_hex(8)
        self._task: asyncio.Task[None] | None = None
        self.dead: tuple[WebhookDelivery, ...] = ()
        """What no endpoint took in a day, as of the last reading."""
        self.backlog = Backlog(events=0, oldest=None)
        """What is to be sent, as of the last reading: `oldest` goes on ageing also while sending takes long."""

    def start(self) -> None:
        """See to what is due from now on, in the running event loop. Without endpoints nothing is."""
        if self._senders:
            self._task = asyncio.create_task(self._follow(), name="webhooks")

    async def stop(self) -> None:
        """Send no more, and close the connections."""
        task, self._task = self._task, None
        await end(task)
        for sender in self._senders.values():
            await sender.aclose()

    async def begin(self) -> None:
        """Find what a crash kept out of the index, or of the outbox. Raises StoreUnavailable."""
        await self._outbox.begin()
        for customer in await self._outbox.customers():
            await self._settle(customer)

    async def run_once(self) -> datetime | None:
        """See to everybody who is due now; return when the next one will be. Raises StoreUnavailable."""
        due, later = await self._outbox.due()
        for first in range(0, len(due), AT_ONCE):
            await asyncio.gather(*(self._see_to(customer) for customer in due[first : first + AT_ONCE]))
        return later

    async def _see_to(self, customer: str) -> None:
        lease = Lease(self._store, f"webhooks:{customer}", self._holder, LEASE)
        if not await lease.acquire_or_renew():
            return
        try:
            row = await self._outbox.settled(customer)
            if row is not None and row.look_at is not None and row.look_at <= self._now():
                await self._look_at(customer, row)
            while await self._send_next(customer, lease):
                pass
        finally:
            await lease.release()

    async def _look_at(self, customer: str, row: OutboxRow) -> None:
        try:
            await self._look(customer, row)
        except StoreUnavailable:
            raise
        except Exception:
            _log.exception("webhook_look_failed")
        later = self._now() + LOOKED_AT_AGAIN

        def put_off(kept: OutboxRow | None) -> OutboxRow | None:
            overdue = kept is not None and kept.look_at is not None and kept.look_at <= self._now()
            return kept.model_copy(update={"look_at": later}) if kept is not None and overdue else kept

        await self._outbox.change(customer, put_off)

    async def _send_next(self, customer: str, lease: Lease) -> bool:
        """Send one event that is due; return whether there may be another."""
        row = await self._outbox.row(customer)
        delivery = self._next(row) if row is not None else None
        if delivery is None or not await lease.acquire_or_renew():
            return False
        sender = self._senders.get(delivery.endpoint)
        if sender is None:
            sent = Sent(taken=False, gone=True, why="no such endpoint any more")
        else:
            sent = await sender.send(delivery.event, self._now())
        await self._note(customer, delivery, sent)
        return True

    def _next(self, row: OutboxRow) -> WebhookDelivery | None:
        names = dict.fromkeys(one.endpoint for one in row.queue)
        heads = [head for head in map(row.head, names) if head is not None and head.next_at <= self._now()]
        return min(heads, key=lambda head: head.next_at, default=None)

    async def _note(self, customer: str, delivery: WebhookDelivery, sent: Sent) -> None:
        event, said = delivery.event, {"endpoint": delivery.endpoint, "kind": delivery.event.kind.value}
        dead = not sent.taken and (sent.gone or delivery.attempts >= len(PAUSES))

        def changed(row: OutboxRow | None) -> OutboxRow | None:
            if row is None or sent.taken:
                return row and row.taken(delivery)
            if dead:
                return row.given_up(delivery, sent.why)
            pause = max(PAUSES[delivery.attempts], timedelta(seconds=min(sent.retry_after or 0.0, 3600.0)))
            return row.put_off(delivery, pause, self._now(), sent.why)

        await self._outbox.change(customer, changed)
        if sent.taken:
            _log.info("webhook_sent", id=event.id, attempts=delivery.attempts + 1, **said)
        elif dead:
            await self._outbox.bury(delivery, sent.why)
            _log.error("webhook_dead", id=event.id, attempts=delivery.attempts + 1, why=sent.why, **said)
        else:
            _log.warning("webhook_not_taken", id=event.id, attempts=delivery.attempts + 1, why=sent.why, **said)

    async def _follow(self) -> None:
        begun = False
        while True:
            pause = LOOKS_EVERY
            try:
                self._outbox.wake.clear()
                if not begun:
                    await self.begin()
                    begun = True
                self.backlog = await self._outbox.backlog()
                later = await self.run_once()
                self.dead, self.backlog = await self._outbox.buried(), await self._outbox.backlog()
                if later is not None:
                    pause = min(pause, max(0.05, (later - self._now()).total_seconds()))
            except StoreUnavailable:
                pause = AFTER_TROUBLE  # logged by the store
            except Exception:
                _log.exception("webhooks_failed")
                pause = AFTER_TROUBLE
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._outbox.wake.wait()
