"""Locks that hold across replicas: a token in Redis, extended while held and taken back only by its owner.

In a replica the waiters queue first come first served, so that each replica asks Redis for one waiter a key. A token
starts with the replica's own mark: one that a broken connection left behind is taken over by the same replica at once.
"""

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, Protocol

import structlog

from services.errors import LockLost, LockTimeout, StoreUnavailable
from services.storage.local_locks import LocalLocks
from services.storage.port import check_ttl

_POLL: Final = (0.01, 0.03)

_ACQUIRE = """
    local owner = redis.call('GET', KEYS[1])
    if owner and string.sub(owner, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
    return 1
"""
_EXTEND = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"

_log = structlog.get_logger(__name__)


class Scripts(Protocol):
    """What runs Lua scripts on the shared Redis."""

    async def script(
        self, operation: str, script: str, keys: Sequence[str], *args: str | float, twice: bool = False
    ) -> int:
        """Run a script and return its number; again if the connection breaks, when `twice`."""


class RedisLocks:
    """The locks of one replica."""

    def __init__(self, scripts: Scripts) -> None:
        """Take locks in the Redis that `scripts` runs on."""
        self._scripts = scripts
        self._local = LocalLocks()
        self._mark = secrets.token_hex(8)
        self._giving_up: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def hold(self, key: str, ttl: float, wait: float) -> AsyncIterator[None]:
        """Hold the lock inside the block; raises as `Store.lock` says."""
        check_ttl(ttl)
        deadline = time.monotonic() + wait
        async with self._local.hold(key, wait):
            held = _Held(self._scripts, f"l:{key}", f"{self._mark}:{secrets.token_hex(8)}", ttl)
            await self._acquire(held, deadline, wait)
            keeper = asyncio.create_task(held.keep(), name="lock-keeper")
            try:
                yield
            finally:
                keeper.cancel()
                await asyncio.shield(held.release())
            held.check()

    async def _acquire(self, held: "_Held", deadline: float, wait: float) -> None:
        try:
            while not await held.acquire(self._mark):
                if time.monotonic() >= deadline:
                    raise LockTimeout(f"a lock was not free within {wait:g} s")
                await asyncio.sleep(random.uniform(*_POLL))  # noqa: S311 - only spreads the replicas' questions
        except LockTimeout:
            raise
        except (StoreUnavailable, asyncio.CancelledError):
            giving_up = asyncio.create_task(held.give_up(), name="lock-give-up")
            self._giving_up.add(giving_up)
            giving_up.add_done_callback(self._giving_up.discard)
            raise


class _Held:
    """One holding of a lock, and how long it is certain to last."""

    def __init__(self, scripts: Scripts, key: str, token: str, ttl: float) -> None:
        self._scripts = scripts
        self._key = key
        self._token = token
        self._ttl = ttl
        self._until = 0.0
        self._lost = False

    async def acquire(self, mark: str) -> bool:
        asked = time.monotonic()
        taken = await self._scripts.script(
            "lock", _ACQUIRE, [self._key], f"{mark}:", self._token, self._milliseconds, twice=True
        )
        self._until = asked + self._ttl
        return bool(taken)

    async def keep(self) -> None:
        """Extend the lock until cancelled, or until it is lost."""
        while not self._lost:
            await asyncio.sleep(self._ttl / 4)
            try:
                await self._extend()
            except StoreUnavailable:
                pass  # logged by the store; asked again before the lock runs out
            except Exception:
                _log.exception("lock_extension_failed")

    async def _extend(self) -> None:
        asked = time.monotonic()
        if await self._scripts.script("extend", _EXTEND, [self._key], self._token, self._milliseconds, twice=True):
            self._until = asked + self._ttl
        else:
            self._lose()

    async def release(self) -> None:
        """Give the lock back. A Redis that is away lets it run out; no other holder can take it before that."""
        if self._lost:
            return
        try:
            if not await self._scripts.script("unlock", _RELEASE, [self._key], self._token):
                self._lose()
        except StoreUnavailable:
            if time.monotonic() > self._until:
                self._lose()

    async def give_up(self) -> None:
        """Take back a request that may have been granted after its caller had stopped waiting."""
        with suppress(StoreUnavailable):  # then it runs out by itself
            await self._scripts.script("unlock", _RELEASE, [self._key], self._token)

    def check(self) -> None:
        if self._lost:
            raise LockLost("a lock ran out while it was held")

    def _lose(self) -> None:
        self._lost = True
        _log.error("lock_lost", ttl=self._ttl)

    @property
    def _milliseconds(self) -> int:
        return max(1, round(self._ttl * 1000))
