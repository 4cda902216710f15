"""Live status: one watcher a user, however many tabs and pages look, and a push to each of them when something changes.

A watcher asks at a pace: each second for half a minute after a return from Stripe, then in steps down to once a
minute, at once when a tab becomes visible. It ends with its last tab. With several replicas a lease decides which of
them asks; the others hear of changes through `services/announcements.py`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import structlog

from services.announcements import Announcements, Listener, Topic
from services.errors import FrontendError, NotSignedIn, StoreUnavailable
from services.inquiry import SHARED_FOR, Inquiry
from services.leases import Lease
from services.session import Session, session_key
from services.standing import Standing

PACE: Final = ((30.0, 1.0), (60.0, 2.0), (120.0, 5.0), (300.0, 15.0))
"""Until how many seconds after a return from Stripe to ask, and how often (seconds)."""

IDLE_PACE: Final = 60.0
"""How often to ask when nothing is expected to change, in seconds."""

OPENED_AFTER: Final = timedelta(seconds=10)
"""A page that opens asks at once only if the last answer is older than this."""

FULL_LOOK_EVERY: Final = timedelta(minutes=5)
_LEASE_TRY: Final = 1.5

_log = structlog.get_logger(__name__)


class Leases(Protocol):
    """Makes the lease that decides which replica asks about a customer."""

    def __call__(self, customer: str) -> Lease:
        """Return a lease on asking about this customer."""
        ...


@dataclass(eq=False)
class Watch:
    """One tab's interest in its user's standing. `close` it when the tab is gone."""

    session: Session
    on_change: Callable[[Standing], None]
    on_signed_out: Callable[[], None]
    _watcher: "_Watcher"

    @property
    def standing(self) -> Standing | None:
        """The latest known standing, None before the first answer."""
        return self._watcher.standing

    def look_now(self) -> None:
        """Ask now (the tab became visible, the network is back, the user pressed "Check again")."""
        self._watcher.look_now()

    def close(self) -> None:
        """End the interest; closing twice does nothing."""
        self._watcher.leave(self)


class StatusService:
    """Keeps watchers for users with open tabs."""

    def __init__(
        self,
        inquiry: Inquiry,
        announcements: Announcements,
        *,
        leases: Leases | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.inquiry = inquiry
        self._announcements = announcements
        self._leases = leases
        self._now = now or (lambda: datetime.now(UTC))
        self._watchers: dict[str, _Watcher] = {}

    @property
    def watchers(self) -> int:
        """How many users are watched in this process."""
        return len(self._watchers)

    @property
    def tabs(self) -> int:
        """How many tabs watch in this process."""
        return sum(len(watcher.watches) for watcher in self._watchers.values())

    def watch(
        self, session: Session, on_change: Callable[[Standing], None], on_signed_out: Callable[[], None]
    ) -> Watch:
        """Call `on_change` with each new standing of this user, and `on_signed_out` once when the session ends."""
        customer = self.inquiry.customer_of(session)
        watcher = self._watchers.get(customer)
        if watcher is None:
            lease = self._leases(customer) if self._leases else None
            watcher = _Watcher(self, customer, lease)
            self._watchers[customer] = watcher
        watch = Watch(session, on_change, on_signed_out, watcher)
        watcher.join(watch)
        return watch

    async def hurry(self, customer: str) -> None:
        """Look each second for a while, on whichever replica watches: the user is back from Stripe."""
        await self._announcements.announce(Topic.HURRY, customer)

    async def poke(self, customer: str) -> None:
        """Look once now, on whichever replica watches: a service says that something changed."""
        await self._announcements.announce(Topic.HURRY, customer, "once")

    async def changed(self, standing: Standing) -> None:
        """Tell the user's tabs about a standing that was found outside the watcher, such as before a checkout."""
        watcher = self._watchers.get(standing.customer)
        if watcher is not None:
            watcher.show(standing)
        await self._announcements.announce(Topic.STANDING, standing.customer)

    def listen(self, topic: Topic, key: str, callback: Callable[[str], None]) -> Listener:
        """Listen to announcements on a watcher's behalf."""
        return self._announcements.listen(topic, key, callback)

    def drop(self, watcher: "_Watcher") -> None:
        """Forget a watcher whose last tab has left."""
        if self._watchers.get(watcher.customer) is watcher:
            del self._watchers[watcher.customer]

    def time(self) -> datetime:
        """The time now, aware UTC."""
        return self._now()


class _Watcher:
    """Asks about one customer while at least one tab looks."""

    def __init__(self, service: StatusService, customer: str, lease: Lease | None) -> None:
        self._service = service
        self.customer = customer
        self.watches: list[Watch] = []
        self.standing: Standing | None = None
        self._lease = lease
        self._wake = asyncio.Event()
        self._hurried_at: datetime | None = None
        self._next_ask = service.time()
        self._full_at: datetime | None = None
        self._task: asyncio.Task[None] | None = None
        self._rereads: set[asyncio.Task[None]] = set()
        self._listeners: list[Listener] = []

    def join(self, watch: Watch) -> None:
        self.watches.append(watch)
        key = session_key(watch.session.id)
        self._listeners.append(
            self._service.listen(Topic.SESSION_ENDED, key, lambda text: self._session_ended(key, text))
        )
        if self._task is None:
            self._listeners.append(self._service.listen(Topic.HURRY, self.customer, self._on_hurry))
            self._listeners.append(self._service.listen(Topic.STANDING, self.customer, self._on_announced))
            self._task = asyncio.create_task(self._run(), name="status watcher")
        age = self._service.inquiry.age(self.customer)
        if age is None or age > OPENED_AFTER:
            self.look_now()

    def leave(self, watch: Watch) -> None:
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

    def _end(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        for task in (self._task, *self._rereads):
            if task is not None:
                task.cancel()
        self._task = None
        self._service.drop(self)

    def look_now(self) -> None:
        """Ask now, unless an answer is younger than a second."""
        self._next_ask = min(self._next_ask, self._service.time())
        self._wake.set()

    def show(self, standing: Standing) -> None:
        """Give all tabs a standing, if a reader would see a difference."""
        if standing.same_as(self.standing):
            self.standing = standing
            return
        self.standing = standing
        for watch in tuple(self.watches):
            try:
                watch.on_change(standing)
            except Exception:
                _log.exception("tab_update_failed")

    async def _run(self) -> None:
        while self.watches:
            try:
                if await self._is_mine() and self._service.time() >= self._next_ask:
                    await self._ask()
            except StoreUnavailable:
                self._next_ask = self._service.time() + timedelta(seconds=2)
            except FrontendError as error:
                _log.warning("status_poll_failed", error=error.code)
                self._next_ask = self._service.time() + timedelta(seconds=self._interval())
            except Exception:
                _log.exception("status_poll_crashed")
                self._next_ask = self._service.time() + timedelta(seconds=IDLE_PACE)
            await self._rest()

    async def _ask(self) -> None:
        session = self.watches[-1].session
        now = self._service.time()
        full = self._full_at is None or now - self._full_at > FULL_LOOK_EVERY or self._hurrying(now)
        asked_before = self._service.inquiry.age(self.customer)
        try:
            standing = await self._service.inquiry.ask(session, "all" if full else "relevant")
        except NotSignedIn:
            self._session_ended(session_key(session.id), "")
            return
        self._full_at = now if full else self._full_at
        self._next_ask = self._service.time() + timedelta(seconds=self._interval())
        changed = not standing.same_as(self.standing)
        self.show(standing)
        if changed and asked_before is not None:
            await self._service.changed(standing)

    async def _is_mine(self) -> bool:
        return self._lease is None or await self._lease.acquire_or_renew()

    async def _rest(self) -> None:
        wait = max((self._next_ask - self._service.time()).total_seconds(), 0.0)
        if self._lease is not None:
            wait = min(wait or _LEASE_TRY, _LEASE_TRY)
        try:
            await asyncio.wait_for(self._wake.wait(), timeout=max(wait, 0.01))
        except TimeoutError:
            return
        finally:
            self._wake.clear()

    def _interval(self) -> float:
        """Seconds until the next question."""
        if self._hurried_at is None:
            return IDLE_PACE
        since = (self._service.time() - self._hurried_at).total_seconds()
        return next((pace for until, pace in PACE if since < until), IDLE_PACE)

    def _hurrying(self, now: datetime) -> bool:
        return self._hurried_at is not None and (now - self._hurried_at).total_seconds() < PACE[1][0]

    def _on_hurry(self, text: str) -> None:
        if not text:
            self._hurried_at = self._service.time()
        self._full_at = None
        self.look_now()

    def _on_announced(self, text: str) -> None:
        """Another replica found something: read it from the store, unless this process just asked itself."""
        age = self._service.inquiry.age(self.customer)
        if age is not None and age < SHARED_FOR and not text:
            return
        task = asyncio.create_task(self._reread(), name="status reread")
        self._rereads.add(task)
        task.add_done_callback(self._rereads.discard)

    async def _reread(self) -> None:
        try:
            standing = await self._service.inquiry.reread(self.customer)
        except StoreUnavailable:
            return
        if standing is not None:
            self.show(standing)

    def _session_ended(self, key: str, text: str) -> None:
        if text:  # a resync: nothing is known to have ended
            return
        for watch in [w for w in self.watches if session_key(w.session.id) == key]:
            self.leave(watch)
            watch.on_signed_out()
