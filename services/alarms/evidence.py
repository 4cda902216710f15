"""What was observed for and against each alarm, and which alarms stand on it: pure, and the same at every replica."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

from services.alarms.alarm import ALARMS, BY_KEY, Alarm, AlarmKey

MOST_CASES: Final = 20
"""So many cases of one alarm are kept; more prove no more."""

CONTRARY_EVERY: Final = timedelta(hours=1)
"""How often the contrary is noted while there is nothing to end."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing that was seen: a case of an alarm, or (without one) its contrary. `at` is when it happened.

    `mended` names a case that is none any more.
    """

    key: AlarmKey
    at: datetime
    case: str = ""
    mended: str = ""


@dataclass(frozen=True, slots=True)
class StandingAlarm:
    """An alarm that stands now: since when, on how many cases, and when the contrary was last seen (None: never)."""

    alarm: Alarm
    since: datetime
    cases: tuple[str, ...]
    last_contrary: datetime | None


@dataclass(frozen=True, slots=True)
class CauseEvidence:
    """Of one alarm: its cases with when they happened, and when the contrary last did."""

    cases: Mapping[str, datetime] = field(default_factory=dict)
    contrary: datetime | None = None

    def counting(self, alarm: Alarm, now: datetime) -> dict[str, datetime]:
        """Return the cases that count: not too old, and none of the contrary since."""
        return {
            case: at
            for case, at in self.cases.items()
            if now - at < alarm.counts_for and (self.contrary is None or at > self.contrary)
        }

    def is_news(self, seen: Observation, now: datetime) -> bool:
        """Whether an observation changes anything that is kept here."""
        alarm = BY_KEY[seen.key]
        counting = self.counting(alarm, now)
        if not seen.case:
            return seen.mended in self.cases or self.is_ended_by(seen, now)
        late = now - seen.at >= alarm.counts_for or (self.contrary is not None and seen.at <= self.contrary)
        return not late and seen.case not in counting and len(counting) < MOST_CASES

    def is_ended_by(self, contrary: Observation, now: datetime) -> bool:
        """Whether the contrary is worth keeping: it is the first, it ends cases, or the kept one is getting old."""
        if self.contrary is None:
            return True
        ends = any(at <= contrary.at for at in self.counting(BY_KEY[contrary.key], now).values())
        return contrary.at > self.contrary and (ends or contrary.at - self.contrary >= CONTRARY_EVERY)

    def spent(self, alarm: Alarm, now: datetime) -> tuple[str, ...]:
        """Return the cases that count no more, and never will."""
        return tuple(self.cases.keys() - self.counting(alarm, now).keys())

    def standing(self, alarm: Alarm, now: datetime) -> StandingAlarm | None:
        """Return the alarm if there are cases enough."""
        counting = self.counting(alarm, now)
        if len(counting) < (alarm.needed if self.contrary is None else alarm.needed_again):
            return None
        cases = tuple(sorted(counting, key=lambda case: counting[case]))
        return StandingAlarm(alarm, counting[cases[0]], cases, self.contrary)


@dataclass(frozen=True, slots=True)
class AlarmEvidence:
    """All of it."""

    by_key: Mapping[AlarmKey, CauseEvidence] = field(default_factory=dict)

    def of(self, key: AlarmKey) -> CauseEvidence:
        """Return the evidence of one alarm."""
        return self.by_key.get(key, CauseEvidence())

    def standing(self, now: datetime) -> tuple[StandingAlarm, ...]:
        """Return the alarms that stand, the gravest first."""
        found = (self.of(alarm.key).standing(alarm, now) for alarm in ALARMS)
        return tuple(one for one in found if one is not None)

    def seeing(self, seen: Observation) -> Self:
        """Return the evidence with one observation more."""
        before = self.of(seen.key)
        cases, contrary = dict(before.cases), before.contrary
        cases.pop(seen.mended, None)
        if seen.case:
            cases[seen.case] = seen.at
        elif contrary is None or seen.at > contrary:
            contrary = seen.at
        return type(self)({**self.by_key, seen.key: CauseEvidence(cases, contrary)})
