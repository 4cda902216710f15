"""The way into the API: keys, versions, parameters, idempotency; and out of it, as Stripe writes answers and errors."""

import hashlib
import secrets
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.database import DocumentStore
from sandbox.state import SandboxState
from sandbox.stripe.rest.forms import Tree, read_form
from sandbox.stripe.rest.params import CallParams
from sandbox.stripe.rest.problems import StripeProblem, bad_request, problem_of
from sandbox.stripe.rest.shapes import VERSION, Shape

_KEPT: Final = timedelta(hours=24)
_TEST_KEYS: Final = ("sk_test_", "rk_test_")

P = TypeVar("P", bound=CallParams)


@dataclass(frozen=True)
class ApiCall:
    """One call of the API. `run` is given its parameters, and the id in its path (empty where there is none).

    It returns the answer, and what of it to expand.
    """

    method: str
    path: str
    run: Callable[[Tree, str], tuple[Shape, list[str]]]


def call(method: str, path: str, params: type[P], answer: Callable[[P, str], Shape]) -> ApiCall:
    """A call with parameters of its own kind."""

    def run(tree: Tree, key: str) -> tuple[Shape, list[str]]:
        given = params.model_validate(tree)
        return answer(given, key), given.expand

    return ApiCall(method, path, run)


class _Kept(BaseModel):
    """The answer to a call with an `Idempotency-Key`."""

    fingerprint: str
    status: int
    body: dict[str, JsonValue]
    request_id: str
    at: float


class ApiGate:
    """`expand` replaces ids in an answer by what they name."""

    def __init__(self, state: SandboxState, expand: Callable[[Shape, list[str]], Shape]) -> None:
        self._state, self._expand = state, expand
        self._kept = DocumentStore(state.database, "stripe_idempotency", _Kept)

    def route(self, known: ApiCall) -> Route:
        async def endpoint(request: Request) -> Response:
            return self._respond(request, (await request.body()).decode("utf-8", "replace"), known)

        return Route(known.path, endpoint, methods=[known.method])

    async def unknown(self, request: Request) -> Response:
        """A path or method of no known call."""
        try:
            self._require_key(request)
            text = f"Unrecognized request URL ({request.method}: {request.url.path}). The sandbox's Stripe has no such"
            raise bad_request(f"{text} call.", status=404)
        except StripeProblem as problem:
            return _refusal(problem, _request_id())

    def _respond(self, request: Request, body: str, known: ApiCall) -> Response:
        request_id = _request_id()
        try:
            self._require_key(request)
            self._require_version(request)
            text = body if request.method == "POST" else request.url.query
            key = request.headers.get("idempotency-key", "") if request.method == "POST" else ""
            return self._once(request, text, key, known, request_id)
        except StripeProblem as problem:
            return _refusal(problem, request_id)

    def _once(self, request: Request, text: str, key: str, asked: ApiCall, request_id: str) -> Response:
        """Carry it out, unless its idempotency key has been used: then the same answer again, or none."""
        if len(key) > 255:
            raise bad_request("Idempotency keys can be at most 255 characters long.")
        fingerprint = hashlib.sha256(f"{request.method} {request.url.path} {text}".encode()).hexdigest()
        known = self._kept.get(key) if key else None
        if known and self._state.clock.timestamp() - known.at < _KEPT.total_seconds():
            if known.fingerprint != fingerprint:
                raise StripeProblem(
                    400,
                    "idempotency_error",
                    "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                    f"Try using a key other than '{key}' if you meant to execute a different request.",
                )
            replayed = {"Idempotent-Replayed": "true", "Original-Request": known.request_id}
            return _answer(known.status, known.body, request_id, {**replayed, "Idempotency-Key": key})
        with self._state.database.transaction():
            answer = self._carry_out(text, str(request.path_params.get("key", "")), asked)
            if key:
                at = self._state.clock.timestamp()
                kept = {"fingerprint": fingerprint, "status": 200, "body": answer, "request_id": request_id, "at": at}
                self._kept.put(key, _Kept.model_validate(kept))
        return _answer(200, answer, request_id, {"Idempotency-Key": key} if key else {})

    def _carry_out(self, text: str, key: str, asked: ApiCall) -> Shape:
        try:
            answer, paths = asked.run(read_form(text), key)
        except ValidationError as error:
            raise problem_of(error) from None
        return self._expand(answer, paths)

    def _require_key(self, request: Request) -> None:
        given = _key_of(request.headers.get("authorization", ""))
        if not given:
            text = "You did not provide an API key. Provide your key in the Authorization header, using Bearer auth."
            raise bad_request(text, status=401)
        only = self._state.settings.stripe_key
        known = secrets.compare_digest(given, only.get_secret_value()) if only else given.startswith(_TEST_KEYS)
        if not known:
            shown = given[:8] + "*" * 8 + given[-4:] if len(given) > 16 else given[:4] + "****"
            raise bad_request(f"Invalid API Key provided: {shown}", status=401)

    def _require_version(self, request: Request) -> None:
        """Versions of one name differ in what is added only (https://docs.stripe.com/sdks/versioning)."""
        asked = request.headers.get("stripe-version", VERSION)
        if asked.partition(".")[2] != VERSION.partition(".")[2]:
            text = f"Invalid Stripe API version: {asked}. The sandbox's Stripe speaks {VERSION} alone."
            raise bad_request(text)


def _key_of(authorization: str) -> str:
    """The key of a `Bearer` or `Basic` header (there it is the user's name); empty without one."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip() if rest.isascii() else ""
    if scheme.lower() == "basic":
        try:
            return b64decode(rest, validate=True).decode().partition(":")[0]
        except ValueError:
            return ""
    return ""


def _request_id() -> str:
    return f"req_{secrets.token_hex(7)}"


def _answer(status: int, body: Mapping[str, object], request_id: str, headers: dict[str, str]) -> Response:
    return JSONResponse(body, status, headers={"Request-Id": request_id, "Stripe-Version": VERSION, **headers})


def _refusal(problem: StripeProblem, request_id: str) -> Response:
    return _answer(problem.status, {"error": problem.body()}, request_id, {})
