"""Breaks the app on purpose while it is imported, so that the oracle can be seen to find what is broken.

A mutant is one change of a module's source text. It is made in memory, by a finder that comes before Python's own: no
file is touched. `truth/mutants.py` lists them; each runs in a process of its own.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Final

VARIABLE: Final = "TRUTH_MUTANT"
"""The environment variable that names the mutant a process is to be."""

ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: in this module, `old` (which stands there once) becomes `new`. `rule` is what it breaks."""

    name: str
    rule: str
    module: str
    old: str
    new: str

    @property
    def path(self) -> Path:
        """The module's file."""
        return ROOT.joinpath(*self.module.split(".")).with_suffix(".py")

    def source(self) -> str:
        """Return the changed source. Raises ValueError where `old` does not stand there exactly once."""
        text = self.path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.old!r} stands {text.count(self.old)} times in {self.module}")
        return text.replace(self.old, self.new)


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, str(mutant.path))
        self._mutant = mutant

    def get_code(self, fullname: str) -> object:  # type: ignore[override]
        return compile(self._mutant.source(), str(self._mutant.path), "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._mutant.module:
            return None
        return importlib.util.spec_from_file_location(fullname, self._mutant.path, loader=_Loader(self._mutant))


def install(mutant: Mutant) -> None:
    """Have the mutant's module imported changed from now on. Raises ImportError when it was imported before."""
    if mutant.module in sys.modules:
        raise ImportError(f"{mutant.module} is imported already")
    sys.meta_path.insert(0, _Finder(mutant))


def named_in_environment() -> str:
    """Return the mutant that this process is to be, or nothing."""
    return os.environ.get(VARIABLE, "")
