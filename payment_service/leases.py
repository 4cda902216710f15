"""Who may do something at present, over all threads and instances: a row with an end, so that a crash gives it back."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, or_, update
from sqlalchemy.exc import SQLAlchemyError

from payment_service.database import LeaseRow, ServiceDatabase, changed, insert
from payment_service.errors import ServiceError

_LOOK_AGAIN: Final = 0.05


class Busy(ServiceError):
    """Somebody else holds the lease, and did not give it back in time."""

    def __init__(self) -> None:
        description = "Another checkout of this user is being opened; ask again with the same Idempotency-Key."
        super().__init__(409, "CHECKOUT_IN_PROGRESS", "Being opened already", description)


@dataclass(frozen=True)
class DatabaseLeases:
    """Leases by name. What is done under one has to be right without it, too: it can run out under a stalled holder."""

    database: ServiceDatabase

    @contextmanager
    def hold(self, name: str, *, holder: str = "", seconds: float = 60.0, wait: float = 0.0) -> Iterator[None]:
        """Hold a lease for as long as the block takes, `seconds` at most; wait for it so long. Raises Busy.

        Whoever asks again as the same `holder`, after a crash or a lost answer, has it at once.
        """
        holder, give_up = holder or secrets.token_hex(8), time.monotonic() + wait
        while not self._take(name, holder, seconds):
            if time.monotonic() >= give_up:
                raise Busy
            time.sleep(_LOOK_AGAIN)
        try:
            yield
        finally:
            with suppress(SQLAlchemyError), self.database.writing() as session:  # else it runs out
                session.execute(delete(LeaseRow).where(LeaseRow.name == name, LeaseRow.holder == holder))

    def _take(self, name: str, holder: str, seconds: float) -> bool:
        now = time.time()
        row = {"name": name, "holder": holder, "until": now + seconds}
        mine = update(LeaseRow).where(LeaseRow.name == name, or_(LeaseRow.until < now, LeaseRow.holder == holder))
        with self.database.writing() as session:
            return insert(session, LeaseRow, row) or changed(session, mine.values(row)) > 0
