"""Trouble on demand: the next calls of one operation fail, stall, or answer nonsense.

This is about the services' behaviour. Broken sockets (resets, drips, huge bodies) are a proxy's business, not ours.
"""

from pydantic import BaseModel, ConfigDict, Field

from sandbox.database import Database, DocumentStore
from sandbox.stripe.objects import new_id


class Fault(BaseModel):
    """One entry of the list. Without `status` and `body` it only delays."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(default_factory=lambda: new_id("fault"))
    operation: str = "*"
    """An operation's name, a service (``payment``, ``auth``, ``stripe``), ``*`` for all calls, or ``webhook``."""
    user_id: str = ""
    times: int | None = Field(default=None, ge=1)
    """How many calls it hits; for ever when absent."""
    skip: int = Field(default=0, ge=0)
    """How many matching calls it lets pass first."""
    delay: float = Field(default=0.0, ge=0, le=600)
    status: int | None = Field(default=None, ge=200, le=599)
    body: str | None = None
    content_type: str = "application/json"
    headers: dict[str, str] = {}
    retry_after: str | None = None
    after: bool = False
    """True: the call is carried out first, and only its answer is lost or late."""
    truncate: bool = False
    """True: the answer breaks off half-way and the connection closes."""

    @property
    def answers(self) -> bool:
        return self.status is not None or self.body is not None or self.truncate


class FaultList:
    """Kept in the database, first match wins, used up one call at a time."""

    def __init__(self, database: Database) -> None:
        self._documents = DocumentStore(database, "fault", Fault)

    def add(self, fault: Fault) -> Fault:
        return self._documents.put(fault.id, fault)

    def all(self) -> list[Fault]:
        return self._documents.of("")

    def drop(self, fault_id: str) -> bool:
        return self._documents.drop(fault_id)

    def clear(self) -> None:
        for fault in self.all():
            self.drop(fault.id)

    def take(self, service: str, operation: str, user_id: str) -> Fault | None:
        """The fault that hits this call, if any; counts it down."""
        return self._take(("*", service, operation), user_id)

    def take_webhook(self, user_id: str) -> Fault | None:
        """The fault that keeps the Payment MS from writing down an event about this user; counts it down."""
        return self._take(("webhook",), user_id)

    def _take(self, operations: tuple[str, ...], user_id: str) -> Fault | None:
        for fault in self.all():
            if fault.operation not in operations or fault.user_id not in ("", user_id):
                continue
            if fault.skip:
                self._documents.put(fault.id, fault.model_copy(update={"skip": fault.skip - 1}))
                continue
            if fault.times == 1:
                self._documents.drop(fault.id)
            elif fault.times is not None:
                self._documents.put(fault.id, fault.model_copy(update={"times": fault.times - 1}))
            return fault
        return None
