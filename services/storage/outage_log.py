"""A store's failures in the log: an outage is one event, not one a request."""

import time

import structlog

from services.errors import StoreUnavailable

_log = structlog.get_logger(__name__)


class OutageLog:
    """Logs a store's failures, at most one in ten seconds each way: an outage is one event, not one a request."""

    def __init__(self, store: str, every: float = 10.0) -> None:
        """Log as the store of this name."""
        self._store = store
        self._every = every
        self._last = float("-inf")
        self._unreported = 0

    def failed(self, operation: str, error: BaseException) -> StoreUnavailable:
        """Log the failure and return what to raise for it. Neither keys nor values are named."""
        now = time.monotonic()
        self._unreported += 1
        if now - self._last >= self._every:
            _log.error(
                "store_unavailable",
                store=self._store,
                operation=operation,
                error=f"{type(error).__name__}: {error}",
                failures=self._unreported,
            )
            self._last = now
            self._unreported = 0
        return StoreUnavailable(f"{self._store} {operation}: {type(error).__name__}: {error}")
