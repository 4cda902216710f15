"""The knobs as they stand: those of the settings, and over them what was changed at run time (kept in the database)."""

from typing import Any

from pydantic import BaseModel

from sandbox.database import Database, DocumentStore
from sandbox.settings import RuntimeSettings


class _Changes(BaseModel):
    values: dict[str, Any] = {}


class RuntimeSettingsStore:
    def __init__(self, database: Database, initial: RuntimeSettings) -> None:
        self._documents = DocumentStore(database, "knobs", _Changes)
        self._initial = initial
        self.current = self._with((self._documents.get("changes") or _Changes()).values)

    def change(self, values: dict[str, object]) -> RuntimeSettings:
        """Set some knobs; raises pydantic's ValidationError for an unknown name or a bad value, changing nothing."""
        changes = {**(self._documents.get("changes") or _Changes()).values, **values}
        self.current = self._with(changes)
        self._documents.put("changes", _Changes(values=changes))
        return self.current

    def reset(self) -> RuntimeSettings:
        self._documents.drop("changes")
        self.current = self._initial
        return self.current

    def _with(self, changes: dict[str, object]) -> RuntimeSettings:
        return RuntimeSettings.model_validate({**self._initial.model_dump(), **changes})
