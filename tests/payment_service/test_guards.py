"""Two sessions were paid all the same: the second is told, and taken back where that is wanted, whatever breaks."""

import json
from typing import Any

import pytest

from tests.payment_service.conftest import OpenShops, ServiceShop

CUT_OFF = ["DELETE subscriptions/{id}", "GET invoices", "GET invoice_payments", "POST refunds"]


def twice(shop: ServiceShop) -> tuple[dict[str, Any], dict[str, Any]]:
    """A user's first subscription, and a second one that our checkout sold a moment later."""
    first = shop.paid(shop.buy().json()["checkout_session_id"])
    second = shop.stripe.subscribe(first["customer"], metadata=first["metadata"], created=first["created"] + 1)
    assert shop.post(shop.stripe.event("customer.subscription.created", second)).status_code == 200
    return first, second


def told(shop: ServiceShop) -> list[str]:
    shop.tell()
    return [json.loads(request.content)["type"] for request in shop.told]


def take_back(shop: ServiceShop) -> None:
    for subscription in shop.service.seconds.due():
        shop.service.seconds.take_back(subscription)


def test_second_is_told_and_left_alone_without_the_setting(shop: ServiceShop) -> None:
    _first, second = twice(shop)
    take_back(shop)

    assert second["status"] == "active"
    assert "subscription.second_found" in told(shop)
    assert 'second_subscriptions_total{result="found"} 1.0' in shop.http.get("/metrics").text


def test_second_is_canceled_and_refunded_in_full(open_shop: OpenShops) -> None:
    shop = open_shop(refund_second=True)
    first, second = twice(shop)
    take_back(shop)

    assert (first["status"], second["status"]) == ("active", "canceled")
    assert [refund["reason"] for refund in shop.stripe.things["refunds"].values()] == ["duplicate"]
    assert "subscription.second_refunded" in told(shop)
    assert shop.service.seconds.due() == []


@pytest.mark.parametrize("lost", CUT_OFF)
def test_taking_back_goes_on_where_it_was_cut_off_and_refunds_once(open_shop: OpenShops, lost: str) -> None:
    shop = open_shop(refund_second=True)
    _first, second = twice(shop)
    shop.stripe.broken = lambda call: 0 if call == lost else None
    take_back(shop)
    shop.stripe.broken = lambda call: None
    shop.service.seconds.take_back(second["id"])

    assert second["status"] == "canceled"
    assert len(shop.stripe.things["refunds"]) == 1


def test_second_is_kept_where_the_first_was_canceled_meanwhile(open_shop: OpenShops) -> None:
    shop = open_shop(refund_second=True)
    first, second = twice(shop)
    first["status"] = "canceled"
    take_back(shop)

    assert second["status"] == "active"
    assert "refunds" not in shop.stripe.things


@pytest.mark.parametrize("how", ["by sales", "long ago"])
def test_what_no_checkout_sold_a_moment_ago_is_never_refunded(open_shop: OpenShops, how: str) -> None:
    shop = open_shop(refund_second=True)
    first = shop.paid(shop.buy().json()["checkout_session_id"])
    first["created"] = 1_600_000_000
    shop.post(shop.stripe.event("customer.subscription.updated", first))
    over = {"metadata": {}} if how == "by sales" else {"metadata": first["metadata"], "created": 1_700_000_000}
    other = shop.stripe.subscribe(first["customer"], **over)
    shop.post(shop.stripe.event("customer.subscription.created", other))
    take_back(shop)

    assert (first["status"], other["status"]) == ("active", "active")
    assert "subscription.second_found" in told(shop)
