"""Every error as an answer of the contract: our own, the framework's, Stripe's and the database's."""

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from stripe import (
    APIConnectionError,
    APIError,
    AuthenticationError,
    IdempotencyError,
    PermissionError,
    RateLimitError,
    StripeError,
)

from payment_service.errors import ServiceError, WrongMode, error_type
from payment_service.leases import Busy
from payment_service.subscriptions import moment, now_seconds

_log = structlog.get_logger(__name__)


def add_error_answers(app: FastAPI) -> None:
    """Have the app answer each kind of error."""

    @app.exception_handler(ServiceError)
    async def ours(request: Request, error: ServiceError) -> JSONResponse:
        return error_answer(request, error)

    @app.exception_handler(RequestValidationError)
    async def bad_body(request: Request, error: RequestValidationError) -> JSONResponse:
        return error_answer(request, _validation(error))

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> JSONResponse:
        codes = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 413: "BODY_TOO_LARGE"}
        code = codes.get(error.status_code, "INVALID_BODY")
        return error_answer(request, ServiceError(error.status_code, code, str(error.detail)))

    @app.exception_handler(StripeError)
    async def stripe(request: Request, error: StripeError) -> JSONResponse:
        return error_answer(request, _of_stripe(error))

    @app.exception_handler(WrongMode)
    async def mode(request: Request, error: WrongMode) -> JSONResponse:
        _log.error("wrong_mode", detail=str(error))
        return error_answer(request, ServiceError(400, "WRONG_MODE", "Test and live are never mixed", str(error)))

    @app.exception_handler(Busy)
    async def busy(request: Request, _error: Busy) -> JSONResponse:
        description = "Another checkout of this user is being opened; ask again with the same Idempotency-Key."
        return error_answer(request, ServiceError(409, "CHECKOUT_IN_PROGRESS", "Being opened already", description))

    @app.exception_handler(SQLAlchemyError)
    async def database(request: Request, error: SQLAlchemyError) -> JSONResponse:
        _log.error("database_error", reason=type(error).__name__, detail=str(error.__cause__ or "")[:300])
        return error_answer(request, ServiceError(500, "DATABASE_ERROR", "The database can't be used now"))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        _log.error("unexpected_error", exc_info=error)
        return error_answer(request, ServiceError(500, "INTERNAL_ERROR", "Internal error"))


def error_answer(request: Request, error: ServiceError) -> JSONResponse:
    """Return the error in the contract's envelope."""
    told = {
        "type": error_type(error.status),
        "code": error.code,
        "message": error.message,
        "description": error.description,
        **({"field": error.field} if error.field else {}),
        **error.more,
    }
    meta = {"request_id": getattr(request.state, "request_id", ""), "timestamp": moment(now_seconds())}
    return JSONResponse({"error": told, "meta": meta, **error.beside}, error.status)


def _validation(error: RequestValidationError) -> ServiceError:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return ServiceError(400, "INVALID_BODY", "Invalid request body", "Failed to decode JSON body")
    place = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "header", "path"))
    return ServiceError(400, "VALIDATION_FAILED", "Request validation failed", f"{place}: {first['msg']}", field=place)


def _of_stripe(error: StripeError) -> ServiceError:
    """Return the answer to what Stripe said. `STRIPE_ERROR` is about one request, `STRIPE_UNAVAILABLE` about all."""
    _log.error(
        "stripe_error", kind=type(error).__name__, code=error.code, status=error.http_status,
        stripe_request=error.request_id, detail=(error.user_message or "")[:300],
    )  # fmt: skip
    if isinstance(error, IdempotencyError):
        description = "The key was used with another body; use a new key for another purchase."
        return ServiceError(409, "IDEMPOTENCY_KEY_REUSED", "Idempotency-Key was used before", description)
    if error.code == "resource_missing" and "price" in (getattr(error, "param", None) or ""):
        return ServiceError(400, "PRICE_NOT_FOUND", "No such price", error.user_message or "", field="price_id")
    if isinstance(error, AuthenticationError | PermissionError):
        return ServiceError(503, "STRIPE_KEY_REFUSED", "Stripe refuses the service's key", "Look at STRIPE_SECRET_KEY.")
    if isinstance(error, APIConnectionError | RateLimitError | APIError):
        return ServiceError(503, "STRIPE_UNAVAILABLE", "Stripe can't be used now", type(error).__name__)
    return ServiceError(500, "STRIPE_ERROR", "Stripe refused", error.user_message or str(error.code or ""))
