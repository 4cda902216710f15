"""Commands speak for themselves: the log lines of the services they use would only repeat it, in the middle of JSON."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn, TextIO

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


@contextmanager
def event_lines(stream: TextIO) -> Iterator[None]:
    """Write structured log lines as JSON to a stream inside the block: a command's own events, as in the app's log."""
    before = structlog.get_config()
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    structlog.configure(
        processors=[structlog.processors.add_log_level, stamp, structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(stream),
        wrapper_class=structlog.make_filtering_bound_logger(0),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)


def _drop(_logger: WrappedLogger, _name: str, _event: EventDict) -> NoReturn:
    raise structlog.DropEvent
