"""What the Payment MS answers, in each of the shapes it has been seen to use, as our own records.

The three shapes of a subscription status end here; nothing beyond this module knows of them.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field, JsonValue

from services.lifecycle import UNTOLD, Lifecycle, read_lifecycle
from services.payment_contract.details import SubscriptionDetails, read_details
from services.payment_contract.features import VERSION_1, PaymentContract, read_contract
from services.payment_contract.invoices import Invoice, read_invoices
from services.payment_contract.sessions import SessionState, read_session_state
from services.upstream.responses import (
    Address,
    Moment,
    Reference,
    ResponseModel,
    Text,
    UpstreamResponse,
    read_as,
    schema_error,
)

_DOCUMENTED_NAMES = {
    "stripe_subscription_id": "subscription_id",
    "period_end": "current_period_end",
    "portal_url": "url",
}


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """A checkout at Stripe. ``url`` comes from the service: pass it through ``safe_redirect`` before use.

    ``expires_at`` is when Stripe closes it, aware UTC, where the service says so; no version documents it.
    """

    id: str
    url: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PortalSession:
    """A customer portal session. ``url`` as above; ``id`` is empty where the service names none."""

    id: str
    url: str


@dataclass(frozen=True, slots=True)
class SubscriptionRecord:
    """What the Payment MS has on record for one customer and product.

    ``status`` is its raw word, None where it gives none: then existing says nothing about access.
    ``period_end`` is aware UTC, None where unknown. ``product_id`` is the one that was asked for.
    ``lifecycle`` is what it says of an end, ``details`` of prices and charges, which the second version alone does.
    """

    exists: bool
    product_id: str
    status: str | None = None
    subscription_id: str | None = None
    customer_id: str | None = None
    period_end: AwareDatetime | None = None
    lifecycle: Lifecycle = UNTOLD
    details: SubscriptionDetails | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """The service's word about itself, its clock (None where it gives no readable time), and what it can beyond v1."""

    healthy: bool
    service: str
    timestamp: datetime | None
    contract: PaymentContract = VERSION_1


@dataclass(frozen=True, slots=True)
class RegisteredPrice:
    """A price as created at Stripe; ``amount`` in minor units of ``currency``."""

    price_id: str
    amount: int
    interval: str
    currency: str


@dataclass(frozen=True, slots=True)
class RegisteredProduct:
    """A product as created at Stripe; ``prices`` by the names the request used (``monthly``, ``yearly``)."""

    plan_name: str
    product_id: str
    prices: dict[str, RegisteredPrice]


@dataclass(frozen=True, slots=True)
class RegisteredItem:
    """An item as created at Stripe; ``amount`` in minor units of ``currency``."""

    name: str
    product_id: str
    price_id: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class RegisterResult:
    """``products`` that were created, or the id of the one that existed already (then nothing was created).

    In the second version all ids are told, of what existed as well, and those of ``items``.
    """

    products: tuple[RegisteredProduct, ...] = ()
    items: tuple[RegisteredItem, ...] = ()
    existing_product_id: str | None = None


class _Checkout(ResponseModel):
    checkout_session_id: Reference
    checkout_url: Address
    expires_at: Moment = None


class _Portal(ResponseModel):
    url: Address
    portal_session_id: str = ""


class _Absent(ResponseModel):
    status: Literal["none", ""] = "none"


class _Present(ResponseModel):
    status: str = ""
    subscription_id: Reference
    customer_id: str = ""
    current_period_end: Moment


class _DocumentedAbsent(ResponseModel):
    status: Literal["none"]


class _DocumentedPresent(ResponseModel):
    status: Text
    subscription_id: Reference
    customer_id: str = ""
    current_period_end: Moment


class _OfProduct(ResponseModel):
    product_id: Reference


class _Health(ResponseModel):
    status: str
    service: str = ""
    timestamp: Moment = None


class _RegisteredPrice(ResponseModel):
    stripe_price_id: Reference
    amount: int = Field(ge=0)
    interval: Text
    currency: Text


class _RegisteredProduct(ResponseModel):
    plan_name: Text
    stripe_product_id: Reference
    prices: dict[str, _RegisteredPrice]


class _RegisteredItem(ResponseModel):
    name: Text
    stripe_product_id: Reference
    stripe_price_id: Reference
    amount: int = Field(ge=0)
    currency: Text


class _Registered(ResponseModel):
    success: bool
    products: list[_RegisteredProduct]
    items: list[_RegisteredItem] = Field(default_factory=list)


class _AlreadyRegistered(ResponseModel):
    error: Literal["ALREADY_EXISTS"]
    existing_product_id: Reference


def read_checkout(answer: UpstreamResponse) -> CheckoutSession:
    """Return the checkout session of a subscription, item or cart checkout."""
    found = read_as(_Checkout, answer)
    return CheckoutSession(id=found.checkout_session_id, url=found.checkout_url, expires_at=found.expires_at)


def read_portal(answer: UpstreamResponse) -> PortalSession:
    """Return the portal session, from ``portal_url`` (the running service) or ``url`` (some documents)."""
    found = read_as(_Portal, _with_documented_names(answer))
    return PortalSession(id=found.portal_session_id, url=found.url)


def read_subscription(answer: UpstreamResponse, product_id: str) -> SubscriptionRecord:
    """Return the record for ``product_id``, from any of the three shapes; a contradiction is an error, not "none"."""
    content = answer.json
    if not isinstance(content, dict) or not ({"exists", "status"} & content.keys()):
        raise schema_error(answer, "exists", "status")
    if "exists" not in content:
        return _read_documented(answer, content.get("status") == "none", product_id)
    if content["exists"] is False:
        read_as(_Absent, answer)
        return SubscriptionRecord(exists=False, product_id=product_id)
    if content["exists"] is not True or content.get("status") == "none":
        raise schema_error(answer, "exists", "status")
    found = read_as(_Present, _with_documented_names(answer))
    return SubscriptionRecord(
        exists=True,
        product_id=product_id,
        status=found.status or None,
        subscription_id=found.subscription_id,
        customer_id=found.customer_id or None,
        period_end=found.current_period_end,
        lifecycle=read_lifecycle(answer.json),
        details=read_details(answer.json),
    )


def read_subscriptions(answer: UpstreamResponse) -> tuple[SubscriptionRecord, ...]:
    """Return all records of a customer, in the service's order: the live ones first, the newest first."""
    rows = answer.json.get("subscriptions") if isinstance(answer.json, dict) else None
    if not isinstance(rows, list):
        raise schema_error(answer, "subscriptions")
    return tuple(read_subscription(replace(answer, json=row), _product(answer, row)) for row in rows)


def _product(answer: UpstreamResponse, row: JsonValue) -> str:
    """Return the product that a row is about: here no question has named it."""
    return read_as(_OfProduct, replace(answer, json=row)).product_id


def read_session(answer: UpstreamResponse) -> SessionState:
    """Return the state of one checkout session, also from the refusal of one that is complete."""
    content = answer.json
    found = read_session_state(content)
    if found is None and isinstance(content, dict):
        found = read_session_state(content.get("session"))
    if found is None:
        raise schema_error(answer, "status")
    return found


def read_invoice_list(answer: UpstreamResponse) -> tuple[Invoice, ...]:
    """Return the customer's invoices, newest first."""
    found = read_invoices(answer.json)
    if found is None:
        raise schema_error(answer, "invoices")
    return found


def read_health(answer: UpstreamResponse) -> Health:
    """Return what ``/health`` says."""
    found = read_as(_Health, answer)
    contract = read_contract(answer.json)
    return Health(found.status == "healthy", found.service, found.timestamp, contract)


def read_registration(answer: UpstreamResponse) -> RegisterResult:
    """Return the products created, or (409) the one that exists."""
    if answer.status == 409:
        return RegisterResult(existing_product_id=read_as(_AlreadyRegistered, answer).existing_product_id)
    found = read_as(_Registered, answer)
    if not found.success:
        raise schema_error(answer, "success")
    if not (found.products or found.items):
        raise schema_error(answer, "products")
    items = (
        RegisteredItem(one.name, one.stripe_product_id, one.stripe_price_id, one.amount, one.currency)
        for one in found.items
    )
    return RegisterResult(tuple(_registered(product) for product in found.products), tuple(items))


def _with_documented_names(answer: UpstreamResponse) -> UpstreamResponse:
    """Return the answer with the running service's names replaced by those of its documents."""
    if not isinstance(answer.json, dict):
        return answer
    return replace(answer, json={_DOCUMENTED_NAMES.get(name, name): value for name, value in answer.json.items()})


def _read_documented(answer: UpstreamResponse, absent: bool, product_id: str) -> SubscriptionRecord:
    if absent:
        read_as(_DocumentedAbsent, answer)
        return SubscriptionRecord(exists=False, product_id=product_id)
    found = read_as(_DocumentedPresent, _with_documented_names(answer))
    return SubscriptionRecord(
        exists=True,
        product_id=product_id,
        status=found.status,
        subscription_id=found.subscription_id,
        customer_id=found.customer_id or None,
        period_end=found.current_period_end,
        lifecycle=read_lifecycle(answer.json),
        details=read_details(answer.json),
    )


def _registered(product: _RegisteredProduct) -> RegisteredProduct:
    prices = {
        name: RegisteredPrice(price.stripe_price_id, price.amount, price.interval, price.currency)
        for name, price in product.prices.items()
    }
    return RegisteredProduct(product.plan_name, product.stripe_product_id, prices)
