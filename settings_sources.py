"""Where settings come from beside the environment and `.env`: files of secrets, and names that are nearly a setting.

`NAME_FILE` names a file that holds the secret `NAME`, as Docker and Kubernetes mount them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from settings_rules import SettingsError

FILE: Final = "_file"
LARGEST: Final = 64 * 1024
"""Bytes of a file that is still taken for a secret."""

ALIKE: Final = 0.88
"""How much of two names has to agree for one to be taken for the other misspelt (`difflib`)."""

OTHERS: Final = frozenset({"language", "home", "hostname"})
"""Names of the system that are nearly ours."""


def secret_names(settings: type[BaseSettings]) -> frozenset[str]:
    """Return the names of the settings that are secrets."""
    return frozenset(name for name, field in settings.model_fields.items() if "SecretStr" in str(field.annotation))


class SecretFiles(PydanticBaseSettingsSource):
    """Reads each secret whose `NAME_FILE` is set, from the environment or `.env`."""

    def __init__(self, settings: type[BaseSettings], given: tuple[Mapping[str, str | None], ...]) -> None:
        """`given` are the variables of the environment and of `.env`, in lower case, the first wins."""
        super().__init__(settings)
        self._given = given

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return a secret's text, its name, and that it is plain; None where no file is named. Raises SettingsError."""
        variable = field_name + FILE
        path = next((found for variables in self._given if (found := variables.get(variable))), None)
        if path is None:
            return None, field_name, False
        if any(variables.get(field_name) for variables in self._given):
            both = f"{field_name.upper()} and {variable.upper()} are both set; remove one of them."
            raise SettingsError((both,))
        return _secret_in(Path(path), variable.upper()), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the secrets that stand in files."""
        found = {}
        for name in secret_names(self.settings_cls):
            value, _name, _complex = self.get_field_value(self.settings_cls.model_fields[name], name)
            if value is not None:
                found[name] = value
        return found


def _secret_in(path: Path, variable: str) -> str:
    """Return the text of a file without the line's end; raise SettingsError where there is none."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST + 1).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError((f"{variable} names {path}, which can't be read ({reason}); mount it readable.",)) from None
    if not text or len(text) > LARGEST:
        what = "is empty" if not text else "is too large for a secret"
        raise SettingsError((f"{variable} names {path}, which {what}; put the secret alone into it.",))
    return text


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A variable that is no setting, and the setting that was probably meant."""

    name: str
    meant: str
    secret: bool

    @property
    def sentence(self) -> str:
        """What is wrong, and the cure."""
        return f"{self.name} is no setting; if you mean {self.meant}, call it that, else remove it."


def near_misses(settings: type[BaseSettings], names: Iterable[str]) -> tuple[NearMiss, ...]:
    """Return the variables, of those given, that are nearly a setting's name."""
    secrets = secret_names(settings)
    known = frozenset({*settings.model_fields, *(name + FILE for name in secrets)})
    return tuple(
        NearMiss(name.upper(), meant.upper(), meant.removesuffix(FILE) in secrets)
        for name in sorted({name.lower() for name in names} - known - OTHERS)
        if (meant := _most_like(name, known)) is not None
    )


@lru_cache(maxsize=1024)
def _most_like(name: str, known: frozenset[str]) -> str | None:
    """Return the known name that this one nearly is. Kept, since it is as dear as all else of reading the settings."""
    return next(iter(get_close_matches(name, known, n=1, cutoff=ALIKE)), None)
