"""Ties the socket to the page it belongs to (OWASP ASVS 4.4.3). NiceGUI takes any event that names a page's id.

A socket may speak for a page only from the browser for which that page was drawn (the same session cookie), and only
for that one page. It may send so many events at once and a second, and none larger than a page's fields are. What can't
be an event of a page is dropped: it must cost no stack trace, and one line a minute. Where the socket may be opened
from at all is decided in `api/csrf.py`.

Written against NiceGUI 3.18, which registers its handlers with `core.sio` and has no place for a check before them.
This is no optimization: where a handler is not there, the app does not start.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

import structlog
from nicegui import Client, core
from socketio.exceptions import ConnectionRefusedError as Refused  # type: ignore[import-untyped]
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.nicegui_ext.drawn_page import page_of

FAILED: Final = "Implicit handshake failed"
"""What makes NiceGUI's script load the page anew."""

MESSAGES: Final = ("event", "javascript_response", "ack")

EVENTS_A_SECOND: Final = 50.0
MOST_EVENTS: Final = 200
"""How many a socket may send without a pause: a slider sends twenty a second, and a hand on a keyboard ten."""

LARGEST_EVENT: Final = 256 * 1024
"""Bytes; files come by HTTP."""

SAID_EVERY: Final = 60.0
"""Seconds between two lines of the same kind about what sockets send."""

Handler = Callable[..., Any]

_log = structlog.get_logger("security")


def guard_sockets(count: Callable[[str], None]) -> None:
    """Put the guard before NiceGUI's own handlers, which must be there already; `count` hears why one was dropped."""
    handlers, pace, noise = core.sio.handlers["/"], EventPace(), SocketNoise(count)
    handlers["connect"] = _guarded_connect(handlers["connect"])
    handlers["handshake"] = _guarded_handshake(handlers["handshake"])
    for name in MESSAGES:
        handlers[name] = _guarded_message(name, handlers[name], pace, noise)
    handlers["log"] = _not_logged
    handlers["disconnect"] = _forgetting(handlers["disconnect"], pace)
    core.sio.eio.max_http_buffer_size = LARGEST_EVENT


class ReleasedSockets:
    """Middleware: takes its connection from a socket that has ended.

    engine.io makes a class for each socket, which refers to itself, as all classes do, and to how messages are
    received: the connection with its buffers would wait for Python's collector.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        connection = [receive]

        async def receive_while_open() -> Message:
            return await connection[0]()

        try:
            await self._app(scope, receive_while_open, send)
        finally:
            connection.clear()


def may_speak_for(client_id: object, cookie_header: str) -> bool:
    """Whether a browser with these cookies got that page. One drawn without a session cookie is any browser's."""
    client = Client.instances.get(client_id) if isinstance(client_id, str) else None
    page = page_of(client) if client is not None else None
    return page is None or page.is_of_browser(cookie_parser(cookie_header))


def _guarded_connect(handle: Handler) -> Callable[..., Awaitable[Any]]:
    async def connect(sid: str, environ: dict[str, Any], auth: object = None) -> Any:
        query = _query(environ)
        if "client_id" in query and not may_speak_for(query["client_id"], environ.get("HTTP_COOKIE", "")):
            _log.warning("foreign_socket", reason="another browser's page")
            raise Refused(FAILED)
        try:
            return await handle(sid, environ, auth)
        except (KeyError, ValueError):
            raise Refused(FAILED) from None

    return connect


def _guarded_handshake(handle: Handler) -> Callable[..., Awaitable[bool]]:
    async def handshake(sid: str, message: object = None, *_more: object) -> bool:
        if not isinstance(message, dict) or not all(isinstance(key, str) for key in message):
            return False
        cookies = (core.sio.get_environ(sid) or {}).get("HTTP_COOKIE", "")
        if not may_speak_for(message.get("client_id"), cookies):
            _log.warning("foreign_socket", reason="another browser's page")
            return False
        try:
            return bool(await handle(sid, message))
        except (KeyError, TypeError, ValueError):
            return False

    return handshake


def _guarded_message(name: str, handle: Handler, pace: "EventPace", noise: "SocketNoise") -> Callable[..., Any]:
    def receive(sid: str, message: object = None, *_more: object) -> Any:
        if not pace.allows(sid):
            noise.dropped("too_many_events", name)
            return None
        client_id = message.get("client_id") if isinstance(message, dict) else None
        if not isinstance(client_id, str) or client_id not in core.sio.rooms(sid):
            noise.dropped("foreign_event", name)
            return None
        try:
            return handle(sid, message)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            noise.dropped("event_unusable", name, cause=type(error).__name__)
            return None

    return receive


def _forgetting(handle: Handler, pace: "EventPace") -> Handler:
    def disconnect(sid: str, *more: object) -> Any:
        pace.forget(sid)
        return handle(sid, *more)

    return disconnect


class EventPace:
    """How many events each socket may send now: it fills with time, up to `MOST_EVENTS`."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._left: dict[str, tuple[float, float]] = {}

    def allows(self, sid: str) -> bool:
        """Whether one more may come; it is counted."""
        now = self._now()
        left, at = self._left.get(sid, (float(MOST_EVENTS), now))
        left = min(left + (now - at) * EVENTS_A_SECOND, float(MOST_EVENTS))
        self._left[sid] = (max(left - 1, 0.0), now)
        return left >= 1

    def forget(self, sid: str) -> None:
        """Let go of a socket that is closed."""
        self._left.pop(sid, None)


REFUSED_EVENTS: Final = ("too_many_events", "foreign_event", "event_unusable")
"""Why messages are dropped."""


class SocketNoise:
    """What sockets send that is no event of a page: counted each time, logged once in a while, as it may be endless."""

    def __init__(self, count: Callable[[str], None], now: Callable[[], float] = time.monotonic) -> None:
        self._count = count
        self._now = now
        self._said: dict[tuple[str, str], float] = {}

    def dropped(self, why: str, kind: str, **more: str) -> None:
        """Take note of a message that was dropped; `why` is the event in the log."""
        self._count(why)
        now = self._now()
        if now - self._said.get((why, kind), float("-inf")) >= SAID_EVERY:
            self._said[why, kind] = now
            _log.warning(why, kind=kind, **more)


def _not_logged(_sid: str, *_message: object) -> None:
    """Take no notice of what a browser wants in the log: NiceGUI would write it like an event of ours, at any level."""


def _query(environ: Mapping[str, Any]) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(str(environ.get("QUERY_STRING", ""))).items()}
