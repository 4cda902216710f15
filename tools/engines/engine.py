"""What a walk needs of a browser, whichever engine it has."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from time import monotonic, sleep
from typing import Final, Protocol, TypeVar

START_SECONDS: Final = 60.0
PAUSE: Final = 0.05

Found = TypeVar("Found")

Action = Mapping[str, object]
"""One input source and what it does, as WebDriver's "perform actions" takes it."""


class EngineFailed(Exception):
    """A browser did not start, or refused what it was asked; the text says what it answered."""


class Engine(Protocol):
    """One browser with one window, which knows nothing of earlier visits."""

    @property
    def version(self) -> str:
        """Name and version, for reports."""
        ...

    def go(self, address: str) -> None:
        """Open an address and wait until it is loaded."""
        ...

    def evaluate(self, function: str, *arguments: str) -> object:
        """Call a JavaScript function in the page and return its answer. Raises EngineFailed, also between two pages."""
        ...

    def perform(self, *actions: Action) -> None:
        """Move, press and type as a person would: with trusted events."""
        ...

    def resize(self, width: int, height: int) -> None:
        """Give the page that many CSS pixels."""
        ...

    def picture(self) -> bytes:
        """Return what can be seen now, as a PNG."""
        ...

    def complaints(self) -> Sequence[str]:
        """Return the errors that the console has shown since the start: thrown, rejected, refused or logged."""
        ...


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[Popen[bytes]]:
    """Run a program that writes into `log`, until the block ends."""
    with log.open("ab") as out:
        process = Popen(command, env=dict(environment), stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except TimeoutExpired:
            process.kill()
            process.wait()


def awaited(look: Callable[[], Found | None], what: str, seconds: float = START_SECONDS) -> Found:
    """Look until something is found and return it. Raises EngineFailed."""
    end = monotonic() + seconds
    while (found := look()) is None:
        if monotonic() > end:
            raise EngineFailed(f"not within {seconds:g} s: {what}")
        sleep(PAUSE)
    return found
