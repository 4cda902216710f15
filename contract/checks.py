"""The checks, in the order in which they are run: what is relied on, and why it matters to customers, by name.

None needs a payment. What is left behind is said before anything is asked (`contract/__main__.py`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from contract import checks_breaking as breaking
from contract import checks_purchase as purchase
from contract import checks_second as second
from contract import checks_status as status
from contract import checks_webhook as webhook
from contract.asking import KeyRefused
from contract.explanations import Cause
from contract.results import CheckOutcome, ReportLine, Result, Unmet, skipped
from contract.target import ContractTarget
from contract.wire import Unreachable

MOST_EXCHANGES: Final = 3
"""So many of a check's last calls are told with it."""


@dataclass(frozen=True)
class Check:
    """One thing that the front end relies on. `look` returns what it saw, or raises Unmet."""

    name: str
    relies_on: str
    matters: str
    look: Callable[[ContractTarget], CheckOutcome]


def run(subject: ContractTarget) -> Iterator[ReportLine]:
    """Yield a line for each check, one after the other; when nothing can be asked any more, the rest are skipped."""
    hopeless = ""
    for check in CHECKS:
        before = len(subject.wire.exchanges)
        if hopeless:
            outcome = skipped(hopeless)
        else:
            try:
                outcome = check.look(subject)
            except Unmet as unmet:
                outcome = CheckOutcome(Result.FAIL, str(unmet), unmet.cause or Cause.OTHER_FORM)
                if isinstance(unmet, Unreachable):
                    hopeless = "not asked: the service can't be reached"
                elif isinstance(unmet, KeyRefused):
                    hopeless = "not asked: the key is refused"
        made = tuple(key for key, _same in groupby(subject.wire.exchanges[before:]))[-MOST_EXCHANGES:]
        yield ReportLine(check.name, check.relies_on, outcome, check.matters, made)


CHECKS: Final = (
    Check(
        "health",
        "GET /health needs no key and says that it is healthy, and what time it has",
        "Operators see an outage, and a clock that is off, before customers do.",
        status.health,
    ),
    Check(
        "openapi",
        "/openapi.json names the calls we make",
        "Only operators notice: `python app.py check` compares it.",
        status.openapi,
    ),
    Check(
        "contract_told",
        "what it has of the second version, it says in /health",
        "What is not told is not used: pages say less, and ask more.",
        second.contract_told,
    ),
    Check("key_missing", "without a key, 401", "Else anybody can read who has what.", status.key_missing),
    Check(
        "key_wrong", "with a key that is not ours, 401", "Else anybody can read who has what.", status.key_wrong
    ),
    Check(
        "status_none",
        "our key is accepted; who never bought anything has no subscription",
        "Without this nobody can buy: nothing is sold before it is known that there is nothing already.",
        status.status_none,
    ),
    Check(
        "status_encoded_id",
        "a user id with + and @ in it, encoded, is one user id",
        "Else customers whose id is their e-mail address can't buy, or see somebody else's plan.",
        status.status_encoded,
    ),
    Check(
        "status_steady",
        f"{status.IN_A_ROW} status calls, one at a time, have the same answer",
        "Else a plan flickers, and access with it.",
        status.status_steady,
    ),
    Check(
        "checkout_subscription",
        "a subscription checkout answers its id and where it opens",
        "The press on a plan ends in an error instead of at Stripe.",
        purchase.checkout_subscription,
    ),
    Check(
        "checkout_item",
        "an item checkout does, with a quantity",
        "The press on an item ends in an error instead of at Stripe.",
        purchase.checkout_item,
    ),
    Check(
        "checkout_cart",
        "a cart checkout does",
        "The press in the cart ends in an error instead of at Stripe.",
        purchase.checkout_cart,
    ),
    Check(
        "second_checkout",
        "a new customer's second checkout is opened, also where the first fails",
        "A new customer who can't open one at the second press can never buy.",
        purchase.second_checkout,
    ),
    Check(
        "sessions_differ",
        "each checkout has a session id of its own",
        "Else one purchase is taken for another, and confirmed by it.",
        purchase.sessions_differ,
    ),
    Check(
        "unpaid_is_none",
        "a checkout that was not paid is no subscription",
        "Else who only looked at the checkout is told that they subscribed.",
        purchase.unpaid_is_none,
    ),
    Check(
        "checkout_refused",
        "missing fields are refused with a 4xx, not a 5xx",
        "A 5xx counts as an outage: after five the shop is closed to everybody for a while.",
        purchase.checkout_refused,
    ),
    Check(
        "cart_refused",
        "an empty cart is refused with a 4xx",
        "A 5xx counts as an outage: after five the shop is closed to everybody for a while.",
        purchase.cart_refused,
    ),
    Check(
        "unchecked_input",
        "what Stripe would refuse is refused before",
        "Nothing, with this front end, which sends none of it; other callers get an error that looks like an outage.",
        purchase.unchecked_input,
    ),
    Check(
        "portal_unknown",
        "the portal of who never bought anything is refused by a code we know",
        "Else they read that payments are unavailable, instead of that there is no billing history yet.",
        purchase.portal_unknown,
    ),
    Check(
        "unknown_path",
        "a call that does not exist does not look like a success",
        "A client that follows redirects takes a page for an answer.",
        purchase.unknown_path,
    ),
    Check(
        "idempotency",
        "a repeated Idempotency-Key opens no second checkout (if PAYMENT_MS_IDEMPOTENT)",
        "After a lost answer a customer may hold two sessions that can both be paid.",
        purchase.idempotency,
    ),
    Check(
        "status_on_record",
        "a subscription on record is told with its id, in a shape we know",
        "Without a status word no page can say whether it runs, is past due or has ended, unless the account does.",
        status.status_on_record,
    ),
    Check(
        "portal",
        "the portal of a customer answers where it opens",
        "Customers can't change a card, cancel or see invoices.",
        purchase.portal,
    ),
    Check(
        "register",
        "plans are registered once, and told with their ids (only python app.py register)",
        "Only operators notice.",
        purchase.register,
    ),
    Check(
        "told_fields",
        "with status_details: what a status tells can be read",
        "A field that can't be read is not told, and what pages say of it is missing.",
        second.told_fields,
    ),
    Check(
        "all_subscriptions",
        "with subscriptions: all of a user in one answer, none for a stranger",
        "A plan that is missing there is shown as none.",
        second.all_subscriptions,
    ),
    Check(
        "session_state",
        "with checkout_sessions: a session is told, ends once, and an unknown one is 404",
        "Else customers are sent on to a dead session, or asked whether they paid.",
        second.session_state,
    ),
    Check(
        "one_session",
        "with checkout_sessions: one checkout of a plan's group can be paid at a time",
        "Two sessions that can both be paid are two subscriptions.",
        second.one_session,
    ),
    Check(
        "key_reused",
        "with idempotency: a key with another body is refused, and a session's end is told",
        "Else one customer could be handed another's session.",
        second.key_reused,
    ),
    Check(
        "portal_flows",
        "with portal_flows: each page of the portal opens, an unknown one opens its front",
        "“Cancel plan” ends in an error instead of at Stripe.",
        second.portal_flows,
    ),
    Check(
        "invoices",
        "with invoices: number, day, sum, state and page of each",
        "An invoice that can't be read is not listed.",
        second.invoices,
    ),
    Check(
        "register_items",
        "with register_items: items are registered, again with the same ids (only python app.py register)",
        "Only operators notice.",
        second.register_items,
    ),
    Check(
        "json_errors",
        "in the second version: 401 and unknown paths answer JSON with a code",
        "Nothing, with this front end, which reads the first version's as well.",
        second.json_errors,
    ),
    Check(
        "webhook_unsigned",
        "an event with a wrong signature is refused",
        "Whoever knows the address can give or take anybody's subscription.",
        webhook.unsigned,
    ),
    Check(
        "webhook_created",
        "a purchase that Stripe tells of, signed, is in the status",
        "Who paid never appears: “paid? not confirmed” for good, and no access.",
        webhook.created,
    ),
    Check(
        "webhook_plan_change",
        "a change of plan that Stripe tells of moves the record to the new product",
        "After a change in the portal customers are shown, and given, the old plan.",
        webhook.plan_change,
    ),
    Check(
        "account_told",
        "the Auth MS says what a customer has",
        "A purchase ends with “on record” at best: nobody can say that it is active, past due or canceled.",
        webhook.account_told,
    ),
    Check(
        "two_at_once",
        "two calls at once break nothing",
        "Everybody reads “payments are unavailable” until somebody restarts the service; paid purchases wait.",
        breaking.two_at_once,
    ),
    Check(
        "failed_write",
        "an event that could not be written is not called delivered",
        "A purchase, renewal or cancellation that fell into an outage is lost for good.",
        webhook.failed_write,
    ),
)  # fmt: skip
