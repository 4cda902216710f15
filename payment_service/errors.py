"""What the service answers when it can't do what was asked: one class, and a function for each answer.

Bodies are `{"error": {"type", "code", "message", "description", "field"?}, "meta": {"request_id", "timestamp"}}`.
"""

from collections.abc import Mapping

from pydantic import JsonValue


class ServiceError(Exception):
    """An answer that is no success. `more` stands in the error object, `beside` next to it."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        description: str = "",
        *,
        field: str = "",
        more: Mapping[str, JsonValue] | None = None,
        beside: Mapping[str, JsonValue] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.description = description
        self.field = field
        self.more = dict(more or {})
        self.beside = dict(beside or {})


_TYPES = {401: "authentication_error", 404: "not_found", 405: "method_not_allowed", 409: "conflict", 429: "rate_limit"}


def error_type(status: int) -> str:
    """Return the word for a kind of error, by its status."""
    return _TYPES.get(status, "invalid_request" if status < 500 else "internal_error")


def invalid(field: str, description: str) -> ServiceError:
    """Return the answer to a field that can't be taken."""
    return ServiceError(400, "VALIDATION_FAILED", "Request validation failed", description, field=field)


def subscription_exists(subscription_id: str) -> ServiceError:
    """Return the answer to a checkout that would sell a second subscription of a group."""
    description = "The user has a live subscription of this group; change it in the portal."
    more: dict[str, JsonValue] = {"subscription_id": subscription_id}
    return ServiceError(409, "SUBSCRIPTION_EXISTS", "A subscription exists", description, more=more)


def customer_not_found() -> ServiceError:
    """Return the answer about a user who never opened a checkout."""
    return ServiceError(404, "CUSTOMER_NOT_FOUND", "Customer not found", "Nobody bought anything under this user_id.",
                        field="user_id")  # fmt: skip


def session_not_found() -> ServiceError:
    """Return the answer about a checkout session that is not of this project."""
    return ServiceError(404, "SESSION_NOT_FOUND", "Checkout session not found", "No such session of this project.")


class WrongMode(Exception):
    """An object or event of Stripe's other mode: test where this service has a live key, or the other way round."""
