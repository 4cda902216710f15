"""How the second version of the contract is looked at: what a service says that it has, and nothing of a silent one.

Each check of a feature that is not told is skipped, with what pages lack for it.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from contract.asking import keyed, status_path
from contract.checks_status import NO_CUSTOMER
from contract.reading import address, answered, error_code, moment, parsed, reference, text
from contract.results import CheckOutcome, Unmet, fine, noted, skipped
from contract.target import ContractTarget
from contract.wire import ServiceReply

LACKING: Final[Mapping[str, str]] = {
    "status_details": "pages can't say that anything renews or ends, nor what it costs",
    "next_charge": "pages name no sum that will be charged",
    "subscriptions": "each plan is asked about by itself",
    "checkout_sessions": "customers are asked whether they paid, and two sessions can be payable at once",
    "idempotency": "a lost answer can't be asked for again (unless PAYMENT_MS_IDEMPOTENT)",
    "locale": "Stripe's pages open in the browser's language, not in the reader's choice",
    "trial_days": "no trial is offered (unless PAYMENT_MS_GIVES_TRIALS)",
    "portal_flows": "“Cancel plan” is not offered; the portal's front page opens",
    "invoices": "no list of invoices on the billing page",
    "register_items": "python app.py register makes no items, and can't tell the ids of what exists",
    "concurrency": "the app asks one thing at a time, over all replicas (PAYMENT_MS_MAX_IN_FLIGHT=1)",
}
"""What a feature is for, in what pages lack without it."""

_FIELDS: Final = (
    "cancel_at_period_end", "cancel_at", "canceled_at", "ended_at", "trial_end", "pause", "price_id", "interval",
    "quantity", "currency", "list_amount", "next_charge", "scheduled_change", "livemode", "as_of",
)  # fmt: skip


def contract_told(subject: ContractTarget) -> CheckOutcome:
    """A service that says nothing keeps the first version, which is all that is relied on."""
    content = parsed(subject.wire.ask("GET", "/health", key="").body)
    if not isinstance(content, dict):
        return skipped("/health can't be read")
    told = content.get("contract")
    if told is None:
        return fine("it says nothing: the first version, and all that it has to keep")
    if not isinstance(told, dict) or not isinstance(told.get("version"), int):
        raise Unmet("field contract is no object with a version")
    features = told.get("features")
    if not isinstance(features, list) or not all(isinstance(name, str) for name in features):
        raise Unmet("field contract.features is no list of texts")
    subject.features = frozenset(features)
    missing = [f"{name}: {lacks}" for name, lacks in LACKING.items() if name not in subject.features]
    said = f"version {told['version']}: {', '.join(sorted(subject.features))}"
    return fine(f"{said}. Without {'; '.join(missing)}" if missing else said)


def told_fields(subject: ContractTarget) -> CheckOutcome:
    """Which fields a status has, of those that it may have."""
    if "status_details" not in subject.features:
        return _not_told("status_details")
    if subject.customer is None:
        return skipped(NO_CUSTOMER)
    reply = subject.wire.ask("GET", status_path(subject.customer.user_id, subject.customer.product_id))
    content = answered(keyed(subject, reply), within=subject.status_wait)
    _check_status(content)
    missing = [name for name in _FIELDS if name not in content]
    if not missing:
        return fine("every field is told")
    return noted(f"not told: {', '.join(missing)}. What renews is said only with all of the ends and a pause told")


def all_subscriptions(subject: ContractTarget) -> CheckOutcome:
    if "subscriptions" not in subject.features:
        return _not_told("subscriptions")
    if _subscriptions(subject, subject.stranger):
        raise Unmet("who never bought anything has subscriptions")
    if subject.customer is None:
        return fine("an empty list for a stranger")
    listed = _subscriptions(subject, subject.customer.user_id)
    for row in listed:
        _check_status(row)
    if subject.customer.product_id not in {reference(row, "product_id") for row in listed}:
        raise Unmet("the known customer's product is not listed")
    return fine(f"{len(listed)} of the known customer")


def session_state(subject: ContractTarget) -> CheckOutcome:
    """A session is open and unpaid, ends once when it is told to, and an unknown one is 404."""
    if "checkout_sessions" not in subject.features:
        return _not_told("checkout_sessions")
    session = subject.sessions.get("item") or subject.sessions.get("cart")
    if session is None:
        return skipped("no checkout of an item was opened")
    path = f"/api/v1/checkout/sessions/{quote(session, safe='')}"
    seen = [
        text(_asked(subject, method, way), "status")
        for method, way in (("GET", path), ("POST", f"{path}/expire"), ("POST", f"{path}/expire"), ("GET", path))
    ]
    if seen != ["open", "expired", "expired", "expired"]:
        raise Unmet(f"it was called {', '.join(seen)} instead of open, then expired")
    _refused(subject, "GET", "/api/v1/checkout/sessions/cs_test_contract_unknown", None, 404, "SESSION_NOT_FOUND")
    return fine()


def one_session(subject: ContractTarget) -> CheckOutcome:
    """Opening a checkout of a plan ends the user's other open ones of its group."""
    plan = subject.sales.plan
    if "checkout_sessions" not in subject.features:
        return _not_told("checkout_sessions")
    if plan is None:
        return skipped("the catalog sells no plan: add --price PRICE --product PRODUCT")
    body = {**subject.order(price_id=plan.price_id, product_id=plan.product_id), "locale": "de"}
    first, second = (
        reference(_opened(subject, body, f"contract-{subject.run}-one-{number}"), "checkout_session_id")
        for number in range(2)
    )
    states = [text(_asked(subject, "GET", f"/api/v1/checkout/sessions/{one}"), "status") for one in (first, second)]
    if first == second or states != ["expired", "open"]:
        raise Unmet(f"two checkouts of one plan are {', '.join(states)} instead of expired and open")
    return fine()


def key_reused(subject: ContractTarget) -> CheckOutcome:
    """The same key with another body is refused, so that nobody gets another's session."""
    plan = subject.sales.plan
    if "idempotency" not in subject.features:
        return _not_told("idempotency")
    if plan is None:
        return skipped("the catalog sells no plan: add --price PRICE --product PRODUCT")
    body = subject.order(price_id=plan.price_id, product_id=plan.product_id)
    key = f"contract-{subject.run}-reused"
    content = _opened(subject, body, key)
    moment(content, "expires_at")
    other = {**body, "email": f"other-{subject.buyer}@example.com"}
    path = "/api/v1/checkout/subscription"
    _refused(subject, "POST", path, other, 409, "IDEMPOTENCY_KEY_REUSED", key=key)
    return fine()


def portal_flows(subject: ContractTarget) -> CheckOutcome:
    if "portal_flows" not in subject.features:
        return _not_told("portal_flows")
    if subject.customer is None:
        return skipped(NO_CUSTOMER)
    body = {"user_id": subject.customer.user_id, "return_url": "https://example.com/account", "locale": "de"}
    urls: dict[str, str] = {}
    for flow in ("cancel", "update_card", "change_plan", "unheard_of"):
        content = _asked(subject, "POST", "/api/v1/portal", {**body, "flow": flow}, within=subject.checkout_wait)
        urls[flow] = address(content, "portal_url")
    return fine(f"opens at {urls['cancel']}")


def invoices(subject: ContractTarget) -> CheckOutcome:
    if "invoices" not in subject.features:
        return _not_told("invoices")
    who = subject.customer.user_id if subject.customer is not None else subject.stranger
    content = _asked(subject, "GET", f"/api/v1/invoices/{quote(who, safe='')}", within=subject.checkout_wait)
    rows = content.get("invoices")
    if not isinstance(rows, list):
        raise Unmet("field invoices is no list")
    for row in rows:
        if not isinstance(row, dict):
            raise Unmet("an invoice is no object")
        moment(row, "created")
        _amount(row, "amount")
        if text(row, "status") not in ("open", "paid", "void", "uncollectible"):
            raise Unmet(f"an invoice's status is {row['status']!r}")
        if row.get("hosted_invoice_url") is not None:
            address(row, "hosted_invoice_url")
    return fine(f"{len(rows)} invoices")


def register_items(subject: ContractTarget) -> CheckOutcome:
    if "register_items" not in subject.features:
        return _not_told("register_items")
    if not subject.registers:
        return skipped("creates a product at Stripe: add --register")
    name = f"contract-item-{subject.run}"
    item = {"id": name, "name": name, "description": name, "amount": 100, "currency": "eur"}
    body = {"project_name": "contract", "plans": [], "items": [item]}
    replies = [keyed(subject, subject.wire.ask("POST", "/admin/products/register", body)) for _ in range(2)]
    made = [answered(reply, within=subject.checkout_wait).get("items") for reply in replies]
    if [reply.status for reply in replies] != [201, 200]:
        raise Unmet(f"answered {', '.join(str(reply.status) for reply in replies)} instead of 201, then 200")
    if not isinstance(made[0], list) or made[0] != made[1] or len(made[0]) != 1:
        raise Unmet("the second answer does not have the ids of the first")
    reference(made[0][0], "stripe_price_id")
    return fine()


def json_errors(subject: ContractTarget) -> CheckOutcome:
    """401 and unknown paths are JSON in the service's own form."""
    if not subject.features:
        return skipped("the service keeps the first version, which answers 401 as text and redirects unknown paths")
    _in_form(subject.wire.ask("GET", status_path(subject.stranger, subject.product_id), key="proj_wrong"), 401)
    _in_form(subject.wire.ask("GET", "/api/v1/no-such-call"), 404)
    return fine()


def _in_form(reply: ServiceReply, status: int) -> None:
    if reply.status != status or reply.content_type != "application/json" or not error_code(reply):
        kind = reply.content_type or "no content type"
        raise Unmet(f"{reply.path} answered {reply.status} {kind} instead of {status} with an error code in JSON")


def _not_told(feature: str) -> CheckOutcome:
    return skipped(f"the service does not say that it has {feature}: {LACKING[feature]}")


def _asked(
    subject: ContractTarget, method: str, path: str, body: object = None, *, within: float | None = None
) -> dict[str, Any]:
    return answered(keyed(subject, subject.wire.ask(method, path, body)), within=within or subject.checkout_wait)


def _opened(subject: ContractTarget, body: object, key: str) -> dict[str, Any]:
    headers = {"Idempotency-Key": key}
    reply = subject.wire.ask("POST", "/api/v1/checkout/subscription", body, headers=headers)
    return answered(keyed(subject, reply), within=subject.checkout_wait)


def _refused(
    subject: ContractTarget, method: str, path: str, body: object, status: int, code: str, *, key: str = ""
) -> None:
    headers = {"Idempotency-Key": key} if key else None
    reply = keyed(subject, subject.wire.ask(method, path, body, headers=headers))
    if (reply.status, error_code(reply)) != (status, code):
        raise Unmet(f"{method} {path} answered {reply.status} {error_code(reply)} instead of {status} {code}".strip())


def _subscriptions(subject: ContractTarget, user_id: str) -> list[dict[str, Any]]:
    reply = keyed(subject, subject.wire.ask("GET", f"/api/v1/subscriptions/{quote(user_id, safe='')}"))
    rows = answered(reply, within=subject.status_wait).get("subscriptions")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unmet("field subscriptions is no list of objects")
    return rows


def _check_status(content: dict[str, Any]) -> None:
    """What is told has to be readable: the front end passes over what is not."""
    for name in ("cancel_at", "canceled_at", "ended_at", "trial_end", "as_of"):
        moment(content, name, optional=True)
    for name in ("cancel_at_period_end", "livemode"):
        if name in content and not isinstance(content[name], bool):
            raise Unmet(f"field {name} is not true or false")
    if content.get("list_amount") is not None:
        _amount(content, "list_amount")
    for name in ("next_charge", "scheduled_change"):
        part = content.get(name)
        if part is None:
            continue
        if not isinstance(part, dict):
            raise Unmet(f"field {name} is no object")
        moment(part, "at")
        if name == "next_charge":
            _amount(part, "amount")
            text(part, "currency")


def _amount(content: dict[str, Any], name: str) -> None:
    value = content.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Unmet(f"field {name} is no amount in minor units")
