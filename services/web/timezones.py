"""Which time zones there are. Asking the zone database walks it, for tens of milliseconds: so it is asked once."""

from functools import lru_cache
from zoneinfo import available_timezones


def is_timezone(name: str) -> bool:
    """Return whether the zone database has a zone of that name."""
    return name in _names()


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(available_timezones())
