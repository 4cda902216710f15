"""The ways of the running service, and trouble on demand."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.sandbox.shop import BACK, PRICE, PRODUCT, RETURN, Shop

STATUS = f"/api/v1/subscriptions/user_1/{PRODUCT}"


def test_one_connection_bears_one_request_at_a_time(shop: Shop) -> None:
    shop.set(one_connection=True)

    statuses = {shop.payment("GET", STATUS).status_code for _ in range(50)}

    assert statuses == {200}
    assert shop.control("GET", "health")["poisoned"] is False


def test_overlapping_requests_poison_it_until_it_is_healed(shop: Shop) -> None:
    shop.set(one_connection=True, latency=1)
    with ThreadPoolExecutor(2) as two:
        list(two.map(lambda _: shop.payment("GET", STATUS), range(2)))

    poisoned = shop.payment("GET", STATUS)
    shop.control("POST", "payment/heal")

    assert (poisoned.status_code, poisoned.text) == (401, '{"error":"Invalid API key"}\n')
    assert poisoned.headers["content-type"] == "text/plain; charset=utf-8"
    assert shop.payment("GET", STATUS).status_code == 200
    assert shop.control("GET", "requests")["overlap"]["payment"]["most"] == 2


def test_webhook_that_meets_a_call_poisons_it(shop: Shop) -> None:
    session = shop.checkout()
    shop.set(one_connection=True, webhooks_share_connection=True, webhook_delay=0.5, latency=2)

    with ThreadPoolExecutor(1) as one:
        call = one.submit(shop.payment, "GET", STATUS)
        shop.pay(session)

    assert call.result().status_code == 401
    assert shop.control("GET", "health")["poisoned"] is True


def test_purchase_with_nobody_asking_leaves_it_alive(shop: Shop) -> None:
    shop.set(one_connection=True, webhooks_share_connection=True)

    for user in ("user_1", "user_2", "user_3"):
        shop.buy(user)

    assert shop.control("GET", "health")["poisoned"] is False


def test_client_that_leaves_in_the_middle_poisons_it(shop: Shop) -> None:
    shop.set(one_connection=True, latency=30)

    with pytest.raises(httpx.ReadTimeout):
        shop.http.get(shop.running.payment_ms_url + STATUS, headers=shop.key, timeout=0.2)
    shop.set(latency=0)

    assert shop.payment("GET", STATUS).status_code == 401


def test_overlap_does_no_harm_when_the_fault_is_off(shop: Shop) -> None:
    shop.set(latency=0.05)
    with ThreadPoolExecutor(8) as eight:
        answers = list(eight.map(lambda _: shop.payment("GET", STATUS), range(16)))

    assert {answer.status_code for answer in answers} == {200}
    assert shop.control("GET", "requests")["overlap"]["payment"]["most"] > 1


def test_first_checkout_of_a_new_user_fails_once(shop: Shop) -> None:
    shop.set(first_checkout_fails=True)
    body = {"user_id": "new", "email": "a@b.c", "product_id": PRODUCT, "price_id": PRICE}
    urls = {"success_url": RETURN, "cancel_url": BACK}

    first, second = (shop.payment("POST", "/api/v1/checkout/subscription", body | urls) for _ in range(2))

    assert (first.status_code, first.json()["error"]["code"]) == (500, "STRIPE_ERROR")
    assert second.status_code == 200


def test_dropped_subscription_never_appears(shop: Shop) -> None:
    session = shop.sign_in()
    user_id = session["user_context"]["user_id"]
    shop.set(drops_customer_created=True)

    shop.buy(user_id)

    assert shop.subscription(user_id)["status"] == "active"
    assert shop.status(user_id) == {"exists": False}
    assert shop.refresh(session["session_id"])["user_context"]["subscription_status"] == "none"
    assert shop.portal_url(user_id)


def test_fault_hits_so_many_calls_of_one_operation(shop: Shop) -> None:
    shop.control("POST", "faults", {"operation": "subscription_status", "status": 503, "retry_after": "7", "times": 2})

    answers = [shop.payment("GET", STATUS) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert shop.control("GET", "faults") == []


def test_fault_skips_calls_first(shop: Shop) -> None:
    shop.control("POST", "faults", {"operation": "payment", "status": 500, "skip": 1, "times": 1})

    assert [shop.payment("GET", STATUS).status_code for _ in range(3)] == [200, 500, 200]


def test_fault_of_one_user_spares_the_others(shop: Shop) -> None:
    shop.control("POST", "faults", {"operation": "payment", "user_id": "user_1", "status": 503})

    assert shop.payment("GET", STATUS).status_code == 503
    assert shop.payment("GET", f"/api/v1/subscriptions/user_2/{PRODUCT}").status_code == 200


def test_fault_after_the_call_loses_only_its_answer(shop: Shop) -> None:
    shop.control("POST", "faults", {"operation": "checkout_subscription", "status": 502, "after": True, "times": 1})
    body = {"user_id": "user_1", "email": "a@b.c", "product_id": PRODUCT, "price_id": PRICE}

    answer = shop.payment("POST", "/api/v1/checkout/subscription", body | {"success_url": RETURN, "cancel_url": BACK})

    assert answer.status_code == 502
    assert len(shop.control("GET", "sessions?user_id=user_1")) == 1


def test_fault_can_answer_nonsense_or_break_off(shop: Shop) -> None:
    html = {"operation": "portal", "status": 200, "body": "<html>", "content_type": "text/html", "times": 1}
    shop.control("POST", "faults", html)
    shop.control("POST", "faults", {"operation": "subscription_status", "truncate": True, "times": 1})

    assert shop.payment("POST", "/api/v1/portal", {}).text == "<html>"
    with pytest.raises(httpx.RemoteProtocolError):
        shop.payment("GET", STATUS)


def test_fault_of_the_auth_ms(shop: Shop) -> None:
    session = shop.sign_in()
    shop.control("POST", "faults", {"operation": "session_refresh", "status": 500})

    answer = shop.http.post(
        f"{shop.running.auth_ms_url}/auth/session/refresh", json={"session_id": session["session_id"]}
    )

    assert answer.status_code == 500


def test_requests_are_counted_by_operation_and_user(shop: Shop) -> None:
    shop.checkout("user_1")
    shop.status("user_1")
    shop.status("user_1")
    shop.status("user_2")

    counts = shop.control("GET", "requests")

    assert counts["by_operation"] == {"checkout_subscription": 1, "subscription_status": 3}
    assert counts["by_user"]["user_1"] == {"checkout_subscription": 1, "subscription_status": 2}
    assert counts["recent"][0]["user_id"] == "user_2"
    assert shop.control("POST", "requests/reset")["total"] == 0


def test_unknown_setting_or_value_is_refused_and_changes_nothing(shop: Shop) -> None:
    url = f"{shop.running.control_url}/settings"
    before = shop.http.get(url).json()

    answers = [shop.http.patch(url, json=body) for body in ({"nope": 1}, {"status_shape": "round"}, {"latency": -1})]

    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert shop.http.get(url).json() == before
