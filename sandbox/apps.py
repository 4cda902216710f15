"""The three ASGI apps of a sandbox: Payment MS and Auth MS behind the fault middleware, and the hosted pages."""

from typing import NamedTuple

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from sandbox.auth.service import auth_app
from sandbox.control.checkout import control_checkout_router
from sandbox.control.routes import control_router
from sandbox.control.subscriptions import control_subscriptions_router
from sandbox.control.users import control_users_router
from sandbox.faults.middleware import FaultMiddleware
from sandbox.panel.pages import panel_router
from sandbox.payment.service import payment_app
from sandbox.rendering import STATIC
from sandbox.scheduler import Scheduler
from sandbox.state import SandboxState
from sandbox.stripe.checkout_pages import checkout_router
from sandbox.stripe.portal_pages import portal_router
from sandbox.stripe.rest.api import stripe_api


class SandboxApps(NamedTuple):
    payment: ASGIApp
    auth: ASGIApp
    stripe: ASGIApp


def build_apps(state: SandboxState, scheduler: Scheduler) -> SandboxApps:
    return SandboxApps(
        FaultMiddleware(payment_app(state), "payment", state),
        FaultMiddleware(auth_app(state), "auth", state),
        stripe_app(state, scheduler),
    )


def stripe_app(state: SandboxState, scheduler: Scheduler) -> FastAPI:
    """Hosted checkout and portal, the control panel, and its HTTP calls (listed at ``/calls``)."""
    app = FastAPI(title="Sandbox control", docs_url=None, redoc_url=None, openapi_url="/control/openapi.json")
    app.mount("/static", StaticFiles(directory=STATIC))
    app.mount("/v1", FaultMiddleware(stripe_api(state), "stripe", state))
    for router in (
        control_router(state, scheduler),
        control_users_router(state),
        control_checkout_router(state),
        control_subscriptions_router(state),
        checkout_router(state),
        portal_router(state),
        panel_router(state, scheduler),
    ):
        app.include_router(router)
    return app
