"""A file that an operator may change under the running app: looked at every so often, and read again when it differs.

What is read, and what follows from it, say `services/catalog_file.py` and `services/site_notice/file.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog

from services.concurrency.tasks import end

LOOK_EVERY: Final = 1.5
"""Seconds between two looks: open pages follow at once, documents for strangers ask every few seconds themselves."""

FileStamp = tuple[int, int, int]

_log = structlog.get_logger(__name__)


def file_stamp(path: Path) -> FileStamp | None:
    """Return what differs once a file has been written or replaced; None for a file that can't be looked at."""
    try:
        known = path.stat()
    except OSError:
        return None
    return known.st_mtime_ns, known.st_size, known.st_ino


class FileWatch:
    """Calls `look` every so many seconds from `start` to `stop`. What that raises is logged, and it goes on."""

    def __init__(self, file: str, look: Callable[[], Awaitable[object]], *, every: float = LOOK_EVERY) -> None:
        """`file` is what the log calls it."""
        self._file = file
        self._look = look
        self._every = every
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look from now on, in the running event loop."""
        if self._task is None:
            self._task = asyncio.create_task(self._watch(), name=f"{self._file} file")

    async def stop(self) -> None:
        """Look no more."""
        task, self._task = self._task, None
        await end(task)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self._look()
            except Exception:
                _log.exception("file_look_failed", file=self._file)
