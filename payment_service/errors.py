"""What the service answers when it can't do what was asked: our own errors, the framework's, Stripe's, the database's.

Bodies are `{"error": {"type", "code", "message", "description", "field"?}, "meta": {"request_id", "timestamp"}}`.
"""

from typing import Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import JsonValue
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

from payment_service.documents import Document, moment, now_seconds

_TYPES: Final = {
    401: "authentication_error", 404: "not_found", 405: "method_not_allowed", 409: "conflict", 429: "rate_limit",
}  # fmt: skip

_log = structlog.get_logger(__name__)


class ServiceError(Exception):
    """An answer that is no success. `more` stands in the error object, `beside` next to it."""

    def __init__(
        self, status: int, code: str, message: str, description: str = "", *,
        beside: Document | None = None, **more: JsonValue,
    ) -> None:  # fmt: skip
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.beside = status, code, beside or {}
        kind = _TYPES.get(status, "invalid_request" if status < 500 else "internal_error")
        given = {name: value for name, value in more.items() if value is not None}
        self.told = {"type": kind, "code": code, "message": message, "description": description, **given}


class WrongMode(ServiceError):
    """An object or event of Stripe's other mode: nothing of it may be written."""

    def __init__(self, livemode: bool) -> None:
        """`livemode` is the object's."""
        theirs, ours = ("live", "test") if livemode else ("test", "live")
        description = f"This is of Stripe's {theirs} mode, and this service has a {ours} key. Nothing was changed."
        super().__init__(400, "WRONG_MODE", "Test and live are never mixed", description)


def invalid(field: str, description: str) -> ServiceError:
    """Return the answer to a field that can't be taken."""
    return ServiceError(400, "VALIDATION_FAILED", "Request validation failed", description, field=field or None)


def price_not_found(message: str, description: str) -> ServiceError:
    """Return the answer to a price that is not sold."""
    return ServiceError(400, "PRICE_NOT_FOUND", message, description, field="price_id")


def key_reused() -> ServiceError:
    """Return the answer to an `Idempotency-Key` that comes with another body."""
    description = "The key was used with another body; use a new key for another purchase."
    return ServiceError(409, "IDEMPOTENCY_KEY_REUSED", "Idempotency-Key was used before", description)


def subscription_exists(subscription_id: str) -> ServiceError:
    """Return the answer to a checkout that would sell a second subscription of a group."""
    description = "The user has a live subscription of this group; change it in the portal."
    return ServiceError(409, "SUBSCRIPTION_EXISTS", "A subscription exists", description,
                        subscription_id=subscription_id)  # fmt: skip


def add_error_answers(app: FastAPI) -> None:
    """Have the app answer each kind of error."""
    for kind in (ServiceError, RequestValidationError, HTTPException, StripeError, SQLAlchemyError, Exception):
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, error: Exception) -> JSONResponse:
    answer = _as_answer(error)
    meta = {"request_id": getattr(request.state, "request_id", ""), "timestamp": moment(now_seconds())}
    return JSONResponse({"error": answer.told, "meta": meta, **answer.beside}, answer.status)


def _as_answer(error: Exception) -> ServiceError:
    match error:
        case WrongMode():
            _log.error("wrong_mode", detail=error.told["description"])
            return error
        case ServiceError():
            return error
        case RequestValidationError():
            return _of_validation(error)
        case HTTPException(status_code=status):
            code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 413: "BODY_TOO_LARGE"}.get(status, "INVALID_BODY")
            return ServiceError(status, code, str(error.detail))
        case StripeError():
            return _of_stripe(error)
        case SQLAlchemyError():
            _log.error("database_error", reason=type(error).__name__, detail=str(error.__cause__ or "")[:300])
            return ServiceError(500, "DATABASE_ERROR", "The database can't be used now")
    _log.error("unexpected_error", exc_info=error)
    return ServiceError(500, "INTERNAL_ERROR", "Internal error")


def _of_validation(error: RequestValidationError) -> ServiceError:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return ServiceError(400, "INVALID_BODY", "Invalid request body", "Failed to decode JSON body")
    place = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "header", "path"))
    return invalid(place, f"{place}: {first['msg']}")


def _of_stripe(error: StripeError) -> ServiceError:
    """Return the answer to what Stripe said. `STRIPE_ERROR` is about one request, `STRIPE_UNAVAILABLE` about all."""
    _log.error(
        "stripe_error", kind=type(error).__name__, code=error.code, status=error.http_status,
        stripe_request=error.request_id, detail=(error.user_message or "")[:300],
    )  # fmt: skip
    if isinstance(error, IdempotencyError):
        return key_reused()
    if error.code == "resource_missing" and "price" in (getattr(error, "param", None) or ""):
        return price_not_found("No such price", error.user_message or "")
    if isinstance(error, AuthenticationError | PermissionError):
        return ServiceError(503, "STRIPE_KEY_REFUSED", "Stripe refuses the service's key", "Look at STRIPE_SECRET_KEY.")
    if isinstance(error, APIConnectionError | RateLimitError | APIError):
        return ServiceError(503, "STRIPE_UNAVAILABLE", "Stripe can't be used now", type(error).__name__)
    return ServiceError(500, "STRIPE_ERROR", "Stripe refused", error.user_message or str(error.code or ""))
