"""What the sandbox's Stripe answers has the names and types of Stripe's own library."""

from typing import Any, Final

import pytest
import stripe

from tests.sandbox.local import LocalShop
from tests.sandbox.stripe_client import StripeShop
from tests.sandbox.stripe_types import problems


@pytest.fixture(scope="module")
def lived(local_sandbox: LocalShop) -> dict[str, Any]:
    """Answers of each kind, of a life with a discount, a tax, a booked change, a pause, a refund and a dispute."""
    local_sandbox.control("POST", "reset")
    shop = StripeShop(local_sandbox)
    local_sandbox.set(tax="added")
    customer, gold = shop.customer(), shop.price(lookup_key="gold")
    terms: Any = {"consent_collection": {"terms_of_service": "required"}, "locale": "de"}
    session = shop.session(customer, gold, discounts=[{"promotion_code": "promo_HALF"}], **terms)
    opened = shop.get(f"checkout/sessions/{session.id}?expand[]=line_items")
    paid = shop.pay(session)
    subscription = paid.subscription
    assert isinstance(subscription, stripe.Subscription)
    once = shop.price(500, "Pack", recurring=None)
    extra = shop.pay(shop.session(customer, once, mode="payment", invoice_creation={"enabled": True}))
    assert isinstance(extra.payment_intent, stripe.PaymentIntent)
    refund = shop.v1.refunds.create({"payment_intent": extra.payment_intent.id, "amount": 100})
    local_sandbox.control("POST", f"invoices/{extra.invoice}/dispute")
    local_sandbox.set(plan_changes="period_end")
    yearly = shop.price(29000, "Gold", recurring={"interval": "year"})
    local_sandbox.control("POST", f"subscriptions/{subscription.id}/switch", {"price_id": yearly.id})
    shop.v1.subscriptions.update(subscription.id, {"pause_collection": {"behavior": "void"}})
    flow: Any = {"type": "subscription_cancel", "subscription_cancel": {"subscription": subscription.id}}
    portal = shop.local.http.post(
        f"{local_sandbox.place.stripe_url}/v1/billing_portal/sessions",
        data={
            "customer": customer.id,
            "flow_data[type]": flow["type"],
            "flow_data[subscription_cancel][subscription]": subscription.id,
        },
        auth=("sk_test_basic", ""),
    )
    shop.v1.customers.update(customer.id, {"name": "Ada"})
    preview = shop.send("POST", "invoices/create_preview", subscription=subscription.id)
    local_sandbox.set(tax="none", plan_changes="now")
    return {
        "customer": shop.get(f"customers/{customer.id}?expand[]=subscriptions"),
        "product": shop.get(f"products/{gold.product}"),
        "price": shop.get(f"prices/{gold.id}?expand[]=product"),
        "open session": opened,
        "paid session": shop.get(f"checkout/sessions/{session.id}?expand[]=customer&expand[]=invoice"),
        "purchase": shop.get(f"checkout/sessions/{extra.id}"),
        "subscription": shop.get(f"subscriptions/{subscription.id}?expand[]=discounts&expand[]=schedule"),
        "schedule": shop.get(f"subscription_schedules/sub_sched_{subscription.id[4:]}?expand[]=phases.items.price"),
        "invoice": shop.get(f"invoices/{subscription.latest_invoice}?expand[]=payments"),
        "preview": preview,
        "intent": shop.get(f"payment_intents/{extra.payment_intent.id}"),
        "charge": shop.get(f"charges/ch_{extra.payment_intent.id[3:]}"),
        "refund": shop.get(f"refunds/{refund.id}"),
        "promotion code": shop.get("promotion_codes/promo_HALF?expand[]=promotion.coupon"),
        "coupon": shop.get("coupons/THREEMONTHS50"),
        "portal session": portal.json(),
        "configuration": shop.get("billing_portal/configurations/bpc_sandbox"),
        "account": shop.get("account"),
        "balance": shop.get("balance"),
        "events": shop.get("events?limit=100")["data"],
        "endpoint": shop.v1.webhook_endpoints.create({"url": "https://x.test/", "enabled_events": ["*"]}).to_dict(),
    }


KINDS: Final[dict[str, type[stripe.StripeObject]]] = {
    "customer": stripe.Customer,
    "product": stripe.Product,
    "price": stripe.Price,
    "open session": stripe.checkout.Session,
    "paid session": stripe.checkout.Session,
    "purchase": stripe.checkout.Session,
    "subscription": stripe.Subscription,
    "schedule": stripe.SubscriptionSchedule,
    "invoice": stripe.Invoice,
    "preview": stripe.Invoice,
    "intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "promotion code": stripe.PromotionCode,
    "coupon": stripe.Coupon,
    "portal session": stripe.billing_portal.Session,
    "configuration": stripe.billing_portal.Configuration,
    "account": stripe.Account,
    "balance": stripe.Balance,
    "endpoint": stripe.WebhookEndpoint,
}


@pytest.mark.parametrize("kind", KINDS)
def test_answer_has_the_shape_of_the_library(kind: str, lived: dict[str, Any]) -> None:
    assert list(problems(KINDS[kind], lived[kind])) == []


def test_events_have_the_shape_of_the_library_and_so_has_what_they_are_about(lived: dict[str, Any]) -> None:
    classes: dict[str, type[stripe.StripeObject]] = {
        "charge": stripe.Charge,
        "checkout.session": stripe.checkout.Session,
        "customer": stripe.Customer,
        "dispute": stripe.Dispute,
        "subscription": stripe.Subscription,
    }
    about = {event["data"]["object"]["object"] for event in lived["events"]}

    assert about == classes.keys()
    for event in lived["events"]:
        content = event["data"]["object"]
        assert list(problems(stripe.Event, event)) == []
        assert list(problems(classes[content["object"]], content)) == []


def test_wrong_shapes_are_found(lived: dict[str, Any]) -> None:
    price = {**lived["price"], "unit_amount": "2900", "type": "weekly", "colour": "red", "recurring": {}}
    price.pop("livemode")
    found = sorted(problems(stripe.Price, price))

    assert [one.partition(":")[0] for one in found] == [
        ".colour",
        ".livemode",
        ".recurring.interval",
        ".recurring.interval_count",
        ".recurring.usage_type",
        ".type",
        ".unit_amount",
    ]
