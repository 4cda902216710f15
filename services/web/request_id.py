"""The id of the request being served: set at the edge, sent to every upstream, written in every log line."""

import re
from contextvars import ContextVar
from uuid import uuid4

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_USABLE = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def current_request_id() -> str:
    """Return the id set at the edge, or a new one for work that no request started (a poll, a timer).

    An id that could not be a header's value is replaced too.
    """
    known = request_id.get()
    return known if known and _USABLE.fullmatch(known) else uuid4().hex
