"""Stripe's hosted Checkout as a buyer without JavaScript meets it."""

import json
from pathlib import Path
from typing import Any

from tests.sandbox.shop import BACK, Shop, text_of

CATALOG: dict[str, Any] = json.loads((Path(__file__).parents[2] / "products.json").read_text(encoding="utf-8"))


def paid_plan() -> dict[str, Any]:
    return next(plan for plan in CATALOG["plans"] if plan["kind"] == "paid")


def test_page_shows_the_order_and_the_way_back(shop: Shop) -> None:
    plan = paid_plan()
    session = shop.checkout(product_id=plan["product_id"], price_id=plan["prices"]["month"]["price_id"])

    page = shop.http.get(session["checkout_url"])

    assert f'href="{BACK}" data-testid="cancel-checkout"' in page.text
    assert 'data-testid="card-number"' in page.text
    assert "no money moves" in page.text
    amount = plan["prices"]["month"]["amount"]
    assert f"${amount // 100}.{amount % 100:02d} per month" in text_of(page)


def test_paying_returns_at_once_and_the_news_follows(shop: Shop) -> None:
    shop.set(webhook_delay=30)
    session = shop.checkout()

    answer = shop.pay(session)

    session_id = session["checkout_session_id"]
    assert answer.status_code == 303
    assert answer.headers["location"] == f"http://app.test/payment/success?session_id={session_id}"
    assert shop.status() == {"exists": False}
    assert shop.control("POST", "webhooks/flush")["delivered"] == 3
    assert shop.status()["exists"] is True


def test_declined_card_can_be_tried_again(shop: Shop) -> None:
    session = shop.checkout()

    declined = shop.pay(session, "4000 0000 0000 0002")
    paid = shop.pay(session)

    assert declined.status_code == 422
    assert "Your card was declined" in declined.text
    assert 'aria-describedby="card-problem card-hint"' in declined.text
    assert paid.status_code == 303


def test_real_looking_card_is_refused_and_not_stored(shop: Shop) -> None:
    session = shop.checkout()

    answer = shop.pay(session, "5555 5555 5555 4444")

    assert answer.status_code == 422
    assert "use one of the test cards" in answer.text
    assert shop.control("GET", "subscriptions") == []


def test_confirmation_step_completes_the_payment(shop: Shop) -> None:
    session = shop.checkout()

    asked = shop.pay(session, "4000 0025 0000 3155")
    page = shop.http.get(shop.running.stripe_url + asked.headers["location"])
    failed = shop.http.post(str(page.url), data={"answer": "fail"})
    shop.pay(session, "4000 0025 0000 3155")
    done = shop.http.post(str(page.url), data={"answer": "complete"})

    assert "Confirm your payment" in page.text
    assert failed.status_code == 422
    assert done.headers["location"].startswith("http://app.test/payment/success?session_id=cs_test_")


def test_second_submit_pays_nothing_more(shop: Shop) -> None:
    session = shop.checkout()

    first, second = shop.pay(session), shop.pay(session)

    assert second.headers["location"] == first.headers["location"]
    assert len(shop.control("GET", "subscriptions?user_id=user_1")) == 1


def test_complete_session_says_so(shop: Shop) -> None:
    session = shop.buy()

    page = shop.http.get(session["checkout_url"])

    assert "This checkout is complete" in page.text
    assert 'data-testid="pay"' not in page.text


def test_session_expires_after_a_day(shop: Shop) -> None:
    session = shop.checkout()

    shop.control("POST", "clock/advance", {"hours": 25})

    assert "This checkout has expired" in shop.http.get(session["checkout_url"]).text
    assert "This checkout has expired" in shop.pay(session).text
    assert shop.control("GET", "subscriptions") == []


def test_promotion_code_takes_a_fifth_off(shop: Shop) -> None:
    session = shop.checkout()

    wrong = shop.http.post(session["checkout_url"] + "/promotion", data={"code": "NOPE"})
    shop.http.post(session["checkout_url"] + "/promotion", data={"code": "welcome20"})

    assert "This code is invalid" in wrong.text
    assert "Subscribe for $8.00" in text_of(shop.http.get(session["checkout_url"]))
    shop.pay(session)
    assert shop.control("GET", "invoices?user_id=user_1")[0]["amount"] == 800


def test_markup_in_an_order_stays_text(shop: Shop) -> None:
    session = shop.checkout(product_id="<script>alert(1)</script>")

    page = shop.http.get(session["checkout_url"])

    assert "<script>" not in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_cart_shows_every_line_and_leaves_no_subscription(shop: Shop) -> None:
    lines = [{"price_id": item["price"]["price_id"], "quantity": 2} for item in CATALOG["items"]]
    session = shop.checkout(kind="cart", items=lines)

    page = text_of(shop.http.get(session["checkout_url"]))
    shop.pay(session)

    assert session["item_count"] == len(lines)
    assert page.count("Quantity 2") == len(lines)
    assert shop.control("GET", "subscriptions") == []
    assert len(shop.control("GET", "invoices?user_id=user_1")) == 1


def test_unknown_session_is_a_page_not_an_error(shop: Shop) -> None:
    page = shop.http.get(f"{shop.running.stripe_url}/c/pay/cs_test_nothing")

    assert page.status_code == 404
    assert "doesn't exist" in page.text.replace("&#39;", "'")
