"""The one log line of each attempt at an upstream call: ``upstream_call``.

It holds no path, query, body, header or key, and of the service's own words only its error code and
request id, which are checked to look like such. The service's description of a failure has a line of its own,
`upstream_description`, cut and without what names a person (see `description`).
"""

import structlog

from services.errors import FrontendError, UpstreamError
from services.upstream.outcomes import CallOutcome
from services.upstream.responses import Call, UpstreamResponse

_log = structlog.get_logger("upstream")
_QUIET = frozenset(
    {CallOutcome.OK, CallOutcome.REJECTED, CallOutcome.RESET, CallOutcome.CIRCUIT_OPEN, CallOutcome.CLOSED}
)
_OURS_TO_MEND = frozenset(
    {
        CallOutcome.DNS,
        CallOutcome.TLS,
        CallOutcome.KEY_REJECTED,
        CallOutcome.REQUEST_FAILED,
        CallOutcome.BAD_JSON,
        CallOutcome.CONTENT_TYPE,
        CallOutcome.CONTENT_ENCODING,
        CallOutcome.TOO_LARGE,
        CallOutcome.REDIRECT,
        CallOutcome.STATUS,
    }
)
"""What does not pass by itself: the operator has to change a setting, or the other service."""


def log_answer(call: Call, answer: UpstreamResponse, attempt: int) -> str:
    """Log an attempt that was answered; return its outcome."""
    outcome = CallOutcome.OK if answer.ok else CallOutcome.REJECTED
    _write(call, outcome, attempt, answer.elapsed, status=answer.status, upstream_code=answer.error_code)
    return outcome


def log_failure(call: Call, error: FrontendError, attempt: int, elapsed: float) -> str:
    """Log an attempt that raised ``error`` after ``elapsed`` seconds; return its outcome."""
    if not isinstance(error, UpstreamError):
        _write(call, error.code, attempt, elapsed, detail=error.detail)
        return error.code
    _write(
        call,
        error.reason,
        attempt,
        elapsed,
        status=error.upstream_status,
        detail=error.detail,
        upstream_code=error.upstream_code,
        upstream_request_id=error.upstream_request_id,
    )
    return error.reason


def log_opened_circuit(call: Call, seconds: float) -> None:
    """Log that an operation will not be tried for ``seconds``."""
    _log.error(
        "circuit_opened",
        service=call.service,
        op=call.operation,
        seconds=round(seconds, 1),
        request_id=call.request_id,
    )


def _write(call: Call, outcome: str, attempt: int, elapsed: float, **known: str | int | None) -> None:
    level = "info" if outcome in _QUIET else "error" if outcome in _OURS_TO_MEND else "warning"
    getattr(_log, level)(
        "upstream_call",
        service=call.service,
        op=call.operation,
        outcome=str(outcome),
        attempt=attempt,
        elapsed_ms=round(elapsed * 1000, 1),
        request_id=call.request_id,
        **{name: value for name, value in known.items() if value is not None},
    )
