"""Puts the routes on an app, and the guards before everything on it."""

from collections.abc import Callable

from fastapi import FastAPI
from starlette.types import ASGIApp

from api.csrf import CsrfGuard
from api.forms import form_routes
from api.operations.routes import operations_routes
from api.problems import add_error_handlers
from api.request_context import RequestContextMiddleware
from api.routes import json_api
from api.security import SecurityHeaders
from api.siblings.cross_origin import CrossOriginReading
from api.sign_in import sign_in_routes
from api.throttle import BusyPage, Throttle
from services.container import Container


def install(
    app: FastAPI, container: Container, *, busy_page: BusyPage, documents: Callable[[ASGIApp], ASGIApp] | None = None
) -> None:
    """Add the routes and the guards: the last guard added is the first that a request meets.

    `busy_page` is what they get who ask for too many pages, `documents` answers strangers before anything is counted.
    """
    settings = container.settings
    app.mount("/api", json_api(container))
    for router in (operations_routes(container), sign_in_routes(container, busy_page), form_routes(container)):
        app.include_router(router)
    add_error_handlers(app, settings.public_url)
    app.add_middleware(
        Throttle,
        limits=container.limits,
        policy=container.policies.page_views,
        sessions=container.sessions,
        busy_page=busy_page,
        count_refused=container.metrics.count_refused_view,
    )
    app.add_middleware(CrossOriginReading, origins=settings.entitlements_origins)
    if documents is not None:
        app.add_middleware(documents)
    app.add_middleware(CsrfGuard, settings=settings)
    app.add_middleware(
        RequestContextMiddleware,
        trusted_proxies=settings.trusted_proxies,
        count=container.metrics.requests.count,
    )
    app.add_middleware(SecurityHeaders, settings=settings)
