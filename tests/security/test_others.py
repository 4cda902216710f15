"""Nobody reads or acts on what is another user's: every route and every event of a page, with another user's ids."""

import asyncio
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect

from harness.socket_tab import SocketTab, types_of
from services.sessions.session_rows import SessionRows
from services.storage.sqlite_store import SqliteStore
from tests.faults.shop import CHECKOUT, OPS_TOKEN, PREMIUM, STICKERS, STORAGE_SECRET, AsyncHttpUser, ProxiedProduct
from tests.security import routes

PAGES = (
    "/", "/pricing", "/payment", "/payment/success", "/payment/cancel", "/account", "/upgrade",
    "/shop", "/cart", "/embed/pricing",
)  # fmt: skip
"""Every page that somebody signed in can open; `/login` leads on, and the operator's has a password."""

ROUTES = (
    *PAGES, "/login", "/signed-out", "/start", "/ops", "/ops/people", "/api/me", "/api/payment/subscriptions",
    "/api/me/data", "/account/forget",
    "/api/entitlements", "/api/cart",
    "/api/catalog", "/api/entitlements/{user_id}", "/auth/login", "/auth/callback", "/healthz", "/readyz", "/metrics",
)  # fmt: skip

ACTS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "POST /api/payment/checkout": ("/api/payment/checkout", {"price_id": STICKERS, "quantity": 2}),
    "POST /api/payment/cart": ("/api/payment/cart", {}),
    "POST /api/payment/portal": ("/api/payment/portal", {}),
    "POST /api/payment/events": ("/api/payment/events", {}),
    "POST /api/entitlements/query": ("/api/entitlements/query", {"user_ids": ["ada"]}),
    "PUT /api/cart/{price_id}": (f"/api/cart/{STICKERS}", {"quantity": 1}),
    "DELETE /api/cart/{price_id}": (f"/api/cart/{STICKERS}", {}),
    "DELETE /api/cart": ("/api/cart", {}),
    "POST /payment/checkout": ("/payment/checkout", {"price_id": STICKERS, "quantity": "2"}),
    "POST /payment/portal": ("/payment/portal", {}),
    "POST /preferences": ("/preferences", {"theme": "dark"}),
    "POST /sandbox/words": ("/sandbox/words", {"customers": "{}"}),
    "POST /cart/checkout": ("/cart/checkout", {}),
    "POST /cart/{action}": ("/cart/clear", {}),
    "POST /account/forget": ("/account/forget", {}),
    "POST /auth/sign-out": ("/auth/sign-out", {}),
    "POST /sign-out": ("/sign-out", {}),
}
"""A request for each route that changes something; the last ones sign out."""


async def two(shop: ProxiedProduct) -> tuple[AsyncHttpUser, AsyncHttpUser, dict[str, Any]]:
    """Ada, who has a subscription's checkout open and a full cart, and Bob; and the ids of what is Ada's."""
    await shop.open()
    ada, bob = await shop.person().sign_in(), await shop.person().sign_in()
    await ada.client.put(f"/api/cart/{STICKERS}", json={"quantity": 3})
    started: dict[str, Any] = (await ada.ask(PREMIUM)).json()
    return ada, bob, started


async def test_no_route_shows_bob_what_is_adas(shop: ProxiedProduct) -> None:
    ada, bob, started = await two(shop)
    ids = {
        "user_id": ada.user_id, "customer": ada.user_id, "email": ada.email, "session": ada.client.cookies["session"],
        "session_id": started["checkout_session_id"], "checkout": started["checkout_id"],
    }  # fmt: skip

    for route in ROUTES:
        path = route.replace("{user_id}", ada.user_id)
        for headers in ({}, {"X-User-Id": ada.user_id, "X-Forwarded-User": ada.email}):
            text = (await bob.client.get(path, params=ids, headers=headers)).text
            assert ada.name.title() not in text, path  # known to the Auth MS and to her own pages only
            assert started["checkout_url"] not in text, path
        text = (await bob.client.get(path, params={name: ids[name] for name in ids if name != "email"})).text
        assert ada.email not in text, path
    assert ada.name.title() in (await ada.client.get("/account")).text


def test_every_route_is_tried_with_anothers_ids() -> None:
    tried = {f"GET {path}" for path in ROUTES} | set(ACTS)

    assert tried | routes.FILES == routes.found()


async def test_every_route_that_changes_something_changes_what_is_bobs(shop: ProxiedProduct) -> None:
    ada, bob, started = await two(shop)
    ids = {
        "user_id": ada.user_id, "customer_id": ada.user_id, "customer": ada.user_id, "email": ada.email,
        "session": ada.client.cookies["session"], "checkout": started["checkout_id"],
        "instead_of": started["checkout_id"],
    }  # fmt: skip
    before = len(shop.payment.calls(""))
    statuses = {}

    for route, (path, fields) in ACTS.items():
        await bob.client.put(f"/api/cart/{STICKERS}", json={"quantity": 2})
        body: dict[str, Any] = {"json" if path.startswith("/api/") else "data": {**ids, **fields}}
        headers = {"X-User-Id": ada.user_id, "Cookie2": f"session={ada.client.cookies['session']}"}
        answer = await bob.client.request(route.partition(" ")[0], path, params=ids, headers=headers, **body)
        statuses[route] = answer.status_code
        assert answer.status_code < 500, route
        assert started["checkout_url"] not in answer.text + str(answer.headers), route
        assert ada.name.title() not in answer.text, route

    sent = [request.body.decode() + request.target for request in shop.payment.calls("")[before:]]
    assert statuses["POST /api/payment/events"] == 403
    assert any(bob.user_id in one for one in sent)
    assert not any(ada.user_id in one or ada.email in one for one in sent)
    assert (await ada.client.get("/api/cart")).json()["count"] == 3
    kept = (await ada.client.get("/api/payment/subscriptions")).json()["open_checkout"]
    assert kept["checkout_session_id"] == started["checkout_session_id"]


async def test_no_route_lets_bob_act_on_what_is_adas(shop: ProxiedProduct) -> None:
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


async def socket_of(shop: ProxiedProduct, person: AsyncHttpUser, client_id: str) -> ClientConnection:
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


def presses(tab: SocketTab) -> list[dict[str, Any]]:
    """Return every event that the page's elements could send, as messages of its own socket."""
    return [
        {"id": int(identifier), "client_id": tab._client_id, "listener_id": event["listener_id"], "args": ["{}"]}
        for identifier, element in tab._elements.items()
        for event in element.get("events", ())
    ]


async def tab_of(person: AsyncHttpUser, path: str) -> SocketTab:
    """Open a page of somebody's with its socket."""
    client = person.shop.person().client
    client.cookies = person.client.cookies
    return await SocketTab(client, path).open()


async def refused(shop: ProxiedProduct, why: str, count: int, seconds: float = 10.0) -> None:
    """Wait until so many messages over sockets were dropped for that reason."""
    name, person = f'billing_socket_events_refused_total{{why="{why}"}}', shop.person()
    async with asyncio.timeout(seconds):
        while True:
            metrics = (await person.client.get("/metrics", headers={"Authorization": f"Bearer {OPS_TOKEN}"})).text
            if float(metrics.partition(name)[2].partition("\n")[0] or 0) >= count:
                return


async def member(shop: ProxiedProduct) -> AsyncHttpUser:
    """Return Ada, who has a plan and a cart, so that every page opens for her."""
    ada = await shop.person().sign_in()
    end = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    await shop.control("PUT", f"/users/{ada.user_id}/plan", status="active", plan="premium", expires_at=end)
    await ada.client.put(f"/api/cart/{STICKERS}", json={"quantity": 3})
    return ada


async def test_no_socket_of_bobs_speaks_for_adas_page(shop: ProxiedProduct) -> None:
    await shop.open()
    ada, bob = await member(shop), await shop.person().sign_in()
    his, sent = await tab_of(bob, "/account"), 0
    try:
        assert his._socket is not None
        for path in PAGES:
            hers = await tab_of(ada, path)
            forged = presses(hers)
            assert forged, path
            for message in forged:
                await his._socket.send("42" + json.dumps(["event", message]))
            await his._socket.send("42" + json.dumps(["javascript_response", {"client_id": hers._client_id}]))
            sent += len(forged) + 1
            await refused(shop, "foreign_event", sent)
            await hers.close()
        assert shop.payment.calls(CHECKOUT) + shop.payment.calls("/api/v1/portal") == []
        assert (await ada.client.get("/api/cart")).json()["count"] == 3
        assert (await ada.client.get("/api/me")).status_code == 200
    finally:
        await his.close()


async def test_no_event_of_bobs_own_pages_takes_adas_ids(shop: ProxiedProduct) -> None:
    await shop.open()
    ada, bob = await member(shop), await shop.person().sign_in()
    ids = {"user_id": ada.user_id, "customer_id": ada.user_id, "email": ada.email, "id": ada.user_id,
           "session": ada.client.cookies["session"], "price_id": STICKERS}  # fmt: skip
    await bob.client.put(f"/api/cart/{STICKERS}", json={"quantity": 2})
    await ada.client.get("/api/payment/subscriptions")
    before = len(shop.payment.calls(""))

    for number, path in enumerate(path for path in PAGES if path != "/members"):  # which opens for Ada only
        tab = await tab_of(bob, path)
        assert tab._socket is not None
        for message in presses(tab):
            for args in ([json.dumps({**ids, "detail": ids})], [json.dumps(ada.user_id)]):
                await tab._socket.send("42" + json.dumps(["event", {**message, "args": args}]))
        await tab._socket.send("42" + json.dumps(["event", {**presses(tab)[0], "client_id": "the last"}]))
        await refused(shop, "foreign_event", number + 1)
        await tab.close()

    sent = [request.body.decode() + request.target for request in shop.payment.calls("")[before:]]
    assert any(bob.user_id in one for one in sent)
    assert not any(ada.user_id in one or ada.email in one for one in sent)
    assert (await ada.client.get("/api/cart")).json()["count"] == 3
    assert (await ada.client.get("/api/me")).status_code == 200
    assert "Traceback" not in shop.app.log()


async def test_a_page_opens_its_socket_in_its_own_browser_only(shop: ProxiedProduct) -> None:
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


async def test_a_socket_that_talks_nonsense_costs_no_stack_trace(shop: ProxiedProduct) -> None:
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
        await refused(shop, "event_unusable", 1)
        assert (await person.client.get("/healthz")).status_code == 200
    finally:
        await tab.close()
    assert "Traceback" not in shop.app.log()
    assert not [line for line in shop.app.log().splitlines() if '"exception"' in line]


async def test_no_browser_writes_into_the_log(shop: ProxiedProduct) -> None:
    await shop.open()
    tab = await tab_of(await shop.person().sign_in(), "/payment")
    try:
        assert tab._socket is not None
        for level in ("debug", "info", "warning", "error"):
            forged = {"client_id": tab._client_id, "level": level, "message": "unsafe_redirect forged\nforged"}
            await tab._socket.send("42" + json.dumps(["log", forged]))
        await tab._socket.send("42" + json.dumps(["event", {"client_id": "the last"}]))
        await refused(shop, "foreign_event", 1)
    finally:
        await tab.close()

    assert "forged" not in shop.app.log()


@pytest.mark.parametrize(
    "detail", [None, [], "x", 7, {}, {"reason": []}, {"reason": "visible", "timezone": "../../etc"}, {"timezone": 1}]
)
async def test_what_a_browser_tells_of_itself_is_not_believed(shop: ProxiedProduct, detail: object) -> None:
    await shop.open()
    tab = await tab_of(await shop.person().sign_in(), "/payment")
    try:
        await tab.emit(lambda element: "visit" in types_of(element), "visit", {"detail": detail})
        await tab.look()
    finally:
        await tab.close()

    assert "Traceback" not in shop.app.log()


async def test_the_auth_ms_session_id_stands_nowhere_and_in_the_store_encrypted(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    await shop.app.kill()
    store = SqliteStore(str(shop.folder / "store.sqlite3"))
    try:
        (key,) = await store.keys("session:")
        row = await store.get(key) or ""
    finally:
        await store.close()

    secret = SessionRows(SecretStr(STORAGE_SECRET)).read("", row).auth_session_id.get_secret_value()
    assert secret not in row + "".join(path.read_bytes().decode("latin-1") for path in shop.folder.glob("store.*"))
    assert person.client.cookies["session"].partition(".")[0] not in key
    assert secret not in shop.app.log() + str(list(person.client.cookies.jar))
