"""Whose clock is wrong: what both services say the time is, against this machine's."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from cli.findings import Finding, error, ok, skipped, warning
from services.upstream.responses import Call, RawResponse
from services.upstream.transport import Transport

TOLERATED: Final = 5.0
WRONG: Final = 60.0
"""Seconds: above the first signatures and dates come close to being refused, above the second they are wrong."""


class DatedTransport(Transport):
    """A transport that remembers what time the service said it was.

    ``ahead`` is how many seconds the service's clock is ahead of ours at least (behind: negative), None if unknown.
    """

    ahead: float | None = None
    now: Callable[[], datetime] = staticmethod(lambda: datetime.now(UTC))
    _asked_at = _answered_at = datetime.fromtimestamp(0, UTC)

    async def send(
        self, call: Call, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> RawResponse:
        """Send as a `Transport` does, and read the answer's ``Date`` (whole seconds, RFC 9110 6.6.1)."""
        self._asked_at = self.now()
        reply = await super().send(call, method, path, headers, body)
        self._answered_at = self.now()
        try:
            date = parsedate_to_datetime(reply.headers["date"])
        except (KeyError, ValueError):
            return reply
        if date.tzinfo is not None:
            self.compare(date, date + timedelta(seconds=1))
        return reply

    def compare(self, earliest: datetime, latest: datetime) -> None:
        """Note what time the last answer named, as far as it told; what was furthest off is kept."""
        if earliest > self._answered_at:
            ahead = (earliest - self._answered_at).total_seconds()
        elif latest < self._asked_at:
            ahead = (latest - self._asked_at).total_seconds()
        else:
            ahead = 0.0
        if self.ahead is None or abs(ahead) > abs(self.ahead):
            self.ahead = ahead


def look_at_clock(ahead: Mapping[str, float | None]) -> Finding:
    """Return whether this machine's clock agrees with those of the services, by name."""
    known = {name: seconds for name, seconds in ahead.items() if seconds is not None}
    if not known:
        return skipped("clock", "No service told its time.")
    worst = max(map(abs, known.values()))
    if worst <= TOLERATED:
        return ok("clock", f"This machine's clock agrees with {_and(known)} within {TOLERATED:g} s.")
    off = {name: seconds for name, seconds in known.items() if abs(seconds) > TOLERATED}
    told = _and(f"{name} is {_span(seconds)}" for name, seconds in off.items())
    ours = len(known) > 1 and len(off) == len(known) and max(off.values()) - min(off.values()) <= TOLERATED
    whose = "this machine's clock" if ours else f"the clock of {_and(off)}, or this machine's"
    return (error if worst > WRONG else warning)(
        "clock", f"By this machine's clock, {told}.", f"Synchronise {whose} (NTP): dates and signatures depend on it."
    )


def _span(seconds: float) -> str:
    return f"{abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}"


def _and(names: Iterable[str]) -> str:
    return " and ".join(names)
