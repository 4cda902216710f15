"""Everything the sandbox remembers, in one SQLite file: typed documents on shelves.

Used from the event loop's thread only and never across an ``await``, so each function that changes something is
atomic by construction; `Database.transaction` makes it atomic on disk too.
"""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Generic, TypeVar

from pydantic import BaseModel, ValidationError

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS documents (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL, due REAL, body TEXT NOT NULL,
    UNIQUE (kind, id)
);
CREATE INDEX IF NOT EXISTS documents_by_owner ON documents (kind, owner);
CREATE INDEX IF NOT EXISTS documents_by_due ON documents (kind, due);
"""
_UPSERT: Final = """
INSERT INTO documents (kind, id, owner, due, body) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (kind, id) DO UPDATE SET owner = excluded.owner, due = excluded.due, body = excluded.body
"""

_log: Final = logging.getLogger(__name__)

T = TypeVar("T", bound=BaseModel)


class DatabaseInUse(Exception):
    """Another sandbox has this file open."""


class Database:
    """One connection, held exclusively: a second sandbox on the same file is refused at its start."""

    def __init__(self, path: Path | str) -> None:
        if str(path) != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(path, isolation_level=None, timeout=1.0, check_same_thread=False)
        try:
            self.connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = NORMAL")
            self.connection.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            self.connection.close()
            raise DatabaseInUse(f"{path}: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing of it; may be nested, then the outermost counts."""
        if self.connection.in_transaction:
            yield
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def clear(self) -> None:
        self.connection.execute("DELETE FROM documents")

    def close(self) -> None:
        self.connection.close()


class DocumentStore(Generic[T]):
    """All documents of one kind, in the order in which they were first put there."""

    def __init__(self, database: Database, kind: str, model: type[T]) -> None:
        self._database, self._kind, self._model = database, kind, model

    def get(self, key: str) -> T | None:
        found = self._rows("id = ?", (key,), "")
        return found[0] if found else None

    def put(self, key: str, document: T, *, owner: str = "", due: float | None = None) -> T:
        """Add or replace; `due` is when time has to look at it (see `first_due`)."""
        body = document.model_dump_json()
        self._database.connection.execute(_UPSERT, (self._kind, key, owner, due, body))
        return document

    def drop(self, key: str) -> bool:
        cursor = self._database.connection.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (self._kind, key))
        return cursor.rowcount > 0

    def of(self, owner: str) -> list[T]:
        return self._rows("owner = ?", (owner,), "ORDER BY position")

    def having(self, field: str, value: str) -> list[T]:
        """Those with this value in a field, newest first."""
        return self._rows("json_extract(body, ?) = ?", (f"$.{field}", value), "ORDER BY position DESC")

    def newest(self, limit: int = 100) -> list[T]:
        return self._rows("1 = 1", (), "ORDER BY position DESC LIMIT ?", (limit,))

    def first_due(self) -> tuple[float, T] | None:
        """The document with the earliest `due`, and that time."""
        row = self._database.connection.execute(
            "SELECT due, body, position FROM documents "
            "WHERE kind = ? AND due IS NOT NULL ORDER BY due, position LIMIT 1",
            (self._kind,),
        ).fetchone()
        if row is None:
            return None
        document = self._read(row[1])
        if document is None:
            self._database.connection.execute("DELETE FROM documents WHERE position = ?", (row[2],))
            return self.first_due()
        return float(row[0]), document

    def count(self) -> int:
        row = self._database.connection.execute("SELECT count(*) FROM documents WHERE kind = ?", (self._kind,))
        return int(row.fetchone()[0])

    def _rows(self, where: str, given: tuple[str, ...], order: str, more: tuple[int, ...] = ()) -> list[T]:
        query = f"SELECT body FROM documents WHERE kind = ? AND {where} {order}"  # noqa: S608 - constants of this class
        rows = self._database.connection.execute(query, (self._kind, *given, *more))
        return [document for document in map(self._read, (row[0] for row in rows)) if document is not None]

    def _read(self, body: str) -> T | None:
        """One document; None for one that another release has written in its own way: it counts as absent."""
        try:
            return self._model.model_validate_json(body)
        except ValidationError as error:
            _log.warning("A %s of another release was left out: %s", self._kind, error.errors()[0]["loc"])
            return None
