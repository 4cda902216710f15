"""Client of the Payment MS: one method a call, typed requests, answers and errors.

It decides nothing about what may be sold or who has access. Ids are checked here, before any call, also
where they travel in a body: who could check out but never be looked up again would pay for nothing.
The addresses it returns come from the service; ``services.redirects`` says whether a browser may go there.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from pydantic import JsonValue, SecretStr

from services.concurrency.limit import Priority
from services.errors import CustomerUnknown, RequestRefused
from services.payment_responses import (
    CheckoutSession,
    Health,
    PortalSession,
    RegisteredPrice,
    RegisteredProduct,
    RegisterResult,
    SubscriptionRecord,
    read_checkout,
    read_health,
    read_portal,
    read_registration,
    read_subscription,
)
from services.purchase import CheckoutKind, Purchase, PurchaseLine
from services.upstream.client import Retry, Upstream
from services.upstream.identifiers import check_identifier, path_with
from services.upstream.responses import UpstreamResponse, schema_error

__all__ = [
    "CheckoutSession",
    "Health",
    "PaymentMS",
    "PlanRegistration",
    "PortalSession",
    "RegisterResult",
    "RegisteredPrice",
    "RegisteredProduct",
    "SubscriptionRecord",
]

_log = structlog.get_logger("payment_ms")
_UNKNOWN_CUSTOMER = frozenset({"CUSTOMER_NOT_FOUND", "NO_STRIPE_CUSTOMER"})
"""Two codes, one meaning: this person has never bought anything."""


@dataclass(frozen=True, slots=True)
class PlanRegistration:
    """A plan to create at Stripe; amounts in minor units, None where the plan has no such price."""

    name: str
    description: str
    features: tuple[str, ...]
    monthly: int | None = None
    yearly: int | None = None


class PaymentMS:
    """The Payment MS. Every method raises the classes of ``UpstreamError`` and, for an id it can't take,
    ``InvalidIdentifier`` before any call.

    ``idempotent`` says that the service honours ``Idempotency-Key``, so that a checkout whose answer was
    lost may be asked for again; without it a checkout is repeated only if nothing was sent. ``at_once`` is how many
    questions it may be asked at the same time. Times in seconds.
    """

    at_once: int = 1

    def __init__(
        self,
        upstream: Upstream,
        api_key: SecretStr,
        *,
        status_deadline: float = 3.0,
        checkout_deadline: float = 10.0,
        idempotent: bool = False,
        at_once: int = 1,
    ) -> None:
        self.upstream = upstream
        self.at_once = at_once
        self._api_key = api_key
        self._status_deadline = status_deadline
        self._checkout_deadline = checkout_deadline
        self._checkout_retry = Retry.IDEMPOTENT if idempotent else Retry.UNSENT

    async def create_checkout(
        self,
        purchase: Purchase,
        *,
        user_id: str,
        email: str,
        success_url: str,
        cancel_url: str,
        idempotency_key: str,
        trial_days: int = 0,
    ) -> CheckoutSession:
        """Open a checkout session. The service has no guard against a second subscription: we are it.

        ``user_id`` is the id the service knows the customer by (``CUSTOMER_ID``). ``success_url`` may hold the literal
        ``{CHECKOUT_SESSION_ID}``, which Stripe replaces. ``trial_days`` are asked for with a field that the public
        service does not know; the catalog has none unless the operator says that this one gives trials.
        """
        buyer: dict[str, object] = {
            "user_id": check_identifier("user_id", user_id),
            "email": email,
            "success_url": success_url,
            "cancel_url": cancel_url,
        }
        if trial_days:
            buyer["trial_days"] = trial_days
        answer = await self.upstream.call(
            f"checkout_{purchase.kind}",
            "POST",
            f"/api/v1/checkout/{purchase.kind}",
            json=buyer | _sold(purchase),
            headers={"Idempotency-Key": idempotency_key},
            key=self._api_key,
            deadline=self._checkout_deadline,
            retry=self._checkout_retry,
            private=(user_id, email),
            priority=Priority.PRESS,
        )
        if answer.ok:
            return read_checkout(answer)
        raise _refusal(answer)

    async def subscription(
        self, customer_id: str, product_id: str, *, priority: Priority = Priority.LOOK
    ) -> SubscriptionRecord:
        """Return what is on record for this customer and product; an unknown customer has no subscription."""
        path = path_with("/api/v1/subscriptions", user_id=customer_id, product_id=product_id)
        answer = await self.upstream.call(
            "subscription",
            "GET",
            path,
            key=self._api_key,
            deadline=self._status_deadline,
            retry=Retry.READS,
            private=(customer_id,),
            priority=priority,
        )
        if answer.ok:
            return read_subscription(answer, product_id)
        if answer.error_code in _UNKNOWN_CUSTOMER:
            return SubscriptionRecord(exists=False, product_id=product_id)
        raise _refusal(answer)

    async def create_portal_session(self, customer_id: str, return_url: str) -> PortalSession:
        """Open a customer portal session; raises ``CustomerUnknown`` for a user who never bought anything."""
        body = {"user_id": check_identifier("user_id", customer_id), "return_url": return_url}
        answer = await self.upstream.call(
            "portal",
            "POST",
            "/api/v1/portal",
            json=body,
            key=self._api_key,
            deadline=self._checkout_deadline,
            retry=Retry.UNSENT,
            private=(customer_id,),
            priority=Priority.PRESS,
        )
        if answer.ok:
            return read_portal(answer)
        if answer.error_code in _UNKNOWN_CUSTOMER:
            raise _refusal(answer, CustomerUnknown)
        raise _refusal(answer)

    async def health(self) -> Health:
        """Return what the service says about itself; needs no key and says nothing about its database."""
        answer = await self.upstream.call("health", "GET", "/health", deadline=self._status_deadline)
        if answer.ok:
            return read_health(answer)
        raise _refusal(answer)

    async def openapi(self) -> Mapping[str, JsonValue]:
        """Return the service's OpenAPI document as it is."""
        answer = await self.upstream.call("openapi", "GET", "/openapi.json", deadline=self._checkout_deadline)
        if not answer.ok:
            raise _refusal(answer)
        if not isinstance(answer.json, dict):
            raise schema_error(answer, "(the whole)")
        return answer.json

    async def register_products(self, project_name: str, plans: tuple[PlanRegistration, ...]) -> RegisterResult:
        """Create ``plans`` at Stripe; a plan that exists already is told by ``existing_product_id``."""
        answer = await self.upstream.call(
            "register",
            "POST",
            "/admin/products/register",
            json={"project_name": project_name, "plans": [_plan(plan) for plan in plans]},
            key=self._api_key,
            deadline=self._checkout_deadline,
            retry=Retry.UNSENT,
        )
        if answer.ok or (answer.status == 409 and answer.error_code == "ALREADY_EXISTS"):
            return read_registration(answer)
        raise _refusal(answer)


def _sold(purchase: Purchase) -> dict[str, object]:
    """Return what is bought as the service takes it; ``product_id`` for an item too, without which it answers 400."""
    if purchase.kind is CheckoutKind.CART:
        return {"items": [_line(line) for line in purchase.lines]}
    line = _line(purchase.lines[0])
    if purchase.kind is CheckoutKind.SUBSCRIPTION:
        del line["quantity"]
    return line


def _line(line: PurchaseLine) -> dict[str, object]:
    body: dict[str, object] = {"price_id": check_identifier("price_id", line.price_id), "quantity": line.quantity}
    if line.product_id is not None:
        body["product_id"] = check_identifier("product_id", line.product_id)
    return body


def _plan(plan: PlanRegistration) -> dict[str, object]:
    pricing = {"monthly": plan.monthly, "yearly": plan.yearly}
    return {
        "name": plan.name,
        "description": plan.description,
        "features": list(plan.features),
        "pricing": {name: amount for name, amount in pricing.items() if amount is not None},
    }


def _refusal(
    answer: UpstreamResponse, kind: type[RequestRefused] | type[CustomerUnknown] = RequestRefused
) -> Exception:
    """Return the error for a 4xx answer; a 404 without the service's own error code means a wrong address."""
    call, code = answer.call, answer.error_code
    if answer.status == 404 and code is None:
        return schema_error(answer, "error.code")
    error = kind(
        call.service,
        call.operation,
        f"answered {answer.status} {code or 'without an error code'}",
        request_id=call.request_id,
        upstream_status=answer.status,
        upstream_code=code,
        upstream_request_id=answer.upstream_request_id,
    )
    if kind is RequestRefused:
        _log.error(
            "upstream_refused",
            service=call.service,
            op=call.operation,
            status=answer.status,
            upstream_code=code,
            request_id=call.request_id,
            upstream_request_id=answer.upstream_request_id,
        )
        answer.log_description()
    return error
