"""The path under which the whole site stands, where PUBLIC_URL has one: `/billing` of `https://example.com/billing`.

Inside, every path is written and read without it. It is put in front where an address leaves for a browser (an
attribute of an element, a redirect, a cookie) and taken off where a request comes in, so that nothing else has to
know. A proxy may pass it on, or take it off: both are understood. It belongs to the process, as PUBLIC_URL does.
"""

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_base_path = ""


def put_in_force(public_url: str) -> str:
    """Take the path of PUBLIC_URL for this process, and return it; empty for a site at the root of its host."""
    global _base_path
    _base_path = urlsplit(public_url).path
    return _base_path


def base_path() -> str:
    """Return the path that is in force, without a slash at its end; empty at the root."""
    return _base_path


def at(address: str) -> str:
    """Return an address as browsers find it: a path of this site below the base path, all else as it is."""
    inside = address.startswith("/") and not address.startswith("//")
    return f"{_base_path}{address}" if inside else address


def below(path: str, base: str) -> str:
    """Return a path as it is inside, from one that a browser asked for; as it is where it is not below the base."""
    if base and (path == base or path.startswith(f"{base}/")):
        return path[len(base) :] or "/"
    return path


class UnderBasePath:
    """Middleware before all others."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        self._app = app
        self._base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection as if the site stood at the root."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        raw_path = scope.get("raw_path")
        inside = {
            **scope,
            "path": below(scope["path"], self._base),
            "raw_path": below(raw_path.decode("latin-1"), self._base).encode("latin-1") if raw_path else raw_path,
        }

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [self._header(*header) for header in message.get("headers", ())]}
            await send(message)

        await self._app(inside, receive, answer)

    def _header(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        base = self._base.encode()
        match name.lower():
            case b"location" if value.startswith(b"/") and not value.startswith((b"//", base + b"/")):
                return name, base + value  # NiceGUI's own redirects have it already
            case b"set-cookie":
                parts = value.split(b"; ")
                return name, b"; ".join(b"Path=" + base if part.lower() == b"path=/" else part for part in parts)
        return name, value
