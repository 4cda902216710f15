"""The embedded store: one SQLite file, for one process. Survives a restart; Redis is the form for more replicas.

All statements run on one thread of their own, one after the other, so that each method is atomic. What is asked for in
the same turn of the event loop, or while the thread is busy, goes there together, and is committed together. A disk
that was full or read-only heals without a restart.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar, cast

from services.errors import StoreUnavailable
from services.storage.local_locks import LocalLocks
from services.storage.local_pubsub import LocalPubSub
from services.storage.outage_log import OutageLog
from services.storage.port import check_ttl
from services.storage.sqlite.sqlite_file import Do, SqliteFile, Work

DEADLINE: Final = 5.0
"""Seconds after which a call gives up on a disk that hangs."""

T = TypeVar("T")

_ADD = """
    INSERT INTO entries VALUES (:key, :value, :expires) ON CONFLICT (key) DO UPDATE
    SET value = excluded.value, expires = excluded.expires WHERE entries.expires <= :now
"""
_REPLACE = """
    UPDATE entries SET value = :new, expires = :expires
    WHERE key = :key AND value = :old AND (expires IS NULL OR expires > :now)
"""
_KEYS = """
    SELECT key FROM entries WHERE substr(key, 1, length(:prefix)) = :prefix AND (expires IS NULL OR expires > :now)
    UNION
    SELECT key FROM fields WHERE substr(key, 1, length(:prefix)) = :prefix AND (expires IS NULL OR expires > :now)
    ORDER BY key
"""


class SqliteStore:
    """A `Store` in one SQLite file, readable by its owner only."""

    def __init__(self, path: str | Path, *, clock: Callable[[], float] = time.time) -> None:
        """Claim the file. Raises `StoreInUse` when another process (or store) has it.

        A place that cannot be written does not raise here but at each use, until it can be.
        """
        self._file = SqliteFile(Path(path), clock)
        self._trouble = OutageLog("sqlite")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._channels = LocalPubSub()
        self._locks = LocalLocks()
        self._asked: list[tuple[Work, asyncio.Future[None]]] = []
        self._bringing: asyncio.Task[None] | None = None
        self._closed = False
        try:
            self._file.claim()
        except OSError as error:
            self._trouble.failed("open", error)

    async def _read(self, operation: str, do: Do[T]) -> T:
        return cast("T", await self._run(operation, Work(do, writes=False)))

    async def _write(self, operation: str, do: Do[T]) -> T:
        return cast("T", await self._run(operation, Work(do, writes=True)))

    async def _run(self, operation: str, work: Work) -> object:
        if self._closed:
            raise StoreUnavailable("the store is closed")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._asked.append((work, done))
        if self._bringing is None or self._bringing.done():
            self._bringing = loop.create_task(self._bring(), name="store")
        try:
            async with asyncio.timeout(DEADLINE):
                await done
            if work.error is not None:
                raise work.error
        except (sqlite3.Error, OSError) as error:  # TimeoutError is an OSError
            raise self._trouble.failed(operation, error) from error
        return work.result

    async def _bring(self) -> None:
        """Bring what was asked for to the thread, and say that it is done; who has left meanwhile is left out."""
        loop = asyncio.get_running_loop()
        while True:
            asked = [(work, done) for work, done in self._asked if not done.done()]
            self._asked = []
            if asked:
                await loop.run_in_executor(self._thread, self._file.run, [work for work, _done in asked])
                for _work, done in asked:
                    if not done.done():
                        done.set_result(None)
            if self._file.purge_due and not self._closed:
                await loop.run_in_executor(self._thread, self._file.purge)
            elif not asked:
                return

    async def get(self, key: str) -> str | None:
        """See `Store`."""

        def work(connection: sqlite3.Connection, now: float) -> str | None:
            query = "SELECT value FROM entries WHERE key = ? AND (expires IS NULL OR expires > ?)"
            row = connection.execute(query, (key, now)).fetchone()
            return None if row is None else str(row[0])

        return await self._read("get", work)

    async def put(self, key: str, value: str, ttl: float | None) -> None:
        """See `Store`."""
        check_ttl(ttl)

        def work(connection: sqlite3.Connection, now: float) -> None:
            connection.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", (key, value, _end(now, ttl)))

        await self._write("put", work)

    async def add(self, key: str, value: str, ttl: float | None) -> bool:
        """See `Store`."""
        check_ttl(ttl)

        def work(connection: sqlite3.Connection, now: float) -> bool:
            values = {"key": key, "value": value, "expires": _end(now, ttl), "now": now}
            return connection.execute(_ADD, values).rowcount == 1

        return await self._write("add", work)

    async def replace(self, key: str, old: str, new: str, ttl: float | None) -> bool:
        """See `Store`."""
        check_ttl(ttl)

        def work(connection: sqlite3.Connection, now: float) -> bool:
            values = {"key": key, "old": old, "new": new, "expires": _end(now, ttl), "now": now}
            return connection.execute(_REPLACE, values).rowcount == 1

        return await self._write("replace", work)

    async def delete(self, key: str) -> None:
        """See `Store`."""

        def work(connection: sqlite3.Connection, now: float) -> None:
            connection.execute("DELETE FROM entries WHERE key = ?", (key,))
            connection.execute("DELETE FROM fields WHERE key = ?", (key,))

        await self._write("delete", work)

    async def delete_if(self, key: str, value: str) -> bool:
        """See `Store`."""

        def work(connection: sqlite3.Connection, now: float) -> bool:
            query = "DELETE FROM entries WHERE key = ? AND value = ? AND (expires IS NULL OR expires > ?)"
            return connection.execute(query, (key, value, now)).rowcount == 1

        return await self._write("delete_if", work)

    async def fields(self, key: str) -> dict[str, str]:
        """See `Store`."""

        def work(connection: sqlite3.Connection, now: float) -> dict[str, str]:
            query = "SELECT field, value FROM fields WHERE key = ? AND (expires IS NULL OR expires > ?)"
            return dict(connection.execute(query, (key, now)).fetchall())

        return await self._read("fields", work)

    async def put_field(
        self, key: str, field: str, value: str, ttl: float | None, *, instead_of: str | None = None
    ) -> None:
        """See `Store`."""
        check_ttl(ttl)

        def work(connection: sqlite3.Connection, now: float) -> None:
            expires = _end(now, ttl)
            connection.execute("DELETE FROM fields WHERE key = ? AND expires <= ?", (key, now))
            connection.execute("INSERT OR REPLACE INTO fields VALUES (?, ?, ?, ?)", (key, field, value, expires))
            connection.execute("UPDATE fields SET expires = ? WHERE key = ?", (expires, key))
            if instead_of is not None:
                connection.execute("DELETE FROM entries WHERE key = ?", (instead_of,))

        await self._write("put_field", work)

    async def delete_field(self, key: str, field: str) -> None:
        """See `Store`."""

        def work(connection: sqlite3.Connection, now: float) -> None:
            connection.execute("DELETE FROM fields WHERE key = ? AND field = ?", (key, field))

        await self._write("delete_field", work)

    async def keys(self, prefix: str) -> list[str]:
        """See `Store`."""

        def work(connection: sqlite3.Connection, now: float) -> list[str]:
            return [str(row[0]) for row in connection.execute(_KEYS, {"prefix": prefix, "now": now})]

        return await self._read("keys", work)

    @asynccontextmanager
    async def lock(self, key: str, ttl: float = 30, wait: float = 10) -> AsyncIterator[None]:
        """See `Store`. First come, first served. A holder cannot die without its process, so `ttl` does not matter."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        async with self._locks.hold(key, wait):
            yield

    async def publish(self, channel: str, message: str) -> None:
        """See `Store`."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        self._channels.publish(channel, message)

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[AsyncIterator[str]]:
        """See `Store`."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        with self._channels.subscribe(channel) as subscription:
            yield subscription

    async def ping(self) -> None:
        """See `Store`."""
        await self.put("store:ping", "", 1)

    async def close(self) -> None:
        """See `Store`. What was under way is finished first."""
        if self._closed:
            return
        self._closed = True
        self._channels.end()
        if self._bringing is not None:
            await asyncio.wait({self._bringing})
        await asyncio.get_running_loop().run_in_executor(self._thread, self._file.close)
        self._thread.shutdown(wait=False)


def _end(now: float, ttl: float | None) -> float | None:
    return None if ttl is None else now + ttl
