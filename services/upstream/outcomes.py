"""How one attempt at a call can end, and after which ends another attempt may help."""

from enum import StrEnum


class CallOutcome(StrEnum):
    """How one attempt ended, in one word: in logs, in metrics and as an error's ``reason``."""

    OK = "ok"
    REJECTED = "rejected"
    REFUSED = "refused"
    DNS = "dns"
    CONNECT = "connect"
    CONNECT_TIMEOUT = "connect_timeout"
    NO_CONNECTION_FREE = "no_connection_free"
    TLS = "tls"
    RESET = "reset"
    TRUNCATED = "truncated"
    DEADLINE = "deadline"
    SERVER_ERROR = "server_error"
    REQUEST_FAILED = "request_failed"
    RATE_LIMITED = "rate_limited"
    KEY_REJECTED = "upstream_auth"
    BAD_JSON = "bad_json"
    CONTENT_TYPE = "content_type"
    CONTENT_ENCODING = "content_encoding"
    TOO_LARGE = "too_large"
    REDIRECT = "redirect"
    STATUS = "unexpected_status"
    SCHEMA = "schema"
    CIRCUIT_OPEN = "circuit_open"
    QUEUE_FULL = "queue_full"
    CLOSED = "closed"


UNSENT = frozenset(
    {
        CallOutcome.REFUSED,
        CallOutcome.DNS,
        CallOutcome.CONNECT,
        CallOutcome.CONNECT_TIMEOUT,
        CallOutcome.NO_CONNECTION_FREE,
    }
)
"""Nothing of the request can have reached the service."""

PASSING = UNSENT | {
    CallOutcome.RESET,
    CallOutcome.TRUNCATED,
    CallOutcome.SERVER_ERROR,
    CallOutcome.RATE_LIMITED,
    CallOutcome.BAD_JSON,
}
"""May be gone the next time; worth another try where a repeat does no harm."""
