"""The routes: docs/contract.md on the wire. They read and answer; what is done is done by the parts of the service.

Plain functions, which FastAPI runs in threads: each call is a few reads of the database, or waits for Stripe.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Final

import anyio.to_thread
import structlog
from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from payment_service.bodies import CartCheckout, ItemCheckout, PortalBody, Registration, SubscriptionCheckout
from payment_service.documents import Document
from payment_service.errors import ServiceError, add_error_answers
from payment_service.health import health
from payment_service.register import Registrar
from payment_service.request_limits import WEBHOOK_PATH, Around
from payment_service.service import PaymentService
from payment_service.worker import Worker

THREADS: Final = 100
"""Requests that may wait for Stripe or the database at the same time, webhooks included."""

_log = structlog.get_logger(__name__)


def application(service: PaymentService, *, with_worker: bool = True) -> FastAPI:
    """Return the service as an app; its database is claimed and its background work begun when it starts."""
    worker = Worker(service)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        service.claim_database()
        if with_worker:
            worker.start()
        yield
        worker.stop()
        service.close()

    app = FastAPI(title="Payment service", version="2", lifespan=lifespan, redoc_url=None, redirect_slashes=False)
    app.state.service, app.state.worker = service, worker
    app.add_middleware(Around, metrics=service.metrics)
    add_error_answers(app)
    app.include_router(_open_to_all)
    app.include_router(_keyed)
    return app


async def _service(request: Request) -> PaymentService:
    service: PaymentService = request.app.state.service
    return service


async def _raw(request: Request) -> tuple[bytes, float]:
    """Return a body as it came, and when (`time.monotonic`)."""
    return await request.body(), time.monotonic()


Service = Annotated[PaymentService, Depends(_service)]
IdempotencyKey = Annotated[str, Header()]


def _require_key(request: Request, service: Service, x_api_key: Annotated[str, Header(max_length=200)] = "") -> None:
    """Let in who has a key of the project. An id with a slash in it would be read as another path."""
    if not x_api_key or not service.keys.accepts(x_api_key):
        message = "Invalid API key" if x_api_key else "Missing X-API-Key header"
        raise service.limits.refused(request, "key", ServiceError(401, "INVALID_API_KEY", message))
    if b"%2f" in request.scope.get("raw_path", b"").lower():
        raise ServiceError(400, "INVALID_URL", "Invalid URL format", "An id can't hold a slash.")


_open_to_all, _keyed = APIRouter(), APIRouter(dependencies=[Depends(_require_key)])


@_open_to_all.get("/health")
def get_health(service: Service) -> Response:
    """Needs no key. 503 only where the database is away: status questions need nothing else."""
    told, works = health(service)
    return JSONResponse(told, 200 if works else 503)


@_open_to_all.get("/metrics", include_in_schema=False)
def metrics(service: Service) -> Response:
    """For Prometheus."""
    return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)


@_open_to_all.post(WEBHOOK_PATH)
def webhook(
    request: Request, service: Service, came: Annotated[tuple[bytes, float], Depends(_raw)],
    stripe_signature: Annotated[str, Header()] = "",
) -> Document:  # fmt: skip
    """For Stripe. Answers 2xx only when all that the event is about is written."""
    body, moment = came
    try:
        event = service.webhooks.verified(body, stripe_signature)
    except ServiceError as error:
        _log.warning("webhook_refused")
        raise service.limits.refused(request, "signature", error) from None
    service.webhooks.take(event, moment)
    request.app.state.worker.hurry()
    return {"received": True}


@_keyed.get("/api/v1/subscriptions/{user_id}/{product_id}")
def status(service: Service, user_id: str, product_id: str) -> JSONResponse:
    """What a user has of one product."""
    return JSONResponse(service.subscriptions.status(user_id, product_id))


@_keyed.get("/api/v1/subscriptions/{user_id}")
def all_subscriptions(service: Service, user_id: str) -> JSONResponse:
    """All that a user has; of one who may be at Stripe, as Stripe has it now."""
    service.visits.look(user_id)
    return JSONResponse(service.subscriptions.all_of(user_id))


@_keyed.get("/api/v1/invoices/{user_id}")
def invoices(service: Service, user_id: str, limit: Annotated[int, Query(ge=1, le=100)] = 24) -> JSONResponse:
    """A user's invoices."""
    return JSONResponse(service.portal.invoices(user_id, limit))


@_keyed.post("/api/v1/checkout/subscription")
def plan_checkout(service: Service, body: SubscriptionCheckout, idempotency_key: IdempotencyKey = "") -> Document:
    """Open a checkout for a plan."""
    service.limits.checkout(body.user_id)
    return service.checkouts.open(body, idempotency_key)


@_keyed.post("/api/v1/checkout/item")
def item_checkout(service: Service, body: ItemCheckout, idempotency_key: IdempotencyKey = "") -> Document:
    """Open a checkout for one thing."""
    service.limits.checkout(body.user_id)
    return service.checkouts.open(body, idempotency_key)


@_keyed.post("/api/v1/checkout/cart")
def cart_checkout(service: Service, body: CartCheckout, idempotency_key: IdempotencyKey = "") -> Document:
    """Open a checkout for several things."""
    service.limits.checkout(body.user_id)
    return service.checkouts.open(body, idempotency_key)


@_keyed.get("/api/v1/checkout/sessions/{session_id}")
def session(service: Service, session_id: str) -> Document:
    """How a checkout stands."""
    return service.checkouts.session(session_id)


@_keyed.post("/api/v1/checkout/sessions/{session_id}/expire")
def expire(service: Service, session_id: str) -> Document:
    """Close a checkout so that nobody can pay it."""
    return service.checkouts.expire(session_id)


@_keyed.post("/api/v1/portal")
def portal(service: Service, body: PortalBody) -> Document:
    """Open Stripe's portal."""
    return service.portal.open(body)


@_keyed.post("/admin/products/register")
def register(service: Service, body: Registration) -> JSONResponse:
    """Make products and prices; 200 where all of them were there."""
    told, made = Registrar(service.stripe, service.settings.project).register(body)
    return JSONResponse(told, 201 if made else 200)
