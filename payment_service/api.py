"""The routes: docs/contract.md on the wire. They read and answer; what is done is done by the parts of the service.

Plain functions, which FastAPI runs in threads: each call is a few reads of the database, or waits for Stripe.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Final

import anyio.to_thread
import structlog
from fastapi import Depends, FastAPI, Header, Query, Request, params
from fastapi.responses import JSONResponse, Response
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import JsonValue

from payment_service.bodies import CartCheckout, ItemCheckout, PortalBody, Registration, SubscriptionCheckout
from payment_service.error_answers import add_error_answers
from payment_service.errors import ServiceError
from payment_service.health import health
from payment_service.register import Registrar
from payment_service.request_limits import WEBHOOK_PATH, Around
from payment_service.service import PaymentService, claim_database
from payment_service.subscriptions import Document
from payment_service.worker import Worker

THREADS: Final = 100
"""Requests that may wait for Stripe or the database at the same time, webhooks included."""

_log = structlog.get_logger(__name__)


class _Rates:
    """How often what is allowed. Each instance counts for itself."""

    def __init__(self, service: PaymentService) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._checkouts = parse(service.settings.checkout_limit)
        self._refused = parse(service.settings.refused_limit)
        self._metrics = service.metrics

    def checkout(self, user_id: str) -> None:
        """Raise TOO_MANY_REQUESTS where one user opens checkouts without end."""
        if not self._limiter.hit(self._checkouts, "checkout", user_id):
            self._metrics.refused.labels("checkouts").inc()
            raise _too_many("One user opened too many checkouts; try again in a minute.")

    def refused(self, request: Request, reason: str, error: ServiceError) -> ServiceError:
        """Return the answer to a caller who has no right to be here: the error, or that it was too often."""
        self._metrics.refused.labels(reason).inc()
        address = request.client.host if request.client else ""
        if self._limiter.hit(self._refused, "refused", address):
            return error
        return _too_many("Too many refused calls from this address.")


def application(service: PaymentService, *, with_worker: bool = True) -> FastAPI:
    """Return the service as an app; its database is claimed and its background work begun when it starts."""
    worker, rates = Worker(service), _Rates(service)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        claim_database(service)
        if with_worker:
            worker.start()
        yield
        worker.stop()
        service.close()

    app = FastAPI(title="Payment service", version="2", lifespan=lifespan, redoc_url=None, redirect_slashes=False)
    app.add_middleware(Around, metrics=service.metrics)
    add_error_answers(app)
    keyed: list[params.Depends] = [Depends(_key_of(service, rates))]
    _add_reads(app, service, keyed)
    _add_checkouts(app, service, rates, keyed)
    _add_stripe(app, service, rates, worker)
    return app


def _key_of(service: PaymentService, rates: _Rates) -> Callable[[Request, str], None]:
    def require_key(request: Request, x_api_key: Annotated[str, Header(max_length=200)] = "") -> None:
        """Let in who has a key of the project. An id with a slash in it would be read as another path."""
        if not x_api_key or not service.keys.accepts(x_api_key):
            message = "Invalid API key" if x_api_key else "Missing X-API-Key header"
            raise rates.refused(request, "key", ServiceError(401, "INVALID_API_KEY", message))
        if b"%2f" in request.scope.get("raw_path", b"").lower():
            raise ServiceError(400, "INVALID_URL", "Invalid URL format", "An id can't hold a slash.")

    return require_key


def _add_reads(app: FastAPI, service: PaymentService, keyed: list[params.Depends]) -> None:
    @app.get("/health")
    def get_health() -> Response:
        """Needs no key. 503 only where the database is away: status questions need nothing else."""
        told, works = health(service)
        return JSONResponse(told, 200 if works else 503)

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/api/v1/subscriptions/{user_id}/{product_id}", dependencies=keyed)
    def status(user_id: str, product_id: str) -> JSONResponse:
        """What a user has of one product."""
        return JSONResponse(service.subscriptions.status(user_id, product_id))

    @app.get("/api/v1/subscriptions/{user_id}", dependencies=keyed)
    def all_subscriptions(user_id: str) -> JSONResponse:
        """All that a user has; of one who may be at Stripe, as Stripe has it now."""
        service.visits.look(user_id)
        return JSONResponse(service.subscriptions.all_of(user_id))

    @app.get("/api/v1/invoices/{user_id}", dependencies=keyed)
    def invoices(user_id: str, limit: Annotated[int, Query(ge=1, le=100)] = 24) -> JSONResponse:
        """A user's invoices."""
        return JSONResponse(service.portal.invoices(user_id, limit))


IdempotencyKey = Annotated[str, Header()]


def _add_checkouts(app: FastAPI, service: PaymentService, rates: _Rates, keyed: list[params.Depends]) -> None:
    checkouts = service.checkouts

    @app.post("/api/v1/checkout/subscription", dependencies=keyed)
    def subscription_checkout(body: SubscriptionCheckout, idempotency_key: IdempotencyKey = "") -> Document:
        rates.checkout(body.user_id)
        return checkouts.subscription(body, idempotency_key)

    @app.post("/api/v1/checkout/item", dependencies=keyed)
    def item_checkout(body: ItemCheckout, idempotency_key: IdempotencyKey = "") -> Document:
        rates.checkout(body.user_id)
        return checkouts.item(body, idempotency_key)

    @app.post("/api/v1/checkout/cart", dependencies=keyed)
    def cart_checkout(body: CartCheckout, idempotency_key: IdempotencyKey = "") -> Document:
        rates.checkout(body.user_id)
        return checkouts.cart(body, idempotency_key)

    @app.get("/api/v1/checkout/sessions/{session_id}", dependencies=keyed)
    def session(session_id: str) -> Document:
        return checkouts.session(session_id)

    @app.post("/api/v1/checkout/sessions/{session_id}/expire", dependencies=keyed)
    def expire(session_id: str) -> Document:
        return checkouts.expire(session_id)

    @app.post("/api/v1/portal", dependencies=keyed)
    def portal(body: PortalBody) -> Document:
        return service.portal.open(body)

    @app.post("/admin/products/register", dependencies=keyed)
    def register(body: Registration) -> JSONResponse:
        told, made = Registrar(service.stripe, service.settings.project).register(body)
        return JSONResponse(told, 201 if made else 200)


def _add_stripe(app: FastAPI, service: PaymentService, rates: _Rates, worker: Worker) -> None:
    async def raw(request: Request) -> bytes:
        return await request.body()

    @app.post(WEBHOOK_PATH)
    def webhook(
        request: Request, body: Annotated[bytes, Depends(raw)], stripe_signature: Annotated[str, Header()] = ""
    ) -> dict[str, JsonValue]:
        """For Stripe. Answers 2xx only when all that the event is about is written."""
        try:
            event = service.webhooks.verified(body, stripe_signature)
        except ServiceError as error:
            _log.warning("webhook_refused")
            raise rates.refused(request, "signature", error) from None
        service.webhooks.take(event)
        worker.hurry()
        return {"received": True}


def _too_many(description: str) -> ServiceError:
    return ServiceError(429, "TOO_MANY_REQUESTS", "Too many requests", description)
