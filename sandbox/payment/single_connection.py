"""The running Payment MS's one database connection: calls and webhooks that meet on it break it until a restart."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

WORK_SECONDS: Final = 0.004
"""How long a piece of work holds the connection at least: two that arrive together must be seen to overlap."""


class SingleConnection:
    """`lost` once two have met: every guarded call then answers 401, and nothing can be written.

    `write_seconds` is how long a webhook's write takes. The webhooks of one change follow each other and don't meet.
    """

    def __init__(self, write_seconds: float = WORK_SECONDS) -> None:
        self.lost = False
        self._write_seconds = write_seconds
        self._calls = 0
        self._writes = 0
        self._nothing_written = asyncio.Event()
        self._nothing_written.set()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Use it for a call."""
        self._calls += 1
        self._look()
        try:
            yield
        finally:
            self._calls -= 1

    def hold_for_a_write(self) -> None:
        """Use it for a webhook, for as long as a write takes."""
        self._write()
        if self._write_seconds:
            asyncio.get_running_loop().call_later(self._write_seconds, self._written)
        else:
            self._written()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Use it for an event that somebody posts, until it is written."""
        self._write()
        try:
            await asyncio.sleep(self._write_seconds)
            yield
        finally:
            self._written()

    async def all_written(self) -> None:
        """Wait until no webhook holds it any more."""
        await self._nothing_written.wait()

    def _look(self) -> None:
        if self._calls + bool(self._writes) > 1:
            self.lost = True

    def _write(self) -> None:
        self._writes += 1
        self._nothing_written.clear()
        self._look()

    def _written(self) -> None:
        self._writes -= 1
        if not self._writes:
            self._nothing_written.set()
