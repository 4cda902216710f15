"""What the app and the Auth MS are told: signed, at least once, and not lost while they are away."""

import hashlib
import hmac
import json
from collections.abc import Mapping

import time_machine
from pydantic import JsonValue, SecretStr
from sqlalchemy import select

from api.events import signature_fits
from harness.cluster import until
from payment_service.database import ToldRow
from payment_service.outbox import signature
from tests.payment_service.conftest import APP_SECRET, OpenShops, ServiceShop

plugged: list[tuple[str, Mapping[str, JsonValue]]] = []


def tell_auth(user_id: str, has: Mapping[str, JsonValue]) -> None:
    """A plug-in as an operator might write it."""
    plugged.append((user_id, has))


def tell_nobody(user_id: str, has: Mapping[str, JsonValue]) -> None:
    """A plug-in whose Auth MS is away."""
    raise ConnectionError


def told_of(shop: ServiceShop, host: str) -> list[str]:
    """Return whom this one was told of."""
    return [json.loads(request.content)["user_id"] for request in list(shop.told) if request.url.host == host]


def states(shop: ServiceShop) -> list[str]:
    with shop.service.database.reading() as session:
        return list(session.scalars(select(ToldRow.state)))


def test_event_is_signed_so_that_the_app_takes_it(shop: ServiceShop) -> None:
    session = shop.buy().json()["checkout_session_id"]
    subscription = shop.paid(session)
    shop.tell()

    request = shop.told[0]
    content = json.loads(request.content)
    assert (content["type"], content["user_id"], content["product_id"]) == (
        "checkout.session.completed", "usr_1", "prod_pro",
    )  # fmt: skip
    assert subscription["id"] not in request.content.decode()
    header = request.headers["X-Signature"]
    assert signature_fits(header, request.content, SecretStr(APP_SECRET), int(header[2:].partition(",")[0]))


def test_signature_is_hmac_over_time_and_body() -> None:
    expected = hmac.new(b"secret", b"5.body", hashlib.sha256).hexdigest()

    assert signature("secret", 5, b"body") == f"t=5,v1={expected}"


def test_event_that_was_not_taken_is_sent_again_later(shop: ServiceShop) -> None:
    shop.app_answers.append(503)
    with time_machine.travel("2026-11-30T12:00:00Z", tick=False) as clock:
        shop.paid(shop.buy().json()["checkout_session_id"])
        sent = [shop.tell()]
        sent.append(shop.tell())
        clock.shift(6)
        sent.append(shop.tell())

    assert (sent, states(shop)) == ([1, 0, 1], ["taken"])
    assert json.loads(shop.told[0].content)["id"] == json.loads(shop.told[1].content)["id"]


def test_event_is_given_up_after_three_days(shop: ServiceShop) -> None:
    shop.app_answers.extend([500] * 60)
    with time_machine.travel("2026-11-30T12:00:00Z", tick=False) as clock:
        shop.paid(shop.buy().json()["checkout_session_id"])
        for _ in range(40):
            shop.tell()
            clock.shift(4 * 3600)

    assert states(shop) == ["dead"]
    assert len(shop.told) == 3 * 24 / 4 + 1


def test_two_instances_send_an_event_once_and_one_that_died_in_the_middle_is_followed_up(open_shop: OpenShops) -> None:
    one, other = open_shop(), open_shop()
    with time_machine.travel("2026-11-30T12:00:00Z", tick=False) as clock:
        one.paid(one.buy().json()["checkout_session_id"])
        assert len(one.service.outbox.lease("app")) == 1  # and dies
        assert other.tell() == 0
        clock.shift(61)
        assert other.tell() == 1

    assert states(one) == ["taken"]


def test_auth_ms_is_told_what_the_user_has_now(open_shop: OpenShops) -> None:
    shop = open_shop(auth_events_url="http://auth.test/users/{user_id}/plan", auth_events_token="token of the tests")
    shop.paid(shop.buy("a b").json()["checkout_session_id"])
    shop.tell()

    request = next(request for request in shop.told if request.url.host == "auth.test")
    assert request.url.raw_path == b"/users/a%20b/plan"
    assert request.headers["Authorization"] == "Bearer token of the tests"
    content = json.loads(request.content)
    assert (content["user_id"], content["status"], content["plan"]) == ("a b", "active", "prod_pro")
    assert content["expires_at"] == content["subscriptions"][0]["current_period_end"]


def test_auth_ms_hears_once_of_all_that_is_due_about_a_user(open_shop: OpenShops) -> None:
    shop = open_shop(auth_events_url="http://auth.test/users/{user_id}/plan")
    bought = shop.paid(shop.buy().json()["checkout_session_id"])
    bought["cancel_at_period_end"] = True
    shop.post(shop.stripe.event("customer.subscription.updated", bought))
    other = shop.paid(shop.buy("usr_2").json()["checkout_session_id"])

    assert shop.tell() == 6
    assert sorted(request.url.host for request in shop.told) == ["app.test"] * 3 + ["auth.test"] * 2
    assert (states(shop), other["status"]) == (["taken"] * 6, "active")


def test_app_is_told_after_the_auth_ms_that_it_will_ask(open_shop: OpenShops) -> None:
    shop = open_shop(auth_events_url="http://auth.test/users/{user_id}/plan")
    with time_machine.travel("2026-11-30T12:00:00Z", tick=False):
        shop.paid(shop.buy().json()["checkout_session_id"])
        sent = [shop.service.outbox.send_due(target) for target in ("app", "auth", "app")]

    assert sent == [0, 1, 1]
    assert [request.url.host for request in shop.told] == ["auth.test", "app.test"]


def test_auth_ms_that_never_answers_does_not_delay_the_app(open_shop: OpenShops) -> None:
    shop = open_shop(auth_events_url="http://auth.test/users/{user_id}/plan", with_worker=True)
    shop.auth_answers.clear()
    shop.paid(shop.buy().json()["checkout_session_id"])

    assert until(lambda: bool(told_of(shop, "auth.test")))
    assert until(lambda: told_of(shop, "app.test") == ["usr_1"])


def test_app_is_told_at_once_while_the_auth_ms_is_known_not_to_answer(open_shop: OpenShops) -> None:
    shop = open_shop(auth_events_plugin=f"{__name__}:tell_nobody")
    with time_machine.travel("2026-11-30T12:00:00Z", tick=False):
        shop.paid(shop.buy().json()["checkout_session_id"])
        shop.service.outbox.send_due("auth")
        shop.paid(shop.buy("usr_2").json()["checkout_session_id"])

        assert shop.service.outbox.send_due("app") == 2


def test_plug_in_tells_the_auth_ms_in_its_own_way(open_shop: OpenShops) -> None:
    shop = open_shop(auth_events_plugin=f"{__name__}:tell_auth")
    plugged.clear()
    shop.paid(shop.buy().json()["checkout_session_id"])
    shop.tell()

    (user_id, has), *_ = plugged
    subscriptions = has["subscriptions"]
    assert user_id == "usr_1"
    assert isinstance(subscriptions, list)
    assert len(subscriptions) == 1


def test_event_that_tells_nothing_new_lets_news_pass(open_shop: OpenShops) -> None:
    shop = open_shop(auth_events_url="http://auth.test/users/{user_id}/plan")
    with time_machine.travel("2026-11-30T12:00:00Z", tick=False) as clock:
        bought = shop.paid(shop.buy().json()["checkout_session_id"])
        shop.post(shop.stripe.event("customer.subscription.created", bought))
        shop.post(shop.stripe.event("customer.subscription.updated", bought))
        other = shop.paid(shop.buy("usr_2").json()["checkout_session_id"])

        assert shop.tell() == 4
        assert sorted(told_of(shop, "app.test")) == sorted(told_of(shop, "auth.test")) == ["usr_1", "usr_2"]
        clock.shift(5)
        assert shop.tell() == 4
    assert told_of(shop, "app.test")[2:] == ["usr_1", "usr_1"]
    assert told_of(shop, "auth.test")[2:] == ["usr_1"]
    assert (states(shop), other["status"]) == (["taken"] * 8, "active")


def test_what_another_instance_found_at_stripe_is_told_with_the_next_event(open_shop: OpenShops) -> None:
    """The app hears of it by its question, the Auth MS asks nobody."""
    shop, other = (open_shop(auth_events_url="http://auth.test/users/{user_id}/plan") for _ in range(2))
    with time_machine.travel("2026-11-30T12:00:00Z", tick=False):
        session = shop.buy().json()["checkout_session_id"]
        paid = shop.stripe.pay(session)
        other.http.get("/api/v1/subscriptions/usr_1")
        bought = shop.stripe.things["subscriptions"][paid["subscription"]]
        shop.post(shop.stripe.event("customer.subscription.created", bought))

        assert shop.tell() == 2
    assert told_of(shop, "auth.test") == ["usr_1"]
