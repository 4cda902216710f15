"""What the service makes of Stripe's webhooks, and who hears of it. Asked only with its webhook secret."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from contract import events
from contract.asking import status_of
from contract.explanations import Cause
from contract.reading import answered
from contract.results import CheckOutcome, Unmet, fine, noted, skipped
from contract.stripe_side import StripeDoor, StripeRefused
from contract.target import ContractTarget, KnownCustomer, Sale, WebhookDoor
from contract.wire import ServiceReply

NOT_ASKED: Final = "posts test events: add --webhook-secret SECRET (Stripe's test mode, or a copy of the service)"
ADD_KEY: Final = "with --stripe-key sk_test_… a subscription is really made at Stripe"
NOT_FOLLOWED: Final = (
    "after customer.subscription.updated with another product, the status of that product knows nothing"
)
TRIES: Final = 6


def unsigned(subject: ContractTarget) -> CheckOutcome:
    """An event of a type that nobody acts on, signed with a secret that is none."""
    door = _door(subject)
    if isinstance(door, CheckOutcome):
        return door
    event = {**events.session_completed(subject, subject.stranger, "cus_contract"), "type": "contract.check"}
    reply = events.post(subject, door, event, secret="whsec_not_the_secret")  # noqa: S106 - it is none
    _is_door(door, reply)
    if reply.status < 400:
        raise Unmet(f"an event with a wrong signature was answered {reply.status}", Cause.UNSIGNED_WEBHOOKS)
    return fine(f"refused with {reply.status}")


def created(subject: ContractTarget) -> CheckOutcome:
    """A purchase as Stripe tells of it, and the status afterwards. It is taken back at the end."""
    door, plan = _door(subject), subject.sales.plan
    if isinstance(door, CheckOutcome):
        return door
    if plan is None:
        return skipped("the catalog sells no plan: add --price PRICE --product PRODUCT")
    if subject.stripe is None:
        return _made_up_purchase(subject, door, plan)
    try:
        with _subscribed(subject, subject.stripe, door, plan):
            if not _appears(subject, subject.buyer, plan):
                text = "Stripe has the subscription, its event was answered 2xx, and the status knows of none"
                raise Unmet(text, Cause.CUSTOMER_AS_OBJECT)
    except StripeRefused as refused:
        return skipped(f"Stripe does not do what the check needs: {refused}")
    return fine("a subscription that Stripe really has")


def plan_change(subject: ContractTarget) -> CheckOutcome:
    """A subscription moves to another plan: one that is made for it, else the known customer's, and back."""
    door, plan, other = _door(subject), subject.sales.plan, subject.sales.other_plan
    if isinstance(door, CheckOutcome):
        return door
    if subject.stripe is None:
        return _made_up_change(subject, door)
    if plan is None or other is None:
        return skipped("needs a second plan in the catalog")
    try:
        with _subscribed(subject, subject.stripe, door, plan) as made:
            _take(subject, door, events.of_stripe(subject, "updated", subject.stripe.move(made, other.price_id)))
            if not _appears(subject, subject.buyer, other):
                raise Unmet(NOT_FOLLOWED, Cause.OLD_PRODUCT)
    except StripeRefused as refused:
        return skipped(f"Stripe does not do what the check needs: {refused}")
    return fine("a subscription that Stripe really has")


def _made_up_purchase(subject: ContractTarget, door: WebhookDoor, plan: Sale) -> CheckOutcome:
    customer, name = f"cus_contract{subject.run}", f"sub_contract{subject.run}"
    _take(subject, door, events.session_completed(subject, subject.buyer, customer))
    _take(subject, door, events.subscription(subject, "created", subject.buyer, customer, name, plan))
    if not _appears(subject, subject.buyer, plan):
        text = "the events were answered 2xx, and the status knows of no subscription"
        return _nothing_came_of_it(subject, text, Cause.CUSTOMER_AS_OBJECT)
    _take(subject, door, events.subscription(
        subject, "deleted", subject.buyer, customer, name, plan, status="canceled"
    ))  # fmt: skip
    return fine()


def _made_up_change(subject: ContractTarget, door: WebhookDoor) -> CheckOutcome:
    known = subject.customer
    other = next((s for s in (subject.sales.other_plan, subject.sales.plan) if s and known and _other(s, known)), None)
    if known is None or other is None:
        return skipped("needs a customer with a subscription, and a second plan in the catalog; or --stripe-key")
    status = status_of(subject, known.user_id, known.product_id)
    if not status.subscription_id:
        return skipped("the customer has no subscription on record")
    customer = door.customer or f"cus_contract{subject.run}"
    before = Sale(known.price_id or other.price_id, known.product_id)
    moves = [
        events.subscription(subject, "updated", known.user_id, customer, status.subscription_id, sale)
        for sale in (other, before)
    ]
    _take(subject, door, moves[0])
    followed = _appears(subject, known.user_id, other)
    _take(subject, door, moves[1])
    return fine() if followed else _nothing_came_of_it(subject, NOT_FOLLOWED, Cause.OLD_PRODUCT)


def _nothing_came_of_it(subject: ContractTarget, text: str, cause: Cause) -> CheckOutcome:
    """Return a note where the service may have looked at Stripe, which knows nothing of it; else raise Unmet."""
    if subject.features:
        return noted(f"{text}; it was made up, which a service that looks at Stripe is right not to believe: {ADD_KEY}")
    raise Unmet(f"{text} (one that looks at Stripe itself believes no made-up event: {ADD_KEY})", cause)


@contextmanager
def _subscribed(subject: ContractTarget, stripe: StripeDoor, door: WebhookDoor, plan: Sale) -> Iterator[dict[str, Any]]:
    """Give a subscription of the buyer's, of which the service is told; at the end it is canceled, and told so."""
    session = subject.sessions.get("subscription", "")
    made = stripe.subscribe(subject.buyer, session, plan.price_id, plan.product_id)
    try:
        _take(subject, door, events.of_stripe(subject, "created", made))
        yield made
    finally:
        events.post(subject, door, events.of_stripe(subject, "deleted", stripe.end(made)))


def account_told(subject: ContractTarget) -> CheckOutcome:
    """Whether the Auth MS speaks of plans at all about somebody who has one on record."""
    if subject.account is None or subject.customer is None:
        return skipped("needs the Auth MS: add --auth-url URL --account-session ID, of the --customer")
    before = len(subject.account.wire.exchanges)
    try:
        reply = subject.account.wire.ask(
            "POST", "/auth/session/refresh", {"session_id": subject.account.session_id}, key=""
        )
    finally:
        subject.wire.exchanges += subject.account.wire.exchanges[before:]
    content = answered(reply, within=subject.checkout_wait)
    context = content.get("user_context", content)
    places = [context, *(context.get("projects") or {}).values()] if isinstance(context, dict) else []
    told = [place for place in places if isinstance(place, dict) and place.get("subscription_status")]
    if not told:
        raise Unmet("the Auth MS says nothing of a plan about a customer who has one", Cause.ACCOUNT_NOT_TOLD)
    words = {str(place["subscription_status"]) for place in told}
    if words <= {"none", "free", "inactive"}:
        raise Unmet(f"the Auth MS says {', '.join(sorted(words))} about a customer who has one", Cause.ACCOUNT_NOT_TOLD)
    return fine()


def failed_write(subject: ContractTarget) -> CheckOutcome:
    """After two calls at once have broken the service, or in an outage: what it can't write is not delivered."""
    door, plan = _door(subject), subject.sales.plan
    if isinstance(door, CheckOutcome):
        return door
    if plan is None or not (subject.is_broken or subject.outage):
        return skipped("the service can write")
    name = f"sub_contract{subject.run}lost"
    event = events.subscription(subject, "created", subject.buyer, f"cus_contract{subject.run}", name, plan)
    with subject.outage() if subject.outage and not subject.is_broken else nullcontext():
        reply = events.post(subject, door, event)
    if reply.status < 300:
        meanwhile = "every call is answered 401" if subject.is_broken else "Stripe answers 500"
        text = f"an event was answered {reply.status} while {meanwhile}: it can't have been written"
        raise Unmet(text, Cause.FAILED_WRITES_ANSWER_200)
    return fine(f"answered {reply.status}, so Stripe sends it again")


def _door(subject: ContractTarget) -> WebhookDoor | CheckOutcome:
    return subject.webhook or skipped(NOT_ASKED)


def _other(sale: Sale, known: KnownCustomer) -> bool:
    return sale.product_id != known.product_id


def _take(subject: ContractTarget, door: WebhookDoor, event: dict[str, object]) -> None:
    reply = events.post(subject, door, event)
    _is_door(door, reply)
    if not 200 <= reply.status < 300:
        raise Unmet(f"a signed {event['type']} was answered {reply.status}")


def _is_door(door: WebhookDoor, reply: ServiceReply) -> None:
    if 300 <= reply.status < 400 or reply.status in (401, 403, 404, 405):
        raise Unmet(f"POST {door.path} answered {reply.status}: no webhook is taken there; name it with --webhook-path")


def _appears(subject: ContractTarget, user_id: str, sale: Sale) -> bool:
    """Whether the status knows of it, at once or a little later: the service may write after it has answered."""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(subject.event_pause)
        if status_of(subject, user_id, sale.product_id).exists:
            return True
    return False
