"""The file under the embedded store: the claim on it, its schema, and a transaction at a time.

Not thread-safe: the store calls it from one thread. A connection that fails is replaced at the next call. What is asked
for together is done together: writes wait for the disk once for all of them. What has expired goes in small steps of
its own, in no request's transaction.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from services.errors import StoreInUse, StoreTooNew
from services.storage.sqlite.opened_files import LOCK, FileFate, FileReplaced, OpenedFiles, beside

T = TypeVar("T")

_PURGE_EVERY: Final = 60.0
PURGED_AT_ONCE: Final = 500
"""How many expired rows of each kind go in one step: some milliseconds, which is what a request may wait for it."""

_MIGRATIONS: Final = (
    """
    CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT NOT NULL, expires REAL) WITHOUT ROWID;
    CREATE INDEX entries_expires ON entries (expires) WHERE expires IS NOT NULL;
    CREATE TABLE fields (
        key TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, expires REAL, PRIMARY KEY (key, field)
    ) WITHOUT ROWID;
    CREATE INDEX fields_expires ON fields (expires) WHERE expires IS NOT NULL;
    """,
)
"""Each step brings the file from schema version n to n + 1 (`PRAGMA user_version`). Only ever append."""


_PURGE: Final = (
    "DELETE FROM entries WHERE key IN (SELECT key FROM entries WHERE expires <= ? LIMIT ?)",
    "DELETE FROM fields WHERE (key, field) IN (SELECT key, field FROM fields WHERE expires <= ? LIMIT ?)",
)

Do = Callable[[sqlite3.Connection, float], T]
"""Something to do with the connection, at a time in seconds."""


@dataclass(eq=False, slots=True)
class Work:
    """Something that was asked for, and how it went: `error`, or else `result`, which is what `do` returned."""

    do: Do[object]
    writes: bool
    result: object = None
    error: BaseException | None = None

    def attempt(self, way: Callable[[Do[object]], object]) -> None:
        """Do it in that way, and note how it went."""
        try:
            self.result = way(self.do)
        except BaseException as error:
            self.error = error


class SqliteFile:
    """A SQLite file that one process has to itself, readable by its owner only."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        """Touch nothing yet; `clock` returns the wall clock's seconds."""
        self._named = path
        self._clock = clock
        self._descriptor: int | None = None
        self._connection: sqlite3.Connection | None = None
        self._opened: OpenedFiles | None = None
        self._next_purge = float("-inf")

    def claim(self) -> None:
        """Take the file for this process, by a lock on a file beside it that the system frees when the process ends."""
        if self._descriptor is not None:
            return
        self._named.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(beside(self._path, LOCK), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise StoreInUse(
                f"Another process is using {self._named}. Stop it, give this one a STORAGE_PATH of its own, "
                "or set REDIS_URL to run several replicas."
            ) from None
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    @property
    def _path(self) -> Path:
        """Where the file is, whatever leads there: through a link it is the same file, with the same claim on it."""
        return self._named.resolve()

    def run(self, works: Sequence[Work]) -> None:
        """Do the reads, then the writes, and note on each how it went. Raises nothing."""
        try:
            self._keep_hold_of_the_files()
        except (OSError, sqlite3.Error, StoreInUse) as error:
            for work in works:
                work.error = error
            return
        for work in works:
            if not work.writes:
                work.attempt(self._read)
        writes = [work for work in works if work.writes]
        if len(writes) > 1 and self._write_together(writes):
            return
        for work in writes:
            work.attempt(self._write)

    def _read(self, do: Do[T]) -> T:
        """Do one query, which also works on a disk that cannot be written."""
        connection = self._open()
        try:
            return do(connection, self._clock())
        except BaseException:
            self._disconnect()
            raise

    def _write(self, do: Do[T]) -> T:
        """Do the work in one transaction, at one time, or leave everything as it was."""
        connection = self._open()
        try:
            now = self._begin(connection)
            result = do(connection, now)
            connection.execute("COMMIT")
        except BaseException:
            self._undo(connection)
            raise
        return result

    def _write_together(self, works: Sequence[Work]) -> bool:
        """Do all in one transaction. False if one of them can't be done: all is as it was, and each may be tried alone.

        A commit that fails is the failure of all: nobody knows what became of it.
        """
        try:
            connection = self._open()
            now = self._begin(connection)
            results = [work.do(connection, now) for work in works]
        except BaseException:
            if self._connection is not None:
                self._undo(self._connection)
            return False
        try:
            connection.execute("COMMIT")
        except BaseException as error:
            self._undo(connection)
            for work in works:
                work.error = error
            return True
        for work, result in zip(works, results, strict=True):
            work.result = result
        return True

    def _begin(self, connection: sqlite3.Connection) -> float:
        """Begin a transaction and return its time."""
        now = self._clock()
        connection.execute("BEGIN IMMEDIATE")
        return now

    @property
    def purge_due(self) -> bool:
        """Whether expired rows are to be looked for."""
        return self._connection is not None and self._clock() >= self._next_purge

    def purge(self) -> None:
        """Remove some of what has expired. Raises nothing: what could not be removed is tried again in a minute."""
        now = self._clock()
        self._next_purge = now + _PURGE_EVERY
        with suppress(OSError, sqlite3.Error):
            if self._write(_purge_step):
                self._next_purge = now

    def _keep_hold_of_the_files(self) -> None:
        """See that what is open is what the path leads to, and write back what was deleted. Raises OSError if it can't.

        The claim is taken anew then, which raises StoreInUse if another process was quicker.
        """
        fate = self._opened.fate() if self._opened is not None and self._connection is not None else FileFate.KEPT
        if fate is FileFate.KEPT or self._connection is None or self._opened is None:
            return
        if fate is FileFate.REPLACED:
            self._opened.take_away_journal()
            raise FileReplaced(f"{self._named} was replaced by another file while this process has it open; restart it")
        if fate is FileFate.DELETED:
            self._opened.write_back(self._connection)
        self.close()  # where the journal alone is gone, this writes what it holds into the file
        self.claim()

    def _undo(self, connection: sqlite3.Connection) -> None:
        """Keep the connection if it can go on: on a full disk it still reads, while a new one could not be opened."""
        try:
            connection.rollback()
        except sqlite3.Error:
            self._disconnect()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self.claim()
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            self._path.chmod(0o600)
            self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=1)
            self._connection.text_factory = partial(str, encoding="utf-8", errors="replace")  # as in `redis_pool`
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = FULL")
                _migrate(self._connection)
                self._opened = OpenedFiles(self._path)
            except BaseException:
                self._disconnect()
                raise
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):  # the failure that brought us here is the one to report
                connection.close()

    def close(self) -> None:
        """Close the file and give up the claim."""
        self._disconnect()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _migrate(connection: sqlite3.Connection) -> None:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(_MIGRATIONS):
        raise StoreTooNew(
            f"The store's file was written by a newer release (tables {version}, this one knows {len(_MIGRATIONS)}). "
            "Start that release, or go back to a backup from before it (docs/upgrading.md)."
        )
    for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")


def _purge_step(connection: sqlite3.Connection, now: float) -> bool:
    """Remove a few expired rows; return whether there may be more."""
    removed = [connection.execute(step, (now, PURGED_AT_ONCE)).rowcount for step in _PURGE]
    return PURGED_AT_ONCE in removed
