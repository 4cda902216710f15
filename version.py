"""The version of this release. `pyproject.toml` has it; whoever shows it takes it from here."""

from pathlib import Path
from typing import Final


def _version() -> str:
    """Return the project's version: its line alone, since a parser of all of TOML would slow the start by 10 ms."""
    with (Path(__file__).parent / "pyproject.toml").open(encoding="utf-8") as lines:
        return next(line for line in lines if line.startswith("version = ")).split('"')[1]


VERSION: Final = _version()
