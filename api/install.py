"""Puts the routes on an app, and the guards before everything on it."""

from fastapi import FastAPI

from api.backend import Backend
from api.csrf import CsrfGuard
from api.forms import form_routes
from api.operations import operations_routes
from api.problems import add_error_handlers
from api.request_context import RequestContextMiddleware
from api.routes import json_api
from api.security import SecurityHeaders
from api.sign_in import sign_in_routes
from api.throttle import Throttle


def install(app: FastAPI, backend: Backend) -> None:
    """Add the routes and the guards: the last guard added is the first that a request meets."""
    settings = backend.settings
    app.mount("/api", json_api(backend))
    for router in (operations_routes(backend), sign_in_routes(backend), form_routes(backend)):
        app.include_router(router)
    add_error_handlers(app, settings.public_url)
    app.add_middleware(
        Throttle,
        limits=backend.limits,
        policy=backend.policies.page_views,
        most_unconnected=settings.limit_unconnected_views,
        unconnected=backend.unconnected,
        sessions=backend.sessions,
        busy_page=backend.busy_page,
        count_refused=backend.metrics.count_refused_view,
    )
    app.add_middleware(CsrfGuard, settings=settings)
    app.add_middleware(RequestContextMiddleware, trusted_proxies=settings.trusted_proxies)
    app.add_middleware(SecurityHeaders, settings=settings)
