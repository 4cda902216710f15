"""Keeps this release from a store that a newer one has written: before the first request, or once that is known."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from cli.store_schema import note_schema
from services.errors import StoreTooNew, StoreUnavailable
from services.storage.port import Store

ASK_EVERY: Final = 5.0
"""Seconds between two looks at a store that is away: pages open without it, so the start does not wait for it."""

_log = structlog.get_logger(__name__)


class StoreGate:
    """`problem` is the operator's sentence about a store that can't be read, and empty otherwise."""

    problem: str = ""

    def __init__(self, store: Store, stop: Callable[[], None], *, ask_every: float = ASK_EVERY) -> None:
        """`stop` ends the server, where the store turns out to be too new after the start."""
        self._store = store
        self._stop = stop
        self._ask_every = ask_every
        self._asking: asyncio.Task[None] | None = None

    async def passes(self) -> bool:
        """Say whether the app may start. A store that is away is looked at again until it answers."""
        if not await self._known():
            self._asking = asyncio.create_task(self._ask_until_known(), name="store schema")
        return not self.problem

    async def _ask_until_known(self) -> None:
        known = False
        while not known:
            await asyncio.sleep(self._ask_every)
            known = await self._known()
        if self.problem:
            _log.error("store_too_new", problem=self.problem)
            self._stop()

    async def _known(self) -> bool:
        """Ask once; False when the store does not answer, which it logs itself."""
        try:
            await note_schema(self._store)
        except StoreTooNew as error:
            self.problem = error.detail
        except StoreUnavailable:
            return False
        return True
