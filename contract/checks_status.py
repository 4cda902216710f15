"""How health, the key and subscription statuses are looked at."""

from typing import Final

from contract.asking import none_for, status_of, status_path
from contract.explanations import Cause
from contract.reading import AnswerShape, answered, moment
from contract.reading import text as text_in
from contract.results import CheckOutcome, Unmet, fine, noted, skipped
from contract.target import ContractTarget
from contract.wire import Unreachable

CALLS: Final = (
    "/api/v1/checkout/subscription",
    "/api/v1/checkout/item",
    "/api/v1/checkout/cart",
    "/api/v1/subscriptions/{user_id}/{product_id}",
    "/api/v1/portal",
)
"""What a service's OpenAPI document should name."""

IN_A_ROW: Final = 10
NO_CUSTOMER: Final = "needs a customer with a subscription: add --customer USER_ID --customer-product PRODUCT_ID"


def health(subject: ContractTarget) -> CheckOutcome:
    content = answered(subject.wire.ask("GET", "/health", key=""), within=subject.status_wait)
    word = text_in(content, "status")
    moment(content, "timestamp")
    return fine() if word == "healthy" else noted(f"it calls itself {word!r}")


def openapi(subject: ContractTarget) -> CheckOutcome:
    try:
        content = answered(subject.wire.ask("GET", "/openapi.json", key=""), within=subject.checkout_wait)
    except Unreachable:
        raise
    except Unmet as unmet:
        return noted(f"`python app.py check` can't read it: {unmet}")
    paths = content.get("paths")
    missing = [path for path in CALLS if not isinstance(paths, dict) or path not in paths]
    return noted(f"it does not name {', '.join(missing)}") if missing else fine()


def key_missing(subject: ContractTarget) -> CheckOutcome:
    return _locked(subject, "")


def key_wrong(subject: ContractTarget) -> CheckOutcome:
    return _locked(subject, "proj_" + "0" * 43)


def _locked(subject: ContractTarget, key: str) -> CheckOutcome:
    for method, path, body in (
        ("GET", status_path(subject.stranger, subject.product_id), None),
        ("POST", "/api/v1/portal", {"user_id": subject.stranger, "return_url": "https://example.com"}),
    ):
        reply = subject.wire.ask(method, path, body, key=key)
        if reply.status not in (401, 403):
            raise Unmet(f"{method} {path} answered {reply.status} instead of 401")
    return fine()


def status_none(subject: ContractTarget) -> CheckOutcome:
    return none_for(subject, subject.stranger)


def status_encoded(subject: ContractTarget) -> CheckOutcome:
    return none_for(subject, f"contract+{subject.run}@example.com")


def status_steady(subject: ContractTarget) -> CheckOutcome:
    for _ in range(IN_A_ROW):
        none_for(subject, subject.stranger)
    return fine()


def status_on_record(subject: ContractTarget) -> CheckOutcome:
    if subject.customer is None:
        return skipped(NO_CUSTOMER)
    found = status_of(subject, subject.customer.user_id, subject.customer.product_id)
    if not found.exists:
        raise Unmet("the service knows of no subscription")
    if subject.shape and found.shape is not subject.shape:
        raise Unmet(f"the answer has the {found.shape} shape, not the {subject.shape} one")
    if found.shape is AnswerShape.RUNNING:
        words = "in the running service's shape, without a status: the Auth MS must say what it is worth"
        return noted(words, Cause.NO_STATUS)
    return fine(f"in the {found.shape} shape")
