"""Errors of the JSON API as RFC 9457 problem documents: what happened in a sentence, never an upstream's own text."""

import inspect
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services import errors
from services.errors import (
    NOTHING_CHARGED,
    AlreadySaid,
    AlreadySubscribed,
    CheckoutInProgress,
    FrontendError,
    PaymentUnknown,
    SellingOff,
    StatusUnclear,
    asked_about,
    with_money,
)
from services.web.base_path import at
from services.web.request_id import request_id

MEDIA_TYPE: Final = "application/problem+json"
LONGEST_WAIT: Final = 3600
CHANGING: Final = (400, 403, 408, 413, 415, 422)
WHEN_UNSAID: Final[Mapping[int, float]] = {429: 10.0, 503: 5.0}
"""Seconds for `Retry-After` where nothing better is known: a circuit that opened is tried again after five."""

MANAGE_PATH: Final = "/payment"

REFUSALS: Final[Mapping[int, tuple[str, str, str]]] = {
    400: ("bad_request", "Bad request", "This request can't be read."),
    403: ("forbidden", "Not from this site", "State is changed only by requests from our own site."),
    404: ("not_found", "Not found", "There is nothing at this address."),
    405: ("method_not_allowed", "Method not allowed", "This address does not take that method."),
    408: ("request_timeout", "Request timeout", "The request took too long to arrive."),
    413: ("too_large", "Too large", "The request is larger than any we take."),
    415: ("unsupported_media_type", "Unsupported media type", "Send application/json here."),
    422: ("invalid_request", "Check the request", "The request has missing or invalid fields."),
    500: (FrontendError.code, FrontendError.title, FrontendError.sentence),
}
"""Code, title and sentence of what is refused before any use case is asked, by status."""
REFUSED: Final = "refused"

_log = structlog.get_logger(__name__)


def codes() -> Iterator[tuple[str, int, str]]:
    """Yield each code that a problem document may have once, with its status and its sentence; `type` names it."""
    seen: set[str] = set()
    for status, (code, _title, sentence) in REFUSALS.items():
        if code != FrontendError.code:
            seen.add(code)
            yield code, status, sentence
    known = [kind for _name, kind in inspect.getmembers(errors, inspect.isclass)]
    for kind in sorted((k for k in known if issubclass(k, FrontendError)), key=lambda k: (k.status, k.code)):
        if kind.code not in seen:
            seen.add(kind.code)
            yield kind.code, kind.status, with_money(kind.sentence, NOTHING_CHARGED)


class FieldProblem(BaseModel):
    """One field that is missing or invalid, and why; never its value."""

    field: str
    reason: str


class Problem(BaseModel):
    """RFC 9457 problem details. `code` is stable and meant for programs, `detail` is a sentence for people."""

    type: str = Field(description="Where the code is explained; relative to this site.")
    title: str
    status: int
    detail: str
    code: str = Field(json_schema_extra={"enum": [*(code for code, _status, _sentence in codes()), REFUSED]})
    retryable: bool
    request_id: str
    manage_url: str | None = Field(None, description="Where an existing subscription is managed.")
    checkout_url: str | None = Field(None, description="The open checkout to go on with.")
    checkout_session_id: str | None = None
    checkout_id: str | None = Field(
        None, description="Name it in `instead_of` to give that checkout up for a new one: the user did not pay it."
    )
    errors: list[FieldProblem] | None = None


class BadRequest(Exception):
    """A request that is refused before any use case is asked: one of the statuses in this module."""

    def __init__(self, status: int, errors: list[FieldProblem] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.errors = errors


def problem_docs(*statuses: int, changes: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return how OpenAPI describes the problems of a route; every route may answer 429, 500 and 503.

    A route that changes something may also refuse where a request comes from, its body's size and kind.
    """
    schema = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": REFUSALS.get(status, ("", "Problem", ""))[1], "content": schema}
        for status in sorted({*statuses, *(CHANGING if changes else ()), 429, 500, 503})
    }


def problem_of(error: FrontendError, public_url: str) -> Problem:
    """Return the document for one of our own errors."""
    problem = Problem(
        type=at(f"/api/docs#{error.code}"),
        title=error.title,
        status=error.status,
        detail=_sentence(error),
        code=error.code,
        retryable=error.retryable,
        request_id=request_id.get() or error.request_id or "",
    )
    if isinstance(error, AlreadySubscribed | StatusUnclear):
        problem.manage_url = f"{public_url}{MANAGE_PATH}"
    if isinstance(error, CheckoutInProgress):
        problem.manage_url = f"{public_url}{MANAGE_PATH}"
        if error.checkout is not None and error.checkout.url and not isinstance(error, PaymentUnknown):
            problem.checkout_url = error.checkout.url
            problem.checkout_session_id = error.checkout.session_id
    asked = asked_about(error)
    if asked is not None:
        problem.checkout_id = asked.id
    return problem


def _sentence(error: FrontendError) -> str:
    """Return what happened, in English. Operators' own words don't say that nothing was charged, so that is added."""
    if isinstance(error, SellingOff) and AlreadySaid.MONEY not in error.says:
        return f"{error.sentence} {NOTHING_CHARGED}"
    return with_money(error.sentence, NOTHING_CHARGED)


def refusal(status: int, errors: list[FieldProblem] | None = None) -> Response:
    """Return the document for a request that was refused before any use case was asked."""
    code, title, detail = REFUSALS.get(status, (REFUSED, "Request refused", "This request was refused."))
    problem = Problem(
        type=at(f"/api/docs#{code}"),
        title=title,
        status=status,
        detail=detail,
        code=code,
        retryable=False,
        request_id=request_id.get() or "",
        errors=errors,
    )
    return _answer(problem)


def error_answer(error: FrontendError, public_url: str) -> Response:
    """Return the answer for one of our own errors, with `Retry-After` (seconds) where it is known."""
    level = _log.error if error.status >= 500 and not error.retryable else _log.info
    level("request_refused", code=error.code, status=error.status, cause=str(error))
    answer = _answer(problem_of(error, public_url))
    wait = error.retry_after if error.retry_after is not None else WHEN_UNSAID.get(error.status)
    if wait is not None:
        answer.headers["Retry-After"] = str(retry_after_seconds(wait))
    return answer


def retry_after_seconds(seconds: float) -> int:
    """Return whole seconds for a `Retry-After` header, from 1 to an hour."""
    return min(max(1, math.ceil(seconds)), LONGEST_WAIT)


def add_error_handlers(app: FastAPI, public_url: str) -> None:
    """Answer every error of this app with a problem document."""

    @app.exception_handler(FrontendError)
    async def ours(_request: Request, error: Exception) -> Response:
        return error_answer(error if isinstance(error, FrontendError) else FrontendError(), public_url)

    @app.exception_handler(BadRequest)
    async def bad(_request: Request, error: Exception) -> Response:
        return refusal(error.status, error.errors) if isinstance(error, BadRequest) else refusal(400)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: Exception) -> Response:
        details = error.errors() if isinstance(error, RequestValidationError) else ()
        if any(detail["type"] == "json_invalid" for detail in details):
            return refusal(422, [FieldProblem(field="body", reason="is no valid JSON")])
        found = [FieldProblem(field=_path(detail["loc"]), reason=str(detail["msg"])) for detail in details]
        return refusal(422, found[:20])

    @app.exception_handler(Exception)
    async def unexpected(_request: Request, _error: Exception) -> Response:
        return refusal(500)  # the edge logs what it was

    @app.exception_handler(HTTPException)
    async def other(_request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            return refusal(500)
        answer = refusal(error.status_code)
        for name, value in (error.headers or {}).items():
            answer.headers[name] = value
        return answer


def _path(location: tuple[int | str, ...]) -> str:
    parts = [str(part)[:60] for part in location if part != "body"]
    return ".".join(parts) or "body"


def _answer(problem: Problem) -> JSONResponse:
    content = problem.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, problem.status, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})
