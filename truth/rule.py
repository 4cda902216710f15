"""What every rule is given: the books, the catalog, and the moment at which a page is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from truth.facts import Facts, PaidSession, Sub
from truth.statements import MONTHS, Statement

NEWS_TIME: Final = timedelta(seconds=75)
"""How long a page may say what was true before: its watcher asks once a minute."""


@dataclass(frozen=True, slots=True)
class CatalogFacts:
    """What the operator's file says now."""

    plans: Mapping[str, Mapping[str, Any]]
    """Plans by their names."""
    items: tuple[Mapping[str, Any], ...]
    promises: frozenset[str] = frozenset()
    tax: str | None = None
    """What the file says of tax in its prices."""
    trials: bool = True
    """Whether the Payment MS gives the trials that the file names."""


def sold_in(document: Mapping[str, Any], *, trials: bool = True) -> CatalogFacts:
    """Return what a catalog's document sells."""
    return CatalogFacts(
        {plan["name"]: plan for plan in document["plans"]},
        tuple(document["items"]),
        frozenset(document.get("promises", {})),
        document.get("tax"),
        trials,
    )


@dataclass(frozen=True, slots=True)
class ReadersDay:
    """The moment at which a page is read, where its reader lives."""

    zone: str
    now: datetime

    def not_later(self, moment: datetime, day: str | None) -> bool:
        """Whether a moment was not after a day as a page writes it. No day said is no error."""
        days = (moment + timedelta(days=count) for count in range((self.now - moment).days + 2))
        return any(self.same_day(one, day) for one in days)

    def same_day(self, moment: datetime | None, day: str | None) -> bool:
        """Whether a day as a page writes it is the day of a moment. No day said is no error.

        Without a year it is of this one, or the last such day: a page may stand open over the turn of the year.
        """
        if day is None:
            return True
        if moment is None:
            return False
        local, today = moment.astimezone(ZoneInfo(self.zone)), self.now.astimezone(ZoneInfo(self.zone))
        month = MONTHS[local.month - 1]
        this_year = local.year == today.year or timedelta() <= today - local < timedelta(days=330)
        if day in (f"{month} {local.day}, {local.year}", f"{local.day} {month} {local.year}"):
            return True
        return this_year and day in (f"{month} {local.day}", f"{local.day} {month}")


UNITS: Final[Mapping[str, timedelta]] = {
    "second": timedelta(seconds=1), "minute": timedelta(minutes=1), "hour": timedelta(hours=1),
    "day": timedelta(days=1), "month": timedelta(days=28), "year": timedelta(days=365),
}  # fmt: skip
"""Units of an age; a month at its shortest."""

SLACK: Final = timedelta(seconds=3)
"""What an age may be short of: moments are whole seconds, and time passes while a page is drawn."""


def is_as_old(moment: datetime, now: datetime, ago: str | None) -> bool:
    """Whether a moment is at least as long ago as is said, rounded; a page that stands open says too little by and by.

    No age said is no error.
    """
    if ago is None or not ago.endswith(" ago"):
        return True
    number, unit = ago.split()[:2]
    return now - moment >= (int(number) - 0.5) * UNITS[unit.removesuffix("s")] - SLACK


def opened_on(session: PaidSession, said: Statement, facts: Facts, reader: ReadersDay) -> bool:
    """Whether a session was opened on the day that is said, by Stripe's clock or by the app's, which may be off."""
    return any(reader.same_day(moment, said.day) for moment in (session.created, session.created - facts.ahead))


Rule = Callable[[Statement, Facts, CatalogFacts, "ReadersDay"], bool]


def subs_of(said: Statement, subs: tuple[Sub, ...]) -> tuple[Sub, ...]:
    """Return the subscriptions that a statement may be about: those of its plan (by name or id) and of its group."""
    named = [sub for sub in subs if said.plan is None or sub.plan == said.plan.lower()]
    return tuple(sub for sub in named if said.group in (None, sub.group))
