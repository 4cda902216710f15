"""Ties the socket to the page it belongs to (OWASP ASVS 4.4.3). NiceGUI takes any event that names a page's id.

A socket may speak for a page only from the browser for which that page was drawn (the same session cookie), and only
for that one page. What can't be an event of a page is dropped: it must cost no stack trace. Where the socket may be
opened from at all is decided in `api/csrf.py`.

Written against NiceGUI 3.18, which registers its handlers with `core.sio` and has no place for a check before them.
This is no optimization: where a handler is not there, the app does not start.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

import structlog
from nicegui import Client, core
from socketio.exceptions import ConnectionRefusedError as Refused  # type: ignore[import-untyped]
from starlette.requests import cookie_parser

from ui.nicegui_ext.drawn_page import page_of

FAILED: Final = "Implicit handshake failed"
"""What makes NiceGUI's script load the page anew."""

MESSAGES: Final = ("event", "javascript_response", "ack")

Handler = Callable[..., Any]

_log = structlog.get_logger("security")


def guard_sockets() -> None:
    """Put the guard before NiceGUI's own handlers, which must be there already."""
    handlers = core.sio.handlers["/"]
    handlers["connect"] = _guarded_connect(handlers["connect"])
    handlers["handshake"] = _guarded_handshake(handlers["handshake"])
    for name in MESSAGES:
        handlers[name] = _guarded_message(name, handlers[name])
    handlers["log"] = _not_logged


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


def _guarded_message(name: str, handle: Handler) -> Callable[..., Any]:
    def receive(sid: str, message: object = None, *_more: object) -> Any:
        client_id = message.get("client_id") if isinstance(message, dict) else None
        if not isinstance(client_id, str) or client_id not in core.sio.rooms(sid):
            _log.warning("foreign_event", kind=name)
            return None
        try:
            return handle(sid, message)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            _log.warning("event_unusable", kind=name, cause=type(error).__name__)
            return None

    return receive


def _not_logged(_sid: str, *_message: object) -> None:
    """Take no notice of what a browser wants in the log: NiceGUI would write it like an event of ours, at any level."""


def _query(environ: Mapping[str, Any]) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(str(environ.get("QUERY_STRING", ""))).items()}
