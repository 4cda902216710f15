"""The checks, in the order in which they are run: what is relied on, by name.

None needs a payment, and only `register` leaves more than checkout sessions that run out by themselves.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from contract import checks_purchase as purchase
from contract import checks_status as status
from contract.asking import KeyRefused
from contract.results import CheckOutcome, ReportLine, Result, Unmet, skipped
from contract.target import ContractTarget
from contract.wire import Unreachable


@dataclass(frozen=True)
class Check:
    """One thing that the front end relies on. `look` returns what it saw, or raises Unmet."""

    name: str
    relies_on: str
    look: Callable[[ContractTarget], CheckOutcome]


def run(subject: ContractTarget) -> Iterator[ReportLine]:
    """Yield a line for each check, one after the other; when nothing can be asked any more, the rest are skipped."""
    hopeless = ""
    for check in CHECKS:
        if hopeless:
            yield ReportLine(check.name, check.relies_on, skipped(hopeless))
            continue
        try:
            outcome = check.look(subject)
        except Unmet as unmet:
            outcome = CheckOutcome(Result.FAIL, str(unmet))
            if isinstance(unmet, Unreachable):
                hopeless = "not asked: the service can't be reached"
            elif isinstance(unmet, KeyRefused):
                hopeless = "not asked: the key is refused"
        yield ReportLine(check.name, check.relies_on, outcome)


CHECKS: Final = (
    Check("health", "GET /health needs no key and says that it is healthy, and what time it has", status.health),
    Check("openapi", "/openapi.json names the calls we make", status.openapi),
    Check("key_missing", "without a key, 401", status.key_missing),
    Check("key_wrong", "with a key that is not ours, 401", status.key_wrong),
    Check("status_none", "our key is accepted; who never bought anything has no subscription", status.status_none),
    Check("status_encoded_id", "a user id with + and @ in it, encoded, is one user id", status.status_encoded),
    Check(
        "status_steady", f"{status.IN_A_ROW} status calls, one at a time, have the same answer", status.status_steady
    ),
    Check(
        "checkout_subscription",
        "a subscription checkout answers its id and where it opens",
        purchase.checkout_subscription,
    ),
    Check("checkout_item", "an item checkout does, with a quantity", purchase.checkout_item),
    Check("checkout_cart", "a cart checkout does", purchase.checkout_cart),
    Check("sessions_differ", "each checkout has a session id of its own", purchase.sessions_differ),
    Check("unpaid_is_none", "a checkout that was not paid is no subscription", purchase.unpaid_is_none),
    Check("checkout_refused", "missing fields are refused with a 4xx, not a 5xx", purchase.checkout_refused),
    Check("cart_refused", "an empty cart is refused with a 4xx", purchase.cart_refused),
    Check(
        "portal_unknown",
        "the portal of who never bought anything is refused by a code we know",
        purchase.portal_unknown,
    ),
    Check("unknown_path", "a call that does not exist does not look like a success", purchase.unknown_path),
    Check(
        "idempotency",
        "a repeated Idempotency-Key opens no second checkout (if PAYMENT_MS_IDEMPOTENT)",
        purchase.idempotency,
    ),
    Check(
        "status_on_record", "a subscription on record is told with its id, in a shape we know", status.status_on_record
    ),
    Check("portal", "the portal of a customer answers where it opens", purchase.portal),
    Check(
        "register",
        "plans are registered once, and told with their ids (only python app.py register)",
        purchase.register,
    ),
)
