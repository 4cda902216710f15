"""The database: its tables, and transactions that are short by construction.

SQLite is embedded and enough for one instance; PostgreSQL serves several. Times are Stripe's, whole seconds since 1970.
A thread that is in a transaction can't call Stripe (`in_transaction`): no connection waits for somebody else's server.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Final

from pydantic import JsonValue
from sqlalchemy import JSON, BigInteger, Connection, Engine, String, Text, Update, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

_here: Final = threading.local()


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {int: BigInteger, str: Text, dict[str, JsonValue]: JSON, list[dict[str, JsonValue]]: JSON}  # noqa: RUF012


class FactRow(Base):
    """What holds for the whole database: which project it is of, and which of Stripe's modes."""

    __tablename__ = "facts"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str]


class ApiKeyRow(Base):
    """A project's API key, by its SHA-256: the key itself is 256 random bits and is nowhere."""

    __tablename__ = "api_keys"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    hint: Mapped[str]
    created: Mapped[int]
    revoked: Mapped[int | None]


class CustomerRow(Base):
    """Which customer at Stripe a user is."""

    __tablename__ = "customers"
    user_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    customer_id: Mapped[str] = mapped_column(String(255), unique=True)
    created: Mapped[int]
    at_stripe_until: Mapped[int] = mapped_column(default=0)
    """Until when they may be doing something at Stripe of which no event has come."""
    untold: Mapped[bool] = mapped_column(default=False)
    """Whether something was written of them that no event has told of yet."""


class SubscriptionRow(Base):
    """A subscription as Stripe last told it. `documents` are status objects of the contract, one for each product."""

    __tablename__ = "subscriptions"
    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(255), index=True)
    customer_id: Mapped[str]
    group_name: Mapped[str]
    plan: Mapped[str]
    """What the Auth MS is told that it is: the metadata `plan` of its product, else the product's id."""
    status: Mapped[str]
    sold_here: Mapped[bool]
    created: Mapped[int]
    ended_at: Mapped[int | None]
    documents: Mapped[list[dict[str, JsonValue]]]
    next_charge: Mapped[dict[str, JsonValue] | None]
    charge_known: Mapped[bool]
    fingerprint: Mapped[str]
    """Of Stripe's object when `next_charge` was asked: as long as it fits, that holds."""
    as_of: Mapped[int] = mapped_column(index=True)


class SessionRow(Base):
    """A checkout session as Stripe last told it; `document` is the contract's object."""

    __tablename__ = "checkout_sessions"
    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(255), index=True)
    settled: Mapped[bool]
    """Whether nothing about it can change any more."""
    document: Mapped[dict[str, JsonValue]]
    as_of: Mapped[int] = mapped_column(index=True)


class TicketRow(Base):
    """How often an object was fetched: the newest fetch wins, whichever is written last (`sync.py`)."""

    __tablename__ = "sync_tickets"
    object_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    taken: Mapped[int]
    written: Mapped[int]


class EventRow(Base):
    """An event of Stripe's that was acted on."""

    __tablename__ = "stripe_events"
    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    type: Mapped[str]
    created: Mapped[int] = mapped_column(index=True)
    done: Mapped[int]


class AnswerRow(Base):
    """The answer to a request with an `Idempotency-Key`."""

    __tablename__ = "idempotent_answers"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    request: Mapped[str]
    answer: Mapped[dict[str, JsonValue]]
    created: Mapped[int] = mapped_column(index=True)


class SecondRow(Base):
    """A second live subscription of a group, and what became of it."""

    __tablename__ = "second_subscriptions"
    subscription_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    first_id: Mapped[str]
    user_id: Mapped[str]
    state: Mapped[str] = mapped_column(String(20), index=True)
    found: Mapped[int]
    attempts: Mapped[int]
    due: Mapped[int]


class ToldRow(Base):
    """Something to tell the app or the Auth MS, until it was taken."""

    __tablename__ = "outbox"
    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    target: Mapped[str]
    user_id: Mapped[str]
    body: Mapped[dict[str, JsonValue]]
    created: Mapped[int]
    attempts: Mapped[int]
    due: Mapped[int] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(10))


class LeaseRow(Base):
    """Who does something that only one instance should do, and until when."""

    __tablename__ = "leases"
    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    holder: Mapped[str]
    until: Mapped[float]


class ServiceDatabase:
    """The connections, and the two kinds of transaction."""

    def __init__(self, url: str) -> None:
        address = make_url(url)
        self.is_sqlite = address.get_backend_name() == "sqlite"
        if self.is_sqlite:
            Path(address.database or "").parent.mkdir(parents=True, exist_ok=True)
            options: dict[str, object] = {"connect_args": {"timeout": 10.0, "isolation_level": None}}
        else:
            options = {"connect_args": {"connect_timeout": 5}, "pool_pre_ping": True}
        self.engine: Engine = create_engine(address, pool_size=20, max_overflow=20, pool_timeout=5, **options)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._writes = self.engine.execution_options(writes=True)
        # SQLite has writers wait by looking again and again, and the unlucky one gives up; here they wait in line.
        self._turn: AbstractContextManager[object] = threading.Lock() if self.is_sqlite else nullcontext()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a transaction that only reads."""
        with _marked(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a transaction that is committed at its end, or not at all. On SQLite it is the only writer."""
        with self._turn, _marked(), Session(self._writes, expire_on_commit=False) as session, session.begin():
            yield session


def in_transaction() -> bool:
    """Return whether this thread is in a transaction."""
    return bool(getattr(_here, "depth", 0))


def insert(session: Session, row: type[Base], values: Mapping[str, object], *, replace: bool = False) -> bool:
    """Insert a row and return True; where it exists, leave it alone (or set `values` if asked to), and return False."""
    key = list(row.__table__.primary_key)
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement: postgresql.Insert = dialect.insert(row).values(values)
    if replace:
        statement = statement.on_conflict_do_update(index_elements=key, set_=dict(values))
    else:
        statement = statement.on_conflict_do_nothing()
    return session.execute(statement.returning(*key)).first() is not None


def changed(session: Session, statement: Update) -> int:
    """Carry out a change and return of how many rows."""
    return int(session.execute(statement).rowcount)  # type: ignore[attr-defined]


@contextmanager
def _marked() -> Iterator[None]:
    _here.depth = getattr(_here, "depth", 0) + 1
    try:
        yield
    finally:
        _here.depth -= 1


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """A crash of the process loses nothing, one of the machine the last moments, which the worker makes up for."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Begin ourselves: a transaction that will write has to say so at once, else two of them can refuse each other."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
