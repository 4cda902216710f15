"""How an address tells of a press without a script that was refused: its code, and when that was."""

from typing import Final

PROBLEM_AT: Final = "at"
"""The field with the moment of the press, in whole seconds since 1970."""
