"""Rows 23 and 32 to 44: what is said and sold while the truth is late, lost, replayed, somebody else's or unsteady."""

import asyncio

import pytest

from tests.faults.fault_server import reply
from tests.faults.shop import CHECKOUT, PREMIUM, STATUS, STICKERS, AsyncHttpUser, ProxiedProduct, ScriptlessPage, until

BASIC = "price_sandbox_basic_month"
MINUTE = 60.0


async def pay(person: AsyncHttpUser, price_id: str = PREMIUM) -> str:
    """Buy and pay; return the address to which Stripe sends the browser."""
    answer = await person.ask(price_id)
    assert answer.status_code == 200, answer.text
    session = answer.json()["checkout_session_id"]
    await person.shop.control("POST", f"/pay/{session}", card="4242 4242 4242 4242")
    (paid,) = [one for one in await person.sessions() if one["id"] == session]
    return str(paid["success_url"]).replace("{CHECKOUT_SESSION_ID}", session).removeprefix(person.shop.app.url)


async def has(person: AsyncHttpUser, status: str = "active") -> None:
    """Give somebody a Premium subscription at both services."""
    await person.shop.control("POST", f"/users/{person.user_id}/state", status=status, email=person.email)


def state(page: ScriptlessPage, testid: str = "success-state") -> str:
    """Return the `data-state` of an element."""
    start = page.html.index(f'data-testid="{testid}"')
    tag = page.html[page.html.rindex("<", 0, start) : page.html.index(">", start)]
    return tag.partition('data-state="')[2].partition('"')[0]


@pytest.mark.faults("32 app restarted while the user is at Stripe", "31 replica restarted while a page is open")
async def test_a_restart_while_somebody_pays_is_not_noticed(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    success = await pay(person)
    await shop.app.restart()

    page = await person.look(success)

    assert state(page) in ("confirming", "active")
    assert person.email in page.text


@pytest.mark.faults("34 two tabs subscribe")
async def test_a_second_tab_is_told_of_the_open_checkout(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    first = await person.ask(PREMIUM)

    api = await person.ask(BASIC)
    page = await person.press(BASIC, amount="900")
    instead = await person.ask(BASIC, instead_of=first.json()["checkout_id"])

    assert (api.status_code, api.json()["code"]) == (409, "checkout_in_progress")
    assert api.json()["checkout_url"] == first.json()["checkout_url"]
    assert "Continue your checkout" in page.text
    assert "Go on with Basic" in page.text
    assert instead.status_code == 200
    assert len(shop.payment.calls(CHECKOUT)) == 2


@pytest.mark.faults("35 already subscribed")
@pytest.mark.parametrize("status", ["active", "trialing", "past_due", "unpaid"])
async def test_nobody_is_sold_a_second_subscription(shop: ProxiedProduct, status: str) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    await has(person, status)

    api = await person.ask(PREMIUM)
    page = await person.press(BASIC, amount="900")

    assert (api.status_code, api.json()["code"]) == (409, "already_subscribed")
    assert api.json()["manage_url"] == f"{shop.app.url}/payment"
    assert "You already have a subscription" in page.text
    assert "Open billing portal" in page.text
    assert shop.payment.calls(CHECKOUT) == []


@pytest.mark.faults("35 already subscribed")
async def test_a_subscription_that_appears_between_page_and_press_is_seen(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    assert "Subscribe to Premium" in (await person.look("/payment")).text
    await has(person)

    answer = await person.ask(PREMIUM)

    assert answer.json()["code"] == "already_subscribed"
    assert shop.payment.calls(CHECKOUT) == []


@pytest.mark.faults("37 cancel address")
async def test_cancelling_charges_nothing_and_keeps_the_choice(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    started = (await person.ask(PREMIUM)).json()

    page = await person.look(f"/payment/cancel?checkout={started['checkout_id']}")
    again = await person.ask(PREMIUM)

    assert "Unless you paid in another tab, nothing was charged." in page.text
    assert "Premium" in page.text
    assert again.json()["checkout_session_id"] == started["checkout_session_id"]


@pytest.mark.faults("38 success address of somebody else", "39 success address without paying")
async def test_a_success_address_proves_nothing(shop: ProxiedProduct) -> None:
    await shop.open()
    buyer, other, visitor = await shop.person().sign_in(), await shop.person().sign_in(), shop.person()
    success = await pay(buyer)
    idler = await shop.person().sign_in()
    unpaid = (await idler.ask(PREMIUM)).json()["checkout_session_id"]

    copied = await other.look(success)
    signed_out = await visitor.look(success)
    early = await idler.look(f"/payment/success?session_id={unpaid}")

    assert state(copied) == "not_ours"
    assert state(signed_out) == "signed_out"
    assert buyer.email not in copied.text + signed_out.text
    assert state(early) == "unproven"
    for page in (copied, signed_out, early):
        assert "thank you" not in page.text.lower()
        assert "Premium is active" not in page.text


@pytest.mark.faults("40 success address replayed")
async def test_a_success_address_replayed_shows_what_is_now(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    success = await pay(person)
    await shop.control("GET", "/settled")
    (subscription,) = await shop.control("GET", f"/subscriptions?user_id={person.user_id}")

    pages = [await person.look(success) for _ in range(3)]
    await shop.control("POST", f"/subscriptions/{subscription['id']}/state", status="canceled", delay=0)
    await shop.control("GET", "/settled")
    await asyncio.sleep(1.1)  # an answer younger than a second is shared
    later = await person.look(success)

    assert {state(page) for page in pages} == {"active"}
    assert state(later) != "active"
    assert len(await person.sessions()) == 1


@pytest.mark.faults("42 webhook late", "43 webhook lost")
async def test_a_lost_webhook_is_waited_for_with_words_that_change(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    await shop.control("PATCH", "/settings", webhook_mode="lose")
    try:
        success = await pay(person)
    finally:
        await shop.control("POST", "/settings/reset")

    now = await person.look(success)
    await shop.app.restart(ahead=2 * MINUTE)
    delayed = await person.look(success)
    await shop.app.restart(ahead=11 * MINUTE)
    lost = await person.look(success)
    again = await person.ask(PREMIUM)

    assert [state(page) for page in (now, delayed, lost)] == ["confirming", "delayed", "lost"]
    assert "Contact us" in lost.text
    assert (await person.sessions())[0]["id"] in lost.text
    assert (again.status_code, again.json()["code"]) == (409, "checkout_in_progress")
    assert len(await person.sessions()) == 1


@pytest.mark.faults("44 status flaps")
async def test_one_answer_that_takes_a_subscription_away_is_not_believed(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    await has(person)
    assert "Active" in (await person.look("/payment")).text
    shop.payment.fail(STATUS, reply({"exists": False}), shop.payment.pass_on)
    await asyncio.sleep(1.1)  # an answer younger than a second is shared

    page = await person.look("/payment?from=portal")
    answer = await person.client.get("/api/payment/subscriptions")

    assert "Active" in page.text
    assert answer.json()["current"]["state"] == "active"


@pytest.mark.faults("23 time zones and clocks")
async def test_a_date_is_the_users_own_day_and_the_api_speaks_utc(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    end = "2031-03-31T23:30:00Z"
    status = {"status": "active", "subscription_id": "sub_1", "product_id": "prod_sandbox_premium"}
    gone = {"status": "none", "subscription_id": "", "current_period_end": "0001-01-01T00:00:00Z", "product_id": ""}
    shop.payment.fail(f"{STATUS}/{person.user_id}/prod_sandbox_premium", reply(status | {"current_period_end": end}))
    shop.payment.fail(STATUS, reply(gone))
    await shop.control("PUT", f"/users/{person.user_id}/plan", status="active", plan="premium", expires_at=end)

    days = {}
    for zone in ("UTC", "Europe/Berlin", "America/Los_Angeles"):
        person.client.cookies.set("timezone", zone.replace("/", "%2F"))
        days[zone] = (await person.look("/payment?from=portal")).text
    api = (await person.client.get("/api/payment/subscriptions")).json()["current"]

    assert "March 31, 2031" in days["UTC"]
    assert "April 1, 2031" in days["Europe/Berlin"]
    assert "March 31, 2031" in days["America/Los_Angeles"]
    assert api["until"] == end


@pytest.mark.faults("36 back from Stripe")
async def test_coming_back_opens_the_page_anew_and_sells_nothing_twice(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    await person.press(STICKERS)
    again = await person.press(STICKERS)

    page = await person.client.get("/payment")

    assert "Continue your checkout" in again.text
    assert page.headers["cache-control"] == "no-store"
    await until(lambda: len(shop.payment.calls(CHECKOUT)) == 1)
