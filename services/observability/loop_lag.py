"""How late the event loop comes to what is due: what everybody's page waits for when one thing takes too long."""

import asyncio
from collections.abc import Callable
from typing import Final

from services.concurrency.tasks import end

EVERY: Final = 1.0
"""Seconds between two looks."""


class LoopLag:
    """Sleeps, and tells `observe` by how many seconds it was woken too late."""

    def __init__(self, observe: Callable[[float], None], *, every: float = EVERY) -> None:
        self._observe = observe
        self._every = every
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look at a steady pace from now on, in the running event loop."""
        self._task = asyncio.create_task(self._follow(), name="loop lag")

    async def stop(self) -> None:
        """Look no more."""
        task, self._task = self._task, None
        await end(task)

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + self._every
            await asyncio.sleep(self._every)
            self._observe(max(0.0, loop.time() - due))
