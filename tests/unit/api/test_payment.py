"""`/api/payment/*`: the same checkouts, guards and words as the buttons', and the sandbox's own record as witness."""

import asyncio

import pytest

from services.sessions.service import Session
from tests.unit.api.api_world import ApiWorld, Browser


async def test_checkout_returns_the_hosted_page_and_its_session(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()

    answer = await browser.post("/api/payment/checkout", json={"price_id": api.price()})

    assert answer.status_code == 200
    assert answer.json()["checkout_url"].startswith(api.sandbox.stripe_url)
    assert answer.json()["checkout_session_id"].startswith("cs_test_")


async def test_second_call_returns_the_open_checkout_session(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()

    answers = [await browser.post("/api/payment/checkout", json={"price_id": api.price()}) for _ in range(2)]
    together = await asyncio.gather(
        *(browser.post("/api/payment/checkout", json={"price_id": api.price()}) for _ in range(10))
    )

    assert len({answer.text for answer in [*answers, *together]}) == 1


async def test_addresses_and_people_in_the_body_are_ignored(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()
    body = {
        "price_id": api.price(),
        "success_url": "https://evil.example/won",
        "cancel_url": "https://evil.example/lost",
        "user_id": "usr_somebody_else",
        "email": "other@example.com",
        "amount_total": 1,
    }

    answer = await browser.post("/api/payment/checkout", json=body)
    await browser.pay(answer.json()["checkout_url"])

    me = (await browser.get("/api/me")).json()
    requests = str(await api.control("GET", "requests?bodies=true"))
    assert "evil.example" not in requests
    assert "usr_somebody_else" not in requests
    events = await api.control("GET", "events")
    assert {event["user_id"] for event in events} == {me["user_id"]}


async def test_a_product_that_is_not_the_prices_own_is_not_sold(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()
    right = api.container.catalog.offer(api.price()).product_id

    wrong = await browser.post("/api/payment/checkout", json={"price_id": api.price(), "product_id": "prod_other"})
    fine = await browser.post("/api/payment/checkout", json={"price_id": api.price(), "product_id": right})

    assert (wrong.status_code, wrong.json()["code"]) == (404, "price_not_sold")
    assert fine.status_code == 200


async def test_a_price_that_changed_under_the_page_is_shown_again(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()

    answer = await browser.post("/api/payment/checkout", json={"price_id": api.price(), "amount": 1})

    assert (answer.status_code, answer.json()["code"]) == (409, "catalog_changed")


async def test_another_plan_is_refused_with_the_open_checkout_to_go_on_with(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()
    first = (await browser.post("/api/payment/checkout", json={"price_id": api.price("premium")})).json()

    refused = await browser.post("/api/payment/checkout", json={"price_id": api.price("basic")})
    instead = await browser.post(
        "/api/payment/checkout", json={"price_id": api.price("basic"), "instead_of": first["checkout_id"]}
    )

    assert (refused.status_code, refused.json()["code"]) == (409, "checkout_in_progress")
    assert refused.json()["checkout_url"] == first["checkout_url"]
    assert refused.json()["checkout_session_id"] == first["checkout_session_id"]
    assert refused.json()["checkout_id"] == first["checkout_id"]
    assert instead.status_code == 200


async def test_a_session_that_is_dead_at_stripe_is_given_up_by_name(api: ApiWorld) -> None:
    browser, item = await api.browser().sign_in(), api.container.catalog.items[0]
    for body in ({"price_id": api.price()}, {"price_id": item.price.price_id, "quantity": item.min_quantity}):
        dead = (await browser.post("/api/payment/checkout", json=body)).json()
        await api.control("POST", f"sessions/{dead['checkout_session_id']}/expire")

        again = (await browser.post("/api/payment/checkout", json=body)).json()
        fresh = await browser.post("/api/payment/checkout", json={**body, "instead_of": again["checkout_id"]})

        assert again == dead
        assert fresh.json()["checkout_session_id"] != dead["checkout_session_id"]


async def test_another_quantity_of_an_item_is_a_question_that_names_the_open_one(api: ApiWorld) -> None:
    browser, item = await api.browser().sign_in(), api.container.catalog.items[0]
    body = {"price_id": item.price.price_id, "quantity": item.min_quantity}
    first = (await browser.post("/api/payment/checkout", json=body)).json()

    refused = await browser.post("/api/payment/checkout", json={**body, "quantity": item.max_quantity})

    assert (refused.status_code, refused.json()["checkout_id"]) == (409, first["checkout_id"])


@pytest.mark.parametrize("shown", [{"currency": "eur"}, {"interval": "year"}, {"trial_days": 14}, {"amount": 2800}])
async def test_other_terms_than_are_sold_are_a_review(api: ApiWorld, shown: dict[str, object]) -> None:
    browser = await api.browser().sign_in()

    answer = await browser.post("/api/payment/checkout", json={"price_id": api.price(), **shown})

    assert (answer.status_code, answer.json()["code"]) == (409, "catalog_changed")
    assert await api.control("GET", "sessions") == []


async def test_a_cart_is_sold_at_the_total_that_was_shown(api: ApiWorld) -> None:
    browser, price = await api.browser().sign_in(), api.item_price()
    cart = (await browser.put(f"/api/cart/{price}", json={"quantity": 2})).json()

    other = await browser.post("/api/payment/cart", json={"total": cart["total"] - 1})
    foreign = await browser.post("/api/payment/cart", json={"total": cart["total"], "currency": "eur"})
    sold = await browser.post("/api/payment/cart", json={"total": cart["total"], "currency": cart["currency"]})
    again = await browser.post("/api/payment/cart")
    fresh = await browser.post("/api/payment/cart", json={"instead_of": sold.json()["checkout_id"]})

    assert [one.json()["code"] for one in (other, foreign)] == ["cart_changed", "cart_changed"]
    assert again.json() == sold.json()
    assert fresh.json()["checkout_session_id"] != sold.json()["checkout_session_id"]


async def test_a_subscriber_is_told_where_to_manage_it(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()
    started = (await browser.post("/api/payment/checkout", json={"price_id": api.price()})).json()
    await browser.pay(started["checkout_url"])
    await api.control("GET", "settled")
    await api.container.refresher.ask(await _session(api, browser), "all", fresh=True)

    answer = await browser.post("/api/payment/checkout", json={"price_id": api.price("basic")})
    has = (await browser.get("/api/payment/subscriptions")).json()
    portal = await browser.post("/api/payment/portal", json={"return_to": "/account"})

    assert (answer.status_code, answer.json()["code"]) == (409, "already_subscribed")
    assert answer.json()["manage_url"] == f"{api.url}/payment"
    assert (has["current"]["state"], has["current"]["plan"], has["current"]["access"]) == ("active", "premium", True)
    assert portal.json()["portal_url"].startswith(api.sandbox.stripe_url)


async def test_one_page_of_the_portal_and_a_language_are_passed_on(api: ApiWorld) -> None:
    """Where the Payment MS knows them; a language goes with a checkout too."""
    await api.control("PATCH", "settings", {"contract": 2})
    await api.running.contract_watch.look()
    browser = await api.browser().sign_in()
    started = await browser.post("/api/payment/checkout", json={"price_id": api.price(), "locale": "de"})
    wanted = {"price_id": api.item_price(), "locale": "pt-BR"}
    item = await browser.post("/api/payment/checkout", json=wanted)
    sessions = {one["id"]: one["locale"] for one in await api.control("GET", "sessions")}
    await browser.pay(started.json()["checkout_url"])

    wanted = {"return_to": "/account", "flow": "update_card", "locale": "ja"}
    portal = await browser.post("/api/payment/portal", json=wanted)

    assert [sessions[one.json()["checkout_session_id"]] for one in (started, item)] == ["de", "pt-BR"]
    assert portal.json()["portal_url"].endswith("?flow=update_card")


@pytest.mark.parametrize("wanted", [{"flow": "refund_me"}, {"locale": "de; DROP"}, {"locale": ""}])
async def test_a_page_or_language_that_is_none_is_refused(api: ApiWorld, wanted: dict[str, str]) -> None:
    browser = await api.browser().sign_in()

    answer = await browser.post("/api/payment/portal", json=wanted)

    assert answer.status_code == 422


async def test_portal_without_a_billing_history_is_said_so(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()

    answer = await browser.post("/api/payment/portal", json={})

    assert (answer.status_code, answer.json()["code"]) == (404, "no_billing_account")


async def test_items_are_bought_in_their_quantities(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()
    item = api.container.catalog.items[0]

    fine = await browser.post(
        "/api/payment/checkout", json={"price_id": item.price.price_id, "quantity": item.max_quantity}
    )
    too_many = await browser.post(
        "/api/payment/checkout", json={"price_id": item.price.price_id, "quantity": item.max_quantity + 1}
    )

    assert fine.status_code == 200
    assert (too_many.status_code, too_many.json()["code"]) == (422, "invalid_quantity")


async def test_a_cart_is_filled_shown_bought_and_cleared(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()
    prices = [item.price.price_id for item in api.container.catalog.items[:2]]

    for price in prices:
        put = await browser.put(f"/api/cart/{price}", json={"quantity": 1})
        assert put.status_code == 200
    bought = await browser.post("/api/payment/cart", json={})
    removed = await browser.delete(f"/api/cart/{prices[0]}")
    cleared = await browser.delete("/api/cart")
    empty = await browser.post("/api/payment/cart", json={})

    assert put.json()["count"] == 2
    assert bought.json()["checkout_url"].startswith(api.sandbox.stripe_url)
    assert [line["price_id"] for line in removed.json()["lines"]] == [prices[1]]
    assert cleared.json() == {"lines": [], "count": 0, "total": 0, "currency": None, "gone": 0}
    assert (empty.status_code, empty.json()["code"]) == (422, "cart_empty")


async def test_an_open_checkout_stands_in_what_the_user_has(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()
    started = (await browser.post("/api/payment/checkout", json={"price_id": api.price()})).json()

    has = (await browser.get("/api/payment/subscriptions")).json()

    assert has["current"]["state"] == "none"
    assert has["open_checkout"] == started


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/me"),
        ("GET", "/api/payment/subscriptions"),
        ("GET", "/api/entitlements"),
        ("POST", "/api/payment/checkout"),
        ("POST", "/api/payment/cart"),
        ("POST", "/api/payment/portal"),
    ],
)
async def test_whoever_is_not_signed_in_gets_401(api: ApiWorld, method: str, path: str) -> None:
    body = {"price_id": api.price()} if method == "POST" else None

    answer = await api.browser().request(method, path, json=body)

    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    assert answer.headers["content-type"] == "application/problem+json"


async def _session(api: ApiWorld, browser: Browser) -> Session:
    sessions = api.container.sessions
    found = await sessions.find(browser.cookies[sessions.cookie_name])
    assert isinstance(found, Session)
    return found
