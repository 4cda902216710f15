"""The one or two keys under which a service may know us: while keys are changed, nobody need know which it takes.

A request that is refused for its key has done nothing, so it is sent once more with the other one, also where it
writes. Which key was taken last is tried first from then on.
"""

from dataclasses import dataclass
from typing import Final

import structlog
from pydantic import SecretStr

REFUSED: Final = frozenset({401, 403})
"""How a service answers to a key that it does not know."""

_log = structlog.get_logger("upstream")


@dataclass(frozen=True, slots=True)
class PreviousKey:
    """The key before ours, and the setting in which it stands."""

    key: SecretStr
    setting: str


class ApiKeys:
    """Our key at a service, which stands in `setting`, and the one before it, if the operator named one."""

    def __init__(self, service: str, setting: str, previous: PreviousKey | None) -> None:
        self._service = service
        self._setting = setting
        self._previous = previous
        self.on_previous = False
        """Whether the service took the previous key last."""

    @property
    def in_use(self) -> str:
        """The setting of the key that the service took last, or that is tried first."""
        return self._previous.setting if self._previous is not None and self.on_previous else self._setting

    def candidates(self, key: SecretStr) -> tuple[tuple[SecretStr, bool], ...]:
        """Return the keys to try where `key` is ours, in this order, each with whether it is the previous one."""
        if self._previous is None:
            return ((key, False),)
        both = (key, False), (self._previous.key, True)
        return both[::-1] if self.on_previous else both

    def note_taken(self, *, previous: bool) -> None:
        """Take note of which key was taken: it comes first from now on."""
        if previous is not self.on_previous:
            self.on_previous = previous
            _log.info("api_key_in_use", service=self._service, setting=self.in_use)
