"""Makes every part once, in the order in which they need each other, and ends them in the reverse one."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import structlog
from nicegui import Client

from api.backend import Backend, Policies
from api.metrics import GaugeReading, Metrics
from services.cart import CartService
from services.catalog_file import CatalogFile
from services.checkout.service import CheckoutService, Redirects
from services.checkout_record import CheckoutRepository
from services.entitlements import Entitlements
from services.errors import StoreUnavailable
from services.live_status.refresher import StatusRefresher
from services.live_status.service import StatusService
from services.observability.logs import UserHashes, dropped_lines
from services.observability.tracing import Tracing
from services.portal import PortalRedirects, PortalService
from services.rate_limits import RateLimits
from services.sessions.service import Sessions, customer_by
from services.storage.factory import open_store
from services.storage.port import Store
from services.storage.pubsub import PubSub
from services.storage.redis_concurrency import RedisConcurrencyLimit
from services.stripe_mode import StripeModeService
from services.upstream.transport import Transport
from settings import Settings
from ui.page.site import Site
from ui.pages.errors import too_many_requests
from wiring import systems

SHUTDOWN_WAIT: Final = 6.0
"""Seconds that checkouts under way get at shutdown, besides what the server gave the requests."""

ORDINARY_ELEMENTS: Final = 150
"""Elements of a page that counts as one view."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class House(Site):
    """Everything that was put together: what pages see of it (`Site`), what routes see (`backend`), and its parts."""

    backend: Backend = field(kw_only=True)
    pubsub: PubSub = field(kw_only=True)
    catalog_file: CatalogFile = field(kw_only=True)
    checkouts: CheckoutRepository = field(kw_only=True)
    refresher: StatusRefresher = field(kw_only=True)
    entitlements: Entitlements = field(kw_only=True)
    stripe_mode: StripeModeService = field(kw_only=True)
    slots: RedisConcurrencyLimit | None = field(kw_only=True)
    tracing: Tracing = field(kw_only=True)

    async def start(self) -> None:
        """Start what runs beside the requests, in the running event loop."""
        self.catalog_file.start()
        if self.slots is not None:
            with contextlib.suppress(StoreUnavailable):  # logged by the store; pages open without Redis, and it heals
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
        await asyncio.to_thread(self.tracing.close)


def build(
    settings: Settings,
    *,
    store: Store | None = None,
    payment_transport: Transport | None = None,
    auth_transport: Transport | None = None,
    now: Callable[[], datetime] | None = None,
) -> House:
    """Return the parts, put together as the settings say; the named ones may be given instead.

    Raises CatalogError, StoreInUse, and SettingsError for a key that can't sign or traces that can't be sent.
    """
    now = now or (lambda: datetime.now(UTC))
    key = systems.signing_key(settings)
    tracing = systems.tracing(settings)
    store = store or open_store(settings)
    pubsub = PubSub(store)
    catalog_file = CatalogFile(settings.catalog_path, pubsub)
    metrics, policies = Metrics(), Policies.of(settings)
    slots = systems.shared_slots(settings, store)
    payment_ms = systems.payment_ms(settings, metrics, tracing, slots, payment_transport)
    auth_ms = systems.auth_ms(settings, metrics, tracing, auth_transport)
    storage_secret = systems.given(settings.storage_secret, "STORAGE_SECRET")
    stripe_mode = StripeModeService(store, public_url=settings.public_url, sandbox=settings.sandbox_enabled)
    checkouts = systems.NotedCheckouts(store, now, stripe_mode)
    limits = RateLimits(settings.redis_url.get_secret_value() if settings.redis_url else None)
    sessions = Sessions(
        store, auth_ms, pubsub, secret=storage_secret, public_url=settings.public_url,
        max_age=timedelta(days=settings.session_max_age_days), idle=timedelta(days=settings.session_idle_days), now=now,
    )  # fmt: skip
    refresher = StatusRefresher(
        store=store, payment_ms=payment_ms, sessions=sessions, checkouts=checkouts,
        catalog=lambda: catalog_file.current, customer_of=customer_by(settings.customer_id), now=now,
    )  # fmt: skip
    status = StatusService(refresher, pubsub, leases=systems.leases(store), now=now)
    checkout = CheckoutService(
        store=store, checkouts=checkouts, refresher=refresher, status=status, payment_ms=payment_ms,
        catalog=lambda: catalog_file.current, limits=limits, policy=policies.checkouts,
        redirects=Redirects(settings.public_url, settings.checkout_hosts, bool(settings.http_hosts)),
        observe=metrics.count_checkout, now=now,
    )  # fmt: skip
    portal = PortalService(
        store=store, refresher=refresher, status=status, payment_ms=payment_ms, limits=limits,
        redirects=PortalRedirects(settings.public_url, settings.portal_hosts, bool(settings.http_hosts)), now=now,
    )  # fmt: skip
    cart = CartService(store, pubsub, lambda: catalog_file.current)
    entitlements = Entitlements(
        refresher, key, issuer=settings.public_url, catalog=lambda: catalog_file.current, now=now
    )  # fmt: skip
    backend = Backend(
        settings=settings, catalogs=catalog_file, store=store, sessions=sessions, refresher=refresher, status=status,
        checkout=checkout, portal=portal, cart=cart, limits=limits, policies=policies,
        payment_upstream=payment_ms.upstream, auth_upstream=auth_ms.upstream, entitlements=entitlements,
        stripe_mode=stripe_mode, metrics=metrics, users=UserHashes(storage_secret), unconnected=views_worth,
        busy_page=partial(too_many_requests, Site(settings, catalog_file, sessions, stripe_mode=stripe_mode)),
    )  # fmt: skip
    metrics.observe((payment_ms.upstream, auth_ms.upstream), _readings(backend))
    return House(
        settings=settings, catalogs=catalog_file, sessions=sessions, status=status, checkout=checkout, portal=portal,
        cart=cart, limits=limits, backend=backend, pubsub=pubsub, catalog_file=catalog_file,
        checkouts=checkouts, refresher=refresher, entitlements=entitlements, stripe_mode=stripe_mode, slots=slots,
        tracing=tracing,
    )  # fmt: skip


def views_worth() -> float:
    """Return what the views without a socket weigh, in ordinary ones: a large page counts as several.

    So the bound holds for memory, whichever page a crawler likes best.
    """
    waiting = (client for client in tuple(Client.instances.values()) if not client.has_socket_connection)
    return sum(max(1.0, len(client.elements) / ORDINARY_ELEMENTS) for client in waiting)


def _readings(backend: Backend) -> tuple[GaugeReading, ...]:
    """Return the figures that are read from the parts when somebody asks for the metrics."""
    started_at, status = time.time(), backend.status
    return (
        GaugeReading("billing_watchers", "Users whose status is watched.", lambda: status.watchers),
        GaugeReading("billing_tabs", "Tabs that watch a status.", lambda: status.tabs),
        GaugeReading("billing_unconnected_views", "What page views without a socket weigh.", views_worth),
        GaugeReading("billing_page_views", "Page views kept on the server.", lambda: len(Client.instances)),
        GaugeReading(
            "billing_catalog_refused", "1 while the catalog's file can't be used.", partial(_refused, backend)
        ),
        GaugeReading(
            "billing_limits_degraded", "1 while limits are counted by this replica alone.", partial(_alone, backend)
        ),
        GaugeReading("billing_log_lines_dropped", "Log lines that nobody took.", dropped_lines),
        GaugeReading("billing_started_at", "When the process was started, in Unix time.", lambda: started_at),
    )


def _refused(backend: Backend) -> float:
    return 1.0 if backend.catalogs.problem else 0.0


def _alone(backend: Backend) -> float:
    return 1.0 if backend.limits.degraded else 0.0
