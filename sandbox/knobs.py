"""The knobs as they stand: those of the settings, and over them what was changed at run time (kept in the database)."""

from typing import Any

from pydantic import BaseModel

from sandbox.database import Database, Shelf
from sandbox.settings import Knobs


class _Changes(BaseModel):
    values: dict[str, Any] = {}


class KnobBoard:
    def __init__(self, database: Database, initial: Knobs) -> None:
        self._shelf = Shelf(database, "knobs", _Changes)
        self._initial = initial
        self.current = self._with((self._shelf.get("changes") or _Changes()).values)

    def change(self, values: dict[str, object]) -> Knobs:
        """Set some knobs; raises pydantic's ValidationError for an unknown name or a bad value, changing nothing."""
        changes = {**(self._shelf.get("changes") or _Changes()).values, **values}
        self.current = self._with(changes)
        self._shelf.put("changes", _Changes(values=changes))
        return self.current

    def reset(self) -> Knobs:
        self._shelf.drop("changes")
        self.current = self._initial
        return self.current

    def _with(self, changes: dict[str, object]) -> Knobs:
        return Knobs.model_validate({**self._initial.model_dump(), **changes})
