"""Stripe's customer portal as a customer without JavaScript meets it."""

from typing import Any

import pytest

from tests.sandbox.shop import Shop, text_of


def press(shop: Shop, portal: str, action: str, **fields: str) -> Any:
    """Post one of the portal's forms; a redirect back to the portal is followed."""
    subscription = shop.subscription()["id"]
    answer = shop.http.post(f"{portal}/{subscription}/{action}", data=fields, follow_redirects=True)
    shop.settle()
    return answer


def test_portal_lists_the_subscription_and_the_way_back(shop: Shop) -> None:
    shop.buy()

    page = shop.http.get(shop.portal_url())

    assert 'data-status="active"' in page.text
    assert 'href="http://app.test/account" data-testid="portal-return"' in page.text
    assert "Renews on" in page.text


def test_cancel_at_period_end_can_be_undone(shop: Shop) -> None:
    shop.buy()
    portal = shop.portal_url()

    canceled = press(shop, portal, "cancel")
    ending = shop.subscription()["cancel_at_period_end"]
    press(shop, portal, "resume")

    assert "Ends on" in text_of(canceled)
    assert ending is True
    assert shop.subscription()["cancel_at_period_end"] is False


def test_auth_ms_can_call_an_ending_plan_canceled(shop: Shop) -> None:
    session = shop.sign_in()
    user_id = session["user_context"]["user_id"]
    shop.set(cancellation_word="canceled")
    shop.buy(user_id)

    shop.control("POST", f"subscriptions/{shop.subscription(user_id)['id']}/cancel-at-period-end")
    shop.settle()

    context = shop.refresh(session["session_id"])["user_context"]
    assert (context["subscription_status"], context["subscription_plan"]) == ("canceled", "")
    assert context["expires_at"] == shop.status(user_id)["period_end"]


def test_cancel_now_ends_at_once_and_is_told(shop: Shop) -> None:
    shop.set(status_shape="openapi")
    shop.buy()

    press(shop, shop.portal_url(), "cancel-now")

    assert shop.status()["status"] == "canceled"


def test_switch_moves_the_subscription_to_the_other_product(shop: Shop) -> None:
    shop.control("POST", "users/user_1/state", {"status": "active"})
    old = shop.subscription()
    page = shop.http.get(shop.portal_url())
    other = next(
        line.split('"')[0]
        for line in page.text.split('name="price" value="')[1:]
        if line.split('"')[0] != old["price_id"]
    )

    press(shop, shop.portal_url(), "switch", price=other)

    new = shop.subscription()
    assert (new["id"], new["price_id"]) == (old["id"], other)
    assert shop.status(product_id=new["product_id"])["stripe_subscription_id"] == old["id"]


@pytest.mark.parametrize("state", ["past_due", "unpaid", "incomplete"])
def test_new_card_pays_what_is_open(shop: Shop, state: str) -> None:
    shop.control("POST", "users/user_1/state", {"status": state})
    portal = shop.portal_url()

    declined = press(shop, portal, "card", card="4000 0000 0000 0002")
    press(shop, portal, "card", card="4242 4242 4242 4242")

    assert declined.status_code == 422
    assert shop.subscription()["status"] == "active"
    assert {invoice["status"] for invoice in shop.control("GET", "invoices?user_id=user_1")} == {"paid"}


def test_customers_cannot_act_on_each_others_subscription(shop: Shop) -> None:
    shop.buy("user_1")
    shop.buy("user_2")
    victim = shop.subscription("user_1")["id"]

    answer = shop.http.post(f"{shop.portal_url('user_2')}/{victim}/cancel-now")

    assert answer.status_code == 404
    assert shop.subscription("user_1")["status"] == "active"


def test_second_click_on_an_ended_subscription_changes_nothing(shop: Shop) -> None:
    shop.buy()
    portal = shop.portal_url()
    press(shop, portal, "cancel-now")
    events = len(shop.control("GET", "events"))

    for action in ("cancel", "cancel-now", "resume"):
        press(shop, portal, action)

    assert len(shop.control("GET", "events")) == events


def test_unknown_portal_link_is_a_page(shop: Shop) -> None:
    page = shop.http.get(f"{shop.running.stripe_url}/p/session/test_bps_nothing")

    assert (page.status_code, "This link has expired" in page.text) == (404, True)


def test_address_for_receipts_can_be_changed(shop: Shop) -> None:
    shop.buy()
    portal = shop.portal_url()

    wrong = shop.http.post(f"{portal}/email", data={"email": "nothing"})
    saved = shop.http.post(f"{portal}/email", data={"email": "bills@example.com"}, follow_redirects=True)

    assert (wrong.status_code, "Enter an e-mail address" in wrong.text) == (422, True)
    assert 'value="bills@example.com"' in saved.text
    assert shop.control("GET", "events?user_id=user_1")[0]["type"] == "customer.updated"


def test_booked_change_is_said_to_be_booked(shop: Shop) -> None:
    shop.set(plan_changes="period_end")
    shop.control("POST", "users/user_1/state", {"status": "active"})

    page = press(shop, shop.portal_url(), "switch", price="price_sandbox_basic_month")

    assert "Your plan changes at the end of the period" in page.text
    assert shop.subscription()["scheduled_change"]["line"]["price_id"] == "price_sandbox_basic_month"
