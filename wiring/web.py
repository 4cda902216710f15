"""The house as a web app: its pages on NiceGUI, its routes and guards around them."""

import contextlib
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from fastapi import FastAPI
from nicegui import ui
from starlette.middleware.gzip import GZipMiddleware

from api.install import install
from services.sessions.service import Session
from ui.billing import state_banner
from ui.nicegui_ext.socket_guard import guard_sockets
from ui.page import assets
from ui.page.context import PageContext
from ui.page.current_user import known_status
from ui.page.site import Site
from ui.page.stripe_mode_banner import refresh_stripe_mode_banner
from ui.plans.choices import offers_for
from wiring.house import House

PAGES: Final = (
    "home", "pricing", "login", "payment", "success", "cancel", "account", "members", "upgrade", "shop", "cart",
    "embed", "index_files", "ops", "errors",
)  # fmt: skip
"""The modules of `ui/pages/`, each with a `register(site)`."""

GZIP_LEVEL: Final = 5
"""Level 9, the default, takes twice as long to make a page three per cent smaller."""

RECONNECT: Final = 15.0
"""Seconds that a page outlives its socket. NiceGUI makes its pings of it: each 12 s, and 6 s for the answer.

With its default of 3 s an answer must come within 2 s; a busy moment of the process or of a phone then costs every tab
its page, and hundreds that load anew make the next busy moment.
"""


def register(site: Site) -> None:
    """Add the pages and what they load to NiceGUI's app."""
    site.offers_for = offers_for
    site.on_arrival = arrival(site)
    assets.register(site.settings)
    for name in PAGES:
        importlib.import_module(f"ui.pages.{name}").register(site)


def application(house: House) -> FastAPI:
    """Return the whole app: routes and guards around the pages, started and stopped with the server."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await house.start()
        try:
            yield
        finally:
            await house.stop()

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan)
    register(house)
    install(app, house.backend)
    ui.run_with(
        app,
        title=house.settings.brand_name,
        tailwind=False,
        dark=None,
        storage_secret=None,
        show_welcome_message=False,
        binding_refresh_interval=None,
        reconnect_timeout=RECONNECT,
        gzip_middleware_factory=partial(GZipMiddleware, minimum_size=500, compresslevel=GZIP_LEVEL),
    )
    guard_sockets(house)
    app.add_middleware(house.tracing.wrap)  # the outermost: its spans hold all the others
    return app


def arrival(site: Site) -> Callable[[PageContext], Awaitable[None]]:
    """Return what every page does first: who it is in the log, play money in public, the user's plan and its age."""

    async def arrive(context: PageContext) -> None:
        if isinstance(site, House) and isinstance(context.session, Session):
            site.backend.users.bind(context.session.user.user_id)
        await refresh_stripe_mode_banner(context)
        await state_banner.arrive(context)
        customer_status = known_status(context)
        if isinstance(site, House) and customer_status is not None:
            site.backend.metrics.observe_age((datetime.now(UTC) - customer_status.as_of).total_seconds())

    return arrive
