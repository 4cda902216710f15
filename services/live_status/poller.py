"""One user's poller: asks about them on a schedule while at least one tab looks, and tells every tab what changed.

`services/live_status/service.py` keeps one for each user with open tabs.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from services.errors import FrontendError, NotSignedIn, StoreUnavailable
from services.live_status.memory import SHARED_FOR
from services.live_status.refresher import StatusRefresher
from services.live_status.schedule import IDLE_INTERVAL, PollSchedule, StripeReturn, WaitForEvent
from services.sessions.service import Session, session_key
from services.storage.lease import Lease
from services.storage.port import RESYNC
from services.storage.pubsub import PubSub, Subscriber, Topic
from services.subscription.customer_status import CustomerStatus
from services.subscription.silence import SILENCE_SHOWN_AFTER, unchecked

OPENED_AFTER: Final = timedelta(seconds=2)
"""A page that opens asks at once only if the last answer is older than this: it was drawn from that."""

LEASE_TRY: Final = 0.9
"""How often a replica tries for the lease, in seconds: with the lease's own life another has it within five."""

TOGETHER: Final = timedelta(milliseconds=200)
"""How long a look waits for others: tabs that are brought back together share a question that begins after them all."""

ONCE: Final = "once"
PORTAL: Final = "portal"
"""What makes a poller look: a service's word of a change, or a return from the portal; empty: one from Checkout."""

AGED_AFTER: Final = timedelta(seconds=50)
"""How long a status without news stays as it is said: "4 minutes ago" has to move on."""

_STORE_RETRY: Final = timedelta(seconds=2)
_SHORTEST_REST: Final = 0.01

_log = structlog.get_logger(__name__)


@dataclass(eq=False)
class StatusWatch:
    """One tab's interest in its user's status. `close` it when the tab is gone."""

    session: Session
    on_change: Callable[[CustomerStatus], None]
    on_signed_out: Callable[[], None]
    _poller: "StatusPoller"
    on_age: Callable[[CustomerStatus], None] | None = None

    @property
    def customer_status(self) -> CustomerStatus | None:
        """The latest known status, None before the first answer."""
        return self._poller.customer_status

    def look_now(self) -> None:
        """Ask now (the tab became visible, the network is back, the user pressed "Check again")."""
        self._poller.look_now()

    def close(self) -> None:
        """End the interest; closing twice does nothing."""
        self._poller.leave(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PollerContext:
    """What every poller works with. `jitter` moves a pause a little, so that not all users are asked about at once."""

    refresher: StatusRefresher
    pubsub: PubSub
    now: Callable[[], datetime]
    wait: WaitForEvent
    jitter: Callable[[float], float]


class StatusPoller:
    """Asks about one customer while at least one tab looks. `ended` is called with the last tab's leaving."""

    def __init__(
        self,
        context: PollerContext,
        customer: str,
        *,
        lease: Lease | None,
        returned: StripeReturn | None,
        ended: "Callable[[StatusPoller], None]",
    ) -> None:
        self.customer = customer
        self.lease = lease
        self.watches: list[StatusWatch] = []
        self.customer_status: CustomerStatus | None = None
        self._context = context
        self._ended = ended
        self._wake = asyncio.Event()
        self._schedule = PollSchedule(returned, context.refresher.looked_at_all(customer))
        self._next_ask = context.now()
        self._announced_at = self._said_at = context.now()
        self._opened = False
        self._wanted = False
        self._mine = lease is None
        self._turns = 0
        self._task: asyncio.Task[None] | None = None
        self._rereads: set[asyncio.Task[None]] = set()
        self._listeners: list[Subscriber] = []

    def watch(
        self,
        session: Session,
        on_change: Callable[[CustomerStatus], None],
        on_signed_out: Callable[[], None],
        on_age: Callable[[CustomerStatus], None] | None = None,
        shown: CustomerStatus | None = None,
    ) -> StatusWatch:
        """Take in one more tab; `shown` is what stands there, for as long as no younger answer comes."""
        if shown is not None and (self.customer_status is None or shown.as_of > self.customer_status.as_of):
            self.show(shown)
        watch = StatusWatch(session, on_change, on_signed_out, self, on_age)
        self.watches.append(watch)
        key = session_key(session.id)
        listen = self._context.pubsub.listen
        self._listeners.append(listen(Topic.SESSION_ENDED, key, lambda _text: self._session_ended(key)))
        if self._task is None:
            self._listeners.append(listen(Topic.POLL, self.customer, self._on_poll_request))
            self._listeners.append(listen(Topic.CUSTOMER_STATUS, self.customer, self._on_announced))
            self._task = asyncio.create_task(self._run(), name="status poller")
        self._opened = True
        self._wake.set()
        return watch

    def leave(self, watch: StatusWatch) -> None:
        """Let a tab go; with the last one everything ends."""
        if watch not in self.watches:
            return
        self.watches.remove(watch)
        key = session_key(watch.session.id)
        mine = next((x for x in self._listeners if x.topic is Topic.SESSION_ENDED and x.key == key), None)
        if mine is not None:
            mine.close()
            self._listeners.remove(mine)
        if not self.watches:
            self._end()

    def look_now(self, within: timedelta = TOGETHER) -> None:
        """Ask within that time, or have the replica ask that holds the lease: once a second at most."""
        self._wanted = True
        self._look(within)

    def show(self, customer_status: CustomerStatus) -> bool:
        """Give all tabs a status if a reader would see a difference, and return whether there is one.

        Without one they get it about once a minute as well, by `on_age`: what is said of its age differs by then.
        """
        news = not customer_status.same_as(self.customer_status)
        self.customer_status = customer_status
        now = self._context.now()
        aged = now - self._said_at >= AGED_AFTER
        self._said_at = now if news or aged else self._said_at
        for watch in tuple(self.watches) if news or aged else ():
            tell = watch.on_change if news else watch.on_age
            if watch in self.watches and tell is not None:
                _call(partial(tell, customer_status))
        return news

    def _end(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        for task in (self._task, *self._rereads):
            if task is not None:
                task.cancel()
        self._task = None
        self._ended(self)

    def _look(self, within: timedelta = timedelta()) -> None:
        self._next_ask = min(self._next_ask, self._context.now() + within)
        self._wake.set()

    async def _run(self) -> None:
        try:
            await self._start_from_memory()
        except Exception:
            _log.exception("status_poll_crashed")  # the services are asked at once
        while self.watches:
            try:
                await self._turn()
            except StoreUnavailable as error:
                self._next_ask = self._context.now() + _STORE_RETRY
                self._fail(error.code)
            except FrontendError as error:
                _log.warning("status_poll_failed", error=error.code)
                self._next_ask = self._context.now() + timedelta(seconds=IDLE_INTERVAL)
                self._fail(error.code)
            except Exception:
                _log.exception("status_poll_crashed")
                self._next_ask = self._context.now() + timedelta(seconds=IDLE_INTERVAL)
                self._fail(FrontendError.code)
            await self._rest()

    async def _start_from_memory(self) -> None:
        """Show what is known before the first question; a recent answer makes that question wait its turn."""
        await self._load(self._context.refresher.remembered)
        now = self._context.now()
        if self.customer_status is not None and not self._wanted and self._age(now) <= OPENED_AFTER:
            self._next_ask = self._after(self.customer_status, now - self._age(now))

    async def _turn(self) -> None:
        self._mine = self.lease is None or await self.lease.acquire_or_renew()
        now = self._context.now()
        if self._opened:
            self._opened = False
            if self._age(now) > OPENED_AFTER:
                self.look_now(timedelta())
        if self._mine and now >= self._next_ask:
            asked = self._context.refresher.age(self.customer)
            if asked is not None and timedelta() <= asked < SHARED_FOR:
                self._next_ask = now + SHARED_FOR - asked  # that answer may be older than the news
                return
            await self._ask(now)
        elif not self._mine and self._wanted:
            self._wanted = False
            await self._context.pubsub.announce(Topic.POLL, self.customer, ONCE, here=False)

    def _age(self, now: datetime) -> timedelta:
        """How old the latest answer is that this process knows of; endless after a service's word of a change."""
        if self._context.refresher.is_outdated(self.customer):
            return timedelta.max
        asked = self._context.refresher.age(self.customer)
        if asked is not None and self._mine:
            return asked
        return now - self.customer_status.as_of if self.customer_status is not None else timedelta.max

    async def _ask(self, now: datetime) -> None:
        self._wanted = False
        session = self._next_session()
        scope = self._schedule.scope(now)
        try:
            customer_status = await self._context.refresher.ask(session, scope, priority=self._schedule.priority(now))
        except NotSignedIn:
            self._session_ended(session_key(session.id))
            return
        self._schedule.asked(customer_status, now, scope)
        now = self._context.now()
        self._next_ask = now + SHARED_FOR if self._wanted else self._after(customer_status, now)
        await self._publish(customer_status)

    def _after(self, customer_status: CustomerStatus, asked_at: datetime) -> datetime:
        """When to ask again."""
        seconds = self._schedule.interval(customer_status, asked_at)
        return asked_at + timedelta(seconds=self._context.jitter(seconds) if seconds >= IDLE_INTERVAL else seconds)

    async def _publish(self, customer_status: CustomerStatus) -> None:
        """Show the status, and let other replicas read it: when it is new, and so often that its age stays true."""
        now = self._context.now()
        news = self.show(customer_status)
        if news or (self.lease is not None and now - self._announced_at >= timedelta(seconds=IDLE_INTERVAL)):
            self._announced_at = now
            await self._context.pubsub.announce(Topic.CUSTOMER_STATUS, self.customer, here=False)

    def _next_session(self) -> Session:
        """Return the sessions of the open tabs in turn: each is asked about, so that the end of each is noticed."""
        sessions = list({watch.session.id: watch.session for watch in self.watches}.values())
        self._turns += 1
        return sessions[self._turns % len(sessions)]

    async def _rest(self) -> None:
        seconds = (self._next_ask - self._context.now()).total_seconds()
        if self.lease is not None:
            seconds = min(seconds, LEASE_TRY) if self._mine or seconds > 0 else LEASE_TRY
        await self._context.wait(self._wake, max(seconds, _SHORTEST_REST))
        self._wake.clear()

    def _fail(self, code: str) -> None:
        """Keep on screen what was known, for as long as it is believed, and say that it could not be checked."""
        if self.customer_status is not None:
            self.show(unchecked(self.customer_status, code, self._context.now()))

    def _on_poll_request(self, text: str) -> None:
        if text != ONCE:
            self._schedule.poll_fast(StripeReturn(self._context.now(), from_portal=text == PORTAL))
        else:
            self._schedule.look_at_all()
        if self._mine:
            self._wanted = True
        self._look()

    def _on_announced(self, text: str) -> None:
        """Another replica found something, or messages were lost: read the truth from the store."""
        reread = partial(self._context.refresher.reread, news=text != RESYNC)
        task = asyncio.create_task(self._reread(reread), name="status reread")
        self._rereads.add(task)
        task.add_done_callback(self._rereads.discard)

    async def _reread(self, read: Callable[[str], Awaitable[CustomerStatus | None]]) -> None:
        try:
            await self._load(read)
        except Exception:
            _log.exception("status_reread_failed")

    async def _load(self, read: Callable[[str], Awaitable[CustomerStatus | None]]) -> None:
        with suppress(StoreUnavailable):
            customer_status = await read(self.customer)
            if customer_status is None:
                return
            old = self._context.now() - customer_status.as_of > SILENCE_SHOWN_AFTER
            if old and self.customer_status is not None:
                self._look()  # memory from before an outage is no news: the answer to this question is
            else:
                self.show(customer_status)

    def _session_ended(self, key: str) -> None:
        for watch in [w for w in self.watches if session_key(w.session.id) == key]:
            self.leave(watch)
            _call(watch.on_signed_out)


def _call(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:
        _log.exception("tab_update_failed")
