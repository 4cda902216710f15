"""Dates and spans of time as people read them, in a visit's language and zone. Amounts of money are in `money.py`."""

import math
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_time, format_timedelta, get_timezone_name
from babel.numbers import format_decimal, format_percent

Unit = Literal["second", "minute", "hour", "day", "month", "year"]


def full_date(moment: datetime | date, locale: str, timezone: str = "UTC") -> str:
    """Return a day in full, such as `December 21, 2026`, or `21 December 2026` in British English."""
    return format_date(_local(moment, timezone), "long", locale=_babel(locale))


def short_date(moment: datetime | date, locale: str, timezone: str = "UTC", *, now: datetime | None = None) -> str:
    """Return a day without its year when that is this year's: `December 21`; else in full."""
    day, today = _local(moment, timezone), _local(now or datetime.now(UTC), timezone)
    if day.year != today.year:
        return full_date(moment, locale, timezone)
    return format_date(day, _day_and_month(_babel(locale)), locale=_babel(locale))


def clock_time(moment: datetime, locale: str, timezone: str) -> str:
    """Return the time of day to the minute, such as `2:03 PM`, or `14:03`."""
    return format_time(moment, "short", tzinfo=ZoneInfo(timezone), locale=_babel(locale))


def exact(moment: datetime, locale: str, timezone: str) -> str:
    """Return the instant with its zone, for a tooltip: `21 December 2026, 14:03:09 Central European Standard Time`."""
    zone = ZoneInfo(timezone)
    spoken = format_datetime(moment, "long", tzinfo=zone, locale=_babel(locale))
    name = get_timezone_name(moment.astimezone(zone), locale=_babel(locale))
    return spoken if name in spoken else f"{spoken} ({name})"


def relative(moment: datetime, locale: str, *, now: datetime | None = None) -> str:
    """Return how far away an instant is: `in 3 days`, `2 minutes ago`."""
    distance = moment - (now or datetime.now(UTC))
    return format_timedelta(distance, _unit(distance), threshold=math.inf, add_direction=True, locale=_babel(locale))


def span(length: timedelta, locale: str) -> str:
    """Return a length of time in its largest fitting unit: `3 minutes`, `27 days`."""
    return format_timedelta(length, _unit(length), threshold=math.inf, locale=_babel(locale))


def number(value: int, locale: str) -> str:
    """Return a whole number with its groups of digits: `1,000`, or `1.000`."""
    return format_decimal(value, locale=_babel(locale))


def percent(value: int, locale: str) -> str:
    """Return hundredths as a locale writes them: `50%`, or `50 %`."""
    return format_percent(value / 100, locale=_babel(locale))


def _unit(length: timedelta) -> Unit:
    """Return the unit people count such a span in: days up to six weeks, never weeks."""
    seconds = abs(length.total_seconds())
    limits: tuple[tuple[float, Unit], ...] = (
        (50, "second"), (50 * 60, "minute"), (22 * 3600, "hour"), (45 * 86400, "day"), (330 * 86400, "month")
    )  # fmt: skip
    return next((unit for limit, unit in limits if seconds < limit), "year")


@lru_cache(maxsize=32)
def _day_and_month(locale: str) -> str:
    """Return the pattern of a day and a month's full name in a locale (CLDR skeleton MMMMd)."""
    return str(Locale.parse(locale).datetime_skeletons["MMMMd"].pattern)


def _local(moment: datetime | date, timezone: str) -> date:
    return moment.astimezone(ZoneInfo(timezone)).date() if isinstance(moment, datetime) else moment


def _babel(locale: str) -> str:
    """Return the locale as Babel names it: `en_GB` for `en-GB`."""
    return locale.replace("-", "_")
