"""Plans that accounts name and the catalog does not know: each is told to the operator once, and counted."""

from typing import Final

import structlog

_MOST: Final = 100
"""Names kept: a service that makes them up must not fill the memory."""

_log = structlog.get_logger(__name__)


class UnknownPlans:
    """The names that were met since the process started."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in the order in which they were met."""
        return tuple(self._names)

    def note(self, name: str) -> None:
        """Remember a name, and log it at the first time."""
        if name in self._names or len(self._names) >= _MOST:
            return
        self._names[name] = None
        _log.error(
            "account_plan_unknown", plan=name[:100], cure="add it to the catalog, as a plan or another name of one"
        )
