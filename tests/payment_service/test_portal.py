"""The portal, its flows, and the invoices."""

from typing import Any

import pytest

from tests.payment_service.conftest import ServiceShop


def portal(shop: ServiceShop, **fields: Any) -> Any:
    body = {"user_id": "usr_1", "return_url": "https://app.example.com/billing", **fields}
    return shop.http.post("/api/v1/portal", json=body)


def opened(shop: ServiceShop) -> dict[str, Any]:
    return list(shop.stripe.things["billing_portal/sessions"].values())[-1]


def test_who_never_bought_anything_has_no_portal_and_no_invoices(shop: ServiceShop) -> None:
    refused = portal(shop)

    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "CUSTOMER_NOT_FOUND")
    assert shop.http.get("/api/v1/invoices/usr_1").json()["invoices"] == []


def test_portal_opens_at_stripe_in_the_readers_language(shop: ServiceShop) -> None:
    shop.paid(shop.buy().json()["checkout_session_id"])

    assert portal(shop, locale="pt-BR").json()["portal_url"].startswith("https://billing.stripe.com/")
    assert opened(shop)["locale"] == "pt-BR"


@pytest.mark.parametrize(("flow", "kind"), [("cancel", "subscription_cancel"), ("change_plan", "subscription_update")])
def test_flow_is_about_the_only_live_subscription(shop: ServiceShop, flow: str, kind: str) -> None:
    own = shop.paid(shop.buy().json()["checkout_session_id"])["id"]
    portal(shop, flow=flow)

    assert opened(shop)["flow_data"] == {"type": kind, kind: {"subscription": own}}


def test_flow_of_the_card_needs_no_subscription(shop: ServiceShop) -> None:
    shop.buy()
    portal(shop, flow="update_card")

    assert opened(shop)["flow_data"] == {"type": "payment_method_update"}


@pytest.mark.parametrize("flow", ["cancel", "something new"])
def test_flow_that_can_not_be_had_is_the_plain_portal(shop: ServiceShop, flow: str) -> None:
    shop.buy()

    assert portal(shop, flow=flow).status_code == 200
    assert "flow_data" not in opened(shop)


def test_flow_that_stripe_refuses_is_the_plain_portal(shop: ServiceShop) -> None:
    shop.paid(shop.buy().json()["checkout_session_id"])
    once = iter([400])
    shop.stripe.broken = lambda call: next(once, None) if call == "POST billing_portal/sessions" else None

    assert portal(shop, flow="cancel").status_code == 200
    assert "flow_data" not in opened(shop)


def test_nobody_can_name_somebody_elses_subscription(shop: ServiceShop) -> None:
    theirs = shop.paid(shop.buy("usr_2").json()["checkout_session_id"])["id"]
    shop.paid(shop.buy().json()["checkout_session_id"])

    assert portal(shop, flow="cancel", subscription_id=theirs).status_code == 200

    assert "flow_data" not in opened(shop)
    assert shop.stripe.things["customers"][opened(shop)["customer"]]["metadata"]["user_id"] == "usr_1"


def test_flow_of_a_subscription_that_has_ended_is_the_plain_portal(shop: ServiceShop) -> None:
    """A page that was drawn before it ended still has the button."""
    ended = shop.paid(shop.buy().json()["checkout_session_id"])
    ended |= {"status": "canceled", "ended_at": 1}
    shop.post(shop.stripe.event("customer.subscription.deleted", ended))

    assert portal(shop, flow="cancel", subscription_id=ended["id"]).status_code == 200

    assert "flow_data" not in opened(shop)


def test_invoices_are_told_without_drafts(shop: ServiceShop) -> None:
    subscription = shop.paid(shop.buy().json()["checkout_session_id"])
    invoices = shop.stripe.things["invoices"]
    invoices["in_draft"] = {**next(iter(invoices.values())), "status": "draft"}

    told = shop.http.get("/api/v1/invoices/usr_1").json()["invoices"]

    assert [(one["status"], one["amount"], one["subscription_id"]) for one in told] == [
        ("paid", 2900, subscription["id"])
    ]
    assert told[0]["hosted_invoice_url"].startswith("https://")


@pytest.mark.parametrize("limit", ["0", "101", "many"])
def test_limit_of_invoices_is_held(shop: ServiceShop, limit: str) -> None:
    assert shop.http.get(f"/api/v1/invoices/usr_1?limit={limit}").status_code == 400
