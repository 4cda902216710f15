"""The Payment MS on the wire: paths, bodies, answers and errors as the running service was recorded."""

import json
import posixpath
from typing import Any, Final, TypeVar

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import HTMLResponse, RedirectResponse

from sandbox.clock import rfc3339, rfc3339_nano
from sandbox.payment import stripe_webhook
from sandbox.payment.asking import ALL_METHODS, Refusal, is_second, nowhere, require
from sandbox.payment.go_json import go_json, problem
from sandbox.payment.openapi import OPENAPI
from sandbox.payment.registration import register_products
from sandbox.payment.second_version import (
    all_of,
    close_others,
    contract_told,
    live_in_group,
    status_of,
)
from sandbox.payment.second_version_routes import add_second_version
from sandbox.payment.status_shapes import subscription_answer
from sandbox.settings import PortalShape, Trials, UnknownPrices
from sandbox.state import SandboxState
from sandbox.stripe.objects import LineItem, StripeCheckoutSession
from sandbox.stripe.price_list import PriceInactive, PriceNotFound

_MOST_LINES: Final = 20
_LONGEST_ID: Final = 200
_DOCS: Final = "<!doctype html><html lang=en><title>Billing service</title><h1>Billing service</h1>"


class _Body(BaseModel):
    """As Go reads JSON: unknown fields ignored, absent ones empty, wrong types an error."""

    model_config = ConfigDict(strict=True, extra="ignore")


Body = TypeVar("Body", bound=_Body)


class _Line(_Body):
    price_id: str = ""
    product_id: str = ""
    quantity: int = 0


class _Checkout(_Body):
    user_id: str = ""
    email: str = ""
    product_id: str = ""
    price_id: str = ""
    quantity: int = 1
    items: list[_Line] = Field(default_factory=list)
    success_url: str = ""
    cancel_url: str = ""
    trial_days: int = 0
    """No field of the real service; read with `trials` set to `call`, for one that can be asked for a trial."""
    locale: str = ""
    promotion: str = ""


class _Portal(_Body):
    user_id: str = ""
    return_url: str = ""
    flow: str = ""
    subscription_id: str = ""


def payment_app(state: SandboxState) -> FastAPI:
    """The service as an app; without the middleware, which counts and breaks things."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)

    @app.exception_handler(Refusal)
    async def refuse(_: Request, refusal: Refusal) -> Response:
        return refusal.response

    @app.get("/health")
    async def health() -> Response:
        told: dict[str, Any] = {"status": "healthy", "timestamp": rfc3339_nano(), "service": "billing-service"}
        if is_second(state):
            told["contract"] = contract_told(state.runtime_settings.current)
        return go_json(told)

    @app.get("/openapi.json")
    async def openapi() -> Response:
        return go_json(OPENAPI)

    @app.get("/docs")
    async def docs() -> Response:
        return HTMLResponse(_DOCS)

    @app.api_route("/api/v1/checkout/{kind}", methods=ALL_METHODS)
    async def checkout(kind: str, request: Request) -> Response:
        if kind not in ("subscription", "item", "cart"):
            return nowhere(state)
        require(state, request, "POST")
        body = await request.body()
        if is_second(state):
            key = request.headers.get("idempotency-key", "")
            return state.idempotency.answer(key, kind, body, lambda: _checkout(state, kind, body))
        return _checkout(state, kind, body)

    add_second_version(app, state)

    @app.api_route("/api/v1/subscriptions/{rest:path}", methods=ALL_METHODS)
    async def subscription(rest: str, request: Request) -> Response:
        """A path with dots in it is another path, as to Go's router."""
        require(state, request, "GET")
        parts = rest.split("/")
        if not {".", ".."}.isdisjoint(parts):
            return RedirectResponse(posixpath.normpath(request.url.path), 301)
        if is_second(state) and len(parts) == 1 and all(parts):
            return go_json(all_of(state, parts[0]))
        if len(parts) != 2 or not all(parts):
            form = "URL must be in format /api/v1/subscriptions/{user_id}/{product_id}"
            raise Refusal(problem(400, "invalid_request", "INVALID_URL", "Invalid URL format", form))
        if is_second(state):
            return go_json(status_of(state, *parts))
        record = state.records.find(*parts)
        return go_json(subscription_answer(record, state.runtime_settings.current.status_shape))

    @app.api_route("/api/v1/portal", methods=ALL_METHODS)
    async def portal(request: Request) -> Response:
        require(state, request, "POST")
        return _open_portal(state, _read(_Portal, await request.body()))

    @app.api_route("/admin/products/register", methods=ALL_METHODS)
    async def register(request: Request) -> Response:
        require(state, request, "POST")
        return register_products(state, await request.body())

    @app.post(stripe_webhook.PATH)
    async def webhook(request: Request) -> Response:
        body, signature = await request.body(), request.headers.get("stripe-signature", "")
        if not state.runtime_settings.current.webhooks_share_connection:
            return stripe_webhook.take_event(state, body, signature)
        async with state.connection.writing():
            return stripe_webhook.take_event(state, body, signature)

    @app.api_route("/{path:path}", methods=ALL_METHODS)
    async def anything_else(path: str) -> Response:
        return nowhere(state)

    return app


def _read(model: type[Body], body: bytes) -> Body:
    try:
        return model.model_validate({key: value for key, value in json.loads(body).items() if value is not None})
    except (ValueError, AttributeError, ValidationError):
        description = "Failed to decode JSON body"
        raise Refusal(problem(400, "invalid_request", "INVALID_BODY", "Invalid request body", description)) from None


def _invalid(message: str) -> Refusal:
    return Refusal(problem(400, "invalid_request", "VALIDATION_FAILED", message, "Request validation failed"))


def _stripe_error(text: str) -> Refusal:
    return Refusal(problem(500, "internal_error", "STRIPE_ERROR", "Failed to create checkout session", text))


def _open_session(state: SandboxState, kind: str, wanted: _Checkout) -> StripeCheckoutSession:
    settings = state.runtime_settings.current
    required = [wanted.user_id, wanted.email, wanted.success_url, wanted.cancel_url]
    if kind != "cart":
        required.append(wanted.price_id)
    if kind == "item" or (kind == "subscription" and not settings.accepts_incomplete_bodies):
        required.append(wanted.product_id)
    if not all(required):
        raise _invalid("Missing required fields")
    quantity = wanted.quantity or settings.accepts_incomplete_bodies
    asked = [_Line(price_id=wanted.price_id, product_id=wanted.product_id, quantity=int(quantity))]
    if kind == "cart":
        asked = wanted.items
        if not asked:
            raise _invalid("Cart cannot be empty")
        if len(asked) > _MOST_LINES:
            raise _invalid(f"Cart cannot contain more than {_MOST_LINES} items")
    if any(line.quantity < 1 or not line.price_id for line in asked):
        raise _invalid("Quantity must be at least 1")
    _meet_customer(state, wanted)
    lines = [_order_line(state, line, recurring=kind == "subscription") for line in asked]
    if settings.trials is not Trials.CATALOG:
        asked_for = wanted.trial_days if settings.trials is Trials.CALL else 0
        lines = [line.model_copy(update={"trial_days": asked_for}) for line in lines]
    mode, second = "subscription" if kind == "subscription" else "payment", is_second(state)
    if second and mode == "subscription":
        _guard_group(state, wanted.user_id, lines[0].group)
    return state.checkout.open(
        mode,
        wanted.user_id,
        wanted.email,
        lines,
        wanted.success_url,
        wanted.cancel_url,
        locale=wanted.locale if second else "",
        promotion=wanted.promotion if second else "",
    )


def _guard_group(state: SandboxState, user_id: str, group: str) -> None:
    """One live subscription a group, and one session that can lead to it."""
    live = live_in_group(state, user_id, group)
    if live is not None:
        said = "A live subscription exists"
        raise Refusal(
            problem(
                409, "conflict", "SUBSCRIPTION_EXISTS", said, "Only one of a group", named={"subscription_id": live.id}
            )
        )
    close_others(state, user_id, group)


def _meet_customer(state: SandboxState, wanted: _Checkout) -> None:
    settings = state.runtime_settings.current
    if is_second(state) and len(wanted.user_id) > _LONGEST_ID:
        raise _invalid(f"user_id is longer than {_LONGEST_ID} characters")
    customer = state.records.meet(wanted.user_id, wanted.email)
    if settings.strict_ids and len(wanted.user_id) > _LONGEST_ID:
        message = f"Invalid string: must be at most {_LONGEST_ID} characters"
        raise _stripe_error(json.dumps({"code": "parameter_invalid_string", "message": message}, separators=(",", ":")))
    if settings.never_creates_customers and not customer.stripe_customer:
        raise _no_such_customer(customer.id)
    if settings.first_checkout_fails and not customer.refused_once:
        state.records.keep(customer.model_copy(update={"refused_once": True}))
        raise _no_such_customer(customer.id)


def _no_such_customer(customer_id: str) -> Refusal:
    return _stripe_error(f'{{"code":"resource_missing","message":"No such customer: {customer_id}"}}')


def _order_line(state: SandboxState, asked: _Line, *, recurring: bool) -> LineItem:
    lenient = state.runtime_settings.current.unknown_prices is UnknownPrices.ACCEPT
    try:
        line = state.prices.line(asked.price_id, asked.product_id, asked.quantity, accept_unknown=lenient)
    except PriceNotFound:
        raise _stripe_error(f"No such price: '{asked.price_id}'") from None
    except PriceInactive:
        raise _stripe_error(f"The price specified is inactive: '{asked.price_id}'") from None
    return line if recurring else line.model_copy(update={"interval": None, "trial_days": 0})


def _open_portal(state: SandboxState, wanted: _Portal) -> Response:
    if not wanted.user_id or not wanted.return_url:
        raise _invalid("Missing required fields")
    customer = state.records.customer(wanted.user_id)
    if customer is None:
        description = "The specified customer could not be found"
        return problem(404, "not_found", "CUSTOMER_NOT_FOUND", "Customer not found", description, field="user_id")
    if not customer.stripe_customer:
        description = "Customer does not have a Stripe customer ID"
        return problem(400, "invalid_request", "NO_STRIPE_CUSTOMER", "No Stripe customer found", description)
    session = state.portal.open(wanted.user_id, customer.stripe_customer, wanted.return_url)
    url = state.portal_url(session)
    if is_second(state):
        return go_json({"portal_session_id": session.id, "portal_url": url + _flow_path(state, wanted)})
    if state.runtime_settings.current.portal_shape is PortalShape.URL:
        return go_json({"url": url})
    return go_json({"portal_session_id": session.id, "portal_url": url})


def _flow_path(state: SandboxState, wanted: _Portal) -> str:
    """The rest of the address that leads straight to one of the portal's pages; nothing for an unknown one."""
    live = [one for one in state.subscriptions.of(wanted.user_id) if one.live]
    if wanted.flow == "cancel" and (wanted.subscription_id or len(live) == 1):
        return f"/{wanted.subscription_id or live[0].id}/cancel"
    return f"?flow={wanted.flow}" if wanted.flow in ("update_card", "change_plan") else ""


def _checkout(state: SandboxState, kind: str, body: bytes) -> Response:
    wanted = _read(_Checkout, body)
    session = _open_session(state, kind, wanted)
    answer: dict[str, Any] = {"checkout_session_id": session.id, "checkout_url": state.checkout_url(session)}
    if kind == "cart":
        answer["item_count"] = len(wanted.items)
    if is_second(state):
        answer |= {"expires_at": rfc3339(session.expires_at), "livemode": False}
    return go_json(answer)
