"""The house as a web app: its pages on NiceGUI, its routes and guards around them."""

import contextlib
import importlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

from fastapi import FastAPI
from nicegui import ui

from api.install import install
from services.cart import user_owner, visitor_owner
from services.errors import StoreUnavailable
from services.session import Session
from ui import assets
from ui.components import state_banner
from ui.components.notice import notice
from ui.i18n import translate
from ui.plan_choices import offers_for
from ui.site import Site
from ui.visit import Visit
from wiring.house import House

PAGES: Final = (
    "home", "pricing", "login", "payment", "success", "cancel", "account", "members", "upgrade", "shop", "cart",
    "embed", "errors",
)  # fmt: skip
"""The modules of `ui/pages/`, each with a `register(site)`."""


def register(site: Site) -> None:
    """Add the pages and what they load to NiceGUI's app."""
    if isinstance(site, House):
        site.offers_for = offers_for
        site.on_arrival = _Arrival(site)
    assets.register(site.settings)
    for name in PAGES:
        try:
            module = importlib.import_module(f"ui.pages.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"ui.pages.{name}":
                raise
            continue
        module.register(site)


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
    )
    return app


class _Arrival:
    """What every page shows beside its own content: play money in public, the cart's count, the user's plan."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def __call__(self, visit: Visit) -> None:
        if isinstance(visit.session, Session):
            self._house.backend.users.bind(visit.session.user.user_id)
        for problem in await self._house.money_mode.problems():
            sentence = translate(problem.banner, visit.locale)
            visit.banners.append(partial(_warn, sentence))
        visit.cart_count = await self._count(visit)
        await state_banner.arrive(visit)

    async def _count(self, visit: Visit) -> int:
        if visit.session is None or not visit.site.catalog.items:
            return 0
        session = visit.session
        owner = user_owner(session) if isinstance(session, Session) else visitor_owner(session.id)
        try:
            return (await self._house.backend.cart.read(owner)).count
        except StoreUnavailable:
            return 0


def _warn(sentence: str) -> None:
    with notice("warning", sentence):
        pass
