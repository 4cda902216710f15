"""From a checkout to a status: what is bought is on record, however the news of it comes."""

from tests.payment_service.conftest import ServiceShop


def test_nobody_has_anything_at_first(shop: ServiceShop) -> None:
    assert shop.status() == {"exists": False}
    assert shop.http.get("/api/v1/subscriptions/usr_1").json()["subscriptions"] == []


def test_a_paid_checkout_is_a_subscription_once_stripe_said_so(shop: ServiceShop) -> None:
    opened = shop.buy().json()
    assert opened["checkout_session_id"].startswith("cs_test_")
    assert opened["livemode"] is False
    assert shop.status() == {"exists": False}

    bought = shop.paid(opened["checkout_session_id"])

    status = shop.status()
    assert (status["exists"], status["status"], status["subscription_id"]) == (True, "active", bought["id"])
    assert (status["list_amount"], status["currency"], status["interval"]) == (2900, "usd", "month")
    assert status["next_charge"]["amount"] == 2900
    assert status["next_charge"]["at"] == status["current_period_end"]
