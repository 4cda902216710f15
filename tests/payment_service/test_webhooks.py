"""Stripe's events: only signed ones, each once, in any order, and none called taken that was not written."""

import threading
import time
from typing import Any

import pytest
from sqlalchemy import select, text

from payment_service.database import EventRow, SubscriptionRow
from tests.payment_service.conftest import OpenShops, ServiceShop


def bought(shop: ServiceShop) -> dict[str, Any]:
    """A subscription at Stripe that the service was told nothing of."""
    session: dict[str, Any] = shop.stripe.pay(shop.buy().json()["checkout_session_id"])
    return shop.stripe.things["subscriptions"][session["subscription"]]


def rows(shop: ServiceShop) -> tuple[int, int]:
    with shop.service.database.reading() as session:
        return len(session.scalars(select(SubscriptionRow)).all()), len(session.scalars(select(EventRow)).all())


@pytest.mark.parametrize(
    ("secret", "age"), [("whsec_of_somebody_else", 0), ("whsec_of_the_tests", 600)], ids=["forged", "old"]
)
def test_event_without_a_fitting_signature_changes_nothing(shop: ServiceShop, secret: str, age: int) -> None:
    event = shop.stripe.event("customer.subscription.created", bought(shop))

    refused = shop.post(event, secret, int(time.time()) - age)

    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "INVALID_SIGNATURE")
    assert rows(shop) == (0, 0)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"object": "event"}'])
def test_body_that_is_no_event_is_refused(shop: ServiceShop, body: bytes) -> None:
    refused = shop.http.post("/webhooks/stripe", content=body, headers={"Stripe-Signature": "t=1,v1=0"})

    assert refused.status_code == 400


def test_both_secrets_are_taken_while_one_is_rotated(open_shop: OpenShops) -> None:
    shop = open_shop(stripe_webhook_secret="whsec_new,whsec_old")
    event = shop.stripe.event("customer.subscription.created", bought(shop))

    assert [shop.post(event, secret).status_code for secret in ("whsec_old", "whsec_new")] == [200, 200]


def test_what_was_looked_at_since_events_were_listed_is_not_fetched_again(shop: ServiceShop) -> None:
    """After an outage there are days of events about the same subscriptions."""
    subscription = bought(shop)
    for kind in ("created", "updated", "updated"):
        shop.stripe.event(f"customer.subscription.{kind}", subscription)
    shop.stripe.event("invoice.paid", {"id": "in_1", "subscription": subscription["id"]})
    shop.stripe.log.clear()

    assert shop.service.webhooks.resync(0) == 4
    asked = [call for call in shop.stripe.log if call.startswith("GET subscriptions")]
    assert asked == ["GET subscriptions/{id}"]
    subscription["cancel_at_period_end"] = True
    shop.post(shop.stripe.event("customer.subscription.updated", subscription))
    assert shop.status()["cancel_at_period_end"] is True


def test_of_several_events_at_once_the_first_one_looks(shop: ServiceShop) -> None:
    subscription = bought(shop)
    came = time.monotonic()
    others: list[threading.Thread] = []

    def another(call: str) -> None:
        """While the first one asks Stripe, an event of the same purchase comes, and has to wait."""
        if call.startswith("GET subscriptions") and not others:
            look = shop.service.sync.subscription
            others.append(threading.Thread(target=look, args=(subscription["id"],), kwargs={"came": came}))
            others[0].start()
            others[0].join(0.3)

    shop.stripe.meanwhile = another
    shop.stripe.log.clear()
    shop.service.sync.subscription(subscription["id"], came=came)
    others[0].join()

    assert [call for call in shop.stripe.log if call.startswith("GET subscriptions")] == ["GET subscriptions/{id}"]


def test_next_charge_that_was_not_asked_for_since_an_invoice_is_asked_for(shop: ServiceShop) -> None:
    subscription = shop.paid(shop.buy().json()["checkout_session_id"])
    came = time.monotonic()
    look = shop.service.sync.subscription
    look(subscription["id"], came=came)
    shop.stripe.log.clear()

    look(subscription["id"], came=came, look_again=True)
    assert "POST invoices/create_preview" in shop.stripe.log
    shop.stripe.log.clear()
    look(subscription["id"], came=came, look_again=True)
    assert shop.stripe.log == []


def test_event_is_acted_on_once_and_the_app_is_told_once(shop: ServiceShop) -> None:
    event = shop.stripe.event("customer.subscription.created", bought(shop))
    shop.post(event)
    asked = len(shop.stripe.log)

    assert shop.post(event).status_code == 200
    shop.tell()

    assert len(shop.stripe.log) == asked
    assert len(shop.told) == 1


def test_what_is_written_is_what_stripe_has_now_not_what_the_event_carries(shop: ServiceShop) -> None:
    subscription = bought(shop)
    old = {**subscription, "status": "incomplete"}
    shop.post(shop.stripe.event("customer.subscription.updated", {**subscription, "status": "past_due"}))
    shop.post(shop.stripe.event("customer.subscription.created", old))

    assert shop.status()["status"] == "active"


def test_fetch_that_began_earlier_never_overwrites_a_newer_one(shop: ServiceShop) -> None:
    subscription = bought(shop)
    once = iter([True])

    def newer(call: str) -> None:
        """While the first answer is on its way, it is canceled, and the event of that is acted on at once."""
        if call == "POST invoices/create_preview" and next(once, False):
            subscription["status"] = "canceled"
            shop.service.sync.subscription(subscription["id"])

    shop.stripe.meanwhile = newer
    shop.post(shop.stripe.event("customer.subscription.created", subscription))

    assert shop.status()["status"] == "canceled"


def test_event_that_could_not_be_written_is_not_called_taken(shop: ServiceShop) -> None:
    event = shop.stripe.event("customer.subscription.created", bought(shop))
    with shop.service.database.writing() as session:
        session.execute(text("ALTER TABLE subscriptions RENAME TO away"))
    failed = shop.post(event)
    with shop.service.database.writing() as session:
        session.execute(text("ALTER TABLE away RENAME TO subscriptions"))

    assert (failed.status_code, failed.json()["error"]["code"]) == (500, "DATABASE_ERROR")
    assert shop.post(event).status_code == 200
    assert shop.status()["status"] == "active"


@pytest.mark.parametrize("status", [500, 0, 429])
def test_event_is_not_taken_while_stripe_can_not_be_asked(shop: ServiceShop, status: int) -> None:
    event = shop.stripe.event("customer.subscription.created", bought(shop))
    shop.stripe.broken = lambda call: status if call.startswith("GET subscriptions") else None
    failed = shop.post(event)
    shop.stripe.broken = lambda call: None

    assert failed.status_code == 503
    assert shop.post(event).status_code == 200
    assert shop.status()["exists"]


def test_event_of_the_other_mode_is_refused_with_a_sentence_and_changes_nothing(shop: ServiceShop) -> None:
    event = shop.stripe.event("customer.subscription.created", bought(shop)) | {"livemode": True}

    refused = shop.post(event)

    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "WRONG_MODE")
    assert rows(shop) == (0, 0)


def test_subscription_of_another_project_is_none_of_ours(shop: ServiceShop) -> None:
    shop.stripe.put("customers", "cus_x", created=1, metadata={"user_id": "usr_1", "project": "other"})
    theirs = shop.stripe.subscribe("cus_x", metadata={"user_id": "usr_1", "project": "other"})

    assert shop.post(shop.stripe.event("customer.subscription.created", theirs)).status_code == 200
    assert shop.status() == {"exists": False}


def test_subscription_that_sales_made_in_the_dashboard_belongs_to_its_customer(shop: ServiceShop) -> None:
    shop.buy()
    customer = next(iter(shop.stripe.things["customers"]))
    made = shop.stripe.subscribe(customer)
    shop.post(shop.stripe.event("customer.subscription.created", made))

    assert shop.status()["subscription_id"] == made["id"]


@pytest.mark.parametrize("old", [True, False], ids=["old version", "new version"])
def test_invoice_events_look_at_their_subscription(shop: ServiceShop, old: bool) -> None:
    own = bought(shop)["id"]
    place = {"subscription": own} if old else {"parent": {"subscription_details": {"subscription": own}}}
    shop.post(shop.stripe.event("invoice.paid", {"id": "in_9", "object": "invoice", **place}))

    assert shop.status()["subscription_id"] == own


def test_resync_finds_what_no_webhook_told(shop: ServiceShop) -> None:
    shop.stripe.event("customer.subscription.created", bought(shop))
    shop.stripe.event("payment_intent.succeeded", {"id": "pi_1", "object": "payment_intent"})

    assert [shop.service.webhooks.resync(0) for _ in range(2)] == [1, 0]
    assert shop.status()["exists"]


def test_plan_that_was_changed_in_the_portal_is_told_under_its_new_product(shop: ServiceShop) -> None:
    subscription = bought(shop)
    subscription["items"]["data"][0]["price"] = shop.stripe.things["prices"]["price_basic"]
    shop.post(shop.stripe.event("customer.subscription.updated", subscription))

    assert shop.status(product="prod_pro") == {"exists": False}
    assert shop.status(product="prod_basic")["price_id"] == "price_basic"


def test_event_that_can_not_be_acted_on_keeps_no_other_from_it(shop: ServiceShop) -> None:
    broken = shop.stripe.event("customer.subscription.created", {"id": "sub_broken", "object": "subscription"})
    broken["created"] -= 60
    shop.stripe.event("customer.subscription.created", bought(shop))
    once = iter([400])
    shop.stripe.broken = lambda call: next(once, None) if call.startswith("GET subscriptions") else None

    assert shop.service.webhooks.resync(0) == 1
    assert shop.status()["exists"]
