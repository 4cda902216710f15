"""The figures of the last complete run of `python app.py reconcile`: kept for `/metrics` of every replica.

The command's process ends before anybody could ask it. Numbers alone are kept, of nobody in particular.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from pydantic import BaseModel, ConfigDict, NonNegativeInt

from services.errors import StoreUnavailable
from services.people.reconciliation import FindingKind, ReconcileFinding
from services.storage.port import Store
from services.storage.rows import RowKind, StoredMoment, read_row

READ_EVERY: Final = 15.0
"""Seconds for which what was read is not read again, however often somebody scrapes."""

_KEY: Final = RowKind.RECONCILED.value


class ReconcileFigures(BaseModel):
    """How many customers a run looked at, how many findings of each kind there were, and when it ended."""

    model_config = ConfigDict(frozen=True)

    ended_at: StoredMoment
    customers: NonNegativeInt
    findings: dict[FindingKind, NonNegativeInt]

    @classmethod
    def of(cls, ended_at: StoredMoment, customers: int, found: Iterable[ReconcileFinding]) -> "ReconcileFigures":
        """Count findings: each kind has its number, also where there is none."""
        counts = Counter(finding.kind for finding in found)
        return cls(ended_at=ended_at, customers=customers, findings={kind: counts[kind] for kind in FindingKind})


class LastReconcile:
    """`figures` are those of the last complete run that this replica knows of; None before the first."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._read_at = float("-inf")
        self.figures: ReconcileFigures | None = None

    async def keep(self, figures: ReconcileFigures) -> None:
        """Keep those of a run that has ended. Raises StoreUnavailable."""
        await self._store.put(_KEY, figures.model_dump_json(), None)

    async def look(self) -> None:
        """Read what the last run left; a store that is away leaves what is known."""
        if self._clock() - self._read_at < READ_EVERY:
            return
        self._read_at = self._clock()
        try:
            text = await self._store.get(_KEY)
        except StoreUnavailable:
            return  # logged by the store
        self.figures = read_row(RowKind.RECONCILED, text, ReconcileFigures.model_validate_json)
