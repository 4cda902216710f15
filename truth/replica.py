"""One process of the app in a story: wired as always, over the story's store and services, its pages drawn on demand.

Requests for pages don't go through the guards before the app (`api/`); forms and the JSON API do.
"""

import asyncio
import importlib
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI
from nicegui import Client, core, ui
from nicegui.page import page as nicegui_page
from starlette.requests import Request
from starlette.responses import Response

from api.install import install
from examples import members_page
from services.container import Container
from services.storage.port import Store
from settings import Settings
from truth.addresses import AUTH, PAYMENT
from truth.outside import OtherSystems
from ui.page.context import PageContext
from ui.pages.errors import too_many_requests
from ui.serving import document
from wiring.build import build

PAGES: Final = (
    "home",
    "pricing",
    "login",
    "payment",
    "success",
    "cancel",
    "account",
    "upgrade",
    "shop",
    "cart",
)
Serve = Callable[[Request, Client], Awaitable[Response]]


class StoryReplica:
    """A running process. What is killed is simply used no more."""

    def __init__(self, settings: Settings, store: Store, outside: OtherSystems) -> None:
        core.loop = asyncio.get_running_loop()
        self.running = build(
            settings,
            store=store,
            payment_transport=outside.transport(PAYMENT),
            auth_transport=outside.transport(AUTH),
        )
        self.container: Container = self.running.container
        self.settings = settings
        self._pages = _pages(self.container)
        self._routes: FastAPI | None = None
        self.clients: list[Client] = []

    async def open(self, address: str, cookies: Mapping[str, str]) -> tuple[Response, Client]:
        """Answer a browser's request for a page; the client is the page on the server."""
        parts = urlsplit(address)
        serve = self._pages[parts.path]
        request = Request(_scope(parts.path, parts.query, cookies))
        client = Client(nicegui_page(""), request=request)
        client.outbox.stop()
        with client:
            answer = await serve(request, client)
        drawn = request.scope.get("drawn", client)
        if drawn.id in Client.instances:
            self.clients.append(drawn)
        return answer, drawn

    def has_page(self, path: str) -> bool:
        """Whether there is such a page."""
        return path in self._pages

    async def connect(self, client: Client) -> None:
        """Let a page's socket connect."""
        await client.handle_handshake(f"test-{uuid.uuid4()}", str(uuid.uuid4()), None, str(uuid.uuid4()), None)

    async def send(
        self, method: str, path: str, cookies: Mapping[str, str], *, form: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Answer a browser's request for a route: a posted form, or the API."""
        transport = httpx.ASGITransport(self.routes, raise_app_exceptions=False)
        headers = {"sec-fetch-site": "same-origin", "origin": self.settings.public_url}
        async with httpx.AsyncClient(
            transport=transport, base_url=self.settings.public_url, cookies=dict(cookies), headers=headers
        ) as browser:
            return await browser.request(method, path, data=dict(form) if form is not None else None)

    @property
    def routes(self) -> FastAPI:
        """The forms and the API, with the guards before them."""
        if self._routes is None:
            self._routes = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
            busy = partial(too_many_requests, self.container)
            install(self._routes, self.container, busy_page=busy)
        return self._routes

    async def kill(self) -> None:
        """End the process in the middle of what it does: its pages and watchers are gone, and say goodbye to nobody."""
        for client in self.clients:
            if client.id in Client.instances:
                client.delete()
        self.clients.clear()


def _pages(container: Container) -> dict[str, Serve]:
    """Return the app's pages by path, as `wiring/web.py` registers them, but with nobody else's router."""
    with _registered() as pages:
        for name in PAGES:
            importlib.import_module(f"ui.pages.{name}").register(container)
        members_page.register(container)
    return pages


@contextmanager
def _registered() -> Iterator[dict[str, Serve]]:
    """Collect what is registered with NiceGUI's `ui.page` inside the block."""
    pages: dict[str, Serve] = {}

    def collect(path: str, **_options: Any) -> Callable[[Serve], Serve]:
        def keep(serve: Serve) -> Serve:
            pages[path] = serve
            return serve

        return keep

    original = ui.page
    ui.page = collect  # type: ignore[assignment, misc]
    try:
        yield pages
    finally:
        ui.page = original  # type: ignore[misc]


@contextmanager
def without_documents() -> Iterator[None]:
    """Have pages built but not written out as HTML: the text is read from the elements, and that halves the cost."""

    def no_document(client: Client, context: PageContext) -> Response:
        context.request.scope["drawn"] = client
        return Response("", context.status)

    written_out = document._written_out
    document._written_out = no_document
    try:
        yield
    finally:
        document._written_out = written_out


def _scope(path: str, query: str, cookies: Mapping[str, str]) -> dict[str, Any]:
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "root_path": "", "scheme": "http", "server": ("localhost", 8081), "client": ("127.0.0.1", 40000),
        "headers": [(b"host", b"localhost:8081"), (b"accept-language", b"en"), (b"cookie", cookie.encode())],
    }  # fmt: skip
