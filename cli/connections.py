"""Connections that may not be kept half open, and make no noise: a request has to arrive, and its answer to be taken.

A proxy in front sees to that, but nothing says that there is one. So a browser has ten seconds for each piece of a
request (its headers, then each 64 kB of its body), and an answer that nobody takes is given up. A connection that rests
between two requests has uvicorn's own time (`timeout_keep_alive`). What is no HTTP is refused without a trace, and said
once a minute, as it may be endless.

Written against uvicorn 0.54 and its protocols on httptools and wsproto, which wait without end.
"""

import asyncio
import logging
import time
from asyncio import TimerHandle
from collections.abc import Callable
from typing import Final

from uvicorn._types import HTTPScope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

PIECE: Final = 64 * 1024
SAID_EVERY: Final = 60.0
"""Seconds between two lines of the log that say the same of what came in."""

_TOO_LATE: Final = b"The request took too long to arrive. Try again."
_TIMEOUT: Final = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(_TOO_LATE), _TOO_LATE)
)


class TimedConnection(HttpToolsProtocol):
    """One connection of a browser or proxy."""

    piece_deadline: float = 10.0
    """Seconds in which the next piece of a request must be here, the first one of a new connection too."""

    answer_deadline: float = 60.0
    """Seconds in which the other side must take something of an answer that has filled the way to it."""

    _piece: TimerHandle | None = None
    _answer: TimerHandle | None = None
    _arrived = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._await_piece()

    def data_received(self, data: bytes) -> None:
        """Take bytes; whatever they are, they begin or continue a request that has to arrive."""
        if self._piece is None:
            self._await_piece()
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Wait for the headers, which may begin behind a request that was here in full."""
        if self._piece is None:
            self._await_piece()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Wait for the body."""
        self._await_piece()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Wait for the next piece of it."""
        self._arrived += len(body)
        if self._arrived >= PIECE:
            self._await_piece()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for nothing more: the request is here."""
        self._stop_waiting()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Wait until the other side takes what is on its way."""
        super().pause_writing()
        self._answer = self.loop.call_later(self.answer_deadline, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on answering."""
        if self._answer is not None:
            self._answer.cancel()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of a connection that is closed."""
        self._stop_waiting()
        if self._answer is not None:
            self._answer.cancel()
        super().connection_lost(exc)

    def _await_piece(self) -> None:
        self._stop_waiting()
        self._arrived = 0
        self._piece = self.loop.call_later(self.piece_deadline, self._piece_is_late)

    def _stop_waiting(self) -> None:
        if self._piece is not None:
            self._piece.cancel()
            self._piece = None

    def _piece_is_late(self) -> None:
        """Close the connection, unless the delay is ours: what is not read from it yet, or an answer under way."""
        asked, cycle = self._asked(), self._latest()
        if self.flow.read_paused or (cycle is not None and not cycle.response_complete and not cycle.more_body):
            self._await_piece()
            return
        answered = cycle is not None and cycle.scope is asked and cycle.response_started
        if asked is not None and not answered:  # a request has begun, or else it is a browser's spare connection
            self.transport.write(_TIMEOUT)
        self.transport.close()

    def _asked(self) -> HTTPScope | None:
        """Return the request whose bytes came last."""
        return self.scope

    def _latest(self) -> RequestResponseCycle | None:
        """Return the latest request that the app was told of."""
        return self.cycle


class QuietSocket(WSProtocol):
    """A connection that became a socket; its messages are bounded in `ui/nicegui_ext/socket_guard.py`."""

    def data_received(self, data: bytes) -> None:
        """Take bytes; those that wsproto can't read close the connection."""
        try:
            super().data_received(data)
        except Exception:  # such as UnicodeError for the host's name: whatever it is, it is the sender's
            self.logger.warning("Invalid WebSocket request received.")
            self.transport.abort()


class OnceAMinute(logging.Filter):
    """Lets each message that has no exception pass once a minute."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._said: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to say it now; a message is known by the line of code that says it."""
        place, now = (record.pathname, record.lineno), self._now()
        if record.exc_info or now - self._said.get(place, float("-inf")) >= SAID_EVERY:
            self._said[place] = now
            return True
        return False
