"""Commands speak for themselves: the log lines of the services they use would only repeat it, in the middle of JSON."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import structlog
from structlog.typing import EventDict, WrappedLogger


@contextmanager
def quiet_logs() -> Iterator[None]:
    """Drop all structured log lines inside the block."""
    before = structlog.get_config()
    structlog.configure(processors=[_drop])
    try:
        yield
    finally:
        structlog.configure(**before)


def _drop(_logger: WrappedLogger, _name: str, _event: EventDict) -> NoReturn:
    raise structlog.DropEvent
