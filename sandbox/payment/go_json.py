"""How the Payment MS, a Go program, writes its answers."""

import json
from typing import Any

from starlette.responses import Response

from sandbox.clock import rfc3339_nano


def go_json(content: object, status: int = 200) -> Response:
    """JSON as Go's encoder writes it: compact, ``< > &`` escaped, a newline at the end."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Response(text + "\n", status, media_type="application/json")


def problem(
    status: int,
    type_: str,
    code: str,
    message: str,
    description: str,
    *,
    field: str = "",
    named: dict[str, object] | None = None,
    beside: dict[str, object] | None = None,
) -> Response:
    """An error in the service's envelope. Its request id is empty, as recorded.

    `named` stands in the error, `beside` next to it: what the second version adds.
    """
    error: dict[str, Any] = {"type": type_, "code": code, "message": message, "description": description}
    if field:
        error["field"] = field
    error |= named or {}
    meta = {"request_id": "", "timestamp": rfc3339_nano()}
    return go_json({"error": error, "meta": meta, **(beside or {})}, status)


def text_401(message: str) -> Response:
    """The one error that comes as text/plain."""
    headers = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    return Response(json.dumps({"error": message}, separators=(",", ":")) + "\n", 401, headers=headers)
