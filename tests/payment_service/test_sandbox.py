"""The service at the sandbox's Stripe, by Stripe's own library: what it is told there is what the sandbox knows."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import time_machine
from stripe.params.checkout import SessionCreateParams

from tests.payment_service.at_sandbox import ToTheSandbox
from tests.payment_service.conftest import OpenShops, ServiceShop
from tests.sandbox.local import LocalShop

PREMIUM, BASIC = "prod_sandbox_premium", "prod_sandbox_basic"


@pytest.fixture
def local() -> Iterator[LocalShop]:
    with LocalShop() as local:
        yield local


@pytest.fixture
def shop(open_shop: OpenShops, local: LocalShop) -> ServiceShop:
    session = requests.Session()
    session.mount("http://", ToTheSandbox(local))
    return open_shop(stripe_session=session, stripe_api_base=local.place.stripe_url)


def buy(shop: ServiceShop, local: LocalShop, *, card: str = "4242424242424242", **fields: Any) -> dict[str, Any]:
    """Buy Premium, and have the service read of it in Stripe's list of events."""
    wanted = {"product_id": PREMIUM, "price_id": f"price_{PREMIUM[5:]}_month", **fields}
    opened = shop.buy(**wanted)
    assert opened.status_code == 200, opened.text
    local.control("POST", f"pay/{opened.json()['checkout_session_id']}", {"card": card})
    local.settle()
    shop.service.webhooks.resync(0)
    answer: dict[str, Any] = opened.json()
    return answer


def test_what_was_bought_is_told_as_the_sandbox_has_it(shop: ServiceShop, local: LocalShop) -> None:
    opened = buy(shop, local)

    status = shop.status(product=PREMIUM)
    assert (status["status"], status["list_amount"], status["next_charge"]["amount"]) == ("active", 2900, 2900)
    session = shop.http.get(f"/api/v1/checkout/sessions/{opened['checkout_session_id']}").json()
    assert (session["status"], session["payment_status"]) == ("complete", "paid")
    assert session["subscription_id"] == status["subscription_id"]
    (invoice,) = shop.http.get("/api/v1/invoices/usr_1").json()["invoices"]
    assert (invoice["status"], invoice["amount_paid"]) == ("paid", 2900)
    assert shop.buy(product_id=BASIC, price_id="price_sandbox_basic_month").status_code == 409


def test_trial_and_a_booked_end_are_told(shop: ServiceShop, local: LocalShop) -> None:
    buy(shop, local, trial_days=14)
    trialing = shop.status(product=PREMIUM)
    assert (trialing["status"], trialing["next_charge"]["at"]) == ("trialing", trialing["trial_end"])

    shop.service.stripe.v1.subscriptions.update(trialing["subscription_id"], {"cancel_at_period_end": True})
    local.settle()
    shop.service.webhooks.resync(0)

    ending = shop.status(product=PREMIUM)
    assert (ending["cancel_at_period_end"], ending["next_charge"]) == (True, None)


@pytest.mark.parametrize("called", ["active", "incomplete"])
def test_nothing_is_said_of_the_next_charge_while_a_debit_is_under_way(
    shop: ServiceShop, local: LocalShop, called: str
) -> None:
    """Canceled in time, and the first debit still arrives days later: "nothing more is charged" would be false."""
    local.control("PATCH", "settings", {"delayed_status": called, "delayed_payment_days": 3})
    buy(shop, local, card="AT611904300234573201")
    assert "next_charge" not in shop.status(product=PREMIUM)
    shop.service.stripe.v1.subscriptions.update(
        shop.status(product=PREMIUM)["subscription_id"], {"cancel_at_period_end": True}
    )
    local.settle()
    shop.service.webhooks.resync(0)

    ending = shop.status(product=PREMIUM)
    assert (ending["status"], ending["cancel_at_period_end"], "next_charge" in ending) == (called, True, False)

    local.days(4)
    local.settle()
    shop.service.webhooks.resync(0)
    ending = shop.status(product=PREMIUM)
    assert (ending["status"], ending["next_charge"]) == ("active", None)
    assert local.amounts("usr_1") == [2900]


def test_flows_of_the_portal_open_at_the_sandbox(shop: ServiceShop, local: LocalShop) -> None:
    buy(shop, local)
    body = {"user_id": "usr_1", "return_url": "https://app.example.com/billing"}

    for flow in ("cancel", "update_card", "change_plan", None):
        opened = shop.http.post("/api/v1/portal", json={**body, "flow": flow})
        assert opened.status_code == 200, opened.text
        assert opened.json()["portal_url"].startswith(local.place.stripe_url)


def test_second_subscription_is_refunded_at_the_sandbox(open_shop: OpenShops, local: LocalShop) -> None:
    session = requests.Session()
    session.mount("http://", ToTheSandbox(local))
    shop = open_shop(stripe_session=session, stripe_api_base=local.place.stripe_url, refund_second=True)
    buy(shop, local)
    local.days(0.01)  # else either could be the first
    stripe = shop.service.stripe.v1
    first = stripe.subscriptions.retrieve(shop.status(product=PREMIUM)["subscription_id"])
    about = first.metadata.to_dict()
    wanted: SessionCreateParams = {
        "mode": "subscription",
        "customer": str(first.customer),
        "success_url": "https://app.example.com/",
        "line_items": [{"price": "price_sandbox_basic_month", "quantity": 1}],
        "metadata": about,
        "subscription_data": {"metadata": about},
    }
    opened = stripe.checkout.sessions.create(wanted)
    local.control("POST", f"pay/{opened.id}")
    local.settle()
    with time_machine.travel(local.control("GET", "clock")["now"]):
        shop.service.webhooks.resync(0)
        (second,) = shop.service.seconds.due()

    assert shop.service.seconds.take_back(second)
    assert stripe.subscriptions.retrieve(second).status == "canceled"
    assert stripe.subscriptions.retrieve(first.id).status == "active"
    refunded = [refund.amount for refund in stripe.refunds.list().data]
    assert refunded == [900]


def test_registered_plans_and_items_can_be_bought(shop: ServiceShop, local: LocalShop) -> None:
    body = {
        "project_name": "x",
        "plans": [{"id": "gold", "name": "Gold", "group": "gold", "pricing": {"monthly": 1200, "yearly": 12000}}],
        "items": [{"id": "hat", "name": "Hat", "amount": 500}],
    }
    made, again = (shop.http.post("/admin/products/register", json=body) for _ in range(2))
    assert (made.status_code, again.status_code, made.json()) == (201, 200, again.json())
    plan = made.json()["products"][0]
    buy(shop, local, product_id=plan["stripe_product_id"], price_id=plan["prices"]["yearly"]["stripe_price_id"])

    status = shop.status(product=plan["stripe_product_id"])
    assert (status["list_amount"], status["interval"]) == (12000, "year")
