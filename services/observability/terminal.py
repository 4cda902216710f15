"""The log as people read it: the local time, what happened and what belongs to it; in colours only where they show."""

import os
import time
from collections.abc import Mapping, MutableMapping
from typing import Final, TextIO

import structlog

NOT_SHOWN: Final = ("logger", "request_id", "timestamp")
"""Fields that join the lines of many requests and machines: the JSON form has them."""

Event = MutableMapping[str, object]


def console_renderer(stream: TextIO) -> structlog.dev.ConsoleRenderer:
    """Return what makes a line of an event that `for_people` has shortened."""
    return structlog.dev.ConsoleRenderer(
        colors=shows_colors(stream, os.environ), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
    )


def shows_colors(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether a terminal shows colours and its user wants them (NO_COLOR, as on no-color.org)."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def for_people(_logger: object, _method: str, event: Event) -> Event:
    """Return the event as a person wants it, and a request in the words of HTTP."""
    shown = {name: value for name, value in event.items() if name not in NOT_SHOWN}
    shown["timestamp"] = time.strftime("%H:%M:%S")
    if event.get("event") == "request" and {"method", "path", "status", "elapsed_ms"} <= set(event):
        method, path, status, took = (shown.pop(name) for name in ("method", "path", "status", "elapsed_ms"))
        shown["event"] = f"{method} {path} {status} in {took} ms"
    return shown
