"""Stripe's own library talks to the sandbox's Stripe: keys, errors, idempotency, lists, expansion."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import stripe

from sandbox.in_process import settings_in_memory
from tests.sandbox.local import LocalShop
from tests.sandbox.stripe_client import KEY, StripeShop, stripe_client


@pytest.fixture
def shop(local: LocalShop) -> StripeShop:
    return StripeShop(local)


def raw(shop: StripeShop, path: str, **more: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {KEY}", **more.pop("headers", {})}
    return shop.local.http.request(
        more.pop("method", "GET"), f"{shop.local.place.stripe_url}/v1/{path}", headers=headers, **more
    )


def headers_of(answer: stripe.StripeObject) -> Mapping[str, str]:
    assert answer.last_response
    return answer.last_response.headers


def test_key_is_asked_for_and_a_live_one_refused(local: LocalShop) -> None:
    for key in ("sk_live_0123456789", "pk_test_0123456789", "nonsense"):
        with pytest.raises(stripe.AuthenticationError, match=r"Invalid API Key provided: .*\*{4}"):
            stripe_client(local, key).v1.balance.retrieve()

    answer = local.http.get(f"{local.place.stripe_url}/v1/balance")

    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.headers["request-id"].startswith("req_")


def test_only_the_key_that_is_set_is_taken() -> None:
    settings = settings_in_memory(stripe_key=KEY)
    with LocalShop(settings) as local:
        with pytest.raises(stripe.AuthenticationError):
            stripe_client(local, "sk_test_another").v1.balance.retrieve()

        assert stripe_client(local).v1.balance.retrieve().livemode is False


def test_basic_credentials_work_as_at_stripe(shop: StripeShop) -> None:
    answer = shop.local.http.get(f"{shop.local.place.stripe_url}/v1/balance", auth=(KEY, ""))

    assert answer.json()["object"] == "balance"


def test_another_version_of_the_api_is_refused(shop: StripeShop) -> None:
    assert raw(shop, "balance", headers={"Stripe-Version": "2026-03-25.dahlia"}).status_code == 200
    answer = raw(shop, "balance", headers={"Stripe-Version": "2020-08-27"})

    assert answer.status_code == 400
    assert "speaks 2026-08-26.dahlia alone" in answer.json()["error"]["message"]


def test_library_and_sandbox_speak_the_same_version(shop: StripeShop) -> None:
    assert headers_of(shop.v1.balance.retrieve())["stripe-version"] == stripe.api_version


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ({"currency": "usd", "unit_amount": "1"}, "parameter_missing", "product"),
        ({"colour": "red", "currency": "usd", "unit_amount": "1", "product": "p"}, "parameter_unknown", "colour"),
        ({"currency": "usd", "unit_amount": "much", "product": "p"}, "parameter_invalid_integer", "unit_amount"),
        ({"currency": "usd", "unit_amount": "1", "product": ""}, "parameter_invalid_empty", "product"),
        ({"currency": "usd", "unit_amount": "1", "product": "prod_gone"}, "resource_missing", "product"),
        (
            {"currency": "usd", "unit_amount": "1", "product": "p", "metadata[plan][id]": "gold"},
            "",
            "metadata[plan]",
        ),
    ],
)
def test_bad_parameters_are_named(shop: StripeShop, form: dict[str, str], code: str, param: str) -> None:
    answer = raw(shop, "prices", method="POST", data=form)
    error = answer.json()["error"]

    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert (error.get("code", ""), error["param"]) == (code, param)


def test_unknown_things_and_calls_are_errors_of_the_library(shop: StripeShop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such customer: 'cus_gone'") as missing:
        shop.v1.customers.retrieve("cus_gone")
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        shop.v1.payouts.list()

    assert (missing.value.code, missing.value.http_status) == ("resource_missing", 404)


def test_same_idempotency_key_has_the_same_answer_and_is_refused_for_another_call(shop: StripeShop) -> None:
    first = shop.v1.customers.create({"email": "a@b.test"}, {"idempotency_key": "k1"})
    again = shop.v1.customers.create({"email": "a@b.test"}, {"idempotency_key": "k1"})
    with pytest.raises(stripe.IdempotencyError):
        shop.v1.customers.create({"email": "other@b.test"}, {"idempotency_key": "k1"})

    assert again.id == first.id
    assert headers_of(again)["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in headers_of(first)
    shop.local.days(1.01)
    assert shop.v1.customers.create({"email": "other@b.test"}, {"idempotency_key": "k1"}).id != first.id


def test_refused_call_does_not_use_up_its_idempotency_key(shop: StripeShop) -> None:
    wrong: Any = {"email": "no address"}
    with pytest.raises(stripe.InvalidRequestError, match="Invalid email address"):
        shop.v1.customers.create(wrong, {"idempotency_key": "k1"})

    assert shop.v1.customers.create({"email": "a@b.test"}, {"idempotency_key": "k1"}).email == "a@b.test"


def test_lists_are_paged_in_both_ways_and_by_the_library_itself(shop: StripeShop) -> None:
    made = [shop.v1.customers.create({"email": f"{number}@b.test"}).id for number in range(5)][::-1]
    first = shop.v1.customers.list({"limit": 2})
    after = shop.v1.customers.list({"limit": 2, "starting_after": made[1]})
    before = shop.v1.customers.list({"limit": 2, "ending_before": made[3]})

    assert [one.id for one in first.data] == made[:2]
    assert [one.id for one in after.data] == made[2:4]
    assert [one.id for one in before.data] == made[1:3]
    assert (first.has_more, after.has_more, before.has_more) == (True, True, True)
    assert [one.id for one in first.auto_paging_iter()] == made
    with pytest.raises(stripe.InvalidRequestError) as gone:
        shop.v1.customers.list({"starting_after": "cus_gone"})
    assert gone.value.param == "starting_after"


def test_ids_are_expanded_as_deep_as_asked(shop: StripeShop) -> None:
    shop.subscribe()
    with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels"):
        shop.v1.subscriptions.list({"expand": ["data.items.data.price.product"]})
    found = shop.get("subscriptions?expand[]=data.latest_invoice.payments&expand[]=data.customer")["data"][0]

    assert found["customer"]["email"] == "ada@example.com"
    assert found["latest_invoice"]["payments"]["data"][0]["payment"]["payment_intent"].startswith("pi_")
    with pytest.raises(stripe.InvalidRequestError, match=r"cannot be expanded \(data.status\)"):
        shop.v1.subscriptions.list({"expand": ["data.status"]})


def test_planned_faults_hit_the_api_too(shop: StripeShop) -> None:
    shop.local.control("POST", "faults", {"operation": "stripe_customers", "status": 503, "times": 1})
    with pytest.raises(stripe.APIError) as refused:
        shop.customer()

    assert refused.value.http_status == 503
    assert shop.customer().email == "ada@example.com"
    assert shop.local.control("GET", "requests")["by_status"]["stripe_customers"] == {"503": 1, "200": 1}
