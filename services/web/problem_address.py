"""How an address tells of a press without a script that was refused: its code, and when that was."""

from typing import Final

PROBLEM_AT: Final = "at"
"""The field with the moment of the press, in whole seconds since 1970."""

FORGOTTEN_AT: Final = "forgotten"
"""The same moment, of a user who was forgotten: said for a while on the page that a sign-out leads to."""
