"""Pages of a team's own beside ours: modules that EXTENSIONS names, each with an `EXTENSION`.

    EXTENSION = Extension(register, navigation=(NavigationEntry("/usage", N_("Usage"), signed_in_only=True),))

`examples/usage_page.py` is one; `docs/extending.md` says how.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from services.container import Container


class ExtensionUnusable(Exception):
    """A module that EXTENSIONS names can't be used; the text says which and why."""


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """One link in the header. `label` is a message id."""

    path: str
    label: str
    signed_in_only: bool = False


@dataclass(frozen=True, slots=True)
class Extension:
    """What a module adds: `register` adds its pages, `navigation` stands in the header behind our links."""

    register: Callable[[Container], None]
    navigation: tuple[NavigationEntry, ...] = ()


@lru_cache(maxsize=8)
def load_extensions(names: tuple[str, ...]) -> tuple[Extension, ...]:
    """Return the extensions of these modules; raises ExtensionUnusable for one that has none."""
    return tuple(_load(name) for name in names)


def _load(name: str) -> Extension:
    try:
        module = importlib.import_module(name)
    except Exception as error:
        raise ExtensionUnusable(f"EXTENSIONS names {name}, which can't be imported ({error}).") from error
    extension = getattr(module, "EXTENSION", None)
    if not isinstance(extension, Extension):
        raise ExtensionUnusable(f"EXTENSIONS names {name}, which has no EXTENSION of type Extension.")
    return extension
