"""Keeps the evidence in the store and tells of alarms: every replica adds to it and reads the same.

An alarm is logged once when it is raised and once when it ends, by whichever replica is first. Nothing here ever fails
a caller: an alarm that can't be kept now is observed again.
"""

import asyncio
import contextlib
import contextvars
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

import structlog
from pydantic import TypeAdapter

from services.alarms.alarm import ALARMS, BY_KEY, BY_NAME, AlarmKey
from services.alarms.evidence import AlarmEvidence, Observation, StandingAlarm
from services.alarms.observed import CustomerEvidence, case_of, events_missing, observed
from services.concurrency.tasks import end
from services.errors import StoreUnavailable
from services.storage.port import Store
from services.storage.rows import RowKind, StoredMoment, read_row

READ_EVERY: Final = 15.0
"""Seconds between two readings of what other replicas have seen."""

_KEY: Final = f"{RowKind.ALARM}:evidence"
_THE_SERVICE: Final = "service"
_read_moment: Final = TypeAdapter[datetime](StoredMoment).validate_python

_log = structlog.get_logger(__name__)


class AlarmRecorder:
    """The alarms of this installation. `expects_events` says that something is set up to tell this app of changes.

    `accepted` are those of which the operator has decided to live with the cause.
    """

    def __init__(
        self,
        store: Store,
        *,
        expects_events: bool = False,
        accepted: Collection[AlarmKey] = (),
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._store = store
        self._now = now or (lambda: datetime.now(UTC))
        self._began = self._now()
        self._expects_events = expects_events
        self._accepted = frozenset(accepted)
        self._evidence = AlarmEvidence()
        self._told: set[AlarmKey] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def standing(self) -> tuple[StandingAlarm, ...]:
        """The alarms that stand, as of the last reading, the gravest first."""
        found = self._evidence.standing(self._now())
        return tuple(one for one in found if one.alarm.key not in self._accepted)

    @property
    def delays_confirmations(self) -> bool:
        """Whether nobody can promise that a purchase is confirmed within seconds: the service is known not to."""
        slow = (AlarmKey.PURCHASES_NOT_RECORDED, AlarmKey.SERVICE_LOST)
        return any(one.alarm.key in slow for one in self.standing)

    def start(self) -> None:
        """Read at a steady pace from now on, in the running event loop."""
        self._task = asyncio.create_task(self._follow(), name="alarms")

    async def stop(self) -> None:
        """Read no more."""
        task, self._task = self._task, None
        await end(task)

    async def looked(self, seen: CustomerEvidence) -> None:
        """Take note of what an answered look at both services says."""
        missing = events_missing(seen, self._began) if self._expects_events else ()
        await self.note([*observed(seen), *missing])

    async def checkout_refused(self, customer: str) -> None:
        """Take note that a new customer's checkout failed with STRIPE_ERROR."""
        await self.note([Observation(AlarmKey.NEW_CUSTOMERS_REFUSED, self._now(), case_of(customer))])

    async def checkout_opened(self) -> None:
        """Take note that a new customer's checkout was opened."""
        await self.note([Observation(AlarmKey.NEW_CUSTOMERS_REFUSED, self._now())])

    async def event_received(self) -> None:
        """Take note that a signed event reached this app."""
        await self.note([Observation(AlarmKey.NO_EVENTS, self._now())])

    async def lost(self) -> None:
        """Take note that the Payment MS refuses a key that worked."""
        await self.note([Observation(AlarmKey.SERVICE_LOST, self._now(), _THE_SERVICE)])

    async def works(self) -> None:
        """Take note that the Payment MS takes the key; it may have been lost until now, also for another process."""
        await self.read()
        now, lost = self._now(), self._evidence.of(AlarmKey.SERVICE_LOST).cases.get(_THE_SERVICE)
        if lost is not None:
            words = f"lost {lost:%Y-%m-%d %H:%M:%S}, back {now:%Y-%m-%d %H:%M:%S} UTC"
            came_back = Observation(AlarmKey.SERVICE_CAME_BACK, now, words)
            await self.note([came_back, Observation(AlarmKey.SERVICE_LOST, now, mended=_THE_SERVICE)])

    async def note(self, observations: Iterable[Observation]) -> None:
        """Keep what says something new, and tell of what follows from it. Never raises."""
        now = self._now()
        news = [seen for seen in observations if self._evidence.of(seen.key).is_news(seen, now)]
        if not news:
            return
        with contextlib.suppress(StoreUnavailable):  # logged by the store; what is so is seen again
            for seen in news:
                await self._keep(seen)
            await self.read()

    async def read(self) -> None:
        """Read what all replicas have seen, and tell of alarms that began or ended. Never raises."""
        with contextlib.suppress(StoreUnavailable):
            rows = await self._store.fields(_KEY)
            self._evidence = _evidence_of(
                {name: read_row(RowKind.ALARM, text, _read_moment) for name, text in rows.items()}
            )
            await self._tell()

    async def _keep(self, seen: Observation) -> None:
        """Write one observation, and drop the cases that it leaves without weight."""
        before, now = self._evidence.of(seen.key), self._now()
        if seen.case or before.is_ended_by(seen, now):
            await self._store.put_field(_KEY, _field(seen.key, seen.case), seen.at.isoformat(), None)
        self._evidence = self._evidence.seeing(seen)
        spent = self._evidence.of(seen.key).spent(BY_KEY[seen.key], now)
        for case in {*spent, seen.mended} & before.cases.keys():
            await self._store.delete_field(_KEY, _field(seen.key, case))

    async def _tell(self) -> None:
        """Say what began and what ended, once over all replicas: the one place from which an alarm goes anywhere."""
        standing = {one.alarm.key: one for one in self.standing}
        for key, one in standing.items():
            if key not in (self._told or ()) and await self._store.add(_told(key), "", None):
                _log_raised(one)
        ended = [alarm.key for alarm in ALARMS if alarm.key not in standing]
        for key in ended if self._told is None else [key for key in ended if key in self._told]:
            if await self._store.delete_if(_told(key), ""):
                _log_ended(key)
        self._told = set(standing)

    async def _follow(self) -> None:
        while True:
            try:
                await self.read()
            except Exception:
                _log.exception("alarms_reading_failed")
            await asyncio.sleep(READ_EVERY)


def _log_raised(one: StandingAlarm) -> None:
    alarm = one.alarm
    _about_nobody().run(
        lambda: _log.error(
            "alarm_raised",
            alarm=alarm.key.value,
            cases=len(one.cases),
            since=one.since.isoformat(),
            what=alarm.what_is_so,
            customers_see=alarm.customers_see,
            cure=alarm.cure,
        )
    )


def _log_ended(key: AlarmKey) -> None:
    _about_nobody().run(lambda: _log.info("alarm_ended", alarm=key.value))


def _about_nobody() -> contextvars.Context:
    """Return a context to log in without the user and the request that happened to bring it to light."""
    return contextvars.Context()


def _field(key: AlarmKey, case: str) -> str:
    return f"{key}/{case}"


def _told(key: AlarmKey) -> str:
    return f"alarm-told:{key}"


def _evidence_of(moments: Mapping[str, datetime | None]) -> AlarmEvidence:
    """Return what is kept; a moment that can't be read, or an alarm of another release, is nothing."""
    evidence = AlarmEvidence()
    for name, at in moments.items():
        key, _, case = name.partition("/")
        if at is not None and key in BY_NAME:
            evidence = evidence.seeing(Observation(BY_NAME[key], at, case))
    return evidence
