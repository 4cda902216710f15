"""A copy of the embedded store's file, made while the app runs, and putting one back while it does not.

Both are SQLite's online backup: a copy is the store of one moment. Every copy is checked before it gets its name.
"""

import itertools
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from services.storage.sqlite.opened_files import JOURNAL, LOCK, beside
from services.storage.sqlite.sqlite_file import SqliteFile


class NoBackup(Exception):
    """A file can't be used as a backup, or is not to be written over; the text is a sentence for the operator."""


def back_up(store: Path, target: Path) -> int:
    """Copy the store, in use or not, to a new file that its owner alone can read; return how many rows it has.

    Raises NoBackup, OSError and sqlite3.Error; then there is no new file.
    """
    if not store.exists():
        raise NoBackup(f"{store} does not exist, so there is nothing to back up.")
    if target.exists():
        raise NoBackup(f"{target} exists already; name a file that does not.")
    draft = beside(target, f".draft-{os.getpid()}")
    try:
        _copy(store, draft)
        rows = _checked(draft)
        os.link(draft, target)
    finally:
        _remove(draft)
    return rows


def restore(backup: Path, store: Path) -> Path | None:
    """Put a backup in the store's place; return where the store that was there is kept now, None if there was none.

    Raises NoBackup, OSError, sqlite3.Error, and StoreInUse while the app has the store; then all is as it was.
    """
    if not backup.exists():
        raise NoBackup(f"{backup} does not exist.")
    claim = SqliteFile(store, time.time)
    claim.claim()
    try:
        path = store.resolve()
        draft, before = beside(path, f".draft-{os.getpid()}"), None
        try:
            _copy(backup, draft)
            _checked(draft)
            if path.exists():
                before = _name_for_former(path)
                back_up(path, before)
                _give_to_owner_of(path, draft, before)
            for ending in JOURNAL:  # of the store that makes way; it is in the copy
                beside(path, ending).unlink(missing_ok=True)
            draft.replace(path)
        finally:
            _remove(draft)
    finally:
        claim.close()
    return before


def _give_to_owner_of(path: Path, *files: Path) -> None:
    """Let the app's user go on having its files where root restores them."""
    if os.geteuid() == 0:
        owner = path.stat()
        for file in files:
            os.chown(file, owner.st_uid, owner.st_gid)


def _name_for_former(path: Path) -> Path:
    """Return a name that no file has, for the store that makes way."""
    today = time.strftime("%Y%m%d", time.gmtime())
    names = (beside(path, f".before-{today}-{number}") for number in itertools.count(1))
    return next(name for name in names if not name.exists())


def _copy(source: Path, target: Path) -> None:
    _remove(target)
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    # Read-only would not do for a store: its journal has to be read. A backup may stand where nothing can be written.
    mode = "mode=rw" if os.access(source, os.W_OK) else "immutable=1"
    address = f"file:{quote(str(source.resolve()))}?{mode}"
    try:
        with (
            closing(sqlite3.connect(address, uri=True, timeout=10)) as opened,
            closing(sqlite3.connect(target)) as copy,
        ):
            opened.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # all in one file
    except sqlite3.DatabaseError as error:
        raise NoBackup(f"{source} can't be read as a store ({error}).") from None


def _checked(path: Path) -> int:
    """Return how many rows a copy has. Raises NoBackup for one that is damaged, or no store of ours."""
    with closing(sqlite3.connect(path)) as copy:
        try:
            (found,) = copy.execute("PRAGMA integrity_check").fetchone()
            counted = copy.execute("SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM fields)").fetchone()
        except sqlite3.DatabaseError as error:
            raise NoBackup(f"It is no store of this app ({error}).") from None
    if found != "ok":
        raise NoBackup(f"It is damaged ({found}).")
    return int(counted[0])


def _remove(draft: Path) -> None:
    for ending in ("", *JOURNAL, LOCK):
        beside(draft, ending).unlink(missing_ok=True)
