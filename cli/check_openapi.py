"""The Payment MS's own description of itself, against the calls, fields and answers that we need."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import JsonValue

from cli.findings import Finding, error, ok, warning

_BUYER: Final = ("user_id", "email", "success_url", "cancel_url")
_SESSION: Final = ("checkout_session_id", "checkout_url")
_DEEPEST: Final = 12


@dataclass(frozen=True, slots=True)
class Need:
    """A call that we make: the fields that we send, and those that we read. ``a|b`` means that either will do."""

    method: str
    path: str
    sends: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    """Sent as well, whether it is described or not."""


NEEDS: Final = (
    Need("post", "/api/v1/checkout/subscription", (*_BUYER, "product_id", "price_id"), _SESSION),
    Need("post", "/api/v1/checkout/item", (*_BUYER, "price_id", "quantity"), _SESSION, ("product_id",)),
    Need("post", "/api/v1/checkout/cart", (*_BUYER, "items"), _SESSION),
    Need(
        "get",
        "/api/v1/subscriptions/{user_id}/{product_id}",
        (),
        ("exists|status", "subscription_id|stripe_subscription_id", "current_period_end|period_end"),
    ),
    Need("post", "/api/v1/portal", ("user_id", "return_url"), ("portal_url|url",)),
)


def look_at_openapi(document: Mapping[str, JsonValue]) -> Finding:
    """Return whether the service describes every call as we make it; whatever is missing is named."""
    missing: list[str] = []
    unknown: list[str] = []
    for need in NEEDS:
        operation = _operation(document, need)
        if operation is None:
            missing.append(f"{need.method.upper()} {need.path}")
            continue
        for problem in _differences(document, operation, need):
            (unknown if problem.startswith("no description") else missing).append(f"{need.path}: {problem}")
    if missing:
        cure = "Use a version of the Payment MS that has them; python -m contract says what it really answers."
        return error("payment_ms_openapi", f"/openapi.json lacks what we need: {'; '.join(missing)}.", cure)
    if unknown:
        cure = "python -m contract says what it really answers."
        return warning("payment_ms_openapi", f"/openapi.json leaves things open: {'; '.join(unknown)}.", cure)
    return ok("payment_ms_openapi", f"/openapi.json names the {len(NEEDS)} calls we make, with their fields.")


def _operation(document: Mapping[str, Any], need: Need) -> Mapping[str, Any] | None:
    """Return the description of a call, whatever the parameters in its path are called."""
    paths = document.get("paths")
    for path, item in paths.items() if isinstance(paths, dict) else ():
        if _shape_of(str(path)) == _shape_of(need.path) and isinstance(item, dict):
            found = item.get(need.method)
            return found if isinstance(found, dict) else None
    return None


def _shape_of(path: str) -> tuple[str, ...]:
    return tuple("{}" if part.startswith("{") else part for part in path.rstrip("/").split("/"))


def _differences(document: Mapping[str, Any], operation: Mapping[str, Any], need: Need) -> Iterator[str]:
    if need.sends:
        body = _schema(document, _follow(document, operation.get("requestBody")))
        yield from _absent("request field", need.sends, body, "the request")
        required = {name for part in body for name in part.get("required", ()) if isinstance(name, str)}
        surplus = sorted(required - set(need.sends) - set(need.extra))
        yield from (f"request field {name}, which we don't send, is required" for name in surplus)
    responses = operation.get("responses")
    success = next(
        (value for code, value in (responses.items() if isinstance(responses, dict) else ()) if str(code) in _SUCCESS),
        None,
    )
    yield from _absent("answer field", need.reads, _schema(document, _follow(document, success)), "the answer")


_SUCCESS: Final = ("200", "201", "2XX", "default")


def _absent(kind: str, wanted: tuple[str, ...], parts: list[dict[str, Any]], whole: str) -> Iterator[str]:
    names = {name for part in parts if isinstance(part.get("properties"), dict) for name in part["properties"]}
    if not names:
        yield f"no description of {whole}"
        return
    for either in wanted:
        if names.isdisjoint(either.split("|")):
            yield f"{kind} {either.replace('|', ' or ')}"


def _schema(document: Mapping[str, Any], holder: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the object schemas of the JSON in a request body or response, those it is composed of included."""
    content = holder.get("content")
    media = content.get("application/json") if isinstance(content, dict) else None
    return list(_parts(document, media.get("schema") if isinstance(media, dict) else None, 0))


def _parts(document: Mapping[str, Any], schema: object, depth: int) -> Iterator[dict[str, Any]]:
    found = _follow(document, schema)
    if not found or depth > _DEEPEST:
        return
    yield found
    for word in ("allOf", "anyOf", "oneOf"):
        parts = found.get(word)
        for part in parts if isinstance(parts, list) else ():
            yield from _parts(document, part, depth + 1)


def _follow(document: Mapping[str, Any], value: object) -> dict[str, Any]:
    """Return an object, or what its ``$ref`` within the document leads to; empty if that is no object."""
    for _ in range(_DEEPEST):
        if not isinstance(value, dict):
            return {}
        reference = value.get("$ref")
        if not isinstance(reference, str):
            return value
        value = document
        for part in reference.removeprefix("#/").split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            value = value.get(key) if isinstance(value, Mapping) else None
    return {}
