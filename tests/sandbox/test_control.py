"""The control panel, as HTTP calls and as pages."""

import pytest

from sandbox.control.scenarios import SCENARIO_NAMES, SCENARIOS
from tests.sandbox.shop import Shop, text_of

WORDS = ("active", "trialing", "past_due", "unpaid", "incomplete", "incomplete_expired", "paused", "canceled", "on_ice")


@pytest.mark.parametrize("word", WORDS)
def test_subscription_moves_into_any_state(shop: Shop, word: str) -> None:
    session = shop.sign_in()
    user_id = session["user_context"]["user_id"]
    shop.set(status_shape="documented")
    shop.buy(user_id)

    shop.control("POST", f"subscriptions/{shop.subscription(user_id)['id']}/state", {"status": word})
    shop.settle()

    assert shop.status(user_id)["status"] == word
    assert shop.refresh(session["session_id"])["user_context"]["subscription_status"] == word


@pytest.mark.parametrize("state", sorted(SCENARIO_NAMES))
def test_each_state_of_the_page_can_be_reached_at_once(shop: Shop, state: str) -> None:
    shop.sign_in("ada")

    answer = shop.http.post(f"{shop.running.stripe_url}/states/ada/{state}")

    assert answer.headers["location"].startswith("/states?said=Ada+Lovelace")
    assert shop.control("GET", "health")["waiting_webhooks"] == 0


def test_states_page_shows_every_state_side_by_side(shop: Shop) -> None:
    page = shop.http.get(f"{shop.running.stripe_url}/states")

    for scenario in SCENARIOS:
        assert f'data-testid="state-{scenario.name}"' in page.text


def test_two_live_subscriptions_can_be_had(shop: Shop) -> None:
    shop.control("POST", "users/user_1/state", {"status": "two_live"})

    products = {one["product_id"] for one in shop.control("GET", "subscriptions?user_id=user_1")}
    assert len(products) == 2
    assert all(shop.status(product_id=product)["exists"] for product in products)


def test_put_in_another_state_leaves_nothing_of_the_first(shop: Shop) -> None:
    for state in ("unavailable", "two_live", "past_due", "none"):
        shop.control("POST", "users/user_1/state", {"status": state})

    assert shop.control("GET", "subscriptions?user_id=user_1") == []
    assert shop.control("GET", "faults") == []
    assert shop.control("GET", "payment-records?user_id=user_1") == []


def test_pay_without_a_browser(shop: Shop) -> None:
    session = shop.checkout()["checkout_session_id"]

    paid = shop.control("POST", f"pay/{session}", {"card": "4000002500003155", "promotion": "HALF"})

    assert (paid["status"], paid["promotion"]) == ("complete", "HALF")
    again = shop.http.post(f"{shop.running.control_url}/pay/{session}")
    assert again.status_code == 409


def test_declined_without_a_browser(shop: Shop) -> None:
    session = shop.checkout()["checkout_session_id"]

    answer = shop.http.post(f"{shop.running.control_url}/pay/{session}", json={"card": "4000000000000002"})

    assert (answer.status_code, answer.json()["detail"]) == (402, "Your card was declined. Try another card.")


def test_expired_session_can_be_made_at_will(shop: Shop) -> None:
    session = shop.checkout()

    shop.control("POST", f"sessions/{session['checkout_session_id']}/expire")

    assert "This checkout has expired" in shop.http.get(session["checkout_url"]).text


def test_payment_ms_can_be_made_to_forget(shop: Shop) -> None:
    shop.buy()

    shop.control("DELETE", f"payment-records/{shop.subscription()['id']}")

    assert shop.status() == {"exists": False}
    assert shop.subscription()["status"] == "active"


def test_reset_leaves_an_empty_sandbox(shop: Shop) -> None:
    shop.buy()
    shop.set(latency=0.01)
    shop.control("POST", "clock/advance", {"days": 3})

    shop.control("POST", "reset")

    assert shop.control("GET", "events") == []
    assert shop.control("GET", "settings")["latency"] == 0
    assert abs(shop.control("GET", "clock")["offset_seconds"]) < 1
    assert shop.control("GET", "subscriptions") == []


def test_panel_shows_what_happened(shop: Shop) -> None:
    shop.buy()

    words = text_of(shop.http.get(shop.running.stripe_url))

    for word in ("prod_sample", "customer.subscription.updated", "payment ms: recorded", "checkout_subscription"):
        assert word in words


@pytest.mark.parametrize(
    ("action", "fields", "said"),
    [
        ("advance", {"hours": "24"}, "in+the+sandbox"),
        ("settings", {"webhook_delay": "5", "all": "yes", "one_connection": "on"}, "Settings+saved"),
        ("settings", {"webhook_delay": "soon"}, "problem="),
        ("settings", {"webhook_delay": "-1"}, "problem="),
        ("preset", {"preset": "webhook_lost"}, "Webhook+lost"),
        ("preset", {"preset": "nothing"}, "No+such+preset"),
        ("subscription", {"subscription": "sub_nothing", "do": "cancel"}, "No+such+subscription"),
        ("user", {"user": "user_1", "do": "sales"}, "subscribed+elsewhere"),
        ("user", {"user": "user_1", "do": "older_front_end"}, "subscribed+elsewhere"),
        ("user", {"user": "user_1", "do": "customer"}, "one+more+customer"),
        ("user", {"user": "user_1", "do": "clear"}, "Billing+forgotten"),
        ("user", {"user": "user_1", "do": "nothing"}, "problem="),
        ("price", {"price": "price_sample", "amount": "3900", "do": "all"}, "0+subscriptions"),
        ("price", {"price": "price_sample", "do": "retire"}, "sells+nothing"),
        ("price", {"price": "price_sample", "amount": "dear", "do": "new"}, "problem="),
        ("restore-price", {"price": "price_sample"}, "as+in+the+catalog"),
        ("reset-settings", {}, "as+at+the+start"),
        ("flush", {}, "0+delivered"),
        ("heal", {}, "fresh+database+connection"),
        ("give", {"user": "user_1", "plan": "premium"}, "grants+premium"),
        ("give", {"user": "user_1", "plan": ""}, "knows+of+no+plan"),
        ("resend", {"event": "evt_nothing"}, "No+such+event"),
        ("state", {"subscription": "sub_nothing"}, "No+such+subscription"),
        ("pay", {"session": "cs_test_nothing"}, "can%27t+be+paid"),
        ("reset", {}, "Everything+is+gone"),
    ],
)
def test_panel_button_says_what_it_did(shop: Shop, action: str, fields: dict[str, str], said: str) -> None:
    answer = shop.http.post(f"{shop.running.stripe_url}/panel/{action}", data=fields)

    assert answer.status_code == 303
    assert said in answer.headers["location"]


def test_panel_moves_pays_and_resends(shop: Shop) -> None:
    session = shop.checkout()["checkout_session_id"]
    panel = f"{shop.running.stripe_url}/panel"

    shop.http.post(f"{panel}/pay", data={"session": session})
    shop.settle()
    shop.http.post(f"{panel}/state", data={"subscription": shop.subscription()["id"], "status": "past_due"})
    shop.settle()
    shop.http.post(f"{panel}/resend", data={"event": shop.control("GET", "events")[0]["id"]})

    assert shop.subscription()["status"] == "past_due"
    assert len(shop.control("GET", "events")[0]["outcomes"]) == 4
