"""The Payment MS's own ``/openapi.json``. It documents a status shape that the running service does not answer."""

from typing import Any, Final

_STRING: Final = {"type": "string"}


def _object(required: str, optional: str = "", **others: Any) -> dict[str, Any]:
    names = [*required.split(), *optional.split()]
    return {
        "type": "object",
        "required": required.split(),
        "properties": {name: others.get(name, _STRING) for name in names},
    }


def _call(summary: str, answer: str, body: str = "", parameters: tuple[str, ...] = ()) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{answer}"}
    call: dict[str, Any] = {
        "summary": summary,
        "security": [{"ApiKeyAuth": []}],
        "responses": {
            "200": {"description": "OK", "content": {"application/json": {"schema": reference}}},
            "400": {"description": "Bad request"},
            "401": {"description": "Unauthorized"},
            "500": {"description": "Internal error"},
        },
    }
    if body:
        schema = {"$ref": f"#/components/schemas/{body}"}
        call["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if parameters:
        call["parameters"] = [{"name": name, "in": "path", "required": True, "schema": _STRING} for name in parameters]
    return call


_INTEGER: Final = {"type": "integer", "minimum": 1}
_BUYER: Final = "user_id email"
_URLS: Final = "success_url cancel_url"

OPENAPI: Final[dict[str, Any]] = {
    "openapi": "3.0.3",
    "info": {"title": "Billing service", "version": "1.0.0"},
    "paths": {
        "/api/v1/checkout/subscription": {
            "post": _call("Start a subscription checkout", "CheckoutResponse", "SubscriptionCheckoutRequest")
        },
        "/api/v1/checkout/item": {"post": _call("Start an item checkout", "CheckoutResponse", "ItemCheckoutRequest")},
        "/api/v1/checkout/cart": {
            "post": _call("Start a cart checkout", "CartCheckoutResponse", "CartCheckoutRequest")
        },
        "/api/v1/subscriptions/{user_id}/{product_id}": {
            "get": _call("Status of a subscription", "SubscriptionStatus", parameters=("user_id", "product_id"))
        },
        "/api/v1/portal": {"post": _call("Open the customer portal", "PortalResponse", "PortalRequest")},
        "/admin/products/register": {"post": _call("Register products", "RegisterResponse", "RegisterRequest")},
        "/health": {"get": {"summary": "Health", "responses": {"200": {"description": "OK"}}}},
    },
    "components": {
        "securitySchemes": {"ApiKeyAuth": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        "schemas": {
            "SubscriptionCheckoutRequest": _object(f"{_BUYER} product_id price_id {_URLS}"),
            "ItemCheckoutRequest": _object(f"{_BUYER} price_id {_URLS}", "quantity", quantity=_INTEGER),
            "CartCheckoutRequest": _object(
                f"{_BUYER} items {_URLS}",
                items={
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 20,
                    "items": _object("price_id quantity", "product_id", quantity=_INTEGER),
                },
            ),
            "CheckoutResponse": _object("checkout_session_id checkout_url"),
            "CartCheckoutResponse": _object("checkout_session_id checkout_url item_count", item_count=_INTEGER),
            "SubscriptionStatus": _object(
                "exists",
                "status subscription_id customer_id current_period_end",
                exists={"type": "boolean"},
                current_period_end={"type": "string", "format": "date-time"},
            ),
            "PortalRequest": _object("user_id return_url"),
            "PortalResponse": _object("portal_session_id portal_url"),
            "RegisterRequest": _object("project_name plans", plans={"type": "array", "items": {"type": "object"}}),
            "RegisterResponse": _object(
                "success project_id products",
                success={"type": "boolean"},
                products={"type": "array", "items": {"type": "object"}},
            ),
        },
    },
}
