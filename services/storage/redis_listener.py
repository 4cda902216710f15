"""Messages from other replicas: one connection a process listens to all channels and hands them out inside.

After every new connection each subscriber receives `RESYNC`, because messages sent meanwhile are gone. The connection
is asked for a sign of life, so that one whose other end has vanished is replaced.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, cast

import structlog
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import PubSub

from services.errors import StoreUnavailable
from services.storage.local_pubsub import LocalPubSub
from services.storage.redis_connection import REDIS_FAILURES

SILENCE: Final = 4.0
"""Seconds without a message after which the connection must answer a ping, and again as many for the answer."""

_PAUSES: Final = (0.1, 0.2, 0.5, 1.0)

_log = structlog.get_logger(__name__)


class RedisListener:
    """Listens from the first subscription on, until closed."""

    def __init__(
        self, pool: ConnectionPool, prefix: str, channels: LocalPubSub, connected: Callable[[], Awaitable[None]]
    ) -> None:
        """Listen to every channel that starts with `prefix`; call `connected` after each new connection."""
        self._pool = pool
        self._prefix = prefix
        self._channels = channels
        self._connected = connected
        self._settled = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def settled(self, wait: float) -> None:
        """Start listening if need be, and return when messages arrive or Redis is known to be away."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._listen(), name="redis-listener")
        try:
            async with asyncio.timeout(wait):
                await self._settled.wait()
        except TimeoutError:
            _log.warning("store_listener_slow", wait=wait)

    async def close(self) -> None:
        """Stop listening."""
        if self._task is not None:
            while not self._task.done():  # redis-py can swallow a cancellation (see `bounded`)
                self._task.cancel()
                await asyncio.wait([self._task], timeout=0.1)
        await self._pool.aclose()

    async def _listen(self) -> None:
        failures = 0
        while True:
            started = time.monotonic()
            try:
                async with Redis(connection_pool=self._pool).pubsub() as pubsub:
                    await self._receive(pubsub)
            except (*REDIS_FAILURES, StoreUnavailable) as error:
                failures = 0 if time.monotonic() - started > SILENCE else failures + 1
                self._settled.set()
                if failures <= 1:
                    _log.warning("store_listener_lost", error=f"{type(error).__name__}: {error}")
            except Exception:
                failures += 1
                self._settled.set()
                if failures <= 1:
                    _log.exception("store_listener_crashed")
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])

    async def _receive(self, pubsub: PubSub) -> None:
        command = cast("Callable[[str], Awaitable[object]]", pubsub.psubscribe)
        await command(self._prefix.replace("*", "\\*") + "*")
        asked = False
        while True:
            message = await pubsub.get_message(timeout=SILENCE)
            if message is None:
                if asked:
                    raise TimeoutError("no sign of life from Redis")
                await pubsub.ping()
                asked = True
                continue
            asked = False
            if message["type"] == "psubscribe":
                await self._connected()
                self._channels.resync()
                self._settled.set()
            elif message["type"] == "pmessage":
                self._channels.publish(str(message["channel"]).removeprefix(self._prefix), str(message["data"]))
