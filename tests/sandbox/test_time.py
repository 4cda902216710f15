"""What time does to a subscription, by the sandbox's own clock."""

from datetime import UTC, datetime

import pytest

from sandbox.clock import add_interval
from tests.sandbox.shop import Shop


def days(shop: Shop, number: float) -> None:
    shop.control("POST", "clock/advance", {"days": number})


def start(shop: Shop, status: str = "active") -> dict[str, object]:
    shop.control("POST", "users/user_1/state", {"status": status})
    return shop.subscription()


def test_renewal_moves_the_period_on(shop: Shop) -> None:
    before = start(shop)

    days(shop, 32)

    after = shop.subscription()
    assert (after["status"], after["period_start"]) == ("active", before["period_end"])
    assert len(shop.control("GET", "invoices?user_id=user_1")) == 2


def test_trial_ends_in_a_paid_period(shop: Shop) -> None:
    before = start(shop, "trialing")

    days(shop, 15)

    after = shop.subscription()
    assert (after["status"], after["period_start"]) == ("active", before["trial_end"])


@pytest.mark.parametrize("end", ["unpaid", "canceled"])
def test_failed_renewal_is_retried_and_then_given_up(shop: Shop, end: str) -> None:
    start(shop)
    shop.set(renewals="fail", dunning_ends=end)

    days(shop, 32)
    failed = shop.subscription()["status"]
    days(shop, 20)

    assert (failed, shop.subscription()["status"]) == ("past_due", end)


def test_retry_succeeds_once_the_card_pays_again(shop: Shop) -> None:
    start(shop)
    shop.set(renewals="fail")
    days(shop, 32)
    shop.set(renewals="succeed")

    days(shop, 4)

    assert shop.subscription()["status"] == "active"
    assert {invoice["status"] for invoice in shop.control("GET", "invoices?user_id=user_1")} == {"paid"}


def test_card_that_only_pays_once_fails_at_the_renewal(shop: Shop) -> None:
    shop.pay(shop.checkout(), "4000 0000 0000 0341")

    days(shop, 32)

    assert shop.subscription()["status"] == "past_due"


def test_cancellation_takes_effect_with_the_period(shop: Shop) -> None:
    start(shop, "ending")
    days(shop, 25)
    still = shop.subscription()["status"]

    days(shop, 10)

    assert (still, shop.subscription()["status"]) == ("active", "canceled")


def test_incomplete_expires_within_a_day(shop: Shop) -> None:
    start(shop, "incomplete")

    days(shop, 1)

    assert shop.subscription()["status"] == "incomplete_expired"


def test_signed_in_people_stay_signed_in_when_time_is_moved(shop: Shop) -> None:
    session = shop.sign_in()

    days(shop, 400)

    assert shop.refresh(session["session_id"])["session_id"] == session["session_id"]


def test_services_hear_of_what_time_did(shop: Shop) -> None:
    shop.set(status_shape="openapi", renewals="fail")
    start(shop)

    days(shop, 32)

    shop.settle()
    assert shop.status(product_id=str(shop.subscription()["product_id"]))["status"] == "past_due"


def test_month_ends_stay_month_ends() -> None:
    january = datetime(2027, 1, 31, 12, tzinfo=UTC)

    assert add_interval(january, "month") == datetime(2027, 2, 28, 12, tzinfo=UTC)
    assert add_interval(january, "year") == datetime(2028, 1, 31, 12, tzinfo=UTC)
    assert add_interval(datetime(2028, 2, 29, tzinfo=UTC), "year") == datetime(2029, 2, 28, tzinfo=UTC)
