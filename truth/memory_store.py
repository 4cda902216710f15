"""A store in memory that keeps the promises of `services/storage/port.py`, and breaks when it is told to."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from services.errors import LockLost, StoreUnavailable
from services.storage.local_locks import LocalLocks
from services.storage.local_pubsub import LocalPubSub
from services.storage.port import Store, check_ttl


class MemoryStore(Store):
    """A store in memory with the clock's time.

    `broken` makes every call raise, `break_after` after so many more; `lose_lock` loses locks whose key starts so.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._values: dict[str, tuple[str, datetime | None]] = {}
        self._fields: dict[str, tuple[dict[str, str], datetime | None]] = {}
        self._channels = LocalPubSub()
        self._locks = LocalLocks()
        self.broken = False
        self.break_after: int | None = None
        self.lose_lock: str | None = None
        self.operations = 0

    def _touch(self) -> None:
        self.operations += 1
        if self.break_after is not None:
            self.break_after -= 1
            self.broken = self.broken or self.break_after < 0
        if self.broken:
            raise StoreUnavailable("the store is broken")

    def _end(self, ttl: float | None) -> datetime | None:
        check_ttl(ttl)
        return None if ttl is None else self._clock() + timedelta(seconds=ttl)

    def _alive(self, end: datetime | None) -> bool:
        return end is None or end > self._clock()

    def _value(self, key: str) -> str | None:
        value, end = self._values.get(key, (None, None))
        return value if self._alive(end) else None

    def _field_set(self, key: str) -> dict[str, str]:
        fields, end = self._fields.get(key, ({}, None))
        return fields if self._alive(end) else {}

    async def get(self, key: str) -> str | None:
        self._touch()
        return self._value(key)

    async def put(self, key: str, value: str, ttl: float | None) -> None:
        self._touch()
        self._values[key] = value, self._end(ttl)

    async def add(self, key: str, value: str, ttl: float | None) -> bool:
        self._touch()
        if self._value(key) is not None:
            return False
        self._values[key] = value, self._end(ttl)
        return True

    async def replace(self, key: str, old: str, new: str, ttl: float | None) -> bool:
        self._touch()
        if self._value(key) != old:
            return False
        self._values[key] = new, self._end(ttl)
        return True

    async def delete(self, key: str) -> None:
        self._touch()
        self._values.pop(key, None)
        self._fields.pop(key, None)

    async def delete_if(self, key: str, value: str) -> bool:
        self._touch()
        if self._value(key) != value:
            return False
        del self._values[key]
        return True

    async def fields(self, key: str) -> dict[str, str]:
        self._touch()
        return dict(self._field_set(key))

    async def put_field(
        self, key: str, field: str, value: str, ttl: float | None, *, instead_of: str | None = None
    ) -> None:
        self._touch()
        self._fields[key] = {**self._field_set(key), field: value}, self._end(ttl)
        if instead_of is not None:
            self._values.pop(instead_of, None)

    async def delete_field(self, key: str, field: str) -> None:
        self._touch()
        self._field_set(key).pop(field, None)

    async def keys(self, prefix: str) -> list[str]:
        self._touch()
        live = {key for key in self._values if self._value(key) is not None}
        live |= {key for key in self._fields if self._field_set(key)}
        return sorted(key for key in live if key.startswith(prefix))

    @asynccontextmanager
    async def lock(self, key: str, ttl: float = 30, wait: float = 10) -> AsyncIterator[None]:
        self._touch()
        async with self._locks.hold(key, wait):
            yield
        if self.lose_lock is not None and key.startswith(self.lose_lock):
            raise LockLost("a lock ran out while it was held")

    async def publish(self, channel: str, message: str) -> None:
        self._touch()
        self._channels.publish(channel, message)

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[AsyncIterator[str]]:
        self._touch()
        with self._channels.subscribe(channel) as subscription:
            yield subscription

    def lose_messages(self) -> None:
        """Tell every subscriber that messages may have been lost, as a shared store does after a reconnection."""
        self._channels.resync()

    async def ping(self) -> None:
        self._touch()

    async def close(self) -> None:
        self.broken = True
        self._channels.end()
