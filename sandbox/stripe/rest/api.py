"""All calls of the API as one ASGI app, below `/v1`."""

from collections.abc import Callable, Iterable
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.state import SandboxState
from sandbox.stripe.rest.account import account_calls
from sandbox.stripe.rest.checkout import checkout_calls
from sandbox.stripe.rest.customers import customer_calls
from sandbox.stripe.rest.events import event_calls
from sandbox.stripe.rest.expansion import Expansion
from sandbox.stripe.rest.gate import ApiCall, ApiGate
from sandbox.stripe.rest.invoices import invoice_calls, payment_calls
from sandbox.stripe.rest.portal import portal_calls
from sandbox.stripe.rest.products import price_calls, product_calls
from sandbox.stripe.rest.promotions import promotion_calls
from sandbox.stripe.rest.subscriptions import subscription_calls
from sandbox.stripe.rest.webhook_endpoints import webhook_endpoint_calls

_ROOMS: Final[tuple[Callable[[SandboxState], Iterable[ApiCall]], ...]] = (
    account_calls,
    checkout_calls,
    customer_calls,
    event_calls,
    invoice_calls,
    payment_calls,
    portal_calls,
    price_calls,
    product_calls,
    promotion_calls,
    subscription_calls,
    webhook_endpoint_calls,
)


def stripe_api(state: SandboxState) -> Starlette:
    gate = ApiGate(state, Expansion(state))
    routes = [gate.route(call) for calls in _ROOMS for call in calls(state)]

    async def failed(_: Request, __: Exception) -> Response:
        """A mistake of the sandbox's own, in the form in which libraries understand it."""
        error = {"message": "The sandbox made a mistake; its log says which.", "type": "api_error"}
        return JSONResponse({"error": error}, 500)

    unknown = Route("/{path:path}", gate.unknown, methods=["GET", "POST", "DELETE", "PUT", "PATCH"])
    return Starlette(routes=[*routes, unknown], exception_handlers={Exception: failed})
