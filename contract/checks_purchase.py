"""How checkouts, the portal and the registration of plans are looked at."""

from collections.abc import Mapping

from contract.asking import keyed, none_for
from contract.checks_status import NO_CUSTOMER
from contract.explanations import Cause
from contract.reading import UNKNOWN_CUSTOMER, address, answered, error_code, reference
from contract.reading import refused as refusal_code
from contract.results import CheckOutcome, Result, Unmet, fine, noted, skipped
from contract.target import ContractTarget
from contract.wire import ServiceReply


def _open(subject: ContractTarget, kind: str, body: object, *, key: str = "") -> CheckOutcome:
    """Open a checkout; the first one of a new customer may fail once with STRIPE_ERROR, as today's version does."""
    headers = {"Idempotency-Key": key or f"contract-{subject.run}-{kind}"}
    reply = keyed(subject, subject.wire.ask("POST", f"/api/v1/checkout/{kind}", body, headers=headers))
    again = reply.status == 500 and error_code(reply) == "STRIPE_ERROR" and not subject.sessions
    if again:
        reply = keyed(subject, subject.wire.ask("POST", f"/api/v1/checkout/{kind}", body, headers=headers))
    session, host = _session(subject, reply)
    subject.sessions[kind] = session
    where = f"{_mode(session)}, opens at {host}"
    if again:
        words = f"a new customer's first checkout answered 500 STRIPE_ERROR, the second was opened; {where}"
        return noted(words, Cause.NO_CUSTOMER)
    return fine(where) if session.startswith(("cs_test_", "cs_live_")) else noted(where)


def _session(subject: ContractTarget, reply: ServiceReply) -> tuple[str, str]:
    """Return the session's id and the host where it opens; Unmet names the cause where it is known."""
    if reply.status == 500 and error_code(reply) == "STRIPE_ERROR":
        raise Unmet(f"POST {reply.path} answered 500 STRIPE_ERROR", _cause_at_stripe(reply))
    content = answered(reply, within=subject.checkout_wait)
    return reference(content, "checkout_session_id"), address(content, "checkout_url")


def _cause_at_stripe(reply: ServiceReply) -> Cause:
    """Return what Stripe's words in a refusal speak of; without any, a customer that is missing is the likeliest."""
    said = reply.body.lower()
    return Cause.UNKNOWN_PRICE if b"price" in said and b"customer" not in said else Cause.NO_CUSTOMER


def _mode(session: str) -> str:
    if session.startswith("cs_live_"):
        return "real money"
    return "test mode" if session.startswith("cs_test_") else "its id does not tell test mode from real money"


def checkout_subscription(subject: ContractTarget) -> CheckOutcome:
    plan = subject.sales.plan
    if plan is None:
        return skipped("the catalog sells no plan: add --price PRICE --product PRODUCT")
    return _open(subject, "subscription", subject.order(price_id=plan.price_id, product_id=plan.product_id))


def second_checkout(subject: ContractTarget) -> CheckOutcome:
    """The first may fail once, as the version until November 2025 does: it makes the customer that the second needs."""
    plan = subject.sales.plan
    if plan is None:
        return skipped("the catalog sells no plan: add --price PRICE --product PRODUCT")
    body = {
        **subject.order(price_id=plan.price_id, product_id=plan.product_id),
        "user_id": subject.newcomer,
        "email": f"{subject.newcomer}@example.com",
    }
    first, second = (keyed(subject, subject.wire.ask("POST", "/api/v1/checkout/subscription", body)) for _ in range(2))
    if error_code(second) == "STRIPE_ERROR" and first.status == second.status == 500:
        raise Unmet("answered 500 STRIPE_ERROR both times: a new customer can never buy", _cause_at_stripe(second))
    _session(subject, second)
    return fine() if first.status == 200 else noted(f"the first answered {first.status}", Cause.NO_CUSTOMER)


def checkout_item(subject: ContractTarget) -> CheckOutcome:
    if not subject.sales.items:
        return skipped("the catalog sells no item: add --item-price PRICE --item-product PRODUCT")
    item = subject.sales.items[0]
    return _open(subject, "item", subject.order(price_id=item.price_id, product_id=item.product_id, quantity=2))


def checkout_cart(subject: ContractTarget) -> CheckOutcome:
    if not subject.sales.items:
        return skipped("the catalog sells no item: add --item-price PRICE --item-product PRODUCT")
    lines = [{"price_id": i.price_id, "product_id": i.product_id, "quantity": 1} for i in subject.sales.items]
    return _open(subject, "cart", subject.order(items=lines))


def sessions_differ(subject: ContractTarget) -> CheckOutcome:
    opened = list(subject.sessions.values())
    if len(opened) < 2:
        return skipped("fewer than two checkouts were opened")
    if len(set(opened)) < len(opened):
        raise Unmet("two different checkouts have one session id")
    return fine()


def unpaid_is_none(subject: ContractTarget) -> CheckOutcome:
    return none_for(subject, subject.buyer) if subject.sessions else skipped("no checkout was opened")


def checkout_refused(subject: ContractTarget) -> CheckOutcome:
    return _refuses(subject, "/api/v1/checkout/subscription", {"user_id": subject.buyer})


def cart_refused(subject: ContractTarget) -> CheckOutcome:
    return _refuses(subject, "/api/v1/checkout/cart", subject.order(items=[]))


def unchecked_input(subject: ContractTarget) -> CheckOutcome:
    """The front end sends none of these; what a service lets through, others can send."""
    plan, items = subject.sales.plan, subject.sales.items
    wrong: list[tuple[str, str, Mapping[str, object]]] = []
    if plan is not None:
        body = subject.order(price_id=plan.price_id)
        wrong.append(("a subscription without product_id", "subscription", body))
        body = {**subject.order(price_id=plan.price_id, product_id=plan.product_id), "user_id": subject.long_id}
        wrong.append((f"a user id of {len(subject.long_id)} characters", "subscription", body))
    if items:
        body = subject.order(price_id=items[0].price_id, product_id=items[0].product_id, quantity=0)
        wrong.append(("an item with quantity 0", "item", body))
    passed = []
    for words, kind, body in wrong:
        reply = keyed(subject, subject.wire.ask("POST", f"/api/v1/checkout/{kind}", body))
        if not 400 <= reply.status < 500:
            passed.append(f"{words} answered {reply.status} {error_code(reply)}".rstrip())
    if not wrong:
        return skipped("the catalog sells nothing")
    return noted("; ".join(passed), Cause.UNCHECKED_INPUT) if passed else fine()


def _refuses(subject: ContractTarget, path: str, body: object) -> CheckOutcome:
    code = refusal_code(keyed(subject, subject.wire.ask("POST", path, body)))
    return fine() if code else noted("the refusal names no error code")


def portal_unknown(subject: ContractTarget) -> CheckOutcome:
    body = {"user_id": subject.stranger, "return_url": "https://example.com/account"}
    reply = keyed(subject, subject.wire.ask("POST", "/api/v1/portal", body))
    code = error_code(reply)
    if reply.status not in (400, 404) or code not in UNKNOWN_CUSTOMER:
        wanted = " or ".join(UNKNOWN_CUSTOMER)
        raise Unmet(f"answered {reply.status} {code or 'without an error code'} instead of 404 or 400 with {wanted}")
    return fine()


def unknown_path(subject: ContractTarget) -> CheckOutcome:
    reply = keyed(subject, subject.wire.ask("GET", "/api/v1/no-such-call"))
    if 200 <= reply.status < 300:
        raise Unmet(f"answered {reply.status}, as if that call existed")
    if reply.status < 400:
        return noted(f"answers {reply.status} to {reply.headers.get('location', 'nowhere')}", Cause.CATCH_ALL)
    return fine(f"answers {reply.status}")


def idempotency(subject: ContractTarget) -> CheckOutcome:
    plan, first = subject.sales.plan, subject.sessions.get("subscription")
    if plan is None or first is None:
        return skipped("no subscription checkout was opened")
    body = subject.order(price_id=plan.price_id, product_id=plan.product_id)
    key = f"contract-{subject.run}-subscription"
    outcome = _open(subject, "subscription", body, key=key)
    if outcome.result is Result.OK and subject.sessions["subscription"] == first:
        return fine("it is honoured: PAYMENT_MS_IDEMPOTENT may be true")
    return noted("it is not honoured: leave PAYMENT_MS_IDEMPOTENT=false", Cause.NO_IDEMPOTENCY)


def portal(subject: ContractTarget) -> CheckOutcome:
    if subject.customer is None:
        return skipped(NO_CUSTOMER)
    body = {"user_id": subject.customer.user_id, "return_url": "https://example.com/account"}
    content = answered(keyed(subject, subject.wire.ask("POST", "/api/v1/portal", body)), within=subject.checkout_wait)
    name = "url" if "url" in content and "portal_url" not in content else "portal_url"
    return fine(f"opens at {address(content, name)}")


def register(subject: ContractTarget) -> CheckOutcome:
    if not subject.registers:
        return skipped("creates a product at Stripe: add --register")
    name = f"Contract check {subject.run}"
    plan = {"name": name, "description": name, "features": ["None"], "pricing": {"monthly": 100, "yearly": 1000}}
    body = {"project_name": "contract", "plans": [plan]}
    made = answered(keyed(subject, _registration(subject, body)), within=subject.checkout_wait)
    products = made.get("products")
    if not isinstance(products, list) or len(products) != 1 or not isinstance(products[0], dict):
        raise Unmet("field products is not a list of the one product")
    product_id = reference(products[0], "stripe_product_id")
    prices = products[0].get("prices")
    for period, amount in (("monthly", 100), ("yearly", 1000)):
        price = prices.get(period) if isinstance(prices, dict) else None
        if not isinstance(price, dict):
            raise Unmet(f"field prices.{period} is missing")
        reference(price, "stripe_price_id")
        if price.get("amount") != amount:
            raise Unmet(f"field prices.{period}.amount is not the amount that was asked for")
    reply = _registration(subject, body)
    if reply.status == 200 and "register_items" in subject.features:
        again = answered(reply, within=subject.checkout_wait).get("products")
        if not isinstance(again, list) or reference(again[0], "stripe_product_id") != product_id:
            raise Unmet("registering again told another product than the one that exists")
        return fine("again, it tells all ids")
    if reply.status != 409 or error_code(reply) != "ALREADY_EXISTS":
        raise Unmet(f"registering again answered {reply.status} instead of 409 ALREADY_EXISTS")
    if f'"{product_id}"'.encode() not in reply.body:
        raise Unmet("field existing_product_id is not the product that exists")
    return fine()


def _registration(subject: ContractTarget, body: object) -> ServiceReply:
    return subject.wire.ask("POST", "/admin/products/register", body)
