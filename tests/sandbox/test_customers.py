"""Who pays at Stripe: other addresses, two customers of one person, sales, older front ends."""

import pytest

from tests.sandbox.local import ADA, BASIC, MONTHLY, LocalShop
from tests.sandbox.shop import text_of


def test_one_customer_pays_for_everything_by_default(local: LocalShop) -> None:
    local.subscribe()
    local.subscribe(BASIC)

    assert len(local.truth()["customers"]) == 1
    assert local.http.get(local.portal_url(ADA)).text.count('data-testid="portal-subscription"') == 2


def test_customer_for_each_checkout_hides_the_older_ones_from_the_portal(local: LocalShop) -> None:
    local.set(customer_per_checkout=True)
    local.subscribe()
    local.subscribe(BASIC)

    page = local.http.get(local.portal_url(ADA))

    assert len(local.truth()["customers"]) == 2
    assert page.text.count('data-testid="portal-subscription"') == 1
    assert len(local.truth()["subscriptions"]) == 2


def test_sales_subscription_is_the_users_and_nobody_can_tell(local: LocalShop) -> None:
    local.control("POST", f"users/{ADA}/subscriptions", {"origin": "sales", "amount": 50_000})
    local.settle()

    assert local.status(ADA, "prod_sandbox_premium") == {"exists": False}
    subscription = local.running_truth()
    assert (subscription["origin"], subscription["known_as"], local.amounts()) == ("sales", "", [50_000])
    (event,) = local.control("GET", f"events?user_id={ADA}")
    assert [outcome["result"] for outcome in event["outcomes"]] == ["unattributed"]


def test_older_front_end_sends_the_address_as_user_id(local: LocalShop) -> None:
    body = {"origin": "older_front_end", "email": "Ada@example.com"}
    local.control("POST", f"users/{ADA}/subscriptions", body)
    local.settle()

    assert local.status(ADA, "prod_sandbox_premium") == {"exists": False}
    assert local.status("ada@example.com", "prod_sandbox_premium")["exists"] is True
    assert local.running_truth()["known_as"] == "ada@example.com"


def test_subscription_that_began_long_ago_is_in_the_period_that_runs(local: LocalShop) -> None:
    local.control("POST", f"users/{ADA}/subscriptions", {"origin": "checkout", "days_ago": 100})

    assert len(local.amounts()) == 4
    subscription = local.running_truth()
    assert subscription["period_start"] < local.truth()["now"] < subscription["period_end"]


def test_address_changed_at_the_account_is_the_same_user(local: LocalShop) -> None:
    before = local.control("POST", "users", {"email": "ada@example.com"})["user_id"]

    local.control("PATCH", f"users/{before}", {"email": "ada@new.example"})

    assert local.control("POST", "users", {"email": "ada@new.example"})["user_id"] == before
    local.http.post(
        f"{local.place.auth_ms_url}/auth/google", data={"user": "ada", "redirect_uri": "http://app.test/auth/callback"}
    )
    users = {user["user_id"]: user["email"] for user in local.control("GET", "users")}
    assert users[before] == "ada@new.example"


def test_address_changed_at_stripe_leaves_the_account_alone(local: LocalShop) -> None:
    user = local.control("POST", "users", {"email": "ada@example.com"})["user_id"]
    local.subscribe(user_id=user)

    changed = local.control("PATCH", f"users/{user}/customers", {"email": "billing@ada.example"})

    assert [customer["email"] for customer in changed] == ["billing@ada.example"]
    assert local.truth(user)["ids"] == [user, "ada@example.com"]
    assert local.truth(user)["events"][0]["type"] == "customer.updated"


def test_address_typed_at_the_checkout_is_where_the_receipt_goes(local: LocalShop) -> None:
    session = local.checkout(ADA)

    local.control("POST", f"pay/{session['checkout_session_id']}", {"email": "other@example.com"})

    assert local.truth()["sessions"][0]["email"] == "other@example.com"
    assert local.running_truth()["email"] == "other@example.com"


@pytest.mark.parametrize(
    ("setting", "hook"), [("portal_cancel", "portal-cancel"), ("portal_plan_change", "portal-switch")]
)
def test_portal_can_lack_what_people_expect_of_it(local: LocalShop, setting: str, hook: str) -> None:
    local.subscribe()
    whole = local.http.get(local.portal_url(ADA)).text

    local.set(**{setting: False})

    assert f'data-testid="{hook}"' in whole
    assert f'data-testid="{hook}"' not in local.http.get(local.portal_url(ADA)).text
    local.http.post(f"{local.portal_url(ADA)}/{local.subscription(ADA)['id']}/cancel", data={})
    local.http.post(f"{local.portal_url(ADA)}/{local.subscription(ADA)['id']}/switch", data={"price": BASIC})
    kept = local.running_truth()
    assert (kept["renews"], kept["price_id"] == MONTHLY) == (
        (True, False) if setting == "portal_cancel" else (False, True)
    )


def test_portal_names_a_booked_change_and_a_pause(local: LocalShop) -> None:
    local.set(plan_changes="period_end")
    local.subscribe()
    local.act("switch", price_id=BASIC)
    booked = text_of(local.http.get(local.portal_url(ADA)))
    local.act("pause")

    assert "Changes to Basic on" in booked
    assert "Nothing is collected" in text_of(local.http.get(local.portal_url(ADA)))
