"""The app as a web app: its pages on NiceGUI, its routes and guards around them."""

import contextlib
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final

from fastapi import FastAPI
from nicegui import app as nicegui_app
from nicegui import ui
from starlette.middleware.gzip import GZipMiddleware

from api.install import install
from api.lifespan import RunningApp
from services.container import Container
from services.web import base_path
from settings import SettingsError
from ui.nicegui_ext import answer_headers
from ui.nicegui_ext.page_policy import PlainPages
from ui.nicegui_ext.socket_guard import ReleasedSockets, guard_sockets
from ui.page import assets
from ui.page.extensions import ExtensionUnusable, load_extensions
from ui.pages.errors import too_many_requests
from ui.serving.shared_documents import SharedDocuments

PAGES: Final = (
    "home", "pricing", "start", "login", "signed_out", "payment", "success", "cancel", "account", "privacy.forget",
    "upgrade", "shop", "cart", "embed", "index_files", "ops", "operators.people", "sandbox_words", "errors",
)  # fmt: skip
"""The modules of `ui/pages/`, each with a `register(container)`."""

GZIP_LEVEL: Final = 4
"""`/payment` takes 1.2 ms and 23 kB; level 5 takes a quarter longer for a twentieth less, and 9 is the default."""

RECONNECT: Final = 15.0
"""Seconds that a page outlives its socket. NiceGUI makes its pings of it: each 12 s, and 6 s for the answer.

With its default of 3 s an answer must come within 2 s; a busy moment of the process or of a phone then costs every tab
its page, and hundreds that load anew make the next busy moment.
"""


Prepare = Callable[[FastAPI], Awaitable[None]]


def register(container: Container) -> None:
    """Add the pages and what they load to NiceGUI's app; raises SettingsError for an extension that has none."""
    assets.register(container.settings)
    for name in PAGES:
        importlib.import_module(f"ui.pages.{name}").register(container)
    try:
        for extension in load_extensions(container.settings.extensions):
            extension.register(container)
    except ExtensionUnusable as error:
        raise SettingsError((str(error),)) from None


def application(running: RunningApp, prepare: Prepare | None = None) -> FastAPI:
    """Return the whole app: routes and guards around the pages, started and stopped with the server.

    `prepare` comes last before the port opens.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await running.start()
        try:
            if prepare is not None:
                await prepare(app)
            yield
        finally:
            await running.stop()

    base = base_path.put_in_force(running.container.settings.public_url)  # before anything has an address
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan)
    container = running.container
    register(container)
    install(
        app, container, busy_page=partial(too_many_requests, container),
        documents=partial(SharedDocuments, container=container),
    )  # fmt: skip
    nicegui_app.add_middleware(ReleasedSockets)
    nicegui_app.add_middleware(PlainPages)  # before the compression, so that it stands below it
    ui.run_with(
        app,
        title=container.settings.brand_name,
        tailwind=True,  # of full pages; light ones have none of NiceGUI's style
        dark=None,
        storage_secret=None,
        show_welcome_message=False,
        binding_refresh_interval=None,
        reconnect_timeout=RECONNECT,
        gzip_middleware_factory=partial(GZipMiddleware, minimum_size=500, compresslevel=GZIP_LEVEL),
    )
    answer_headers.put_in_place()
    guard_sockets(container.metrics.count_refused_event)
    app.add_middleware(running.tracing.wrap)  # its spans hold all the others
    if base:
        app.add_middleware(base_path.UnderBasePath, base=base)  # the outermost: nothing else knows of it
    return app
