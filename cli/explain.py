"""Why a call to a service failed, and what an operator can do about it."""

from typing import Final

from services.errors import FrontendError, KeyLost, KeyRejected, StoreUnavailable, UpstreamError
from services.upstream.outcomes import CallOutcome

_NOBODY_THERE: Final = "Start it, or correct {setting}."
_SOMETHING_ELSE: Final = "Something other than the {service} answers there: correct {setting}."
_ITS_LOG: Final = "Look at its log."

_REASONS: Final = {
    CallOutcome.REFUSED: ("nothing listens there", _NOBODY_THERE),
    CallOutcome.DNS: ("its name can't be resolved", "Correct {setting}, or the name service."),
    CallOutcome.CONNECT: ("no connection can be made", "Look at the network between the two, or correct {setting}."),
    CallOutcome.CONNECT_TIMEOUT: ("no connection comes about in time", "Look at firewalls, or correct {setting}."),
    CallOutcome.TLS: (
        "its TLS certificate is not trusted or it speaks no TLS",
        "Renew its certificate, name its authority in SSL_CERT_FILE, or correct {setting}.",
    ),
    CallOutcome.DEADLINE: ("it did not answer in time", "Look at its load and its log."),
    CallOutcome.RESET: ("it hung up without an answer", _ITS_LOG),
    CallOutcome.TRUNCATED: ("its answer broke off", _ITS_LOG),
    CallOutcome.SERVER_ERROR: ("it failed", _ITS_LOG),
    CallOutcome.REQUEST_FAILED: ("it could not do this", _ITS_LOG),
    CallOutcome.RATE_LIMITED: ("it says that we ask too often", "Wait a minute, then run this again."),
    CallOutcome.BAD_JSON: ("its answer is not JSON", _SOMETHING_ELSE),
    CallOutcome.CONTENT_TYPE: ("its answer is not JSON", _SOMETHING_ELSE),
    CallOutcome.CONTENT_ENCODING: ("its answer is compressed, unasked", "Turn compression off in the proxy before it."),
    CallOutcome.REDIRECT: ("it redirects", _SOMETHING_ELSE),
    CallOutcome.STATUS: ("it answers a status that HTTP does not use", _SOMETHING_ELSE),
    CallOutcome.TOO_LARGE: ("its answer is too long", _SOMETHING_ELSE),
    CallOutcome.SCHEMA: ("its answer lacks what we need", "Run python -m contract against it: it names what differs."),
    CallOutcome.NO_CONNECTION_FREE: ("all of our connections to it are in use", "Wait a minute, then run this again."),
    CallOutcome.CIRCUIT_OPEN: ("it failed so often that it is not asked now", "Look at its log, then run this again."),
    CallOutcome.CLOSED: ("we are about to end", "Run this again."),
    CallOutcome.QUEUE_FULL: ("other requests of ours were in the way", "Wait a minute, then run this again."),
}

_TELLING: Final = frozenset(
    (
        CallOutcome.SERVER_ERROR,
        CallOutcome.REQUEST_FAILED,
        CallOutcome.STATUS,
        CallOutcome.REDIRECT,
        CallOutcome.CONTENT_TYPE,
        CallOutcome.BAD_JSON,
        CallOutcome.SCHEMA,
    )
)
"""Failures whose detail (status, type, fields) says more than the words above; elsewhere it names classes of ours."""


def explain(problem: FrontendError, service: str, setting: str) -> tuple[str, str]:
    """Return what happened, and its cure. ``setting`` is where the service's address is set."""
    if isinstance(problem, StoreUnavailable):
        return f"{service}: not asked, because our own storage failed.", "Look at Redis, then run this again."
    cause = problem.__cause__ if not isinstance(problem, UpstreamError) else problem
    if isinstance(problem, KeyLost):
        return (
            f"{service} refuses our key ({problem.upstream_status}), which it took before: it has lost its database "
            "connection.",
            "Restart that service; its /health does not tell.",
        )
    if isinstance(problem, KeyRejected):
        return (
            f"{service} refuses our key ({problem.upstream_status or 'it can not even be sent'}).",
            "Compare PAYMENT_MS_API_KEY with the project's key; if it is right, the service has lost its database "
            "connection: restart it.",
        )
    if not isinstance(cause, UpstreamError):
        return f"{service}: {problem}.", _SOMETHING_ELSE.format(service=service, setting=setting)
    words, cure = _REASONS.get(cause.reason, (cause.reason, _ITS_LOG))  # type: ignore[call-overload]
    detail = f" ({cause.detail})" if cause.reason in _TELLING else ""
    return f"{service}: {words}{detail}.", cure.format(service=service, setting=setting)
