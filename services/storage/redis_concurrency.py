"""A bound on requests in flight that holds across replicas.

A slot is a lease in Redis: its holder renews it, and the slot of a holder that died is free again after `LEASE`
seconds. Waiting is bounded and about first come first served, presses before looks: each replica queues its own, and
the first of each replica's queue take a place in the common one.

Overlapping requests can break the service behind the bound, so doubt means waiting: after a silence that no live
holder would leave (Redis stalled, or came back empty) no request is let in for `GRACE` seconds, in which holders renew.
All times are those of the Redis server's clock.
"""

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from services.concurrency.limit import LocalConcurrencyLimit, Priority
from services.errors import StoreUnavailable
from services.storage.redis_store import RedisStore

PAYMENT_MS: Final = "payment_ms"
"""The bound on requests to the Payment MS, which all replicas and `python app.py check` share."""
LEASE: Final = 4.0
GRACE: Final = 2.0
_POLL: Final = (0.03, 0.06)
"""Seconds between two questions of a waiter whom no message has called."""

_RETURN_WAIT: Final = 0.2
"""Seconds a caller whose request is done may be kept: enough for the next in line to find the slot free."""

AHEAD: Final = 8
"""How many earlier arrivals of looks a press goes before, in the common queue: so many pass a look at most."""

_MARK: Final = 10_000
"""Milliseconds for which a returned token is refused, whatever a slow connection still delivers."""

_NOW = "local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)"

_TAKE = (
    _NOW
    + """
    if redis.call('EXISTS', KEYS[5]) == 1 then return 0 end
    if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 1 end
    local holders, queue, alive, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
    local token, limit, lease, grace = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
    local ahead = tonumber(ARGV[5] or 0)
    local seen = tonumber(redis.call('HGET', state, 'seen') or 0)
    redis.call('HSET', state, 'seen', now)
    if seen == 0 or (now - seen > grace and redis.call('ZCARD', holders) > 0) then
        redis.call('HSET', state, 'closed', now + grace)
    end
    for _, gone in ipairs(redis.call('ZRANGEBYSCORE', alive, '-inf', now)) do
        redis.call('ZREM', queue, gone)
    end
    redis.call('ZREMRANGEBYSCORE', alive, '-inf', now)
    if not redis.call('ZSCORE', queue, token) then
        redis.call('ZADD', queue, redis.call('HINCRBY', state, 'arrivals', 1) - ahead, token)
    end
    redis.call('ZADD', alive, now + 1000, token)
    if now < tonumber(redis.call('HGET', state, 'closed') or 0) then return 0 end
    redis.call('ZREMRANGEBYSCORE', holders, '-inf', now)
    if redis.call('ZCARD', holders) + redis.call('ZRANK', queue, token) >= limit then return 0 end
    redis.call('ZADD', holders, now + lease, token)
    redis.call('ZREM', queue, token)
    redis.call('ZREM', alive, token)
    return 1
"""
)
_RENEW = (
    _NOW
    + """
    if redis.call('EXISTS', KEYS[5]) == 1 then return 0 end
    local lost = redis.call('ZSCORE', KEYS[1], ARGV[1]) and 0 or 1
    redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
    if lost == 0 then redis.call('HSET', KEYS[4], 'seen', now) end
    return lost
"""
)
_LEAVE = """
    redis.call('SET', KEYS[5], '', 'PX', ARGV[2])
    redis.call('ZREM', KEYS[2], ARGV[1])
    redis.call('ZREM', KEYS[3], ARGV[1])
    return redis.call('ZREM', KEYS[1], ARGV[1])
"""


_PREPARE = (
    _NOW
    + """
    if redis.call('HSETNX', KEYS[4], 'seen', now) == 1 then redis.call('HSET', KEYS[4], 'closed', now + ARGV[1]) end
    return 1
"""
)

_log = structlog.get_logger(__name__)


class RedisConcurrencyLimit:
    """`limit` slots that all replicas with this store and name share."""

    def __init__(self, store: RedisStore, name: str, limit: int, *, lease: float = LEASE, grace: float = GRACE) -> None:
        """Share `limit` slots. `grace` must leave a holder time to renew, which it does every quarter of `lease`."""
        if limit < 1:
            raise ValueError("A bound of no slots lets nothing through")
        self._store = store
        self._name = name
        self._limit = limit
        self._lease = lease
        self._grace = grace
        self._turns = LocalConcurrencyLimit(limit)
        self._keys = [f"s:{name}:{part}" for part in ("holders", "queue", "alive", "state")]
        self._leaving: set[asyncio.Task[None]] = set()

    async def prepare(self) -> None:
        """Let the wait that a new and empty Redis imposes pass while the application starts; optional."""
        grace = self._milliseconds(self._grace)
        await self._store.script("slot", _PREPARE, self._keys, grace, twice=True)

    @asynccontextmanager
    async def slot(self, max_wait: float, priority: Priority = Priority.LOOK) -> AsyncIterator[None]:
        """Hold a slot inside the block.

        Raises `TimeoutError` when none was free for `max_wait` seconds, and `StoreUnavailable` when Redis is away.
        """
        deadline = time.monotonic() + max_wait
        async with self._turns.slot(max_wait, priority):
            token = secrets.token_hex(8)
            try:
                await self._take(token, priority, deadline)
                renewing = asyncio.create_task(self._renew(token), name="slot-renewal")
                try:
                    yield
                finally:
                    renewing.cancel()
            finally:
                await self._leave(token)

    async def _take(self, token: str, priority: Priority, deadline: float) -> None:
        if await self._try(token, priority):
            return
        async with self._store.subscribe(self._channel) as freed:
            while not await self._try(token, priority):
                if time.monotonic() >= deadline:
                    raise TimeoutError("no slot was free in time")
                with suppress(TimeoutError):
                    async with asyncio.timeout(random.uniform(*_POLL)):  # noqa: S311 - spreads the replicas' questions
                        await anext(freed, None)

    async def _try(self, token: str, priority: Priority) -> bool:
        lease, grace = self._milliseconds(self._lease), self._milliseconds(self._grace)
        ahead = AHEAD if priority is Priority.PRESS else 0
        arguments = (token, self._limit, lease, grace, ahead)
        return bool(await self._store.script("slot", _TAKE, self._keys_for(token), *arguments, twice=True))

    async def _renew(self, token: str) -> None:
        pause = self._lease / 4
        while True:
            await asyncio.sleep(pause)
            try:
                if await self._store.script(
                    "slot", _RENEW, self._keys_for(token), token, self._milliseconds(self._lease)
                ):
                    _log.error("slot_lost", slots=self._name)
                pause = self._lease / 4
            except StoreUnavailable:  # logged by the store; no other request gets a slot from a Redis that is away
                pause = self._lease / 20
            except Exception:  # the slot is in use whatever happened here, so it is renewed on
                _log.exception("slot_renewal_failed", slots=self._name)
                pause = self._lease / 20

    async def _leave(self, token: str) -> None:
        """Give the slot, or the place in the queue, back. A Redis that is away lets it run out."""
        leaving = asyncio.create_task(self._give_back(token), name="slot-return")
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)
        await asyncio.wait([leaving], timeout=_RETURN_WAIT)

    async def _give_back(self, token: str) -> None:
        try:
            await self._store.script("slot", _LEAVE, self._keys_for(token), token, _MARK, twice=True)
            await self._store.publish(self._channel, "")
        except StoreUnavailable:
            pass  # logged by the store; the lease ends by itself
        except Exception:
            _log.exception("slot_return_failed", slots=self._name)

    def _keys_for(self, token: str) -> list[str]:
        return [*self._keys, f"s:{self._name}:left:{token}"]

    @property
    def _channel(self) -> str:
        return f"slots:{self._name}"

    @staticmethod
    def _milliseconds(seconds: float) -> int:
        return max(1, round(seconds * 1000))
