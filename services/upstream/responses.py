"""What came back from an upstream, read strictly: status, content type, JSON, and the shape a caller asks for.

Nothing here sends anything. Whatever bytes come in, what goes out is an ``UpstreamResponse``, a model, or one of the
errors of ``services.errors``; upstream text ends up in none of them. What a service says of a failure goes to the log.
"""

import functools
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, TypeVar, cast
from urllib.parse import urlsplit

import structlog
from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, StringConstraints, ValidationError

from services.errors import RequestFailed, UpstreamBusy, UpstreamContractError, UpstreamFailed
from services.upstream.description import log_description
from services.upstream.outcomes import CallOutcome
from services.upstream.retry import read_retry_after

_log = structlog.get_logger("upstream")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_ONE_REQUEST = frozenset(
    {
        "STRIPE_ERROR",
        "CUSTOMER_ERROR",
        "CUSTOMER_NOT_FOUND",
        "NO_STRIPE_CUSTOMER",
        "VALIDATION_FAILED",
        "INVALID_BODY",
        "MISSING_FIELDS",
        "INVALID_URL",
        "METHOD_NOT_ALLOWED",
    }
)
"""Codes about a customer, a price or an id of one request. With a 500, too, they say that the service works."""

_REFERENCE = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d)?)(\.\d{1,12})? ?([Zz]|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII
)
_NUMBER = re.compile(r"\d{9,19}(\.\d{1,9})?", re.ASCII)
_LARGEST_SECONDS = 3e11
"""Beyond the year 9999; as milliseconds the same number is in 1979."""

_LARGEST_NANOSECONDS = 1e20

LAST_YEAR = 8999
"""From the next one on, a date is no date but a way to write "never"."""


@dataclass(frozen=True, slots=True)
class Call:
    """Which call an answer belongs to. ``private`` is what it sent that names a person: no log may hold it."""

    service: str
    operation: str
    request_id: str
    private: tuple[str, ...] = field(default=(), repr=False)

    def contract_error(self, outcome: CallOutcome, detail: str, *, status: int | None = None) -> UpstreamContractError:
        """Return the error for an answer that the contract does not allow."""
        return UpstreamContractError(
            self.service,
            self.operation,
            detail,
            reason=outcome,
            request_id=self.request_id,
            upstream_status=status,
        )


@dataclass(frozen=True, slots=True)
class RawResponse:
    """An answer as it came over the wire, before anything was read; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed: float = 0.0


@dataclass(frozen=True, slots=True)
class UpstreamResponse:
    """A 2xx answer with its JSON, or a 4xx answer with its JSON or None. ``elapsed`` in seconds."""

    status: int
    json: JsonValue
    headers: Mapping[str, str]
    elapsed: float
    call: Call

    @property
    def ok(self) -> bool:
        """Return whether the service did what it was asked."""
        return 200 <= self.status < 300

    @property
    def error_code(self) -> str | None:
        """Return the service's own error code (``CUSTOMER_NOT_FOUND``), if it gave one that looks like one."""
        return _error_code(self.json)

    @property
    def upstream_request_id(self) -> str | None:
        """Return ``meta.request_id``, if it looks like an id."""
        return _upstream_request_id(self.json)

    def log_description(self) -> None:
        """Log what the service says of its refusal, if it says anything."""
        log_description(self.call, self.status, self.json, self.error_code, self.upstream_request_id)


def read_response(reply: RawResponse, call: Call) -> UpstreamResponse:
    """Return ``reply`` as an answer.

    Raises ``UpstreamFailed`` for 5xx and 429, ``UpstreamContractError`` for redirects, statuses that
    HTTP does not use, and 2xx answers that are not JSON.
    """
    status = reply.status
    if 300 <= status < 400:
        target = _host_of(reply.headers.get("location", ""))
        raise call.contract_error(CallOutcome.REDIRECT, f"answered {status} to {target}", status=status)
    if status == 429 or status >= 500:
        raise _failed(reply, call)
    if 200 <= status < 300:
        return UpstreamResponse(status, _read_success(reply, call), reply.headers, reply.elapsed, call)
    if status < 200:
        raise call.contract_error(CallOutcome.STATUS, f"answered {status}", status=status)
    return UpstreamResponse(status, _json_or_none(reply.body), reply.headers, reply.elapsed, call)


def parse_json(body: bytes) -> JsonValue:
    """Return the JSON in ``body``: UTF-8 without a byte-order mark, no NaN. Raises ``ValueError`` otherwise."""
    try:
        return cast(JsonValue, json.loads(body.decode("utf-8"), parse_constant=_refuse_constant))
    except RecursionError:
        raise ValueError("nested too deeply") from None


class ResponseModel(BaseModel):
    """Base of every shape a service may answer with: strict types, fields we don't know are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


M = TypeVar("M", bound=ResponseModel)


def read_as(model: type[M], answer: UpstreamResponse) -> M:
    """Return the answer's JSON as ``model``; raise ``UpstreamContractError`` that names the fields that differ."""
    try:
        return model.model_validate(answer.json)
    except ValidationError as error:
        fields = tuple(
            sorted({".".join(str(part) for part in item["loc"]) or "(the whole)" for item in error.errors()})
        )
    raise schema_error(answer, *fields)


def schema_error(answer: UpstreamResponse, *fields: str) -> UpstreamContractError:
    """Return, and log, the error for an answer whose ``fields`` are missing, wrong or contradict each other."""
    call = answer.call
    error = call.contract_error(CallOutcome.SCHEMA, f"wrong or missing: {', '.join(fields)}", status=answer.status)
    error.fields = fields
    error.upstream_request_id = answer.upstream_request_id
    _log.error(
        "upstream_schema",
        service=call.service,
        op=call.operation,
        outcome=CallOutcome.SCHEMA.value,
        status=answer.status,
        fields=list(fields),
        request_id=call.request_id,
    )
    return error


def read_moment(value: object) -> datetime | None:
    """Return a time in any form that services have been seen to use, as aware UTC; None where it is unknown.

    That is RFC 3339 (the Payment MS writes nanoseconds; Python keeps microseconds), a time without a zone (UTC), a day
    (its noon, which is that day in nearly every zone) or a number since 1970, in seconds or finer. 1970 and earlier
    mean "unknown", and so does a date beyond `LAST_YEAR`: it stands for "never". What is none of these is unknown too:
    a date never makes an answer unusable.
    """
    if value is None or value == "":
        return None
    try:
        moment = _written_moment(value)
    except (ValueError, OverflowError):
        note_moment_form("no time")
        return None
    if moment.year > LAST_YEAR:
        note_moment_form("beyond the calendar")
        return None
    return None if moment.year <= 1970 else moment


@functools.cache
def note_moment_form(form: str) -> None:
    """Tell the operator once that a service writes times in another form than RFC 3339; never the text itself."""
    _log.warning("upstream_moment_form", form=form)


def _written_moment(value: object) -> datetime:
    """Return the time; raise ValueError or OverflowError for what is none, or lies beyond the calendar."""
    text = value.strip() if isinstance(value, str) else ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _counted_moment(float(value))
    if _NUMBER.fullmatch(text):
        return _counted_moment(float(text))
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise ValueError("not a time")
    day, clock, fraction, zone = match.groups()
    if clock is None:
        note_moment_form("a day")
        clock, zone = "12:00", "Z"
    elif zone is None:
        note_moment_form("no zone")
    offset = "+00:00" if zone is None or zone in "Zz" else zone
    moment = datetime.fromisoformat(f"{day}T{clock}{(fraction or '')[:7]}{offset}")
    if moment.year <= 1970 or moment.year > LAST_YEAR:
        return moment.replace(tzinfo=UTC)  # on either edge of the calendar another zone may be no date at all
    return moment.astimezone(UTC)


def _counted_moment(number: float) -> datetime:
    """Return the time so many seconds after 1970, or milliseconds and finer where they would be no seconds."""
    note_moment_form("a number")
    if not abs(number) < _LARGEST_NANOSECONDS:
        raise ValueError("not a time")
    while abs(number) > _LARGEST_SECONDS:
        number /= 1000
    return datetime.fromtimestamp(number, UTC)


Text = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]+$", max_length=255)]
Address = Annotated[str, StringConstraints(min_length=1, max_length=8192)]
Moment = Annotated[datetime | None, BeforeValidator(read_moment)]


def _read_success(reply: RawResponse, call: Call) -> JsonValue:
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    about = f"{len(reply.body)} bytes, sha256 {hashlib.sha256(reply.body).hexdigest()[:12]}"
    if kind != "application/json":
        shown = kind if re.fullmatch(r"[a-z0-9.+/-]{1,80}", kind) else "none that is known"
        raise call.contract_error(CallOutcome.CONTENT_TYPE, f"content type {shown}, {about}", status=reply.status)
    try:
        return parse_json(reply.body)
    except ValueError:
        raise call.contract_error(CallOutcome.BAD_JSON, f"not JSON: {about}", status=reply.status) from None


def _failed(reply: RawResponse, call: Call) -> UpstreamFailed:
    content = _json_or_none(reply.body)
    code, upstream_request_id = _error_code(content), _upstream_request_id(content)
    reason = CallOutcome.RATE_LIMITED if reply.status == 429 else CallOutcome.SERVER_ERROR
    log_description(call, reply.status, content, code, upstream_request_id)
    kind = UpstreamBusy if reply.status in (429, 503) else UpstreamFailed
    if code in _ONE_REQUEST:
        kind, reason = RequestFailed, CallOutcome.REQUEST_FAILED
    return kind(
        call.service,
        call.operation,
        f"answered {reply.status}" + (f" {code}" if code else ""),
        reason=reason,
        request_id=call.request_id,
        retry_after=read_retry_after(reply.headers.get("retry-after")),
        upstream_status=reply.status,
        upstream_code=code,
        upstream_request_id=upstream_request_id,
    )


def _json_or_none(body: bytes) -> JsonValue:
    try:
        return parse_json(body)
    except ValueError:
        return None


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _error_code(content: JsonValue) -> str | None:
    error = content.get("error") if isinstance(content, dict) else None
    code = error.get("code") if isinstance(error, dict) else error
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def _upstream_request_id(content: JsonValue) -> str | None:
    meta = content.get("meta") if isinstance(content, dict) else None
    reference = meta.get("request_id") if isinstance(meta, dict) else None
    return reference if isinstance(reference, str) and _REFERENCE.fullmatch(reference) else None


def _host_of(location: str) -> str:
    try:
        host = urlsplit(location).hostname
    except ValueError:
        host = None
    if not host:
        return "a path of its own"
    return host if re.fullmatch(r"[a-z0-9.-]{1,255}", host) else "an odd host"
