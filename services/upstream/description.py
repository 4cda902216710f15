"""What a service says of a failure in words of its own, for the operator's log: cut, and without personal data.

The Payment MS passes Stripe's message on as `description`. It is the only place that tells why each checkout of new
customers fails, and it may name the customer, so what the call sent of a person is taken out, and what looks like an
address, a card or a key as well.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

import structlog
from pydantic import JsonValue

LONGEST: Final = 300
"""Characters of a description that are kept."""

_READ: Final = 2_000
"""Characters that are looked at at all: patterns over a service's megabyte would stop the process."""

_MASK: Final = "[…]"
_PERSONAL: Final = re.compile(
    r"[^\s@\"'<>()]{1,64}@[^\s@\"'<>()]{1,255}"  # an e-mail address
    r"|\b(?:cus|sub|pm|card|src|acct|seti|pi|ch|in)_[A-Za-z0-9]{8,}(?!\w)"  # what a person has at Stripe
    r"|\b(?:sk|rk|pk|whsec|proj)_[A-Za-z0-9_-]+"  # keys
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b"  # an address on the network
    r"|(?<![A-Za-z0-9_])\+?\d(?:[ -]?\d){8,}"  # a card, a telephone, an id that is a number
)

_log = structlog.get_logger("upstream")


class DescribedCall(Protocol):
    """What a description belongs to; `private` is what the call sent that names a person."""

    @property
    def service(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def request_id(self) -> str: ...
    @property
    def private(self) -> tuple[str, ...]: ...


def log_description(
    call: DescribedCall, status: int, content: JsonValue, code: str | None, upstream_request_id: str | None
) -> None:
    """Write an error answer's description to the log at ERROR, with both request ids; nothing where it has none."""
    error = content.get("error") if isinstance(content, Mapping) else None
    text = error.get("description") if isinstance(error, Mapping) else None
    if not isinstance(text, str) or not text.strip():
        return
    _log.error(
        "upstream_description",
        service=call.service,
        op=call.operation,
        status=status,
        upstream_code=code,
        description=without_personal_data(text, call.private),
        request_id=call.request_id,
        upstream_request_id=upstream_request_id,
    )


def without_personal_data(text: str, private: Iterable[str] = ()) -> str:
    """Return the text on one line, at most `LONGEST` characters, without `private` and what looks personal."""
    text = " ".join(text[:_READ].split())
    known = sorted((value for value in private if value), key=len, reverse=True)
    if known:
        text = re.sub("|".join(map(re.escape, known)), _MASK, text, flags=re.IGNORECASE)
    text = _PERSONAL.sub(_MASK, text)
    text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
