"""Opening checkouts: once for a key, never a second subscription, and nothing lost by a crash in between."""

import hashlib
import time
from typing import Any

import pytest

from payment_service.database import LeaseRow, insert
from tests.payment_service.conftest import OpenShops, ServiceShop

CART: dict[str, Any] = {
    "user_id": "usr_1",
    "email": "usr_1@example.com",
    "success_url": "https://app.example.com/ok",
    "cancel_url": "https://app.example.com/no",
}


def sessions(shop: ServiceShop) -> list[dict[str, Any]]:
    return list(shop.stripe.things.get("checkout/sessions", {}).values())


def test_same_key_and_body_have_the_same_answer_and_open_one_session(shop: ServiceShop) -> None:
    first, again = shop.buy(key="one"), shop.buy(key="one")

    assert first.json() == again.json()
    assert len(sessions(shop)) == 1


def test_same_key_with_another_body_is_refused(shop: ServiceShop) -> None:
    shop.buy(key="one")

    refused = shop.buy(key="one", quantity=2)

    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert len(sessions(shop)) == 1


def test_answer_that_was_lost_on_the_way_from_stripe_is_the_same_session_at_the_second_try(shop: ServiceShop) -> None:
    shop.stripe.broken = lambda call: 0 if call == "POST checkout/sessions" else None
    lost = shop.buy(key="one")
    shop.stripe.broken = lambda call: None
    again = shop.buy(key="one")

    assert (lost.status_code, lost.json()["error"]["code"]) == (503, "STRIPE_UNAVAILABLE")
    assert [again.json()["checkout_session_id"]] == [session["id"] for session in sessions(shop)]
    assert sessions(shop)[0]["status"] == "open"


def test_customer_that_was_made_and_not_written_is_found_again(shop: ServiceShop, open_shop: OpenShops) -> None:
    shop.stripe.put("customers", "cus_before", created=1, metadata={"user_id": "usr_1", "project": "default"})

    shop.buy()

    assert sessions(shop)[0]["customer"] == "cus_before"
    assert list(shop.stripe.things["customers"]) == ["cus_before"]


def test_customer_whose_answer_was_lost_is_made_once(shop: ServiceShop) -> None:
    shop.stripe.broken = lambda call: 0 if call == "POST customers" else None
    shop.buy()
    shop.stripe.broken = lambda call: None
    shop.buy()

    assert len(shop.stripe.things["customers"]) == 1


def test_customer_that_was_deleted_at_stripe_is_replaced(shop: ServiceShop) -> None:
    shop.buy()
    shop.stripe.things["customers"].clear()

    assert shop.buy().status_code == 200
    assert len(shop.stripe.things["customers"]) == 1


def test_second_subscription_of_a_group_is_refused_and_named(shop: ServiceShop) -> None:
    bought = shop.paid(shop.buy().json()["checkout_session_id"])

    refused = shop.buy(product_id="prod_basic", price_id="price_basic")

    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "SUBSCRIPTION_EXISTS")
    assert refused.json()["error"]["subscription_id"] == bought["id"]


def test_subscription_that_no_webhook_told_of_yet_is_seen_before_a_second_sale(shop: ServiceShop) -> None:
    session = shop.stripe.pay(shop.buy().json()["checkout_session_id"])

    refused = shop.buy()

    assert refused.json()["error"]["subscription_id"] == session["subscription"]
    assert shop.status()["status"] == "active"


def test_subscription_whose_end_no_webhook_told_of_is_looked_at_again_before_anybody_is_refused(
    shop: ServiceShop,
) -> None:
    bought = shop.paid(shop.buy().json()["checkout_session_id"])
    bought |= {"status": "canceled", "ended_at": 1_700_000_000}

    assert shop.buy().status_code == 200
    assert shop.status()["status"] == "canceled"


def test_same_key_has_the_same_answer_when_the_price_is_sold_no_more(shop: ServiceShop) -> None:
    first = shop.buy(key="one")
    shop.stripe.things["prices"].clear()

    assert shop.buy(key="one").json() == first.json()


def test_new_checkout_closes_the_open_one_of_its_group(shop: ServiceShop) -> None:
    first = shop.buy().json()["checkout_session_id"]
    second = shop.buy(product_id="prod_basic", price_id="price_basic").json()["checkout_session_id"]

    assert {session["id"]: session["status"] for session in sessions(shop)} == {first: "expired", second: "open"}


def test_checkout_of_another_group_stays_open(shop: ServiceShop) -> None:
    shop.stripe.put("products", "prod_extra", name="Extra", active=True, metadata={"group": "extras"}, created=1)
    shop.stripe.price("price_extra", "prod_extra", 500)
    shop.buy()
    shop.buy(product_id="prod_extra", price_id="price_extra")

    assert [session["status"] for session in sessions(shop)] == ["open", "open"]


def test_session_that_is_paid_while_it_is_closed_is_a_subscription_and_no_second_is_sold(shop: ServiceShop) -> None:
    first = shop.buy().json()["checkout_session_id"]

    def pay(call: str) -> None:
        if call.endswith("expire"):
            shop.stripe.pay(first)

    shop.stripe.meanwhile = pay

    refused = shop.buy()

    assert refused.json()["error"]["code"] == "SUBSCRIPTION_EXISTS"
    assert len(shop.stripe.things["subscriptions"]) == 1


def test_checkout_says_all_that_was_asked_to_stripe(shop: ServiceShop) -> None:
    shop.stripe.put("promotion_codes", "promo_1", code="SPRING")
    shop.buy(locale="de-AT", trial_days=14, promotion="SPRING", quantity=3, consent={"terms_of_service": True})

    opened = sessions(shop)[0]
    assert opened["locale"] == "de"
    assert opened["subscription_data"]["trial_period_days"] == "14"
    assert opened["discounts"] == {"0": {"promotion_code": "promo_1"}}
    assert "allow_promotion_codes" not in opened
    assert opened["line_items"]["0"] == {"price": "price_pro", "quantity": "3"}
    assert opened["consent_collection"] == {"terms_of_service": "required"}


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"promotion": "NEVER"}, "PROMOTION_NOT_FOUND", "promotion"),
        ({"price_id": "price_none"}, "PRICE_NOT_FOUND", "price_id"),
        ({"price_id": "price_basic"}, "VALIDATION_FAILED", "price_id"),
        ({"price_id": "price_once"}, "VALIDATION_FAILED", "price_id"),
        ({"user_id": "u" * 201}, "VALIDATION_FAILED", "user_id"),
        ({"success_url": "javascript:alert(1)"}, "VALIDATION_FAILED", "success_url"),
        ({"quantity": 0}, "VALIDATION_FAILED", "quantity"),
        ({"quantity": "3"}, "VALIDATION_FAILED", "quantity"),
    ],
)
def test_what_stripe_would_refuse_is_refused_before(
    shop: ServiceShop, fields: dict[str, Any], code: str, field: str
) -> None:
    shop.stripe.price("price_once", "prod_pro", 100, recurring=None)

    refused = shop.buy(**fields)

    assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)
    assert refused.json()["error"]["field"] == field
    assert sessions(shop) == []


def test_price_of_the_other_mode_is_refused_with_a_sentence(shop: ServiceShop) -> None:
    shop.stripe.things["prices"]["price_pro"]["livemode"] = True

    refused = shop.buy()

    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "WRONG_MODE")
    assert "live mode" in refused.json()["error"]["description"]


def test_items_and_carts_are_opened_for_payment(shop: ServiceShop) -> None:
    item = shop.http.post(
        "/api/v1/checkout/item", json={**CART, "product_id": "prod_pro", "price_id": "price_pro", "quantity": 2}
    )
    lines = [{"price_id": "price_pro", "quantity": 1}, {"price_id": "price_basic", "quantity": 4}]
    cart = shop.http.post("/api/v1/checkout/cart", json={**CART, "items": lines})
    empty = shop.http.post("/api/v1/checkout/cart", json={**CART, "items": []})

    assert (item.status_code, cart.json()["item_count"], empty.status_code) == (200, 2, 400)
    assert [session["mode"] for session in sessions(shop)] == ["payment", "payment"]
    assert sessions(shop)[1]["line_items"]["1"] == {"price": "price_basic", "quantity": "4"}


def test_item_whose_price_stripe_does_not_know_is_refused_by_name(shop: ServiceShop) -> None:
    body = {**CART, "product_id": "prod_pro", "price_id": "price_none"}
    refused = shop.http.post("/api/v1/checkout/item", json=body)

    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "PRICE_NOT_FOUND")


def test_one_user_can_open_so_many_checkouts_a_minute(open_shop: OpenShops) -> None:
    shop = open_shop(checkout_limit="2/minute")

    assert [shop.buy().status_code for _ in range(3)] == [200, 200, 429]
    assert shop.buy("usr_2").status_code == 200


def test_checkout_that_was_cut_off_is_gone_on_with_at_once_under_its_key(shop: ServiceShop) -> None:
    holder = hashlib.sha256(b"default\0one").hexdigest()
    with shop.service.database.writing() as session:
        insert(session, LeaseRow, {"name": "checkout:usr_1:main", "holder": holder, "until": time.time() + 20})

    assert shop.buy(key="one").status_code == 200


class TestOneSession:
    def test_state_is_stripes_of_this_moment_until_it_is_settled(self, shop: ServiceShop) -> None:
        opened = shop.buy().json()["checkout_session_id"]
        address = f"/api/v1/checkout/sessions/{opened}"
        assert shop.http.get(address).json()["status"] == "open"
        shop.stripe.pay(opened)
        shop.post(shop.stripe.event("checkout.session.completed", shop.stripe.things["checkout/sessions"][opened]))

        told = shop.http.get(address).json()

        assert (told["status"], told["payment_status"], told["user_id"]) == ("complete", "paid", "usr_1")
        assert told["subscription_id"] == shop.status()["subscription_id"]
        asked = len(shop.stripe.log)
        shop.http.get(address)
        assert len(shop.stripe.log) == asked

    def test_expired_session_is_told_as_such_again_and_again(self, shop: ServiceShop) -> None:
        opened = shop.buy().json()["checkout_session_id"]
        closing = [shop.http.post(f"/api/v1/checkout/sessions/{opened}/expire") for _ in range(2)]

        assert [(one.status_code, one.json()["status"]) for one in closing] == [(200, "expired")] * 2

    def test_paid_session_can_not_be_closed(self, shop: ServiceShop) -> None:
        opened = shop.buy().json()["checkout_session_id"]
        shop.stripe.pay(opened)

        refused = shop.http.post(f"/api/v1/checkout/sessions/{opened}/expire")

        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "SESSION_NOT_OPEN")
        assert refused.json()["session"]["status"] == "complete"
        assert shop.status()["exists"]

    def test_session_of_another_project_is_not_there(self, shop: ServiceShop) -> None:
        shop.stripe.put("customers", "cus_x", created=1, metadata={})
        shop.stripe.put("checkout/sessions", "cs_test_x", metadata={"user_id": "usr_1", "project": "other"})

        for own in ("cs_test_x", "cs_test_none"):
            missing = shop.http.get(f"/api/v1/checkout/sessions/{own}")
            assert (missing.status_code, missing.json()["error"]["code"]) == (404, "SESSION_NOT_FOUND")


def test_session_that_was_just_paid_is_told_as_paid_at_once(shop: ServiceShop) -> None:
    """Whoever presses Stripe's back link a second after paying is not told that nothing was charged."""
    opened = shop.buy().json()["checkout_session_id"]
    shop.stripe.pay(opened)

    told = shop.http.get(f"/api/v1/checkout/sessions/{opened}").json()

    assert (told["status"], told["payment_status"]) == ("complete", "paid")
