"""The runtime settings as they stand: those of the start, with what was changed since (kept in the database)."""

from typing import Any

from pydantic import BaseModel

from sandbox.database import Database, DocumentStore
from sandbox.presets import PRESETS, PRESETS_BY_NAME, Preset
from sandbox.settings import RuntimeSettings


class _Changes(BaseModel):
    values: dict[str, Any] = {}
    preset: str = ""


class RuntimeSettingsStore:
    def __init__(self, database: Database, initial: RuntimeSettings) -> None:
        self._documents = DocumentStore(database, "runtime_settings", _Changes)
        self.initial = initial
        self.current = self._with(self._changes().values)

    def change(self, values: dict[str, object]) -> RuntimeSettings:
        """Set some of them; raises pydantic's ValidationError for an unknown name or a bad value, changing nothing."""
        changes = self._changes()
        return self._keep({**changes.values, **values}, changes.preset)

    def apply(self, preset: Preset) -> RuntimeSettings:
        """The settings of the start, and over them those of a preset."""
        return self._keep(dict(preset.values), preset.name)

    def reset(self) -> RuntimeSettings:
        """The settings of the start."""
        self._documents.drop("changes")
        self.current = self.initial
        return self.current

    def changed(self) -> frozenset[str]:
        """The names of the settings that are not as at the start."""
        start, now = self.initial, self.current
        return frozenset(name for name in RuntimeSettings.model_fields if getattr(start, name) != getattr(now, name))

    def preset(self) -> Preset | None:
        """The preset that the settings are, exactly: the one that was chosen, else any; None for a mixture."""
        chosen = PRESETS_BY_NAME.get(self._changes().preset)
        presets = (chosen, *PRESETS) if chosen else PRESETS
        return next((preset for preset in presets if self._with(dict(preset.values)) == self.current), None)

    def _keep(self, values: dict[str, object], preset: str) -> RuntimeSettings:
        self.current = self._with(values)
        self._documents.put("changes", _Changes(values=values, preset=preset))
        return self.current

    def _changes(self) -> _Changes:
        return self._documents.get("changes") or _Changes()

    def _with(self, changes: dict[str, object]) -> RuntimeSettings:
        return RuntimeSettings.model_validate({**self.initial.model_dump(), **changes})
