"""A tab without a browser: loads a page and speaks to its socket as NiceGUI's script does. Hundreds fit in a test."""

import asyncio
import contextlib
import json
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, ClassVar, Final, Self
from urllib.parse import urlencode, urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from harness.app_process import NO_AUTHORITIES

_CLIENT: Final = re.compile(r"'client_id': '([0-9a-f-]{36})'")

RELOADS: Final = 10
"""How often a person loads a page again that says that the site is busy."""


class SocketTab:
    """One connected page. `seen` holds when which texts were pushed to it."""

    compression: ClassVar[str | None] = None
    """What it offers for its socket's messages; browsers offer "deflate"."""

    def __init__(self, client: httpx.AsyncClient, path: str) -> None:
        self.path = path
        self.html = ""
        self.pushed: list[tuple[float, str]] = []
        self.reloads = 0
        self._client = client
        self._client_id = ""
        self._elements: dict[str, dict[str, Any]] = {}
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    async def open(self) -> Self:
        """Load the page and connect its socket."""
        await self._load()
        self._reader = asyncio.create_task(self._read())
        return self

    async def close(self) -> None:
        """Close the tab."""
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        if self._socket is not None:
            await self._socket.close()
        await self._client.aclose()

    async def shows(self, text: str, seconds: float = 10.0) -> float:
        """Wait until the text was pushed or stands in the page; return when (monotonic). Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                found = next((at for at, message in self.pushed if text in message), None)
                if found is not None or text in self.html:
                    return found or time.monotonic()
                self._news.clear()
                await self._news.wait()

    async def emit(self, listener_of: Callable[[dict[str, Any]], bool], event: str, *args: Any) -> None:
        """Fire an event of the element that is looked for, as a click does."""
        identifier, element = next((i, e) for i, e in self._elements.items() if listener_of(e))
        listener = next(e["listener_id"] for e in element["events"] if e["type"] == event)
        message = {
            "id": int(identifier),
            "client_id": self._client_id,
            "listener_id": listener,
            "args": [json.dumps(arg) for arg in args],
        }
        await self._connected.send("42" + json.dumps(["event", message]))

    def forget(self) -> None:
        """Take no notice of what it shows now."""
        self.html, self.pushed = "", []

    async def look(self) -> None:
        """Become visible, as a tab does that somebody returns to."""
        await self.emit(lambda element: "visit" in types_of(element), "visit", {"detail": {"reason": "visible"}})

    @property
    def _connected(self) -> ClientConnection:
        if self._socket is None:
            raise RuntimeError(f"{self.path} is not open")
        return self._socket

    async def _load(self) -> None:
        for _again in range(RELOADS):
            answer = await self._client.get(self.path)
            if answer.status_code not in (429, 503):
                break
            await asyncio.sleep(1.0)
        answer.raise_for_status()
        self.html = answer.text
        found = _CLIENT.search(self.html)
        if found is None:
            raise AssertionError(f"no page at {self.path}: {answer.status_code} {self.html[:300]}")
        self._client_id = found[1]
        self._elements = elements_of(self.html)
        base = self._client.base_url
        query = urlencode(
            {
                "client_id": self._client_id,
                "next_message_id": 0,
                "implicit_handshake": "true",
                "document_id": secrets.token_hex(16),
                "tab_id": secrets.token_hex(16),
                "EIO": 4,
                "transport": "websocket",
            }
        )
        cookies = "; ".join(f"{name}={value}" for name, value in self._client.cookies.items())
        origin = self._client.headers.get("Origin") or f"{base.scheme}://{base.netloc.decode()}"
        self._socket = await connect(
            f"ws://{base.netloc.decode()}/_nicegui_ws/socket.io/?{query}",
            additional_headers={"Cookie": cookies} if cookies else {},
            origin=origin,  # type: ignore[arg-type]
            open_timeout=20,
            ping_interval=None,
            max_size=None,
            compression=self.compression,
            proxy=None,
        )
        await self._socket.recv()
        await self._socket.send("40")
        said = str(await self._socket.recv())
        if not said.startswith("40"):
            await self._socket.close()
            raise ConnectionError(f"the page's handshake failed: {said}")

    async def _read(self) -> None:
        while True:
            try:
                async for message in self._connected:
                    if message == "2":
                        await self._connected.send("3")
                    else:
                        self.pushed.append((time.monotonic(), str(message)))
                        self._news.set()
            except ConnectionClosed:
                pass
            await self._reload()

    async def _reload(self) -> None:
        """Do what the page's script does when its replica is gone: try again, and load the page anew."""
        for pause in (0.5, 1.0, 1.0, 2.0, 2.0, 2.0):
            await asyncio.sleep(pause)
            try:
                await self._load()
            except (httpx.HTTPError, InvalidHandshake, OSError, ConnectionClosed, AssertionError):
                continue
            self.reloads += 1
            self._news.set()
            return
        raise ConnectionError("nobody answers")


class CompressingTab(SocketTab):
    """Offers what browsers offer: a server that takes it keeps a compressor for each tab."""

    compression = "deflate"


def elements_of(html: str) -> dict[str, dict[str, Any]]:
    """Return the elements that NiceGUI's script starts a page with."""
    start = html.index("parseElements(String.raw`") + len("parseElements(String.raw`")
    text = html[start : html.index("`)", start)]
    for name, sign in {"&lt;": "<", "&gt;": ">", "&#96;": "`", "&#36;": "$", "&amp;": "&"}.items():
        text = text.replace(name, sign)
    elements: dict[str, dict[str, Any]] = json.loads(text)
    return elements


def types_of(element: dict[str, Any]) -> list[str]:
    """Return the names of the events that an element sends."""
    return [event["type"] for event in element.get("events", [])]


def browser(url: str, cookies: Iterable[tuple[str, str]] = (), limits: int = 4) -> httpx.AsyncClient:
    """Return a client that stands for one browser: its cookies, and few connections."""
    client = httpx.AsyncClient(
        base_url=url,
        timeout=30,
        trust_env=False,
        verify=NO_AUTHORITIES,
        headers={"Accept": "text/html", "User-Agent": "tab"},
        limits=httpx.Limits(max_connections=limits),
    )
    host = urlsplit(url).hostname or ""
    for name, value in cookies:
        client.cookies.set(name, value, domain=host if "." in host else f"{host}.local", path="/")
    return client


@contextlib.asynccontextmanager
async def open_tabs(tabs: Iterable[SocketTab], at_once: int = 10) -> AsyncIterator[list[SocketTab]]:
    """Open many tabs, a few at a time, and close them all afterwards."""
    wanted = list(tabs)
    turns = asyncio.Semaphore(at_once)

    async def open_one(tab: SocketTab) -> None:
        async with turns:
            await tab.open()

    try:
        await asyncio.gather(*(open_one(tab) for tab in wanted))
        yield wanted
    finally:
        await asyncio.gather(*(tab.close() for tab in wanted), return_exceptions=True)
