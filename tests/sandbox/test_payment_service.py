"""The sandbox's Payment MS beyond what was recorded: its shapes, its limits, its customers."""

import pytest

from tests.sandbox.shop import BACK, PRICE, PRODUCT, RETURN, Shop


def test_nothing_bought_reads_as_none_in_each_shape(shop: Shop) -> None:
    answers = {}
    for shape in ("documented", "openapi", "running"):
        shop.set(status_shape=shape)
        answers[shape] = shop.status()

    none = {"status": "none", "subscription_id": "", "current_period_end": "0001-01-01T00:00:00Z", "product_id": ""}
    assert answers == {"documented": none, "openapi": {"exists": False}, "running": {"exists": False}}


@pytest.mark.parametrize(
    ("shape", "fields"),
    [
        ("documented", ["status", "subscription_id", "current_period_end", "product_id"]),
        ("openapi", ["exists", "status", "subscription_id", "customer_id", "current_period_end"]),
        ("running", ["customer_id", "exists", "period_end", "stripe_subscription_id"]),
    ],
)
def test_subscription_reads_in_each_shape(shop: Shop, shape: str, fields: list[str]) -> None:
    shop.set(status_shape=shape)

    shop.buy()

    assert list(shop.status()) == fields


def test_running_shape_says_exists_of_a_canceled_subscription(shop: Shop) -> None:
    shop.buy()
    before = shop.status()

    shop.control("POST", f"subscriptions/{shop.subscription()['id']}/cancel")
    shop.settle()

    assert shop.status() == before
    assert shop.subscription()["status"] == "canceled"


def test_portal_answers_in_the_other_shape_when_set(shop: Shop) -> None:
    shop.buy()
    shop.set(portal_shape="url")

    answer = shop.payment("POST", "/api/v1/portal", {"user_id": "user_1", "return_url": "http://app.test/"})

    assert list(answer.json()) == ["url"]


def test_portal_of_a_user_who_never_paid_is_refused(shop: Shop) -> None:
    shop.checkout()

    answer = shop.payment("POST", "/api/v1/portal", {"user_id": "user_1", "return_url": "http://app.test/"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "NO_STRIPE_CUSTOMER")


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([{"price_id": PRICE, "quantity": 1}] * 21, id="21 lines"),
        pytest.param([{"price_id": PRICE, "quantity": 0}], id="quantity 0"),
        pytest.param([{"quantity": 1}], id="no price"),
    ],
)
def test_bad_cart_is_refused(shop: Shop, items: list[dict[str, object]]) -> None:
    body = {"user_id": "u", "email": "a@b.c", "items": items, "success_url": RETURN, "cancel_url": BACK}

    answer = shop.payment("POST", "/api/v1/checkout/cart", body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_FAILED")


def test_wrong_type_in_a_body_is_an_invalid_body(shop: Shop) -> None:
    answer = shop.payment("POST", "/api/v1/checkout/item", {"user_id": 7})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_BODY")


def test_unknown_price_is_refused_when_set(shop: Shop) -> None:
    shop.set(unknown_prices="refuse")
    body = {"user_id": "u", "email": "a@b.c", "product_id": PRODUCT, "price_id": "price_nobody_has"}

    answer = shop.payment("POST", "/api/v1/checkout/subscription", body | {"success_url": RETURN, "cancel_url": BACK})

    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "STRIPE_ERROR")


def test_openapi_documents_a_status_that_the_running_shape_lacks(shop: Shop) -> None:
    shop.buy()

    document = shop.http.get(f"{shop.running.payment_ms_url}/openapi.json").json()

    documented = document["components"]["schemas"]["SubscriptionStatus"]["properties"]
    assert "status" in documented
    assert "status" not in shop.status()


def test_registered_price_can_be_bought_under_its_name(shop: Shop) -> None:
    plans = [{"name": "Pro", "pricing": {"monthly": 2900}}]
    made = shop.payment("POST", "/admin/products/register", {"project_name": "p1", "plans": plans}).json()
    product = made["products"][0]

    session = shop.checkout(
        product_id=product["stripe_product_id"], price_id=product["prices"]["monthly"]["stripe_price_id"]
    )

    page = shop.http.get(session["checkout_url"])
    assert "Subscribe to Pro" in page.text
    assert "$29.00" in page.text
