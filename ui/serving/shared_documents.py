"""Pages for whoever is not known here, as finished documents: drawn once, the same bytes for all visitors.

Who has no cookie of ours has no sign-in, no cart and nothing under way: they see what all others see, and nothing on
such a page waits for the server. So it is drawn once for each language, theme, catalog and what else it depends on
(`DocumentKey`), by the page's own function, and kept as compressed bytes. No client, no socket and no cookie comes of
looking; `app.js` moves what moves, and asks every few seconds whether the page is still the one that the server would
send (`VERSION_PATH`).

Nothing of a person can get into such a document: it is drawn for a request that is made here, of the key alone.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalog import Interval
from services.container import Container
from ui.nicegui_ext import optimizations
from ui.page.assets import has_style_sheet
from ui.page.context import INTERVAL_COOKIE, LOCALE_COOKIE, LOCALE_IN_ADDRESS, THEME_COOKIE, locale_for, theme_for
from ui.serving.finished import FinishedDocument, KeptDocuments
from ui.text import i18n

DOCUMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "/": ("interval",),
    "/pricing": ("interval",),
    "/shop": ("price", "quantity", "problem"),
    "/cart": ("price", "problem"),
    "/login": ("next", "error"),
    "/signed-out": (),
    "/embed/pricing": ("interval",),
    "/payment/cancel": ("checkout",),
    "/payment/success": ("session_id",),
}
"""The pages that come as documents, and what of an address each of them reads, beside the language that it names.

Nothing else of it is in the key.
"""

NOT_FOUND: Final = "/not-found"
"""An unknown address: its page is the one for all of them."""

VERSION_PATH: Final = "/assets/version"
MOST_BYTES: Final = 16 * 1024 * 1024
LONGEST_VALUE: Final = 600

SHARED: Final = "shared_document"
"""In the state of a request made here: the version of the document that is to be drawn."""

UNKNOWN: Final = "unknown_browser"
"""In a request's state: whether the browser's user is unknown here."""

MARK: Final = b"x-shared-document"
"""A header between a page and this middleware: the answer may be kept, or is the page for what is not there."""

_Query = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """All that a document depends on, beside the settings of the process."""

    path: str
    query: _Query
    locale: str
    theme: str
    catalog: str
    banners: tuple[str, ...]
    has_style_sheet: bool = False

    @property
    def version(self) -> str:
        """What changes while such a page is open."""
        return version_of(self.catalog, self.banners)


def version_of(catalog: str, banners: tuple[str, ...]) -> str:
    """Return the mark of a catalog and the banners that stand over it."""
    return hashlib.sha256(repr((catalog, banners)).encode()).hexdigest()[:12]


class SharedDocuments:
    """Middleware before the bound on page views: answers from what is kept, and draws what is missing once."""

    def __init__(self, app: ASGIApp, container: Container) -> None:
        self._app = app
        self._container = container
        self._kept = KeptDocuments(MOST_BYTES)
        self._metrics = container.metrics
        self._drawing: dict[DocumentKey, asyncio.Lock] = {}
        self._host = urlsplit(container.settings.public_url).netloc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        shares = optimizations.in_force().shares_documents
        path: str = scope.get("path", "")
        if scope["type"] != "http" or scope["method"] != "GET" or not (shares or path == VERSION_PATH):
            await self._app(scope, receive, send)
            return
        unknown = self._container.sessions.id_in_header(Headers(scope=scope).get("cookie", "")) is None
        scope["state"][UNKNOWN] = unknown
        if path == VERSION_PATH:
            await (await self._version(scope, unknown=unknown and shares))(scope, receive, send)
        elif unknown and (query := _query(scope, path)) is not None:
            await self._serve(await self._key(scope, path, query), scope, receive, send)
        else:
            await self._pass(scope, receive, send)

    async def _serve(self, key: DocumentKey, scope: Scope, receive: Receive, send: Send) -> None:
        document = self._kept.find(key)
        self._metrics.count_cache("shared_documents", "miss" if document is None else "hit")
        if document is None:
            drawn = await self._draw(key, scope)
            if isinstance(drawn, _Captured):
                await drawn.replay(send)
                return
            document = drawn
        scope["state"][SHARED] = key.version
        await document.answer(Headers(scope=scope))(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the app answer; what is not there is said to strangers by one document for all."""
        missing = False

        async def answer(message: Message) -> None:
            nonlocal missing
            if message["type"] == "http.response.start":
                missing = _is_marked(message)
            if not missing:
                await send(message)

        await self._app(scope, receive, answer)
        if missing:
            await self._serve(await self._key(scope, NOT_FOUND), scope, receive, send)

    async def _draw(self, key: DocumentKey, scope: Scope) -> "FinishedDocument | _Captured":
        """Return the document, drawn by one request for all that wait; or what the app answered instead of it."""
        lock = self._drawing.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                found = self._kept.find(key)
                if found is not None:
                    return found
                captured = await _capture(self._app, _request_for(key, scope, self._host))
                if not captured.may_be_kept:
                    return captured
                document = await asyncio.to_thread(FinishedDocument.of, captured.body, captured.status)
                if key.version == self._version_now():  # else it may show a catalog or banner that came meanwhile
                    self._kept.keep(key, document)
                    self._metrics.note_documents(self._kept.bytes)
                return document
        finally:
            if not lock.locked():
                self._drawing.pop(key, None)

    async def _key(self, scope: Scope, path: str, query: _Query = ()) -> DocumentKey:
        """Return what the document for a request depends on."""
        await self._container.stripe_mode.mode()  # no page may be drawn for long that would ask what others have seen
        catalog, banners = self._shown_now()
        headers = Headers(scope=scope)
        cookies = cookie_parser(headers.get("cookie", ""))
        settings, asked = self._container.settings, _asked(scope)
        named = i18n.offered(settings).named(asked.get(LOCALE_IN_ADDRESS))
        return DocumentKey(
            path=path,
            query=(*query, (LOCALE_IN_ADDRESS, named)) if named else query,
            locale=locale_for(settings, asked, cookies, headers.get("accept-language", "")),
            theme=theme_for(settings, asked, cookies),
            catalog=catalog,
            banners=banners,
            has_style_sheet=has_style_sheet(headers),
        )

    def _shown_now(self) -> tuple[str, tuple[str, ...]]:
        """Return the catalog in force, and the banners that stand."""
        problems = self._container.stripe_mode.known_problems()
        banners = (*(problem.code for problem in problems), self._container.notice.mark)
        return self._container.catalog.version, banners

    def _version_now(self) -> str:
        return version_of(*self._shown_now())

    async def _version(self, scope: Scope, *, unknown: bool) -> Response:
        """Return which document the browser would get now, in a few bytes."""
        await self._container.stripe_mode.mode()
        version = self._version_now() if unknown else "live"
        headers = {"ETag": f'"{version}"', "Cache-Control": "private, no-cache", "Vary": "Cookie"}
        if Headers(scope=scope).get("if-none-match", "").removeprefix("W/") == headers["ETag"]:
            return Response(None, 304, headers)
        return JSONResponse({"version": version}, headers=headers)


@dataclass(slots=True)
class _Captured:
    """An answer of the app."""

    start: Message
    body: bytes

    @property
    def status(self) -> int:
        return int(self.start["status"])

    @property
    def may_be_kept(self) -> bool:
        return _is_marked(self.start)

    async def replay(self, send: Send) -> None:
        """Send it on."""
        await send(self.start)
        await send({"type": "http.response.body", "body": self.body})


async def _capture(app: Callable[[Scope, Receive, Send], Awaitable[None]], scope: Scope) -> _Captured:
    captured = _Captured({"status": 500, "headers": []}, b"")

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            captured.start = message
        elif message["type"] == "http.response.body":
            captured.body += message.get("body", b"")

    await app(scope, receive, keep)
    return captured


def _request_for(key: DocumentKey, scope: Scope, host: str) -> Scope:
    """Return a request that says what the key says and nothing else; the address it counts for is the asking one's."""
    cookies = f"{LOCALE_COOKIE}={key.locale}; {THEME_COOKIE}={key.theme}"
    comes_from = "same-origin" if key.has_style_sheet else "none"
    headers = {b"host": host, b"accept": "text/html", b"cookie": cookies, b"sec-fetch-site": comes_from}
    return {
        **scope,
        "path": key.path,
        "raw_path": key.path.encode(),
        "query_string": urlencode(key.query).encode(),
        "headers": [(name, value.encode()) for name, value in headers.items()],
        "state": {**scope["state"], SHARED: key.version},
    }


def _query(scope: Scope, path: str) -> _Query | None:
    """Return what of an address its document reads, in one order; None for one that has no document.

    A value that is longer than any of ours is as good as none: it would only fill the memory. An interval that was
    chosen before stands for one that the address does not name.
    """
    if path not in DOCUMENTS:
        return None
    given = _asked(scope)
    if "interval" in DOCUMENTS[path] and "interval" not in given:
        chosen = cookie_parser(Headers(scope=scope).get("cookie", "")).get(INTERVAL_COOKIE)
        given = {**given, "interval": chosen} if chosen == Interval.YEAR else given
    return tuple((name, given[name]) for name in DOCUMENTS[path] if 0 < len(given.get(name, "")) <= LONGEST_VALUE)


def _asked(scope: Scope) -> Mapping[str, str]:
    return dict(parse_qsl(scope["query_string"].decode("latin-1")))


def _is_marked(start: Message) -> bool:
    return any(name == MARK for name, _value in start.get("headers", ()))
