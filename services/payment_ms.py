"""Client of the Payment MS: one method a call, typed requests, answers and errors.

It decides nothing about what may be sold or who has access. Ids are checked here, before any call, also
where they travel in a body: who could check out but never be looked up again would pay for nothing.
The addresses it returns come from the service; ``services.redirects`` says whether a browser may go there.
"""

from collections.abc import Mapping

import structlog
from pydantic import JsonValue, SecretStr

from services.concurrency.limit import Priority
from services.errors import (
    AlreadySubscribed,
    CustomerUnknown,
    RequestRefused,
    UpstreamContractError,
)
from services.payment_contract import bodies
from services.payment_contract.bodies import ItemRegistration, PlanRegistration
from services.payment_contract.features import VERSION_1, ContractFeature, PaymentContract, PortalFlow
from services.payment_contract.invoices import Invoice
from services.payment_contract.sessions import SessionState
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
    read_invoice_list,
    read_portal,
    read_registration,
    read_session,
    read_subscription,
    read_subscriptions,
)
from services.purchase import CheckoutKind, Purchase
from services.upstream.client import Retry, Upstream
from services.upstream.identifiers import check_identifier, path_with
from services.upstream.outcomes import CallOutcome
from services.upstream.responses import UpstreamResponse, schema_error

__all__ = [
    "CheckoutSession",
    "Health",
    "ItemRegistration",
    "PaymentMS",
    "PlanRegistration",
    "PortalSession",
    "RegisterResult",
    "RegisteredPrice",
    "RegisteredProduct",
    "SubscriptionRecord",
]

OPERATIONS = (
    "subscription", "subscriptions", "session", "expire", "invoices", "portal", "health",
    *(f"checkout_{kind}" for kind in CheckoutKind),
)  # fmt: skip
"""What the app asks while it serves, as logs and metrics name it."""

_log = structlog.get_logger("payment_ms")
_UNKNOWN_CUSTOMER = frozenset({"CUSTOMER_NOT_FOUND", "NO_STRIPE_CUSTOMER"})
"""Two codes, one meaning: this person has never bought anything."""

_EXISTS = "SUBSCRIPTION_EXISTS"
_NOT_OPEN = "SESSION_NOT_OPEN"
_NOT_FOUND = "SESSION_NOT_FOUND"


class PaymentMS:
    """The Payment MS. Every method raises the classes of ``UpstreamError`` and, for an id it can't take,
    ``InvalidIdentifier`` before any call.

    ``idempotent`` says that the service honours ``Idempotency-Key``, so that a checkout whose answer was
    lost may be asked for again; without it, or its own word that it does, a checkout is repeated only if nothing was
    sent. ``at_once`` is how many questions it may be asked at the same time. Times in seconds.

    ``contract`` is what it has told of itself: until it says otherwise it is the first version, and is asked nothing
    that the first version does not know.
    """

    at_once: int = 1
    contract: PaymentContract = VERSION_1

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
        self._idempotent = idempotent

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
        locale: str = "",
    ) -> CheckoutSession:
        """Open a checkout session. The first version has no guard against a second subscription: we are it.

        ``user_id`` is the id the service knows the customer by (``CUSTOMER_ID``). ``success_url`` may hold the literal
        ``{CHECKOUT_SESSION_ID}``, which Stripe replaces. ``trial_days`` are asked for with a field that the public
        service does not know; the catalog has none unless the operator, or the service, says that this one gives
        trials. ``locale`` is the reader's language, for a service that passes it on.

        Raises AlreadySubscribed where a service that guards its customers itself says so.
        """
        buyer: dict[str, object] = {
            "user_id": check_identifier("user_id", user_id),
            "email": email,
            "success_url": success_url,
            "cancel_url": cancel_url,
        }
        if trial_days:
            buyer["trial_days"] = trial_days
        if locale and self.contract.has(ContractFeature.LOCALE):
            buyer["locale"] = locale
        idempotent = self._idempotent or self.contract.has(ContractFeature.IDEMPOTENCY)
        answer = await self.upstream.call(
            f"checkout_{purchase.kind}",
            "POST",
            f"/api/v1/checkout/{purchase.kind}",
            json=buyer | bodies.sold(purchase),
            headers={"Idempotency-Key": idempotency_key},
            key=self._api_key,
            deadline=self._checkout_deadline,
            retry=Retry.IDEMPOTENT if idempotent else Retry.UNSENT,
            private=(user_id, email),
            priority=Priority.PRESS,
        )
        if answer.ok:
            return read_checkout(answer)
        if answer.error_code == _EXISTS:
            raise AlreadySubscribed("the Payment MS knows a live subscription of the group")
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

    async def subscriptions(
        self, customer_id: str, *, priority: Priority = Priority.LOOK
    ) -> tuple[SubscriptionRecord, ...] | None:
        """Return all that is on record for this customer, in one answer; None where the service has no such call.

        One that said so and does not know it after all is asked no more until it says so again.
        """
        answer = await self._ask(ContractFeature.SUBSCRIPTIONS, "subscriptions", "GET",
                                 path_with("/api/v1/subscriptions", user_id=customer_id),
                                 private=(customer_id,), priority=priority)  # fmt: skip
        if answer is None:
            return None
        return () if answer.error_code in _UNKNOWN_CUSTOMER else read_subscriptions(answer)

    async def checkout_session(self, session_id: str, *, priority: Priority = Priority.LOOK) -> SessionState | None:
        """Return a checkout session as it is at Stripe now; None where the service can't say."""
        path = path_with("/api/v1/checkout/sessions", checkout_session_id=session_id)
        answer = await self._ask(ContractFeature.CHECKOUT_SESSIONS, "session", "GET", path, priority=priority)
        return read_session(answer) if answer is not None else None

    async def expire_session(self, session_id: str) -> SessionState | None:
        """End a checkout session, so that it can't be paid any more, and return it as it is then.

        One that was paid meanwhile comes back as complete. None where the service can't.
        """
        path = path_with("/api/v1/checkout/sessions", checkout_session_id=session_id) + "/expire"
        answer = await self._ask(ContractFeature.CHECKOUT_SESSIONS, "expire", "POST", path, priority=Priority.PRESS)
        return read_session(answer) if answer is not None else None

    async def invoices(self, customer_id: str) -> tuple[Invoice, ...] | None:
        """Return the customer's invoices, newest first; None where the service has no such call."""
        path = path_with("/api/v1/invoices", user_id=customer_id)
        answer = await self._ask(ContractFeature.INVOICES, "invoices", "GET", path, private=(customer_id,))
        if answer is None:
            return None
        return () if answer.error_code in _UNKNOWN_CUSTOMER else read_invoice_list(answer)

    async def _ask(
        self,
        feature: ContractFeature,
        operation: str,
        method: str,
        path: str,
        *,
        private: tuple[str, ...] = (),
        priority: Priority = Priority.LOOK,
    ) -> UpstreamResponse | None:
        """Ask what only the second version knows; None where the service has not said that it does, or does not.

        An unknown customer or session is no refusal, and neither is a session that is not open: the first has nothing,
        the others are answers.
        """
        if not self.contract.has(feature):
            return None
        try:
            answer = await self.upstream.call(
                operation, method, path, key=self._api_key, deadline=self._status_deadline, retry=Retry.READS,
                private=private, priority=priority,
            )  # fmt: skip
        except UpstreamContractError as error:
            if error.reason != CallOutcome.REDIRECT:
                raise
            self._give_up(feature)
            return None
        if answer.ok or answer.error_code == _NOT_OPEN or answer.error_code in _UNKNOWN_CUSTOMER:
            return answer
        if answer.error_code == _NOT_FOUND:
            return None
        self._give_up(feature)
        return None

    def _give_up(self, feature: ContractFeature) -> None:
        """Ask no more for a feature that the service does not have after all, until it says again that it does."""
        _log.warning("payment_feature_missing", feature=feature)
        self.contract = PaymentContract(self.contract.version, self.contract.features - {feature})

    async def ask_contract(self) -> PaymentContract:
        """Ask which version of the contract the service keeps, keep that and return it."""
        self.contract = (await self.health()).contract
        return self.contract

    async def create_portal_session(
        self,
        customer_id: str,
        return_url: str,
        *,
        flow: PortalFlow | None = None,
        subscription_id: str = "",
        locale: str = "",
    ) -> PortalSession:
        """Open a customer portal session; raises ``CustomerUnknown`` for a user who never bought anything.

        ``flow`` leads straight to one of its pages, where the service can; else the portal's front page opens.
        """
        body = {"user_id": check_identifier("user_id", customer_id), "return_url": return_url}
        if flow is not None and self.contract.has(ContractFeature.PORTAL_FLOWS):
            body["flow"] = flow
            if subscription_id:
                body["subscription_id"] = subscription_id
        if locale and self.contract.has(ContractFeature.LOCALE):
            body["locale"] = locale
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

    async def register_products(
        self,
        project_name: str,
        plans: tuple[PlanRegistration, ...],
        items: tuple[ItemRegistration, ...] = (),
    ) -> RegisterResult:
        """Create ``plans`` at Stripe; in the first version a plan that exists is told by ``existing_product_id``.

        ``items`` are for a service that takes them: it tells all ids, of what existed as well.
        """
        body: dict[str, object] = {
            "project_name": project_name,
            "plans": [bodies.plan(plan, self.contract) for plan in plans],
        }
        if items:
            body["items"] = [bodies.item(item) for item in items]
        answer = await self.upstream.call(
            "register",
            "POST",
            "/admin/products/register",
            json=body,
            key=self._api_key,
            deadline=self._checkout_deadline,
            retry=Retry.UNSENT,
        )
        if answer.ok or (answer.status == 409 and answer.error_code == "ALREADY_EXISTS"):
            return read_registration(answer)
        raise _refusal(answer)


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
