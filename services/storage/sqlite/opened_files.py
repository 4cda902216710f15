"""Whether the files that a process has open are still those that their path leads to, and writing them back.

A file that is deleted or moved away stays whole for the process that has it open, and is gone when that ends. With it
would go the record of checkouts that may be paid, so it is written back at once. A file that somebody put in its place
is another matter: nobody can say which of the two is meant, so neither is written to.
"""

import os
import sqlite3
from enum import Enum, auto
from pathlib import Path
from typing import Final

import structlog

JOURNAL: Final = ("-wal", "-shm")
"""What SQLite's write-ahead log adds to a file's name."""

LOCK: Final = ".lock"

_log = structlog.get_logger(__name__)


class FileReplaced(OSError):
    """Another file was put where the open one was."""


class FileFate(Enum):
    """What has become of open files."""

    KEPT = auto()
    DELETED = auto()
    REPLACED = auto()
    SIDE_FILE_DELETED = auto()
    """The file is there, its journal or its lock is not."""


class OpenedFiles:
    """The SQLite file at `path`, which was just opened and claimed, and what stands beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened = _identity(path)
        self._lock = _identity(beside(path, LOCK))
        self._journal = _identity(beside(path, JOURNAL[0]))

    def fate(self) -> FileFate:
        """Return what has become of them since. Raises OSError where that can't be seen."""
        now = _identity(self._path)
        if now != self._opened:
            return FileFate.DELETED if now is None else FileFate.REPLACED
        journal = _identity(beside(self._path, JOURNAL[0]))
        self._journal = self._journal or journal  # made with the first write
        kept = journal == self._journal and _identity(beside(self._path, LOCK)) == self._lock
        return FileFate.KEPT if kept else FileFate.SIDE_FILE_DELETED

    def take_away_journal(self) -> None:
        """Remove the journal of the open file from beside another that was put in its place.

        SQLite would read it into that one. A journal that came with the other stays. Raises OSError.
        """
        if self._journal is not None and _identity(beside(self._path, JOURNAL[0])) == self._journal:
            for ending in JOURNAL:
                beside(self._path, ending).unlink(missing_ok=True)

    def write_back(self, connection: sqlite3.Connection) -> None:
        """Put what `connection` has open to its path again, unless something stands there. Raises OSError."""
        draft = beside(self._path, f".rescued-{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft.unlink(missing_ok=True)
            os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            copy = sqlite3.connect(draft)
            try:
                connection.backup(copy)
            finally:
                copy.close()
            for ending in JOURNAL:  # of the deleted file: they would be read into the new one
                beside(self._path, ending).unlink(missing_ok=True)
            os.link(draft, self._path)
        finally:
            for ending in ("", *JOURNAL):
                beside(draft, ending).unlink(missing_ok=True)
        _log.error("store_file_deleted", path=str(self._path), done="written back")


def beside(path: Path, ending: str) -> Path:
    """Return the file beside a file, named like it with something added."""
    return path.with_name(path.name + ending)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
