"""The sandbox's Auth MS: one-time codes, sessions, both answer forms, the plan in both places."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.sandbox.shop import Shop


def test_page_offers_named_people(shop: Shop) -> None:
    page = shop.http.get(
        f"{shop.running.auth_ms_url}/auth/google", params={"redirect_uri": "http://app.test/auth/callback"}
    )

    for name in ("ada", "grace", "linus"):
        assert f'data-testid="sandbox-user-{name}"' in page.text


def test_way_back_keeps_its_query(shop: Shop) -> None:
    answer = shop.http.post(
        f"{shop.running.auth_ms_url}/auth/github",
        data={"email": "new@example.com", "redirect_uri": "http://app.test/auth/callback?state=a%26b&next=/x"},
    )

    target = urlsplit(answer.headers["location"])
    query = parse_qs(target.query)
    assert (target.netloc, target.path) == ("app.test", "/auth/callback")
    assert (query["state"], query["next"]) == (["a&b"], ["/x"])
    assert query["auth_code"][0].startswith("ac_")


@pytest.mark.parametrize("redirect_uri", ["", "javascript:alert(1)", "//elsewhere"])
def test_no_way_back_is_refused(shop: Shop, redirect_uri: str) -> None:
    answer = shop.http.get(f"{shop.running.auth_ms_url}/auth/google", params={"redirect_uri": redirect_uri})

    assert answer.status_code == 400


def test_code_is_good_once(shop: Shop) -> None:
    code = shop.control("POST", "users", {"email": "ada@example.com"})["auth_code"]
    url = f"{shop.running.auth_ms_url}/auth/session/create"

    first, second = (shop.http.post(url, json={"auth_code": code}) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 400)


def test_same_address_is_the_same_user(shop: Shop) -> None:
    first, second = (shop.sign_in("grace")["user_context"]["user_id"] for _ in range(2))

    assert first == second


def test_plan_follows_the_purchase(shop: Shop) -> None:
    session = shop.sign_in()
    user_id = session["user_context"]["user_id"]
    assert session["user_context"]["subscription_status"] == "none"

    shop.control("POST", f"users/{user_id}/state", {"status": "active"})

    context = shop.refresh(session["session_id"])["user_context"]
    assert (context["subscription_status"], context["subscription_plan"]) == ("active", "premium")
    assert context["expires_at"].endswith("Z")


def test_plan_is_found_by_email_too(shop: Shop) -> None:
    session = shop.sign_in()

    shop.buy(user_id="ada@example.com")

    assert shop.refresh(session["session_id"])["user_context"]["subscription_status"] == "active"


def test_plan_stands_under_projects_when_set(shop: Shop) -> None:
    session = shop.sign_in()
    shop.set(plan_place="projects")

    context = shop.refresh(session["session_id"])["user_context"]

    assert "subscription_status" not in context
    assert list(context["projects"]["default"]) == ["subscription_status", "subscription_plan", "expires_at"]


def test_auth_ms_can_be_silent_about_the_plan(shop: Shop) -> None:
    session = shop.sign_in()
    shop.set(plan_place="silent")

    context = shop.refresh(session["session_id"])["user_context"]

    assert list(context) == ["user_id", "name", "email", "picture"]


def test_older_version_answers_flat(shop: Shop) -> None:
    session = shop.sign_in()
    shop.set(auth_shape="flat", plan_place="silent")

    assert set(shop.refresh(session["session_id"])) == {"success", "user_id", "email", "name", "picture"}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"session_id": 5}', b'{"session_id": "ses_x"}'])
def test_unknown_session_is_refused(shop: Shop, body: bytes) -> None:
    answer = shop.http.post(f"{shop.running.auth_ms_url}/auth/session/refresh", content=body)

    assert answer.status_code == 401


def test_signed_out_everywhere(shop: Shop) -> None:
    session = shop.sign_in()

    shop.control("POST", f"users/{session['user_context']['user_id']}/sign-out")

    url = f"{shop.running.auth_ms_url}/auth/session/refresh"
    assert shop.http.post(url, json={"session_id": session["session_id"]}).status_code == 401


def test_given_plan_needs_no_subscription(shop: Shop) -> None:
    session = shop.sign_in()
    user_id = session["user_context"]["user_id"]

    shop.control("PUT", f"users/{user_id}/plan", {"status": "active", "plan": "premium"})
    given = shop.refresh(session["session_id"])["user_context"]
    shop.control("DELETE", f"users/{user_id}/plan")
    taken = shop.refresh(session["session_id"])["user_context"]

    assert (given["subscription_plan"], taken["subscription_plan"]) == ("premium", "free")
    assert shop.control("GET", f"subscriptions?user_id={user_id}") == []
