"""How often one user or one address may ask for what costs something.

The counts are shared through Redis when there is one. While it is away each replica counts for itself: a limit may
then be as many times higher as there are replicas, but it is never off. A `RateLimits` is asked by the API's routes
and by the services, because a NiceGUI button's event passes no HTTP middleware.
"""

import asyncio
import ipaddress
import math
import time
from dataclasses import dataclass, field
from typing import Final, cast

import structlog
from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage, RedisStorage, SlidingWindowCounterSupport
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import ConnectionPool

from services.errors import RateLimited
from services.storage.deadlines import within_deadline
from services.storage.redis_connection import REDIS_FAILURES, redis_pool
from services.storage.redis_store import PREFIX

DEADLINE: Final = 1.0
"""Seconds after which the shared count is taken to be away."""

RETRY_AFTER: Final = 5.0
"""Seconds for which it is then not asked again."""

_CONNECTIONS: Final = 5
_MAX_KEYS: Final = 50_000
_SWEEP_EVERY: Final = 10.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Policy:
    """What is limited, and how far: `rates` reads like "10 per minute; 30 per hour"."""

    name: str
    rates: str
    items: tuple[RateLimitItem, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Read the rates, the shortest first. Raises `ValueError` for what is none."""
        items = sorted(parse_many(self.rates), key=lambda item: item.get_expiry())
        object.__setattr__(self, "items", tuple(items))

    def times(self, factor: int) -> "Policy":
        """Return the same for so many together."""
        rates = (f"{item.amount * factor} per {item.multiples} {item.GRANULARITY.name}" for item in self.items)
        return Policy(self.name, "; ".join(rates))


CHECKOUT: Final = Policy("checkout", "10 per minute; 30 per hour")
"""By user: *new* checkouts asked of the Payment MS. A click that gets the open one again is not counted."""

PORTAL: Final = Policy("portal", "10 per minute; 30 per hour")
"""By user: portal sessions."""

STATUS: Final = Policy("status", "60 per minute")
"""By user: reads of the status API."""


REFUSED_SERVICES: Final = Policy("service_refused", "30 per minute")
"""By address: service tokens that are nobody's."""


def address_key(address: str) -> str:
    """Return what counts as one client address: an IPv4 address, or the /64 network that one IPv6 client owns."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


class _Memory(MemoryStorage):
    """Counts in this process, bounded: the library's own looks through all keys at every hit and keeps any number."""

    def __init__(self) -> None:
        super().__init__()
        self._next_sweep = 0.0

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        await self.get(key)
        now = time.time()
        self.storage[key] += amount
        if self.storage[key] == amount:
            self.expirations[key] = now + expiry
        if now >= self._next_sweep or len(self.storage) > _MAX_KEYS:
            self._sweep(now)
        return self.storage[key]

    def _sweep(self, now: float) -> None:
        self._next_sweep = now + _SWEEP_EVERY
        gone = [key for key, expires in self.expirations.items() if expires <= now]
        if len(self.storage) - len(gone) > _MAX_KEYS:
            gone += list(self.storage)[: _MAX_KEYS // 10]
        for key in gone:
            self.storage.pop(key, None)
            self.expirations.pop(key, None)


class RateLimits:
    """Counts hits and refuses those past a policy's rates."""

    def __init__(
        self,
        redis_url: str | None = None,
        *,
        prefix: str = PREFIX,
        deadline: float = DEADLINE,
        retry: float = RETRY_AFTER,
    ) -> None:
        """Count in Redis at `redis_url`, or without one in this process."""
        self._deadline = deadline
        self._retry = retry
        self._away_until = float("-inf")
        self._away = False
        self._memory = SlidingWindowCounterRateLimiter(_Memory())
        self._pool: ConnectionPool | None = None
        self._shared: SlidingWindowCounterRateLimiter | None = None
        self._turns = asyncio.Semaphore(_CONNECTIONS)
        if redis_url is not None:
            self._pool = redis_pool(redis_url, _CONNECTIONS)
            storage = RedisStorage(
                "async+redis://",
                implementation="redispy",
                key_prefix=f"{prefix}limits",
                connection_pool=self._pool,  # type: ignore[arg-type]  # passed on to redis-py; typed for URL options
            )
            self._shared = SlidingWindowCounterRateLimiter(storage)

    @property
    def degraded(self) -> bool:
        """Whether this replica counts for itself because Redis is away."""
        return self._away

    async def hit(self, policy: Policy, *identifiers: str) -> None:
        """Count one use by these identifiers.

        Raises `RateLimited` with the seconds until another is possible. A refused use counts for no longer rate.
        """
        key = (policy.name, *identifiers)
        for item in policy.items:
            wait = await self._refused_for(item, key)
            if wait is not None:
                raise RateLimited(f"{policy.name}: more than {item}", retry_after=wait)

    async def _refused_for(self, item: RateLimitItem, key: tuple[str, ...]) -> float | None:
        """Return the seconds to wait, or None if the hit was counted."""
        if self._shared is None or (time.monotonic() < self._away_until):
            return await _hit(self._memory, item, key)
        if self._away:  # one asks whether it is back; the others go on as they are
            self._away_until = time.monotonic() + self._retry
        try:
            refused = await within_deadline(self._hit_shared(self._shared, item, key), self._deadline)
        except REDIS_FAILURES as error:
            self._count_alone(error)
            return await _hit(self._memory, item, key)
        self._count_together()
        return refused

    async def _hit_shared(
        self, limiter: SlidingWindowCounterRateLimiter, item: RateLimitItem, key: tuple[str, ...]
    ) -> float | None:
        async with self._turns:
            return await _hit(limiter, item, key)

    def _count_alone(self, error: Exception) -> None:
        self._away_until = time.monotonic() + self._retry
        if not self._away:
            _log.error("rate_limits_degraded", error=f"{type(error).__name__}: {error}")
        self._away = True

    def _count_together(self) -> None:
        self._away_until = float("-inf")
        if self._away:
            _log.info("rate_limits_restored")
        self._away = False

    async def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            await self._pool.aclose()


async def _hit(limiter: SlidingWindowCounterRateLimiter, item: RateLimitItem, key: tuple[str, ...]) -> float | None:
    if await limiter.hit(item, *key):
        return None
    storage = cast("SlidingWindowCounterSupport", limiter.storage)
    return _wait(item, *await storage.get_sliding_window(item.key_for(*key), item.get_expiry()))


def _wait(item: RateLimitItem, previous: int, previous_left: float, current: int, current_left: float) -> float:
    """Return the whole seconds after which a hit fits again. The library's own answer can be too early.

    The window before counts in part, by what is left of it; the present one becomes it in `current_left - period`.
    """
    period = item.get_expiry()
    room = item.amount - current
    wait = previous_left - period * room / previous if room > 0 and previous else current_left - period
    return float(max(0, math.floor(wait + 0.001)) + 1)  # a whole second more where rounding could be against us
