"""The OpenAPI document: FastAPI's own, made so that the code that is generated from it reads as if written by hand.

Added are who may ask (security), an example for each body, the schemas of which no route says that it has them, and
what each group of operations is for. A schema is called `Plan`, as clients would, where our class is a `PlanView`.
"""

from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel

from api.document.examples import EXAMPLES
from api.events import PaymentEvent
from api.problems import Problem

SIGNED_IN: Final[dict[str, Any]] = {"security": [{"sessionCookie": []}]}
VISITOR_OR_USER: Final[dict[str, Any]] = {"security": [{"sessionCookie": []}, {}]}
"""A browser without a cookie is a visitor, and gets one."""

OUR_WORD: Final = "View"
SAID_BY_NO_ROUTE: Final[tuple[type[BaseModel], ...]] = (Problem, PaymentEvent)
"""The one is every error, the other is read from the bytes that are signed."""

GROUPS: Final = (
    {"name": "catalog", "description": "What is sold."},
    {"name": "account", "description": "Who is signed in."},
    {"name": "entitlements", "description": "What a user may do: for their browser, and for other services."},
    {"name": "payment", "description": "What a user has, and what starts at Stripe."},
    {"name": "cart", "description": "The cart of a visitor or a user."},
    {"name": "events", "description": "What the Payment MS tells."},
)


def publish(app: FastAPI, cookie_name: str) -> None:
    """Have the app publish the document; `cookie_name` is the session cookie's."""
    generate = app.openapi
    made: list[dict[str, Any]] = []

    def openapi() -> dict[str, Any]:
        if not made:
            made.append(_finished(generate(), cookie_name))
        return made[0]

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to change the document


def _finished(document: dict[str, Any], cookie_name: str) -> dict[str, Any]:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for model in SAID_BY_NO_ROUTE:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update({**schema.pop("$defs", {}), model.__name__: schema})
    finished: dict[str, Any] = _renamed(document)
    components, schemas = finished["components"], finished["components"]["schemas"]
    components["schemas"] = {
        _published(name): {**schema, "title": _published(name)} for name, schema in schemas.items()
    }
    for name, example in EXAMPLES.items():
        components["schemas"][name]["examples"] = [example]
    components.setdefault("securitySchemes", {})["sessionCookie"] = {
        "type": "apiKey", "in": "cookie", "name": cookie_name,
        "description": "What signing in gives the browser. It can't be made or read elsewhere.",
    }  # fmt: skip
    return {**finished, "tags": list(GROUPS)}


def _renamed(part: Any) -> Any:
    """Return a part of the document that refers to schemas by their published names."""
    if isinstance(part, dict):
        return {key: _published(value) if key == "$ref" else _renamed(value) for key, value in part.items()}
    return [_renamed(one) for one in part] if isinstance(part, list) else part


def _published(name: str) -> str:
    return name.removesuffix(OUR_WORD)
