"""Talking with the operator: saying, asking, and knowing whether anybody is there."""

import sys
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Console:
    """``asks`` is false when nobody is there to answer; with ``yes`` every question is answered yes."""

    asks: bool
    yes: bool = False
    ask: Callable[[str], str] = input
    say: Callable[[str], None] = print

    @classmethod
    def of_this_process(cls, *, yes: bool) -> "Console":
        """Return the terminal, if this process has one."""
        return cls(asks=sys.stdin is not None and sys.stdin.isatty(), yes=yes)

    def confirm(self, question: str) -> bool:
        """Return whether the answer is yes; nothing but yes is."""
        if self.yes:
            return True
        return self.ask(f"{question} [y/N] ").strip().lower() in ("y", "yes")
