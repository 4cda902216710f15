"""Nobody reads or acts on what is another user's: every route and every event of a page, with another user's ids."""

import asyncio
import json
import secrets
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from services.store_sqlite import SqliteStore
from tests.faults.shop import CHECKOUT, PREMIUM, STICKERS, Person, Shop, until
from tests.scale.tabs import Tab, types_of

ROUTES = (
    "/api/me", "/api/payment/subscriptions", "/api/entitlements", "/api/cart", "/payment", "/account", "/cart",
    "/payment/success", "/payment/cancel", "/members", "/upgrade", "/shop", "/pricing", "/",
)  # fmt: skip


async def two(shop: Shop) -> tuple[Person, Person, dict[str, Any]]:
    """Ada, who has a subscription's checkout open and a full cart, and Bob; and the ids of what is Ada's."""
    await shop.open()
    ada, bob = await shop.person().sign_in(), await shop.person().sign_in()
    await ada.client.put(f"/api/cart/{STICKERS}", json={"quantity": 3})
    started: dict[str, Any] = (await ada.ask(PREMIUM)).json()
    return ada, bob, started


async def test_no_route_shows_bob_what_is_adas(shop: Shop) -> None:
    ada, bob, started = await two(shop)
    ids = {
        "user_id": ada.user_id, "customer": ada.user_id, "email": ada.email, "session": ada.client.cookies["session"],
        "session_id": started["checkout_session_id"], "checkout": started["checkout_id"],
    }  # fmt: skip

    for path in ROUTES:
        for headers in ({}, {"X-User-Id": ada.user_id, "X-Forwarded-User": ada.email}):
            answer = await bob.client.get(path, params=ids, headers=headers)
            text = answer.text.replace(str(answer.url), "").partition("<script")[0]
            assert ada.email not in text, path
            assert started["checkout_url"] not in text, path
            assert "Premium is yours" not in text, path


async def test_no_route_lets_bob_act_on_what_is_adas(shop: Shop) -> None:
    ada, bob, started = await two(shop)
    ids = {"user_id": ada.user_id, "email": ada.email, "customer_id": ada.user_id}
    before = len(shop.payment.calls(CHECKOUT))

    own = await bob.ask(PREMIUM, **ids)
    await bob.ask("price_sandbox_basic_month", instead_of=started["checkout_id"], **ids)
    await bob.press("price_sandbox_basic_month", amount="900", instead_of=started["checkout_id"], **ids)
    portal = await bob.client.post("/api/payment/portal", json=ids)
    await bob.client.request("DELETE", "/api/cart", params=ids)
    await bob.client.post("/cart/clear", data=ids)
    await bob.client.post("/sign-out", data=ids)

    sent = [request.json for request in shop.payment.calls(CHECKOUT)[before:]]
    assert own.json()["checkout_session_id"] != started["checkout_session_id"]
    assert {body["user_id"] for body in sent} == {bob.user_id}
    assert {body["email"] for body in sent} == {bob.email}
    assert portal.status_code == 404
    assert (await ada.client.get("/api/cart")).json()["count"] == 3
    assert (await ada.client.get("/api/me")).status_code == 200
    kept = (await ada.client.get("/api/payment/subscriptions")).json()["open_checkout"]
    assert kept["checkout_session_id"] == started["checkout_session_id"]


async def socket_of(shop: Shop, person: Person, client_id: str) -> ClientConnection:
    """Open a socket with somebody's cookie for the page of that id."""
    query = f"client_id={client_id}&next_message_id=0&implicit_handshake=true&document_id={secrets.token_hex(8)}"
    address = f"{shop.app.url.replace('http', 'ws')}/_nicegui_ws/socket.io/?{query}&tab_id={secrets.token_hex(8)}"
    socket = await connect(
        f"{address}&EIO=4&transport=websocket",
        additional_headers={"Cookie": f"session={person.client.cookies['session']}"},
        origin=shop.app.url,  # type: ignore[arg-type]
        proxy=None,
    )
    await socket.recv()
    await socket.send("40")
    return socket


def presses(tab: Tab) -> list[dict[str, Any]]:
    """Return every event that the page's elements could send, as messages of its own socket."""
    return [
        {"id": int(identifier), "client_id": tab._client_id, "listener_id": event["listener_id"], "args": ["{}"]}
        for identifier, element in tab._elements.items()
        for event in element.get("events", ())
    ]


async def tab_of(person: Person, path: str) -> Tab:
    """Open a page of somebody's with its socket."""
    client = person.shop.person().client
    client.cookies = person.client.cookies
    return await Tab(client, path).open()


@pytest.mark.parametrize("path", ["/payment", "/account", "/cart", "/shop"])
async def test_no_socket_of_bobs_speaks_for_adas_page(shop: Shop, path: str) -> None:
    await shop.open()
    ada, bob = await shop.person().sign_in(), await shop.person().sign_in()
    await ada.client.put(f"/api/cart/{STICKERS}", json={"quantity": 3})
    hers, his = await tab_of(ada, path), await tab_of(bob, "/account")
    try:
        forged = presses(hers)
        assert forged
        assert his._socket is not None
        for message in forged:
            await his._socket.send("42" + json.dumps(["event", message]))
        await his._socket.send("42" + json.dumps(["javascript_response", {"client_id": hers._client_id}]))
        await until(lambda: len(shop.app.events("foreign_event")) > len(forged))
        mail = shop.payment.calls(CHECKOUT) + shop.payment.calls("/api/v1/portal")
        assert mail == []
        assert (await ada.client.get("/api/cart")).json()["count"] == 3
    finally:
        await hers.close()
        await his.close()


async def test_a_page_opens_its_socket_in_its_own_browser_only(shop: Shop) -> None:
    await shop.open()
    ada, bob = await shop.person().sign_in(), await shop.person().sign_in()
    page = await ada.look("/account")
    client_id = page.html.partition("'client_id': '")[2][:36]

    stolen = await socket_of(shop, bob, client_id)
    refused = str(await stolen.recv())
    await stolen.close()
    own = await socket_of(shop, ada, client_id)
    taken = str(await own.recv())
    await own.close()

    assert refused.startswith("44")
    assert taken.startswith("40")
    assert ada.email not in refused


async def test_a_socket_that_talks_nonsense_costs_no_stack_trace(shop: Shop) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    tab = await tab_of(person, "/payment")
    chance = secrets.SystemRandom()
    try:
        assert tab._socket is not None
        known = presses(tab)[0]
        junk: list[Any] = [None, 1, "x", [], {}, {"client_id": None}, {"client_id": []}, {"client_id": {}},
                           {**known, "id": "x"}, {**known, "id": None}, {**known, "listener_id": "none"},
                           {**known, "args": ["{"]}, {**known, "args": 7}, {**known, "args": [1]},
                           {"client_id": known["client_id"]}]  # fmt: skip
        for name in ("event", "handshake", "javascript_response", "ack", "log", "made_up"):
            for message in junk:
                await tab._socket.send("42" + json.dumps([name, message]))
        await asyncio.sleep(chance.random() / 10)
        await until(lambda: bool(shop.app.events("event_unusable")))
        assert (await person.client.get("/healthz")).status_code == 200
    finally:
        await tab.close()
    assert "Traceback" not in shop.app.log()
    assert not [line for line in shop.app.log().splitlines() if '"exception"' in line]


@pytest.mark.parametrize(
    "detail", [None, [], "x", 7, {}, {"reason": []}, {"reason": "visible", "timezone": "../../etc"}, {"timezone": 1}]
)
async def test_what_a_browser_tells_of_itself_is_not_believed(shop: Shop, detail: object) -> None:
    await shop.open()
    tab = await tab_of(await shop.person().sign_in(), "/payment")
    try:
        await tab.emit(lambda element: "visit" in types_of(element), "visit", {"detail": detail})
        await tab.look()
    finally:
        await tab.close()

    assert "Traceback" not in shop.app.log()


async def test_the_auth_ms_session_id_stands_in_the_store_and_nowhere_else(shop: Shop) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    await shop.app.kill()
    store = SqliteStore(str(shop.folder / "store.sqlite3"))
    try:
        (key,) = await store.keys("session:")
        kept = json.loads(await store.get(key) or "{}")
    finally:
        await store.close()

    assert kept["auth_session_id"]
    assert person.client.cookies["session"].partition(".")[0] not in key
    assert kept["auth_session_id"] not in shop.app.log() + str(list(person.client.cookies.jar))
