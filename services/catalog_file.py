"""The catalog in force: read from its file at the start, and again whenever the file changes under the running app.

A price with `until` retires while the file stays as it is: that is a change like any other, and announced like one.

A change that can't be used keeps the last good catalog; what is wrong with it is logged once and told to whoever asks
for the app's readiness.
"""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from catalog import Catalog, CatalogError, load_catalog
from services.storage.pubsub import PubSub, Topic
from services.storage.watched_file import LOOK_EVERY, FileWatch, file_stamp

ALL_USERS: Final = ""
"""The key of announcements about the catalog: it is for all users."""

_log = structlog.get_logger(__name__)


class CatalogFile:
    """Holds the catalog of a file. Raises CatalogError when the file can't be used at the start."""

    def __init__(
        self,
        path: str | Path,
        pubsub: PubSub,
        *,
        trials: bool = True,
        shop: bool = True,
        look_every: float = LOOK_EVERY,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        """`trials` says whether the service that opens checkouts gives the catalog's trials; else there are none.

        `shop` says whether its items are sold.
        """
        self._path = Path(path)
        self._pubsub = pubsub
        self._watch = FileWatch("catalog", self.look, every=look_every)
        self._stamp = file_stamp(self._path)
        self._seen = _hash(self._path)
        self._trials, self._shop = trials, shop
        self._now = now or (lambda: datetime.now(UTC))
        self._written: Catalog = load_catalog(self._path)
        self.current: Catalog = self._in_force()
        self.problem: str | None = None

    def start(self) -> None:
        """Look at the file from now on, in the running event loop."""
        self._watch.start()

    async def stop(self) -> None:
        """Look no more."""
        await self._watch.stop()

    async def give_trials(self, given: bool) -> None:
        """Offer the catalog's trials from now on, or none: the service that opens checkouts has said which."""
        self._trials = given
        if not given and any(price.trial_days for plan in self._written.plans for price in plan.prices.values()):
            _log.warning("trials_not_offered")
        await self.look()

    async def look(self) -> bool:
        """Read the file if it has changed; return whether another catalog is in force now."""
        await self._read_if_changed()
        catalog = self._in_force()
        if catalog.version == self.current.version:
            return False
        _log.info("catalog_changed", before=self.current.version, now=catalog.version)
        self.current = catalog
        await self._pubsub.announce(Topic.CATALOG, ALL_USERS)
        return True

    def _in_force(self) -> Catalog:
        return self._written.in_force(self._now(), trials=self._trials, shop=self._shop)

    async def _read_if_changed(self) -> None:
        stamp = await asyncio.to_thread(file_stamp, self._path)
        if stamp == self._stamp and self.problem is None:
            return
        content = await asyncio.to_thread(_hash, self._path)
        self._stamp = stamp
        if content == self._seen:
            return
        try:
            catalog = await asyncio.to_thread(load_catalog, self._path)
        except CatalogError as error:
            if content == await asyncio.to_thread(_hash, self._path):
                self._keep_the_old_one(content, error)
            return
        self._seen, self.problem, self._written = content, None, catalog

    def _keep_the_old_one(self, content: str, error: CatalogError) -> None:
        self._seen, self.problem = content, str(error)
        _log.error("catalog_refused", kept=self.current.version, problems=str(error))


def _hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
