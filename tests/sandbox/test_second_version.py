"""The sandbox's Payment MS as it keeps the contract's second version; the first version answers as it always did."""

from typing import Any

import pytest

from tests.sandbox.local import ADA, BASIC, MONTHLY, TRIAL, LocalShop

ASKED = f"/api/v1/subscriptions/{ADA}"


@pytest.fixture
def second(local: LocalShop) -> LocalShop:
    local.set(contract=2)
    return local


def only(shop: LocalShop) -> dict[str, Any]:
    """The only subscription of Ada, as the service tells it."""
    (told,) = shop.payment("GET", ASKED).json()["subscriptions"]
    content: dict[str, Any] = told
    return content


def test_first_version_tells_nothing_of_a_contract_and_knows_no_new_call(local: LocalShop) -> None:
    health = local.http.get(f"{local.place.payment_ms_url}/health").json()
    answers = [
        local.payment("GET", f"/api/v1/invoices/{ADA}"),
        local.payment("GET", "/api/v1/checkout/sessions/cs_test_1"),
        local.payment("POST", "/api/v1/checkout/sessions/cs_test_1/expire"),
    ]

    assert set(health) == {"status", "timestamp", "service"}
    assert [answer.status_code for answer in answers] == [302] * 3
    assert local.payment("GET", ASKED).status_code == 400


def test_health_names_trials_and_concurrency_only_where_they_are_given(second: LocalShop) -> None:
    url = f"{second.place.payment_ms_url}/health"
    given = second.http.get(url).json()["contract"]
    second.set(trials="none", one_connection=True)

    assert given["version"] == 2
    assert {"trial_days", "concurrency"} <= set(given["features"])
    assert {"trial_days", "concurrency"}.isdisjoint(second.http.get(url).json()["contract"]["features"])


@pytest.mark.parametrize(
    ("settings", "promotion", "charge"),
    [
        ({}, "", {"amount": 2900, "tax": 0, "discount": 0}),
        ({}, "HALF", {"amount": 1450, "tax": 0, "discount": 1450}),
        ({"tax": "added"}, "HALF", {"amount": 1726, "tax": 276, "discount": 1450}),
        ({"tax": "included"}, "", {"amount": 2900, "tax": 463, "discount": 0}),
        ({"presentment_currency": "eur"}, "", {"amount": 2668, "currency": "eur"}),
    ],
)
def test_next_charge_is_what_the_books_will_take(
    second: LocalShop, settings: dict[str, object], promotion: str, charge: dict[str, object]
) -> None:
    second.set(**settings)
    second.subscribe(promotion=promotion)

    told = only(second)
    true = second.running_truth()["next_charge"]

    assert told["next_charge"] == {"currency": "usd", "at": told["current_period_end"], **charge}
    assert (true["amount"], true["currency"]) == (told["next_charge"]["amount"], told["next_charge"]["currency"])
    assert (told["list_amount"], told["currency"], told["interval"]) == (2900, "usd", "month")


def test_next_charge_is_null_once_it_ends_and_left_out_where_news_is_late(second: LocalShop) -> None:
    second.subscribe()
    second.set(webhook_mode="lose")
    second.act("cancel-at-period-end")
    late = only(second)
    second.set(webhook_mode="deliver")
    second.act("resume")
    second.act("cancel-at-period-end")
    second.settle()

    assert "next_charge" not in late
    assert only(second)["next_charge"] is None


def test_booked_change_is_told_with_its_price_and_charged(second: LocalShop) -> None:
    second.set(plan_changes="period_end")
    second.subscribe()
    second.act("switch", price_id=BASIC)
    second.settle()

    told = only(second)

    assert told["scheduled_change"]["list_amount"] == told["next_charge"]["amount"] == 900
    assert told["scheduled_change"]["price_id"] == BASIC


def test_session_is_told_and_can_be_ended_once(second: LocalShop) -> None:
    session = second.checkout(ADA, price_id=MONTHLY)["checkout_session_id"]
    path = f"/api/v1/checkout/sessions/{session}"
    opened, ended = second.payment("GET", path).json(), second.payment("POST", f"{path}/expire")
    again = second.payment("POST", f"{path}/expire")

    assert (opened["status"], opened["payment_status"], opened["user_id"]) == ("open", "unpaid", ADA)
    assert [answer.json()["status"] for answer in (ended, again)] == ["expired"] * 2
    assert second.payment("GET", "/api/v1/checkout/sessions/cs_test_no").status_code == 404


def test_paid_session_can_not_be_ended(second: LocalShop) -> None:
    session = second.subscribe()["id"]
    refused = second.payment("POST", f"/api/v1/checkout/sessions/{session}/expire")

    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "SESSION_NOT_OPEN")
    assert refused.json()["session"]["payment_status"] == "paid"


def test_a_group_has_one_payable_session_and_one_live_subscription(second: LocalShop) -> None:
    first = second.checkout(ADA, price_id=BASIC, product_id="prod_sandbox_basic")["checkout_session_id"]
    second.subscribe()
    refused = second.payment(
        "POST", "/api/v1/checkout/subscription",
        {"user_id": ADA, "email": "ada@example.com", "product_id": "prod_sandbox_basic", "price_id": BASIC,
         "success_url": "http://app.test/s", "cancel_url": "http://app.test/c"},
    )  # fmt: skip

    assert second.payment("GET", f"/api/v1/checkout/sessions/{first}").json()["status"] == "expired"
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "SUBSCRIPTION_EXISTS")


def test_a_repeated_key_has_the_same_answer_and_another_body_is_refused(second: LocalShop) -> None:
    def ask(email: str) -> Any:
        body = {"user_id": ADA, "email": email, "product_id": "prod_sandbox_premium", "price_id": MONTHLY,
                "success_url": "http://app.test/s", "cancel_url": "http://app.test/c"}  # fmt: skip
        url = f"{second.place.payment_ms_url}/api/v1/checkout/subscription"
        headers = {"X-API-Key": second.place.api_key, "Idempotency-Key": "key-1"}
        return second.http.post(url, json=body, headers=headers)

    first, again, other = ask("ada@example.com"), ask("ada@example.com"), ask("eve@example.com")

    assert first.json() == again.json()
    assert (other.status_code, other.json()["error"]["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_invoices_are_told_newest_first_with_their_pages(second: LocalShop) -> None:
    second.subscribe()
    second.days(32)
    (newest, first) = second.payment("GET", f"/api/v1/invoices/{ADA}").json()["invoices"]

    assert (newest["amount"], newest["status"], newest["number"][-4:]) == (2900, "paid", "0002")
    assert newest["created"] > first["created"]
    assert "$29.00, paid." in second.http.get(newest["hosted_invoice_url"]).text


def test_portal_leads_straight_to_the_page_that_is_asked_for(second: LocalShop) -> None:
    second.subscribe()
    urls = {
        flow: second.payment(
            "POST", "/api/v1/portal", {"user_id": ADA, "return_url": "http://app.test/account", "flow": flow}
        ).json()["portal_url"]
        for flow in ("cancel", "update_card", "change_plan", "sing")
    }

    assert "<h1>Cancel" in second.http.get(urls["cancel"]).text
    assert "<details open>" in second.http.get(urls["change_plan"]).text
    assert "?" not in urls["sing"]


def test_trial_is_told_with_what_follows_it(second: LocalShop) -> None:
    second.subscribe(TRIAL)
    told = only(second)

    assert told["status"] == "trialing"
    assert told["next_charge"]["at"] == told["trial_end"]


def test_registering_twice_makes_nothing_new_and_tells_all_ids(second: LocalShop) -> None:
    body = {
        "project_name": "shop",
        "plans": [{"id": "gold", "name": "Gold", "pricing": {"monthly": 500}, "group": "main", "currency": "eur"}],
        "items": [{"id": "mug", "name": "Mug", "description": "", "amount": 700, "currency": "eur"}],
    }
    made, again = (second.payment("POST", "/admin/products/register", body) for _ in range(2))
    dearer = {**body, "items": [{**body["items"][0], "amount": 800}]}  # type: ignore[dict-item]
    moved = second.payment("POST", "/admin/products/register", dearer)

    assert [answer.status_code for answer in (made, again, moved)] == [201, 200, 201]
    assert made.json() == again.json()
    assert moved.json()["items"][0]["stripe_product_id"] == made.json()["items"][0]["stripe_product_id"]
    assert moved.json()["items"][0]["stripe_price_id"] != made.json()["items"][0]["stripe_price_id"]
    assert made.json()["products"][0]["prices"]["monthly"]["currency"] == "eur"


def test_errors_are_json_throughout(second: LocalShop) -> None:
    url = f"{second.place.payment_ms_url}/api/v1"
    answers = [second.http.get(f"{url}/subscriptions/{ADA}"), second.payment("GET", "/api/v1/no-such-call")]

    assert [answer.status_code for answer in answers] == [401, 404]
    assert {answer.headers["content-type"] for answer in answers} == {"application/json"}
