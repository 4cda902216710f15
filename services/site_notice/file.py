"""The notice in force: read from its file at the start, and again whenever the file or the hour changes it.

A file that can't be used keeps the last good notice; what is wrong with it is logged once and told to operators.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog

from services.site_notice.model import NoticeUnusable, SiteNotice, read_notice
from services.storage.watched_file import LOOK_EVERY, FileStamp, FileWatch, file_stamp

Heard = Callable[[], None]

_log = structlog.get_logger(__name__)


class NoticeFile:
    """Holds the notice of a file; without a path there never is one."""

    def __init__(
        self, path: str, *, look_every: float = LOOK_EVERY, now: Callable[[], datetime] | None = None
    ) -> None:  # fmt: skip
        self._path = Path(path) if path else None
        self._watch = FileWatch("notice", self.look, every=look_every)
        self._now = now or (lambda: datetime.now(UTC))
        self._stamp: FileStamp | None = None
        self._written: SiteNotice | None = None
        self._listeners: set[Heard] = set()
        self.problem: str | None = None
        self.current: SiteNotice | None = None
        self._read()
        self.current = self._standing()

    @property
    def mark(self) -> str:
        """What tells the notice in force from another one; empty for none."""
        return self.current.mark if self.current is not None else ""

    @property
    def coming(self) -> SiteNotice | None:
        """The notice of the file, whether it stands now or not."""
        return self._written

    def start(self) -> None:
        """Look at the file from now on, in the running event loop."""
        if self._path is not None:
            self._watch.start()

    async def stop(self) -> None:
        """Look no more."""
        await self._watch.stop()

    def listen(self, heard: Heard) -> None:
        """Call `heard` whenever another notice is in force, until `forget`."""
        self._listeners.add(heard)

    def forget(self, heard: Heard) -> None:
        """Call it no more."""
        self._listeners.discard(heard)

    async def look(self) -> bool:
        """Read the file if it has changed; return whether another notice is in force now."""
        if self._path is not None and await asyncio.to_thread(file_stamp, self._path) != self._stamp:
            await asyncio.to_thread(self._read)
        before, self.current = self.current, self._standing()
        if self.current == before:
            return False
        _log.info("notice_changed", stands=self.current is not None)
        for heard in tuple(self._listeners):
            heard()
        return True

    def _standing(self) -> SiteNotice | None:
        return self._written if self._written is not None and self._written.stands(self._now()) else None

    def _read(self) -> None:
        if self._path is None:
            return
        self._stamp = file_stamp(self._path)
        try:
            self._written, self.problem = read_notice(self._path), None
        except NoticeUnusable as error:
            self.problem = str(error)
            _log.error("notice_refused", problems=self.problem, kept=self._written is not None)
