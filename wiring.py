"""How the parts are put together: settings → store → other systems → use cases → pages and routes. Decides nothing.

`build` makes the parts, `register` adds the pages to NiceGUI, `application` is the whole: routes, guards and pages as
one ASGI app that starts and stops its parts by itself.
"""

import asyncio
import contextlib
import importlib
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import structlog
from fastapi import FastAPI
from nicegui import Client, ui
from pydantic import SecretStr

from api.backend import Backend, Policies
from api.install import install
from api.metrics import Metrics, Reading
from services.announcements import Announcements
from services.auth_ms import AuthMS
from services.cart import CartService
from services.catalog_file import CatalogFile
from services.checkout import CheckoutService, Redirects
from services.checkouts import Checkout, Checkouts
from services.entitlements import Entitlements, KeyUnusable, SigningKey
from services.inquiry import Inquiry
from services.leases import Lease
from services.logs import UserHashes
from services.money_mode import MoneyMode
from services.payment_ms import PaymentMS
from services.portal import PortalRedirects, PortalService
from services.rate_limits import RateLimits
from services.session import Session, Sessions
from services.slots import RedisSlots
from services.status import Leases, StatusService
from services.store import Store, open_store
from services.store_redis import RedisStore
from services.transport import Transport
from services.upstream import Upstream
from settings import Settings, SettingsError
from ui import assets
from ui.pages.errors import too_many_requests
from ui.site import Site

PAGES: Final = (
    "home", "pricing", "login", "payment", "success", "cancel", "account", "shop", "cart", "members", "embed", "errors",
)  # fmt: skip
"""The modules of `ui/pages/`, each with a `register(site)`."""

SHUTDOWN_WAIT: Final = 8.0
"""Seconds that checkouts under way get at shutdown, besides what the server gave the requests."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class House(Site):
    """Everything that was put together: what pages see of it (`Site`), what routes see (`backend`), and its parts."""

    backend: Backend = field(kw_only=True)
    announcements: Announcements = field(kw_only=True)
    catalog_file: CatalogFile = field(kw_only=True)
    entitlements: Entitlements = field(kw_only=True)
    money_mode: MoneyMode = field(kw_only=True)
    slots: RedisSlots | None = field(kw_only=True)

    async def start(self) -> None:
        """Start what runs beside the requests, in the running event loop."""
        self.catalog_file.start()
        if self.slots is not None:
            await self.slots.prepare()

    async def stop(self) -> None:
        """Let checkouts under way come to their end, then close everything."""
        backend = self.backend
        try:
            async with asyncio.timeout(SHUTDOWN_WAIT):
                await backend.checkout.finish()
        except TimeoutError:
            _log.error("checkouts_cut_off", seconds=SHUTDOWN_WAIT)
        await self.catalog_file.stop()
        await asyncio.gather(backend.payment_upstream.aclose(2.0), backend.auth_upstream.aclose(2.0))
        await backend.limits.close()
        await backend.store.close()


def build(
    settings: Settings,
    *,
    store: Store | None = None,
    payment_transport: Transport | None = None,
    auth_transport: Transport | None = None,
    now: Callable[[], datetime] | None = None,
) -> House:
    """Return the parts, put together as the settings say; the named ones may be given instead.

    Raises CatalogError, StoreInUse and SettingsError (for a key that can't sign).
    """
    now = now or (lambda: datetime.now(UTC))
    key = _signing_key(settings)
    store = store or open_store(settings)
    announcements = Announcements(store)
    catalog_file = CatalogFile(settings.catalog_path, announcements)
    metrics = Metrics()
    slots = _shared_slots(settings, store)
    payment_upstream = _payment_upstream(settings, metrics, slots, payment_transport)
    auth_upstream = _auth_upstream(settings, metrics, auth_transport)
    payment_ms = PaymentMS(
        payment_upstream,
        _given(settings.payment_ms_api_key, "PAYMENT_MS_API_KEY"),
        status_deadline=settings.payment_ms_status_deadline,
        checkout_deadline=settings.payment_ms_checkout_deadline,
        idempotent=settings.payment_ms_idempotent,
    )
    auth_ms = AuthMS(
        auth_upstream,
        settings.auth_ms_project,
        providers=settings.auth_ms_providers,
        deadline=settings.auth_ms_deadline,
    )
    storage_secret = _given(settings.storage_secret, "STORAGE_SECRET")
    sessions = Sessions(
        store,
        auth_ms,
        announcements,
        secret=storage_secret,
        public_url=settings.public_url,
        max_age=timedelta(days=settings.session_max_age_days),
        now=now,
    )
    money_mode = MoneyMode(store, public_url=settings.public_url, sandbox=settings.sandbox_enabled)
    checkouts = _NotedCheckouts(store, now, money_mode)
    inquiry = Inquiry(
        store=store,
        payment_ms=payment_ms,
        sessions=sessions,
        checkouts=checkouts,
        catalog=lambda: catalog_file.current,
        customer_of=_customer_of(settings),
        now=now,
    )
    status = StatusService(inquiry, announcements, leases=_leases(settings, store), now=now)
    limits = RateLimits(settings.redis_url.get_secret_value() if settings.redis_url else None)
    policies = Policies.of(settings)
    allow_http = bool(settings.http_hosts)
    checkout = CheckoutService(
        store=store,
        checkouts=checkouts,
        inquiry=inquiry,
        status=status,
        payment_ms=payment_ms,
        catalog=lambda: catalog_file.current,
        limits=limits,
        redirects=Redirects(settings.public_url, settings.checkout_hosts, allow_http),
        policy=policies.checkouts,
        observe=metrics.count_checkout,
        now=now,
    )
    portal = PortalService(
        store=store,
        inquiry=inquiry,
        status=status,
        payment_ms=payment_ms,
        limits=limits,
        redirects=PortalRedirects(settings.public_url, settings.portal_hosts, allow_http),
        now=now,
    )
    cart = CartService(store, announcements, lambda: catalog_file.current)
    entitlements = Entitlements(inquiry, key, issuer=settings.public_url, catalog=lambda: catalog_file.current, now=now)
    backend = Backend(
        settings=settings,
        catalogs=catalog_file,
        store=store,
        sessions=sessions,
        inquiry=inquiry,
        status=status,
        checkout=checkout,
        portal=portal,
        cart=cart,
        limits=limits,
        policies=policies,
        payment_upstream=payment_upstream,
        auth_upstream=auth_upstream,
        entitlements=entitlements,
        money_mode=money_mode,
        metrics=metrics,
        users=UserHashes(storage_secret),
        unconnected=unconnected_views,
        busy_page=partial(too_many_requests, Site(settings, catalog_file, sessions)),
    )
    house = House(
        settings=settings,
        catalogs=catalog_file,
        sessions=sessions,
        status=status,
        checkout=checkout,
        portal=portal,
        cart=cart,
        limits=limits,
        backend=backend,
        announcements=announcements,
        catalog_file=catalog_file,
        entitlements=entitlements,
        money_mode=money_mode,
        slots=slots,
    )
    _observe(house)
    return house


def register(site: Site) -> None:
    """Add the pages and what they load to NiceGUI's app."""
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


def unconnected_views() -> int:
    """Return how many page views wait for their socket."""
    return sum(not client.has_socket_connection for client in tuple(Client.instances.values()))


class _NotedCheckouts(Checkouts):
    """The record of checkouts, which also tells which money the Payment MS takes."""

    def __init__(self, store: Store, now: Callable[[], datetime], money_mode: MoneyMode) -> None:
        super().__init__(store, now)
        self._money_mode = money_mode

    async def add(self, checkout: Checkout) -> None:
        await super().add(checkout)
        await self._money_mode.note(checkout.session_id)


def _payment_upstream(
    settings: Settings, metrics: Metrics, slots: RedisSlots | None, transport: Transport | None
) -> Upstream:
    return Upstream(
        "payment_ms",
        settings.payment_ms_url,
        max_in_flight=settings.payment_ms_max_in_flight,
        max_wait=settings.payment_ms_max_wait,
        slots=slots,
        transport=transport,
        connect_timeout=settings.payment_ms_connect_timeout,
        key_setting="PAYMENT_MS_API_KEY",
        observer=metrics.count_call,
    )


def _auth_upstream(settings: Settings, metrics: Metrics, transport: Transport | None) -> Upstream:
    return Upstream(
        "auth_ms",
        settings.auth_ms_url,
        max_in_flight=settings.auth_ms_max_in_flight,
        max_wait=settings.payment_ms_max_wait,
        transport=transport,
        connect_timeout=settings.payment_ms_connect_timeout,
        observer=metrics.count_call,
    )


def _shared_slots(settings: Settings, store: Store) -> RedisSlots | None:
    """The bound on requests to the Payment MS, over all replicas when they share a store."""
    if not isinstance(store, RedisStore):
        return None
    return RedisSlots(store, "payment_ms", settings.payment_ms_max_in_flight)


def _leases(settings: Settings, store: Store) -> Leases | None:
    """Who of the replicas asks about a customer; alone nobody has to be asked."""
    if settings.redis_url is None:
        return None
    replica = secrets.token_hex(8)

    def lease(customer: str) -> Lease:
        return Lease(store, f"watch:{customer}", replica)

    return lease


def _customer_of(settings: Settings) -> Callable[[Session], str]:
    if settings.customer_id == "email":
        return lambda session: session.user.email
    return lambda session: session.user.user_id


def _signing_key(settings: Settings) -> SigningKey:
    try:
        return SigningKey(settings.entitlements_key)
    except KeyUnusable as error:
        raise SettingsError((str(error),)) from None


def _given(secret: SecretStr | None, name: str) -> SecretStr:
    if secret is None:
        raise SettingsError((f"{name} is not set.",))
    return secret


def _observe(house: House) -> None:
    """Let the metrics read what the parts know."""
    backend, started_at = house.backend, time.time()
    backend.metrics.observe(
        (backend.payment_upstream, backend.auth_upstream),
        (
            Reading("billing_watchers", "Users whose status is watched.", lambda: backend.status.watchers),
            Reading("billing_tabs", "Tabs that watch a status.", lambda: backend.status.tabs),
            Reading("billing_unconnected_views", "Page views without a socket.", unconnected_views),
            Reading("billing_page_views", "Page views kept on the server.", lambda: len(Client.instances)),
            Reading("billing_catalog_refused", "1 while the catalog's file can't be used.", partial(_refused, house)),
            Reading("billing_started_at", "When the process was started, in Unix time.", lambda: started_at),
        ),
    )


def _refused(house: House) -> float:
    return 1.0 if house.catalog_file.problem else 0.0
