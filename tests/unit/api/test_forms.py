"""What browsers without scripts post: the same use cases, answered by redirects that a page explains."""

import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from services.cart import visitor_owner
from services.sessions.service import account_mark
from tests.unit.api.api_world import ApiWorld


def told(answer: httpx.Response) -> str:
    """Return where a refused press leads, without the moment: that of the press, so that nobody is told it later."""
    location = answer.headers["location"]
    at = int(parse_qs(urlsplit(location).query)["at"][0])
    assert abs(time.time() - at) < 30
    return location.replace(f"at={at}&", "")


async def test_a_checkout_leads_to_the_hosted_page(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()

    answer = await browser.post("/payment/checkout", data={"price_id": api.price(), "amount": "2900"})

    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{api.sandbox.stripe_url}/c/pay/cs_test_")


async def test_a_visitor_signs_in_first_and_comes_back_to_the_price(api: ApiWorld) -> None:
    plan = await api.browser().post("/payment/checkout", data={"price_id": api.price()})
    item = await api.browser().post("/payment/checkout", data={"price_id": api.item_price()})

    assert plan.headers["location"] == f"/login?next=/payment%3Fprice%3D{api.price()}"
    assert item.headers["location"] == f"/login?next=/shop%3Fprice%3D{api.item_price()}"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"price_id": "price_of_nothing"}, "price_not_sold"),
        ({}, "price_not_sold"),
        ({"price_id": "PREMIUM", "amount": "1"}, "catalog_changed"),
        ({"price_id": "PREMIUM", "catalog": "000000000000"}, "catalog_changed"),
        ({"price_id": "PREMIUM", "quantity": "2"}, "invalid_quantity"),
        ({"price_id": "PREMIUM", "quantity": "two"}, "invalid_quantity"),
        ({"price_id": "PREMIUM", "amount": "-1"}, "invalid_quantity"),
    ],
)
async def test_what_stands_in_the_way_is_named_to_the_page(api: ApiWorld, fields: dict[str, str], code: str) -> None:
    browser = await api.browser().sign_in()
    sent = {name: value.replace("PREMIUM", api.price()) for name, value in fields.items()}

    answer = await browser.post("/payment/checkout", data=sent)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/payment?")
    assert answer.headers["location"].endswith(f"problem={code}")


async def test_another_plan_can_be_started_instead(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()
    await browser.post("/payment/checkout", data={"price_id": api.price()})
    (opened,) = await api.container.checkouts.of((await browser.get("/api/me")).json()["user_id"])

    refused = await browser.post("/payment/checkout", data={"price_id": api.price("basic")})
    instead = await browser.post("/payment/checkout", data={"price_id": api.price("basic"), "instead_of": opened.id})

    assert refused.headers["location"].endswith(f"problem=checkout_in_progress&checkout={opened.id}")
    assert instead.headers["location"].startswith(api.sandbox.stripe_url)


async def test_the_portal_without_a_history_is_explained_where_it_was_asked(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()

    answer = await browser.post("/payment/portal", data={"return_path": "/account"})
    elsewhere = await browser.post("/payment/portal", data={"return_path": "//evil.example"})
    visitor = await api.browser().post("/payment/portal", data={"return_path": "/account"})

    assert told(answer) == "/account?problem=no_billing_account"
    assert told(elsewhere) == "/?problem=no_billing_account"
    assert visitor.headers["location"] == "/login?next=/account"


async def test_what_stands_in_the_fields_of_a_cart_is_kept_by_both_of_its_buttons(api: ApiWorld) -> None:
    browser, prices = api.browser(), (api.item_price(0), api.item_price(1))
    for price in prices:
        await browser.post("/cart/add", data={"price_id": price, "quantity": "1"})

    async def kept(path: str, quantity: str, **fields: str) -> tuple[str, int]:
        typed = {f"quantity.{prices[0]}": quantity, f"quantity.{prices[1]}": "1"}
        answer = await browser.post(path, data={**typed, **fields})
        where = answer.headers["location"].rpartition("problem=")[2]
        return where, (await browser.get("/api/cart")).json()["count"]

    assert await kept("/cart/quantities", "2") == ("/cart", 3)
    assert await kept("/cart/checkout", "3") == ("/login?next=/cart", 4)
    assert await kept("/cart/checkout", "4", account="of another") == ("/login?next=/cart", 4)
    assert await kept("/cart/quantities", "") == ("invalid_quantity", 4)


async def test_a_visitor_fills_a_cart_with_forms(api: ApiWorld) -> None:
    browser, price = api.browser(), api.item_price(1)

    added = await browser.post("/cart/add", data={"price_id": price, "quantity": "2", "next": "/shop"})
    await browser.post("/cart/add", data={"price_id": price})
    counted = (await browser.get("/api/cart")).json()["count"]
    await browser.post("/cart/quantity", data={"price_id": price, "quantity": "1"})
    changed = (await browser.get("/api/cart")).json()["count"]
    await browser.post("/cart/quantity", data={"price_id": price, "quantity": "0"})
    removed = (await browser.get("/api/cart")).json()["count"]

    assert (added.status_code, added.headers["location"]) == (303, "/shop")
    assert (counted, changed, removed) == (3, 1, 0)


@pytest.mark.parametrize(
    ("action", "fields", "code"),
    [
        ("add", {"price_id": "price_of_nothing"}, "price_not_sold"),
        ("add", {"price_id": "ITEM", "quantity": "9999"}, "invalid_quantity"),
        ("quantity", {"price_id": "ITEM"}, "invalid_quantity"),
        ("quantity", {"price_id": "ITEM", "quantity": "many"}, "invalid_quantity"),
    ],
)
async def test_a_cart_that_can_not_be_is_explained(
    api: ApiWorld, action: str, fields: dict[str, str], code: str
) -> None:
    sent = {name: value.replace("ITEM", api.item_price()) for name, value in fields.items()}

    answer = await api.browser().post(f"/cart/{action}", data=sent)

    assert answer.headers["location"].startswith("/cart?")
    assert answer.headers["location"].endswith(f"problem={code}")


async def test_an_unknown_action_on_the_cart_is_404(api: ApiWorld) -> None:
    assert (await api.browser().post("/cart/explode", data={})).status_code == 404


async def test_a_cart_is_bought_after_signing_in(api: ApiWorld) -> None:
    browser = api.browser()
    await browser.post("/cart/add", data={"price_id": api.item_price()})
    visitor = api.container.sessions.id_of(browser.cookies[api.container.sessions.cookie_name])
    assert visitor is not None
    assert (await api.container.cart.read(visitor_owner(visitor))).count == 1

    first = await browser.post("/cart/checkout")
    await browser.sign_in(next_path="/cart")
    bought = await browser.post("/cart/checkout")

    assert first.headers["location"] == "/login?next=/cart"
    assert bought.headers["location"].startswith(api.sandbox.stripe_url)


async def test_a_posted_cart_sells_what_stood_in_its_fields(api: ApiWorld) -> None:
    browser, price = await api.browser().sign_in(), api.item_price()
    await browser.post("/cart/add", data={"price_id": price})

    refused = await browser.post("/cart/checkout", data={f"quantity.{price}": "many"})
    bought = await browser.post("/cart/checkout", data={f"quantity.{price}": "3", "quantity.price_of_nothing": "2"})

    assert told(refused) == "/cart?problem=invalid_quantity"
    assert bought.headers["location"].startswith(api.sandbox.stripe_url)
    (session,) = await api.control("GET", "sessions")
    assert [(line["price_id"], line["quantity"]) for line in session["lines"]] == [(price, 3)]


async def test_a_posted_cart_that_was_shown_otherwise_is_a_review(api: ApiWorld) -> None:
    browser, item = await api.browser().sign_in(), api.container.catalog.items[0]
    price, amount = item.price.price_id, item.price.amount
    await browser.post("/cart/add", data={"price_id": price})
    shown = {f"amount.{price}": str(amount), f"currency.{price}": item.price.currency, f"quantity.{price}": "1"}

    dearer = await browser.post("/cart/checkout", data={**shown, f"amount.{price}": str(amount - 1)})
    foreign = await browser.post("/cart/checkout", data={**shown, f"currency.{price}": "eur"})
    await browser.post("/cart/add", data={"price_id": api.item_price(1)})
    longer = await browser.post("/cart/checkout", data=shown)
    await browser.post("/cart/remove", data={"price_id": api.item_price(1)})
    sold = await browser.post("/cart/checkout", data=shown)

    assert told(dearer) == told(foreign) == "/cart?problem=catalog_changed"
    assert told(longer) == "/cart?problem=cart_changed"
    assert sold.headers["location"].startswith(api.sandbox.stripe_url)


@pytest.mark.parametrize("kind", ["plan", "item", "cart"])
async def test_a_second_post_leads_to_the_question_and_its_answers_to_stripe(api: ApiWorld, kind: str) -> None:
    browser, price = await api.browser().sign_in(), api.price() if kind == "plan" else api.item_price()
    await browser.post("/cart/add", data={"price_id": api.item_price()})
    path = "/cart/checkout" if kind == "cart" else "/payment/checkout"
    page = {"plan": "/payment", "item": "/shop", "cart": "/cart"}[kind]
    first = (await browser.post(path, data={"price_id": price})).headers["location"]
    (opened,) = await api.container.checkouts.of((await browser.get("/api/me")).json()["user_id"])

    asked = (await browser.post(path, data={"price_id": price})).headers["location"]
    on = (await browser.post(path, data={"price_id": price, "resume": opened.id})).headers["location"]
    new = (await browser.post(path, data={"price_id": price, "instead_of": opened.id})).headers["location"]

    assert asked.startswith(f"{page}?")
    assert asked.endswith(f"problem=checkout_in_progress&checkout={opened.id}")
    assert on == first
    assert new.startswith(api.sandbox.stripe_url)
    assert new != first


@pytest.mark.parametrize("path", ["/payment/checkout", "/cart/checkout", "/payment/portal"])
async def test_a_page_of_another_account_sells_nothing(api: ApiWorld, path: str) -> None:
    browser = await api.browser().sign_in()
    await browser.post("/cart/add", data={"price_id": api.item_price()})
    mine = account_mark((await browser.get("/api/me")).json()["user_id"])

    refused = await browser.post(path, data={"price_id": api.price(), "account": account_mark("somebody else")})
    before = await api.control("GET", "sessions")
    taken = await browser.post(path, data={"price_id": api.price(), "account": mine})

    assert refused.headers["location"].endswith("problem=account_changed")
    assert before == []
    assert "account_changed" not in taken.headers["location"]


async def test_preferences_are_remembered_if_they_are_some(api: ApiWorld) -> None:
    browser = api.browser()

    answer = await browser.post(
        "/preferences", data={"locale": "de", "theme": "dark", "timezone": "Europe/Berlin", "next": "/pricing"}
    )
    refused = await browser.post(
        "/preferences", data={"locale": "<script>", "theme": "pink", "timezone": "Moon/Base", "next": "//evil.example"}
    )

    cookies = [cookie.partition(";")[0] for cookie in answer.headers.get_list("set-cookie")]
    assert answer.headers["location"] == "/pricing"
    assert cookies == ["locale=de", "theme=dark", "timezone=Europe%2FBerlin"]
    assert refused.headers.get_list("set-cookie") == []
    assert refused.headers["location"] == "/"


async def test_a_file_in_a_form_is_refused(api: ApiWorld) -> None:
    answer = await api.browser().post("/cart/add", files={"price_id": b"x"})

    assert answer.status_code == 415


async def test_a_user_has_their_data_and_is_forgotten_on_all_devices(api: ApiWorld) -> None:
    browser, phone = await api.browser().sign_in(), await api.browser().sign_in()
    await browser.put(f"/api/cart/{api.item_price()}", json={"quantity": 2})
    me = (await browser.get("/api/me")).json()

    data = await browser.get("/api/me/data")
    anothers = await browser.post("/account/forget", data={"account": account_mark("somebody else")})
    before = await phone.get("/api/me")
    done = await browser.post("/account/forget", data={"account": account_mark(me["user_id"])})

    assert data.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    assert data.json()["kept"]["cart"] == {api.item_price(): 2}
    assert {sign_in["user"]["email"] for sign_in in data.json()["kept"]["session"]} == {"ada@example.com"}
    assert anothers.headers["location"].endswith("problem=account_changed")
    assert before.status_code == 200
    assert done.headers["location"].startswith("/signed-out?forgotten=")
    assert (await browser.get("/api/me")).status_code == (await phone.get("/api/me")).status_code == 401
    again = await api.browser().sign_in()
    kept = (await again.get("/api/me/data")).json()["kept"]
    assert {*kept} == {"session", "first_email"}
    assert len(kept["session"]) == 1


async def test_a_visitor_signs_in_before_being_forgotten(api: ApiWorld) -> None:
    answer = await api.browser().post("/account/forget", data={})

    assert answer.headers["location"] == "/login?next=/account/forget"
