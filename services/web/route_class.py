"""What a request asks for and how it was answered, each as one of a few words: for figures and objectives.

Addresses hold what strangers type, so they are never labels themselves.
"""

from enum import StrEnum
from typing import Final


class RouteClass(StrEnum):
    """What is asked for."""

    PAGE = "page"
    PRESS = "press"
    """What changes something: a form, and the calls that open a checkout or the portal."""
    API = "api"
    ENTITLEMENTS = "entitlements"
    """What other services ask, and the key that signs it."""
    SIGN_IN = "sign_in"
    ASSET = "asset"
    SOCKET = "socket"
    """Long polling where a websocket does not pass: it takes as long as there is nothing to say."""
    OPERATIONS = "operations"


STATUS_CLASSES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx", "gone")
"""`gone`: the sender left before there was an answer."""

_FIRST: Final = {
    "api": RouteClass.API,
    "auth": RouteClass.SIGN_IN,
    "sign-out": RouteClass.SIGN_IN,
    "assets": RouteClass.ASSET,
    "brand": RouteClass.ASSET,
    "_nicegui": RouteClass.ASSET,
    "_nicegui_ws": RouteClass.SOCKET,
    "favicon.ico": RouteClass.ASSET,
    "robots.txt": RouteClass.ASSET,
    "sitemap.xml": RouteClass.ASSET,
    "healthz": RouteClass.OPERATIONS,
    "readyz": RouteClass.OPERATIONS,
    "metrics": RouteClass.OPERATIONS,
    "ops": RouteClass.OPERATIONS,
    ".well-known": RouteClass.ENTITLEMENTS,
}
_EVENTS: Final = "/api/payment/events"
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def route_class(method: str, path: str) -> RouteClass:
    """Return what a request asks for; an address that nobody knows is that of a page that says so."""
    found = _FIRST.get(path[1:].partition("/")[0], RouteClass.PAGE)
    if found is RouteClass.PAGE:
        return RouteClass.PAGE if method in _READING else RouteClass.PRESS
    if found is RouteClass.API and path.startswith("/api/entitlements"):
        return RouteClass.ENTITLEMENTS
    if found is RouteClass.API and method == "POST" and path.startswith("/api/payment/") and path != _EVENTS:
        return RouteClass.PRESS
    return found


def status_class(status: int) -> str:
    """Return the class of an answer's status; `gone` for 0."""
    return STATUS_CLASSES[status // 100 - 1] if 100 <= status < 600 else "gone"
