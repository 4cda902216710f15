"""Requests that are not from our own page, from who they say they are, or too many (OWASP ASVS 3.5, 4.1.3, 4.4.2)."""

import re
from typing import Final

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from harness.app_process import NO_AUTHORITIES
from tests.faults.shop import PREMIUM, STICKERS, ProxiedProduct, until
from tests.security import routes

STATE_CHANGING: Final = (
    ("POST", "/payment/checkout"), ("POST", "/payment/portal"), ("POST", "/preferences"), ("POST", "/cart/add"),
    ("POST", "/cart/clear"), ("POST", "/cart/checkout"), ("POST", "/sign-out"), ("POST", "/auth/sign-out"),
    ("POST", "/api/payment/checkout"), ("POST", "/api/payment/cart"), ("POST", "/api/payment/portal"),
    ("PUT", f"/api/cart/{STICKERS}"), ("DELETE", f"/api/cart/{STICKERS}"), ("DELETE", "/api/cart"),
    ("POST", "/sandbox/words"), ("POST", "/account/forget"),
)  # fmt: skip
FOREIGN: Final[tuple[dict[str, str], ...]] = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost.evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {},
)


def test_every_route_that_changes_something_is_tried_from_elsewhere() -> None:
    changing = {route for route in routes.found() if not route.startswith("GET ")}
    tried = {f"{method} {path}".replace(STICKERS, "{price_id}") for method, path in STATE_CHANGING}
    tried = {re.sub(r"^POST /cart/(add|clear)$", "POST /cart/{action}", route) for route in tried}

    guarded = {"POST /api/payment/events", "POST /api/entitlements/query"}  # by a signature, and by a token
    assert tried | guarded == changing


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_nothing_changes_from_elsewhere(shop: ProxiedProduct, headers: dict[str, str]) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    cookies = {cookie.name: cookie.value or "" for cookie in person.client.cookies.jar}
    async with httpx.AsyncClient(
        base_url=shop.app.url, cookies=cookies, verify=NO_AUTHORITIES, trust_env=False, headers=headers
    ) as other:
        for method, path in STATE_CHANGING:
            body = {"json": {"price_id": PREMIUM, "quantity": 1}} if path.startswith("/api") else {}
            answer = await other.request(method, path, **body)  # type: ignore[arg-type]
            assert answer.status_code == 403, (method, path)

    assert (await person.client.get("/api/me")).status_code == 200
    assert shop.payment.calls("/api/v1/checkout") == []


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
async def test_the_api_takes_json_only(shop: ProxiedProduct, kind: str) -> None:
    await shop.open()
    person = await shop.person().sign_in()

    for method, path in STATE_CHANGING:
        if path.startswith("/api") and method != "DELETE":
            answer = await person.client.request(method, path, content=b'{"a":1}', headers={"Content-Type": kind})
            assert answer.status_code == 415, (method, path)
    form = await person.client.post("/payment/checkout", json={"price_id": PREMIUM})

    assert form.status_code == 415
    assert shop.payment.calls("/api/v1/checkout") == []


async def test_the_socket_opens_for_our_own_pages_only(shop: ProxiedProduct) -> None:
    await shop.open()
    address = f"{shop.app.url.replace('http', 'ws')}/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    for origin in ("https://evil.example", "null", None):
        with pytest.raises((InvalidStatus, ConnectionClosed)):
            async with connect(address, origin=origin, proxy=None) as socket:  # type: ignore[arg-type]
                await socket.recv()
    async with connect(address, origin=shop.app.url, proxy=None) as socket:  # type: ignore[arg-type]
        assert str(await socket.recv()).startswith("0{")
    polled = await shop.person().client.get(
        "/_nicegui_ws/socket.io/?EIO=4&transport=polling",
        headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    )
    assert polled.status_code == 403
    await until(lambda: bool(shop.app.events("foreign_socket")))


async def test_only_trusted_proxies_say_who_asks(shop: ProxiedProduct) -> None:
    await shop.open({"LIMIT_SIGN_INS": "3/minute"})
    stranger = shop.person()

    answers = [
        await stranger.client.get("/auth/login?provider=google", headers={"X-Forwarded-For": f"203.0.113.{number}"})
        for number in range(6)
    ]
    metrics = await stranger.client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"})

    assert [answer.status_code for answer in answers] == [303] * 3 + [429] * 3
    assert metrics.status_code == 403
    storage = str(shop.folder / "two.sqlite3")
    await shop.open({"LIMIT_SIGN_INS": "3/minute", "TRUSTED_PROXIES": "127.0.0.1,::1", "STORAGE_PATH": storage})
    behind = shop.person()
    trusted = [
        await behind.client.get("/auth/login?provider=google", headers={"X-Forwarded-For": f"203.0.113.{number}"})
        for number in range(6)
    ]
    assert [answer.status_code for answer in trusted] == [303] * 6


async def test_past_a_limit_there_is_a_plain_page_and_a_time_to_come_back(shop: ProxiedProduct) -> None:
    await shop.open({"LIMIT_PAGE_VIEWS": "10/minute", "LIMIT_CHECKOUTS": "3/minute"})
    person = await shop.person().sign_in()

    checkouts = [await person.ask(PREMIUM) for _ in range(5)]
    pages = [await person.client.get("/pricing") for _ in range(14)]
    busy = pages[-1]

    assert [answer.status_code for answer in checkouts] == [200] * 3 + [429] * 2
    assert checkouts[-1].json()["code"] == "rate_limited"
    assert 1 <= int(checkouts[-1].headers["retry-after"]) <= 60
    assert busy.status_code == 429
    assert 1 <= int(busy.headers["retry-after"]) <= 60
    assert "<script" not in busy.text
    assert "Too many requests" in busy.text
    assert len(busy.content) < 100_000


async def test_a_body_that_is_too_large_or_never_ends_is_refused(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()

    large = await person.client.post("/api/payment/checkout", json={"price_id": "x" * 70_000})
    form = await person.client.post("/payment/checkout", data={"price_id": "x" * 70_000})

    assert (large.status_code, large.json()["code"]) == (413, "too_large")
    assert form.status_code == 413


async def test_signing_out_ends_the_session_for_every_holder_of_the_cookie(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()
    cookies = {cookie.name: cookie.value or "" for cookie in person.client.cookies.jar}

    await person.client.post("/sign-out")

    async with httpx.AsyncClient(
        base_url=shop.app.url, cookies=cookies, verify=NO_AUTHORITIES, trust_env=False
    ) as thief:
        assert (await thief.get("/api/me")).status_code == 401


async def test_signing_in_gives_a_new_id(shop: ProxiedProduct) -> None:
    await shop.open()
    person = shop.person()
    await person.client.put("/api/cart/price_sandbox_sticker_pack", json={"quantity": 1})
    before = person.client.cookies["session"]
    await person.sign_in()

    assert person.client.cookies["session"] != before


async def test_no_address_and_no_method_builds_a_page_that_nobody_counts(shop: ProxiedProduct) -> None:
    await shop.open({"LIMIT_PAGE_VIEWS": "2/hour"})
    folders = ("/_nicegui/", "/_nicegui/3.18.0/", "/_nicegui/3.18.0/static/", "/_nicegui_ws/", "/assets/", "/brand/",
               "/api/", "/auth/", "/.well-known/", "/payment/", "/cart/", "/embed/", "/")  # fmt: skip
    paths = [f"{folder}nothing" for folder in folders]
    paths += [route.partition(" ")[2] + end for route in routes.found() for end in ("", "/", "x")]

    async with httpx.AsyncClient(
        base_url=shop.app.url, trust_env=False, verify=NO_AUTHORITIES, headers={"Accept": "text/html"}
    ) as stranger:
        for path in paths:
            for method in ("GET", "HEAD", "POST", "OPTIONS", "PROPFIND", "get"):
                stranger.cookies.clear()
                await stranger.request(method, path)
        metrics = (await stranger.get("/metrics")).text

    built = re.search(r"^billing_page_views (\S+)", metrics, re.M)
    assert built is not None
    assert float(built[1]) <= 3  # one more where the hour ends in between


async def test_no_path_steers_the_terminal_that_shows_the_log(shop: ProxiedProduct) -> None:
    await shop.open({"LOG_FORMAT": "console"})
    async with httpx.AsyncClient(base_url=shop.app.url, trust_env=False, verify=NO_AUTHORITIES) as stranger:
        await stranger.get("/x%1b[2J%0d%0aforged%c2%9b31m")
        await stranger.post("/x%1b[2J", headers={"Origin": "https://evil.example"})
    await until(lambda: shop.app.log().count("[2J") >= 3)

    assert "\x1b" not in shop.app.log()
    assert "\x9b" not in shop.app.log()
    assert not [line for line in shop.app.log().splitlines() if line.startswith("forged")]


async def test_no_cache_keeps_what_is_not_the_same_for_everybody(shop: ProxiedProduct) -> None:
    await shop.open()
    person = await shop.person().sign_in()

    for route in sorted(routes.found() - routes.FILES):
        method, path = route.split(" ")
        if "sign-out" in path:
            continue  # the last one
        answer = await person.client.request(
            method, path.format(price_id=STICKERS, action="clear", user_id=person.user_id)
        )
        assert answer.headers["cache-control"] == "no-store", route
    assert (await person.client.post("/sign-out")).headers["cache-control"] == "no-store"
