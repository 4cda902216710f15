"""Who may do something at present, over all threads and instances: a row with an end, so that a crash gives it back."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from sqlalchemy import delete, or_, update
from sqlalchemy.exc import SQLAlchemyError

from payment_service.database import LeaseRow, ServiceDatabase, insert

_LOOK_AGAIN: Final = 0.05


class Busy(Exception):
    """Somebody else holds the lease, and did not give it back in time."""


class DatabaseLeases:
    """Leases by name. What is done under one has to be right without it, too: it can run out under a stalled holder."""

    def __init__(self, database: ServiceDatabase) -> None:
        self._database = database

    @contextmanager
    def hold(self, name: str, *, holder: str = "", seconds: float = 60.0, wait: float = 0.0) -> Iterator[None]:
        """Hold a lease for as long as the block takes, `seconds` at most; wait for it so long. Raises Busy.

        Whoever asks again as the same `holder`, after a crash or a lost answer, has it at once.
        """
        holder, give_up = holder or secrets.token_hex(8), time.monotonic() + wait
        while not self._take(name, holder, seconds):
            if time.monotonic() >= give_up:
                raise Busy(name)
            time.sleep(_LOOK_AGAIN)
        try:
            yield
        finally:
            with suppress(SQLAlchemyError), self._database.writing() as session:  # else it runs out
                session.execute(delete(LeaseRow).where(LeaseRow.name == name, LeaseRow.holder == holder))

    def _take(self, name: str, holder: str, seconds: float) -> bool:
        now = time.time()
        with self._database.writing() as session:
            if insert(session, LeaseRow, {"name": name, "holder": holder, "until": now + seconds}):
                return True
            free = or_(LeaseRow.until < now, LeaseRow.holder == holder)
            over = update(LeaseRow).where(LeaseRow.name == name, free)
            taken = session.execute(over.values(holder=holder, until=now + seconds))
            return bool(taken.rowcount)  # type: ignore[attr-defined]
