"""What is known of our API key: whether the service has ever taken it, and whether it refuses it now.

The running Payment MS answers 401 "Invalid API key" to everything once it has lost its database connection, so a 401
alone does not tell a wrong key from a broken service. That the key worked does; it is kept beyond this process.
"""

from contextlib import suppress
from typing import Final, Protocol

from services.errors import KeyLost, KeyRejected, StoreUnavailable
from services.upstream.outcomes import CallOutcome
from services.upstream.responses import Call

LOST: Final = "it has lost its database connection"


class KeyProof(Protocol):
    """Remembers beyond this process that the service took the key. Both raise StoreUnavailable."""

    async def holds(self) -> bool:
        """Return whether the service ever took this key."""

    async def keep(self) -> None:
        """Remember that it did."""


class KeyWatch(Protocol):
    """Is told when a service that took the key refuses it, and when it takes it (again). Neither raises."""

    async def lost(self) -> None:
        """The service refuses a key that worked."""

    async def works(self) -> None:
        """The service takes the key: for the first time in this process, or after it refused it."""


class KeyStanding:
    """`setting` names in logs where the key is set. Without a `proof` only this process is remembered."""

    def __init__(self, setting: str, proof: KeyProof | None = None, watch: KeyWatch | None = None) -> None:
        self.worked = False
        self.refused = False
        """Whether the last call with the key was refused."""
        self._setting = setting
        self._proof = proof
        self._watch = watch
        self._kept = proof is None
        self._taken = False
        self._heard_of = watch is None

    @property
    def problem(self) -> tuple[str, str] | None:
        """Return what is wrong with the key and its cure, for the operator; None while it is not refused."""
        if not self.refused:
            return None
        if self.worked:
            return f"It refuses a key that worked: {LOST}.", "Restart that service; its /health does not tell."
        return (
            f"It refuses our key, which it never took before: either the key is wrong, or {LOST}.",
            f"Compare {self._setting} with the project's key; if it is right, restart that service.",
        )

    async def keep(self) -> None:
        """Tell and remember that the key worked, once; what fails is tried again after the next answer."""
        if self._watch is not None and not self._heard_of:
            self._heard_of = True
            await self._watch.works()
        if self._kept or self._proof is None or not self.worked:
            return
        self._kept = True
        try:
            await self._proof.keep()
        except StoreUnavailable:  # logged by the store
            self._kept = False

    def take(self, *, ours: bool = True) -> bool:
        """Note that the key worked, or the one before ours, which proves nothing of ours; return whether it had been
        refused before."""
        was_refused, self._taken, self.refused = self.refused, True, False
        self.worked = self.worked or ours
        return was_refused

    @property
    def wants_keeping(self) -> bool:
        """Return whether it has still to be remembered, or told, that the key worked."""
        return (self.worked and not self._kept) or (self._taken and not self._heard_of)

    async def refusal(self, call: Call, status: int) -> KeyRejected:
        """Note that the key was refused, and return the error that names the cause, or both that it can have."""
        if not self.worked and self._proof is not None:
            with suppress(StoreUnavailable):  # then it is not known, which is what is said
                self.worked = await self._proof.holds()
        if self.worked and self._watch is not None and not self.refused:
            await self._watch.lost()
        self.refused, self._heard_of = True, self._watch is None
        detail = f"answered {status} to a key that worked: the service has lost its database connection; restart it"
        if not self.worked:
            detail = (
                f"answered {status} to a key that never worked: it is wrong ({self._setting}), or the service has lost "
                "its database connection; if the key is right, restart it"
            )
        return self._error(call, detail, CallOutcome.KEY_REJECTED, status)

    def unasked(self, call: Call) -> KeyRejected:
        """Return the error of a call that is not made, because the key was refused a moment ago."""
        return self._error(call, "not asked: it refused our key", CallOutcome.CIRCUIT_OPEN, None)

    def _error(self, call: Call, detail: str, reason: CallOutcome, status: int | None) -> KeyRejected:
        kind = KeyLost if self.worked else KeyRejected
        return kind(
            call.service,
            call.operation,
            detail,
            worked_before=self.worked,
            reason=reason,
            request_id=call.request_id,
            upstream_status=status,
        )
