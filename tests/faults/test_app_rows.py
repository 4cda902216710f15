"""Rows of the store that another release wrote: the app goes on as if they had never been written, and says so."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.faults.shop import PREMIUM, STICKERS, AsyncHttpUser, ProxiedProduct

PAGES = (
    "/", "/pricing", "/payment", "/payment?from=portal", "/account?from=portal", "/payment/success", "/payment/cancel",
    "/members", "/upgrade", "/shop", "/cart", "/embed/pricing",
)  # fmt: skip
ROUTES = ("/api/me", "/api/payment/subscriptions", "/api/entitlements", "/api/cart", "/api/catalog", "/readyz")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^\"]*")

Damage = Callable[[str], str]


def renamed(text: str) -> str:
    """Return the row with other names for its fields; text without fields stays as it is."""
    if not text.startswith("{"):
        return text
    return json.dumps({f"{name}_2": value for name, value in json.loads(text).items()})


DAMAGES: dict[str, Damage] = {
    "garbage": lambda text: "\x00\x01{not ours",
    "an empty object": lambda text: "{}",
    "renamed fields": renamed,
    "a bad date": lambda text: MOMENT.sub("2026-11-24T12:00:00", text),
}


def damage_rows(shop: ProxiedProduct, damage: Damage, *, sessions: bool) -> None:
    """Write all rows anew, as another release may have left them: only sessions, or all but those."""
    with closing(sqlite3.connect(shop.folder / "store.sqlite3")) as store, store:
        store.create_function("damage", 1, damage)
        store.execute("UPDATE entries SET value = damage(value) WHERE (key LIKE 'session:%') = ?", (sessions,))
        if not sessions:
            store.execute("UPDATE fields SET value = damage(value)")


async def somebody_with_everything(shop: ProxiedProduct) -> AsyncHttpUser:
    """A member with a full cart, open checkouts, a purchase that is being confirmed, and a visit to the portal."""
    person = await shop.person().sign_in()
    await person.client.put(f"/api/cart/{STICKERS}", json={"quantity": 2})
    started = (await person.ask(PREMIUM)).json()
    await person.press(STICKERS)
    await person.look(f"/payment/success?session_id={started['checkout_session_id']}")
    await shop.control("POST", f"/users/{person.user_id}/state", status="active", email=person.email)
    await person.client.get("/api/payment/subscriptions")
    assert (await person.client.post("/api/payment/portal", json={})).status_code == 200
    await person.client.get("/auth/login?provider=google")
    return person


@pytest.mark.parametrize("name", DAMAGES)
async def test_no_page_and_no_answer_fails_for_rows_that_can_not_be_read(shop: ProxiedProduct, name: str) -> None:
    await shop.open()
    person = await somebody_with_everything(shop)
    await shop.app.kill()
    damage_rows(shop, DAMAGES[name], sessions=False)
    await shop.app.start()

    statuses = {path: (await person.client.get(path, follow_redirects=True)).status_code for path in PAGES + ROUTES}
    account, billing = await person.look("/account"), await person.look("/payment")

    assert {path: status for path, status in statuses.items() if status != 200 and path != "/payment/success"} == {}
    assert statuses["/payment/success"] < 500
    assert person.email in account.text
    assert "Active" in billing.text  # the services are the truth
    said = {line["kind"] for line in shop.app.events("row_unreadable")}
    assert {"checkouts", "evidence", "portal"} <= said
    assert shop.app.events("request_failed") == []


@pytest.mark.parametrize("name", DAMAGES)
async def test_who_has_a_session_that_can_not_be_read_is_a_visitor_with_a_new_cookie(
    shop: ProxiedProduct, name: str
) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    cookie = person.client.cookies["session"]
    damage_rows(shop, DAMAGES[name], sessions=True)

    refused = await person.client.get("/api/me")
    page = await person.look("/pricing")

    assert (refused.status_code, refused.json()["code"]) == (401, "not_signed_in")
    assert page.status == 200
    assert person.email not in page.text
    assert person.client.cookies["session"] != cookie
    assert [line["kind"] for line in shop.app.events("row_unreadable")] == ["session"]
    await person.sign_in()
    assert (await person.client.get("/api/me")).status_code == 200
