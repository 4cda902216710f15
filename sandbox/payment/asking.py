"""What each call of the Payment MS begins with: the key, the method, and which version of the contract it keeps."""

import secrets
from typing import Final

from fastapi import Request, Response
from starlette.responses import HTMLResponse

from sandbox.payment.go_json import problem, text_401
from sandbox.state import SandboxState

ALL_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Refusal(Exception):
    """An answer that ends the call early."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def require(state: SandboxState, request: Request, method: str) -> None:
    """The key first, then the method, as the service does."""
    given = request.headers.get("x-api-key", "")
    refuse = _json_401 if is_second(state) else text_401
    if not given:
        raise Refusal(refuse("Missing X-API-Key header"))
    if not secrets.compare_digest(given.encode(), state.settings.api_key.get_secret_value().encode()):
        raise Refusal(refuse("Invalid API key"))
    if request.method != method:
        description = f"Only {method} method is allowed"
        raise Refusal(problem(405, "method_not_allowed", "METHOD_NOT_ALLOWED", "Method not allowed", description))


def is_second(state: SandboxState) -> bool:
    return state.runtime_settings.current.contract == 2


def _json_401(message: str) -> Response:
    return problem(401, "unauthorized", "UNAUTHORIZED", message, message)


def nowhere(state: SandboxState) -> Response:
    """The answer to an unknown path: in the second version what it is, in JSON."""
    if is_second(state):
        return problem(404, "not_found", "NOT_FOUND", "No such path", "No call has this path")
    return to_docs()


def to_docs() -> Response:
    """What the service's catch-all route does: a redirect to a page, even for API paths."""
    body = '<a href="/docs">Found</a>.\n\n'
    return HTMLResponse(body, 302, headers={"Location": "/docs"})
