"""How events are written: one line each to standard error, in UTC, with the request's id and without secrets.

Everything goes through one chain, the libraries' own messages too. A line is formatted where it happens and written by
a thread of its own, so that a blocked terminal or a full disk never stops a request: then lines are dropped, counted.
"""

import atexit
import hashlib
import hmac
import logging
import queue
import re
import sys
import threading
from collections.abc import Iterable, Mapping
from typing import Final, Literal, TextIO

import structlog
from pydantic import SecretStr

from services.observability.terminal import Event, console_renderer, for_people
from services.web.request_id import request_id

LogForm = Literal["auto", "json", "console"]

REDACTED: Final = "[redacted]"

_SECRET_NAMES: Final = re.compile(
    r"(x[-_])?api[-_]?key|auth[-_]?code|auth[-_]?session[-_]?id|(set[-_]?)?cookies?|authorization|password|passwd|secret"
    r"|.*[-_](secret|token|password)|token|storage[-_]?secret|entitlements[-_]?key|redis[-_]?url|private[-_]?key",
    re.IGNORECASE,
)
_SESSION_NAMES: Final = re.compile(r"session([-_]?id)?", re.IGNORECASE)
_CHECKOUT_SESSION: Final = re.compile(r"cs_(test|live)_[A-Za-z0-9]+")
_SECRET_TEXT: Final = re.compile(
    r"(?P<lead>(?:auth_code|session_id|token|password)=|Bearer |X-API-Key:? ?)[^\s&\"',;)}\]]+"
    r"|proj_[A-Za-z0-9_-]{20,}|(?P<user>://[^/\s:@]*:)[^/\s@]+(?=@)",
    re.IGNORECASE,
)
_SHORTEST_SECRET: Final = 8
_QUEUED: Final = 10_000
_LAST_WORDS: Final = 2.0
_QUIET: Final = (
    "httpx", "httpcore", "asyncio", "engineio", "socketio", "multipart", "python_multipart", "markdown_it", "uvicorn",
)  # fmt: skip


class Redaction:
    """A processor that takes secrets out of an event: by the names of its fields, by their form, and by value."""

    def __init__(self, secrets: Iterable[SecretStr | None] = ()) -> None:
        values = {secret.get_secret_value() for secret in secrets if secret is not None}
        known = sorted((value for value in values if len(value) >= _SHORTEST_SECRET), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, _logger: object, _method: str, event: Event) -> Event:
        """Return the event without its secrets."""
        return {name: self._field(name, value) for name, value in event.items()}

    def text(self, text: str) -> str:
        """Return a text without what looks like, or is, a secret."""
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        return _SECRET_TEXT.sub(lambda found: f"{found['lead'] or found['user'] or ''}{REDACTED}", text)

    def _field(self, name: str, value: object) -> object:
        if _SECRET_NAMES.fullmatch(name) and value not in (None, True, False):
            return REDACTED
        if _SESSION_NAMES.fullmatch(name) and not _CHECKOUT_SESSION.fullmatch(str(value)):
            return REDACTED
        return self._value(value)

    def _value(self, value: object) -> object:
        match value:
            case str():
                return self.text(value)
            case SecretStr():
                return REDACTED
            case None | bool() | int() | float():
                return value
            case Mapping():
                return {str(key): self._field(str(key), inner) for key, inner in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._value(inner) for inner in value]
            case _:
                return self.text(str(value))


class LineWriter(logging.Handler):
    """Formats at once and writes from a thread. `dropped` counts the lines that found the queue full."""

    def __init__(self, stream: TextIO, limit: int = _QUEUED) -> None:
        super().__init__()
        self.dropped = 0
        self._stream = stream
        self._lines: queue.Queue[str | threading.Event | None] = queue.Queue(limit)
        self._thread = threading.Thread(target=self._write, name="log writer", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue one line; never waits."""
        try:
            self._lines.put_nowait(self.format(record))
        except queue.Full:
            self.dropped += 1
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Wait until what was queued so far is written, but no longer than a moment for a sink that is stuck."""
        written = threading.Event()
        try:
            self._lines.put(written, timeout=_LAST_WORDS)
        except queue.Full:
            return
        written.wait(_LAST_WORDS)

    def close(self) -> None:
        """Write what is queued, but wait no longer than a moment for a sink that is stuck."""
        if self._thread.is_alive():
            try:
                self._lines.put(None, timeout=_LAST_WORDS)
            except queue.Full:
                self.dropped += 1
            self._thread.join(_LAST_WORDS)
        super().close()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            if isinstance(line, threading.Event):
                line.set()
                continue
            try:
                self._stream.write(line + "\n")
                if self._lines.empty():
                    self._stream.flush()
            except Exception:  # whatever the sink raises, the next line may pass; there is no other place to say so
                self.dropped += 1


def configure_logs(
    level: str = "INFO",
    form: LogForm = "json",
    *,
    secrets: Iterable[SecretStr | None] = (),
    stream: TextIO | None = None,
) -> LineWriter:
    """Send every event of this process to `stream` (standard error), from now on; return what writes the lines.

    `form` "auto" is for people in a terminal, and JSON where a program reads.
    """
    stream = stream or sys.stderr
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _with_request_id,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    last: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        Redaction(secrets),
        _on_one_line,
    ]
    if form == "console" or (form == "auto" and stream.isatty()):
        last += [for_people, console_renderer(stream)]
    else:
        last.append(structlog.processors.JSONRenderer(sort_keys=False))
    writer = LineWriter(stream)
    writer.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=last))
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if isinstance(handler, LineWriter)]:
        root.removeHandler(old)
        old.close()
    root.addHandler(writer)
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    atexit.register(writer.close)
    return writer


def dropped_lines() -> int:
    """Return how many lines this process could not write."""
    return sum(handler.dropped for handler in logging.getLogger().handlers if isinstance(handler, LineWriter))


class UserHashes:
    """Makes what stands for a user in the log: the same user, the same hash, and no way back without the secret.

    With another secret it is another hash. While `earlier_secrets` are named, a line holds theirs as well, so that
    lines from before the change and from after it can be told to be of one user.
    """

    def __init__(self, secret: SecretStr, earlier_secrets: Iterable[SecretStr] = ()) -> None:
        self._key, *self._earlier = (
            hashlib.sha256(b"user hash\0" + one.get_secret_value().encode()).digest()
            for one in (secret, *earlier_secrets)
        )

    def of(self, user_id: str) -> str:
        """Return the hash of a user's id: 12 hex digits."""
        return _user_hash(self._key, user_id)

    def earlier(self, user_id: str) -> tuple[str, ...]:
        """Return what the earlier secrets made of that id."""
        return tuple(_user_hash(key, user_id) for key in self._earlier)

    def fields(self, user_id: str) -> dict[str, object]:
        """Return what a line about that user holds."""
        earlier = self.earlier(user_id)
        return {"user_hash": self.of(user_id)} | ({"user_hash_previous": list(earlier)} if earlier else {})

    def bind(self, user_id: str) -> None:
        """Put the hash on every line that this request or task writes from now on."""
        structlog.contextvars.bind_contextvars(**self.fields(user_id))


def _user_hash(key: bytes, user_id: str) -> str:
    return hmac.new(key, user_id.encode(), hashlib.sha256).hexdigest()[:12]


def _with_request_id(_logger: object, _method: str, event: Event) -> Event:
    known = request_id.get()
    if known is not None:
        event.setdefault("request_id", known)
    return event


def _on_one_line(_logger: object, _method: str, event: Event) -> Event:
    """Keep the message itself from starting a line of its own; fields are quoted by the renderer."""
    event["event"] = str(event.get("event", "")).replace("\r", "\\r").replace("\n", "\\n")
    return event
