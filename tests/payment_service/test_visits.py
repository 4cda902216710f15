"""Who was sent to Stripe: what they did there is told before its webhook has come, and never waited for long."""

import threading
from typing import Any

import pytest
import time_machine

from payment_service import visits
from tests.payment_service.conftest import ServiceShop


def told(shop: ServiceShop) -> list[tuple[str, bool]]:
    """Return what a question about the user is answered: status and whether it is canceled."""
    rows: list[dict[str, Any]] = shop.http.get("/api/v1/subscriptions/usr_1").json()["subscriptions"]
    return [(row["status"], row["cancel_at_period_end"]) for row in rows]


def open_portal(shop: ServiceShop) -> None:
    body = {"user_id": "usr_1", "return_url": "https://app.example.com/billing"}
    assert shop.http.post("/api/v1/portal", json=body).status_code == 200


def bought(shop: ServiceShop) -> dict[str, Any]:
    """Buy, and have all of it on record."""
    subscription: dict[str, Any] = shop.paid(shop.buy().json()["checkout_session_id"])
    return subscription


def test_what_was_paid_a_moment_ago_is_told(shop: ServiceShop) -> None:
    shop.stripe.pay(shop.buy().json()["checkout_session_id"])

    assert told(shop) == [("active", False)]


def test_what_was_done_in_the_portal_is_told(shop: ServiceShop) -> None:
    bought(shop)["cancel_at_period_end"] = True
    before = told(shop)
    open_portal(shop)

    assert (before, told(shop)) == ([("active", False)], [("active", True)])


def test_nobody_else_has_stripe_asked(shop: ServiceShop) -> None:
    bought(shop)
    asked = len(shop.stripe.log)
    told(shop)
    with time_machine.travel("2027-11-30T12:00:00Z"):
        open_portal(shop)
    after = len(shop.stripe.log)
    with time_machine.travel("2027-11-30T13:00:00Z"):
        told(shop)

    assert (after, len(shop.stripe.log)) == (asked + 1, asked + 1)


def test_a_stripe_that_does_not_answer_is_not_waited_for(shop: ServiceShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "PATIENCE", 0.01)
    bought(shop)["cancel_at_period_end"] = True
    open_portal(shop)
    answers, looked = threading.Event(), threading.Event()

    def hang(call: str) -> None:
        if call == "GET subscriptions":
            answers.wait()
        looked.set()

    shop.stripe.meanwhile = hang
    during = told(shop)
    answers.set()

    assert during == [("active", False)]
    assert looked.wait(10)


@pytest.mark.parametrize("status", [500, 403])
def test_a_stripe_that_fails_leaves_what_is_on_record(shop: ServiceShop, status: int) -> None:
    bought(shop)
    open_portal(shop)
    shop.stripe.broken = lambda call: status if call == "GET subscriptions" else None

    assert told(shop) == [("active", False)]
