"""The running Payment MS's one database connection: whatever meets on it breaks it until a restart."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

WORK_SECONDS: Final = 0.004
"""How long a piece of work holds the connection at least: two that arrive together must be seen to overlap."""


class SingleConnection:
    """`lost` once two have met: every guarded call then answers 401, and nothing can be written."""

    def __init__(self) -> None:
        self.lost = False
        self._holders = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Use it; a second user at the same time loses it for both."""
        self._take()
        try:
            yield
        finally:
            self._holders -= 1

    def hold_for_a_write(self) -> None:
        """Use it as a webhook does: for as long as one write takes."""
        self._take()
        try:
            asyncio.get_running_loop().call_later(WORK_SECONDS, self._release)
        except RuntimeError:  # outside a loop nothing else can be under way
            self._release()

    def _take(self) -> None:
        self._holders += 1
        if self._holders > 1:
            self.lost = True

    def _release(self) -> None:
        self._holders -= 1
