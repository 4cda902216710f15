"""The shared store: Redis 7 or Valkey, for several replicas.

Every call ends within `DEADLINE` seconds, with an answer or with `StoreUnavailable`: redis-py alone would wait for ever
on a Redis that hangs. Connections are bounded, and checked when taken, so a restarted Redis costs no failed call. Only
commands that may run twice are sent again after a broken connection.

Times to live run on the Redis server's clock, so replicas with clocks apart agree.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, Protocol, TypeVar, cast

import structlog
from redis.asyncio import Redis

from services.errors import StoreUnavailable
from services.storage.deadlines import within_deadline
from services.storage.local_pubsub import LocalPubSub
from services.storage.outage_log import OutageLog
from services.storage.port import check_ttl
from services.storage.redis_connection import CONNECTION_LOST, REDIS_FAILURES, redis_pool
from services.storage.redis_listener import RedisListener
from services.storage.redis_lock import RedisLocks

DEADLINE: Final = 2.0
"""Seconds after which a call gives up, waiting for a free connection included."""

CONNECTIONS: Final = 20
PREFIX: Final = "billing:"

T = TypeVar("T")

_ADD = "return redis.call('SET', KEYS[1], ARGV[1], 'NX', unpack(ARGV, 2)) and 1 or 0"
_REPLACE = """
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
    redis.call('SET', KEYS[1], ARGV[2], unpack(ARGV, 3))
    return 1
"""
_DELETE_IF = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
_PUT_FIELD = """
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
    if ARGV[3] then redis.call('PEXPIRE', KEYS[1], ARGV[3]) else redis.call('PERSIST', KEYS[1]) end
    if KEYS[2] then redis.call('DEL', KEYS[2]) end
    return 1
"""

_log = structlog.get_logger(__name__)


class _Eval(Protocol):
    """redis-py's `eval`, whose own type leaves open whether it is awaited."""

    def __call__(self, script: str, numkeys: int, *keys_and_args: str | float) -> Awaitable[int]: ...


class RedisStore:
    """A `Store` in Redis. Reconnects by itself; opening it connects to nothing yet."""

    def __init__(self, url: str, *, prefix: str = PREFIX, connections: int = CONNECTIONS) -> None:
        """Keep everything under `prefix`, and use at most `connections` connections and one to listen."""
        self._prefix = prefix
        self._redis = Redis(connection_pool=redis_pool(url, connections))
        self._connections = connections
        self._turns = asyncio.Semaphore(connections)
        self._trouble = OutageLog("redis")
        self._channels = LocalPubSub()
        self._listener = RedisListener(
            redis_pool(url, 1, check_after=0), f"{prefix}p:", self._channels, self._notice_empty
        )
        self._locks = RedisLocks(self)
        self._known = False
        self._closed = False

    async def _run(self, operation: str, call: Callable[[], Awaitable[T]], *, twice: bool = False) -> T:
        """Make the call; `twice` says that it may be made again when the connection breaks."""
        self._check_open()
        try:
            return await within_deadline(self._attempt(call, twice), DEADLINE)
        except REDIS_FAILURES as error:
            raise self._trouble.failed(operation, error) from error

    async def _attempt(self, call: Callable[[], Awaitable[T]], twice: bool) -> T:
        async with self._turns:
            self._check_open()
            try:
                return await call()
            except CONNECTION_LOST:
                if not twice or self._closed:
                    raise
                return await call()

    async def script(
        self, operation: str, script: str, keys: Sequence[str], *args: str | float, twice: bool = False
    ) -> int:
        """Run a Lua script that returns a number. `keys` are put under the prefix as they are.

        `twice` says that it may run again when the connection breaks before its answer.
        """
        names = [self._prefix + key for key in keys]
        run = cast("_Eval", self._redis.eval)
        return int(await self._run(operation, lambda: run(script, len(names), *names, *args), twice=twice))

    async def get(self, key: str) -> str | None:
        """See `Store`."""
        value = await self._run("get", lambda: self._redis.get(self._value(key)), twice=True)
        return None if value is None else str(value)

    async def put(self, key: str, value: str, ttl: float | None) -> None:
        """See `Store`."""
        expiry = _milliseconds(ttl)
        await self._run("put", lambda: self._redis.set(self._value(key), value, px=expiry), twice=True)

    async def add(self, key: str, value: str, ttl: float | None) -> bool:
        """See `Store`."""
        return bool(await self.script("add", _ADD, [f"v:{key}"], value, *_px(ttl)))

    async def replace(self, key: str, old: str, new: str, ttl: float | None) -> bool:
        """See `Store`."""
        return bool(await self.script("replace", _REPLACE, [f"v:{key}"], old, new, *_px(ttl)))

    async def delete(self, key: str) -> None:
        """See `Store`."""
        await self._run("delete", lambda: self._redis.delete(self._value(key), self._fields(key)), twice=True)

    async def delete_if(self, key: str, value: str) -> bool:
        """See `Store`."""
        return bool(await self.script("delete_if", _DELETE_IF, [f"v:{key}"], value))

    async def fields(self, key: str) -> dict[str, str]:
        """See `Store`."""
        call = cast("Callable[[str], Awaitable[dict[str, str]]]", self._redis.hgetall)
        return dict(await self._run("fields", lambda: call(self._fields(key)), twice=True))

    async def put_field(
        self, key: str, field: str, value: str, ttl: float | None, *, instead_of: str | None = None
    ) -> None:
        """See `Store`."""
        keys = [f"f:{key}"] if instead_of is None else [f"f:{key}", f"v:{instead_of}"]
        await self.script("put_field", _PUT_FIELD, keys, field, value, *_px(ttl)[1:], twice=True)

    async def delete_field(self, key: str, field: str) -> None:
        """See `Store`."""
        call = cast("Callable[[str, str], Awaitable[int]]", self._redis.hdel)
        await self._run("delete_field", lambda: call(self._fields(key), field), twice=True)

    async def keys(self, prefix: str) -> list[str]:
        """See `Store`."""
        found: set[str] = set()
        for start in (self._value(""), self._fields("")):
            pattern = _literal(start + prefix) + "*"
            cursor = 0
            while True:

                async def scan(at: int = cursor, match: str = pattern) -> tuple[int, list[str]]:
                    position, names = await self._redis.scan(at, match=match, count=1000)
                    return int(position), [str(name) for name in names]

                cursor, names = await self._run("keys", scan, twice=True)
                found.update(name.removeprefix(start) for name in names)
                if not cursor:
                    break
        return sorted(found)

    @asynccontextmanager
    async def lock(self, key: str, ttl: float = 30, wait: float = 10) -> AsyncIterator[None]:
        """See `Store`."""
        async with self._locks.hold(key, ttl, wait):
            yield

    async def publish(self, channel: str, message: str) -> None:
        """See `Store`."""
        await self._run("publish", lambda: self._redis.publish(f"{self._prefix}p:{channel}", message), twice=True)

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[AsyncIterator[str]]:
        """See `Store`. While Redis is away nothing comes; `RESYNC` comes when it is back."""
        self._check_open()
        with self._channels.subscribe(channel) as subscription:
            await self._listener.settled(DEADLINE)
            yield subscription

    async def ping(self) -> None:
        """See `Store`."""
        await self._notice_empty()

    async def _notice_empty(self) -> None:
        """Mark this Redis as ours, and warn when the mark has gone: it came back without its data."""
        created = await self.script("ping", _ADD, ["v:store:mark"], secrets.token_hex(8), twice=True)
        if created and self._known:
            _log.warning("session_store_empty", store="redis")
        self._known = True

    async def close(self) -> None:
        """See `Store`. Calls under way are cut off."""
        if self._closed:
            return
        self._closed = True
        self._channels.end()
        await self._listener.close()
        await self._redis.connection_pool.aclose()
        with suppress(TimeoutError):
            async with asyncio.timeout(DEADLINE):
                for _connection in range(self._connections):
                    await self._turns.acquire()
        await self._redis.connection_pool.aclose()  # redis-py connects by itself for a call under way

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable("the store is closed")

    def _value(self, key: str) -> str:
        return f"{self._prefix}v:{key}"

    def _fields(self, key: str) -> str:
        return f"{self._prefix}f:{key}"


def _milliseconds(ttl: float | None) -> int | None:
    return None if check_ttl(ttl) is None or ttl is None else max(1, round(ttl * 1000))


def _px(ttl: float | None) -> tuple[str, ...]:
    expiry = _milliseconds(ttl)
    return () if expiry is None else ("PX", str(expiry))


def _literal(text: str) -> str:
    """Return the glob pattern that matches `text` alone."""
    return "".join("\\" + character if character in "*?[]^\\-" else character for character in text)
