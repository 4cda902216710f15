"""What must outlive a request and be shared by replicas: the port, and the choice between its two forms.

Sign-ins, carts, open checkouts and locks live here. The embedded form is one SQLite file (`sqlite_store`), the shared
form is Redis (`redis_store`). Both keep the same promises, which the same tests check:

* every write touches one value or one field, atomically: no read-modify-write of a whole document;
* trouble raises `StoreUnavailable`, never an empty answer: "not signed in" and "cannot tell" are different things;
* a raised `StoreUnavailable` does not say whether a write happened, only that no caller may count on it;
* values and fields are two namespaces: `get` never sees what `put_field` wrote under the same key.

Keys may hold session ids and are therefore never logged.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final, Protocol

from pydantic import SecretStr

RESYNC: Final = "\x00resync"
"""What a subscriber receives instead of messages that may have been lost: read the truth again."""


class Store(Protocol):
    """Text values and sets of text fields by key. `ttl` is in seconds, `None` means for ever."""

    async def get(self, key: str) -> str | None:
        """Return the value, or None if there is none or it has expired."""

    async def put(self, key: str, value: str, ttl: float | None) -> None:
        """Write the value and start its time to live anew."""

    async def add(self, key: str, value: str, ttl: float | None) -> bool:
        """Write the value only if there is none; return whether it was written."""

    async def replace(self, key: str, old: str, new: str, ttl: float | None) -> bool:
        """Write `new` only if the value is `old`; return whether it was written."""

    async def delete(self, key: str) -> None:
        """Remove the value and the fields under the key."""

    async def delete_if(self, key: str, value: str) -> bool:
        """Remove the value only if it is `value`; return whether it was removed."""

    async def fields(self, key: str) -> dict[str, str]:
        """Return all fields under the key."""

    async def put_field(
        self, key: str, field: str, value: str, ttl: float | None, *, instead_of: str | None = None
    ) -> None:
        """Write one field; `ttl` is that of all fields under the key, and starts anew.

        The value under the key `instead_of` is removed in the same step: both happen, or neither.
        """

    async def delete_field(self, key: str, field: str) -> None:
        """Remove one field and leave the others, and their time to live, as they are."""

    async def keys(self, prefix: str) -> list[str]:
        """Return the sorted keys that start with `prefix`. Walks the whole store: for operators, not for requests."""

    def lock(self, key: str, ttl: float = 30, wait: float = 10) -> AbstractAsyncContextManager[None]:
        """Hold the lock inside the block. It is extended while held; `ttl` is how long a dead holder keeps it.

        Raises `LockTimeout` after `wait` seconds, and `LockLost` at the end of a block that was not guarded throughout.
        """

    async def publish(self, channel: str, message: str) -> None:
        """Send a message to whoever subscribes now. Messages are hints, not truth: they can be lost."""

    def subscribe(self, channel: str) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Receive messages inside the block; `RESYNC` stands for lost ones. Ends when the store closes."""

    async def ping(self) -> None:
        """Prove that the store can be written, or raise."""

    async def close(self) -> None:
        """Release everything; every later call raises `StoreUnavailable`."""


class StoreSettings(Protocol):
    """The settings that choose a store."""

    @property
    def redis_url(self) -> SecretStr | None:
        """Where the replicas' shared Redis is, if there is one."""

    @property
    def storage_path(self) -> str | Path:
        """The SQLite file of the embedded store."""


def check_ttl(ttl: float | None) -> float | None:
    """Return `ttl`; a value written to expire at once is a mistake of the caller and raises `ValueError`."""
    if ttl is not None and not ttl > 0:
        raise ValueError(f"A time to live must be positive, not {ttl}")
    return ttl
