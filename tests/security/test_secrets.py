"""The whole path and every kind of fault, then a search for what must be nowhere: in pages, frames, cookies, logs."""

from typing import Final

import pytest
from pydantic import SecretStr

from harness.socket_tab import SocketTab
from services.sessions.session_rows import SessionRows
from services.storage.sqlite_store import SqliteStore
from tests.faults.fault_server import hang_up, limit_data, redirect, reply, reset_peer
from tests.faults.shop import (
    API_KEY,
    CREATE,
    OPS_TOKEN,
    PREMIUM,
    REFRESH,
    STICKERS,
    STORAGE_SECRET,
    WEBHOOK_SECRET,
    AsyncHttpUser,
    ProxiedProduct,
)

PAGES: Final = (
    "/", "/pricing", "/shop", "/cart", "/login", "/payment", "/account", "/payment/success", "/payment/cancel",
    "/members", "/upgrade", "/nowhere", "/embed/pricing", "/api/me", "/api/cart", "/api/catalog", "/api/entitlements",
    "/api/payment/subscriptions", "/api/docs", "/api/openapi.json", "/metrics", "/readyz", "/healthz",
    "/.well-known/jwks.json",
)  # fmt: skip
FAULTS: Final = (
    reply({"error": {"code": "X", "message": API_KEY}}, 500),
    reply(f"<html>{API_KEY}", 502, content_type="text/html"),
    reply(f"Invalid API key {API_KEY}", 401, content_type="text/plain"),
    reply({"error": {"code": API_KEY, "message": API_KEY, "description": API_KEY}, "meta": {"request_id": API_KEY}},
          400),
    redirect(f"http://127.0.0.1:1/docs?key={API_KEY}"),
    reply({"checkout_url": f"https://evil.example/{API_KEY}", "checkout_session_id": API_KEY}),
    limit_data({"x": API_KEY * 9}, 90),
    reply("{" + API_KEY),
    hang_up(),
    reset_peer(),
)  # fmt: skip


async def walk(person: AsyncHttpUser) -> list[str]:
    """Do everything once; return everything the browser got."""
    seen: list[str] = []
    operator = {"Authorization": f"Bearer {OPS_TOKEN}"}
    for path in PAGES:
        answer = await person.client.get(path, headers=operator if path == "/metrics" else {})
        seen.append(f"{answer.text}{answer.headers}")
    answers = (
        await person.ask(PREMIUM),
        await person.client.post("/payment/checkout", data={"price_id": STICKERS}),
        await person.client.post("/api/payment/portal", json={}),
        await person.client.post("/payment/portal", data={}),
        await person.client.put(f"/api/cart/{STICKERS}", json={"quantity": 1}),
        await person.client.post("/api/payment/cart"),
        await person.client.get("/auth/callback?auth_code=CANARYcodeCANARY&state=CANARYstate"),
    )
    return seen + [f"{answer.text}{answer.headers}" for answer in answers]


async def session_ids(shop: ProxiedProduct) -> list[str]:
    """Return the Auth MS session ids that the store holds; the app must have ended."""
    store, rows = SqliteStore(str(shop.folder / "store.sqlite3")), SessionRows(SecretStr(STORAGE_SECRET))
    try:
        kept = [rows.read("", await store.get(key) or "") for key in await store.keys("session:")]
    finally:
        await store.close()
    return [session.auth_session_id.get_secret_value() for session in kept]


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
async def test_no_secret_shows_anywhere_on_the_whole_path_and_under_every_fault(
    shop: ProxiedProduct, level: str
) -> None:
    await shop.open({"LOG_LEVEL": level})
    person = await shop.person().sign_in()
    tab_client = shop.person().client
    tab_client.cookies = person.client.cookies
    tab = await SocketTab(tab_client, "/payment").open()
    seen = await walk(person)
    for fault in FAULTS:
        shop.payment.fail("/api", fault)
        other = await shop.person().sign_in()
        for answer in (await other.ask(STICKERS), await other.ask(PREMIUM), await other.client.get("/payment")):
            seen.append(f"{answer.text}{answer.headers}")
    shop.payment.mend()
    for fault in FAULTS[:4]:
        shop.auth.fail(CREATE, fault)
        shop.auth.fail(REFRESH, fault)
        other = shop.person()
        code = await other.code()
        await other.client.get("/auth/login?provider=google")
        seen.append((await other.look(f"/auth/callback?auth_code={code}")).html)
        assert code not in seen[-1] + shop.app.log()
    ops = await person.client.get("/ops", headers={"Authorization": f"Bearer {OPS_TOKEN}"})
    assert ops.status_code == 200
    seen.append(ops.text)
    await tab.look()
    seen += [message for _at, message in tab.pushed]
    await tab.close()
    cookies = [f"{cookie.name}={cookie.value}" for p in shop.people for cookie in p.client.cookies.jar]
    await shop.app.kill()
    ids = await session_ids(shop)

    everything = "\n".join([*seen, *cookies, shop.app.log()])
    secrets = {"API key": API_KEY, "storage secret": STORAGE_SECRET, "webhook": WEBHOOK_SECRET, "ops": OPS_TOKEN}
    found = [name for name, secret in secrets.items() if secret in everything]
    assert found == []
    assert len(ids) > len(FAULTS)
    assert not [one for one in ids if one in everything]
    assert "CANARYcode" not in shop.app.log()
    assert person.email not in shop.app.log()
    assert person.client.cookies["session"] not in shop.app.log()
    assert "Traceback" not in shop.app.log()
