"""Requests that change state: which shapes are ours, and which are refused before anything is asked (ASVS 3.5)."""

import httpx
import pytest
from starlette.types import Message

from api.csrf import CsrfGuard, own_origins
from tests.unit.api.api_world import ApiWorld, Browser

OURS = "http://localhost:8081"
ROUTES = ["/api/payment/checkout", "/api/payment/cart", "/api/payment/portal", "/payment/checkout", "/payment/portal",
          "/cart/add", "/cart/checkout", "/preferences", "/auth/sign-out", "/sign-out"]  # fmt: skip
FOREIGN = {
    "another site": {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
    "another site, old browser": {"origin": "https://evil.example"},
    "a sibling sub-domain": {"sec-fetch-site": "same-site", "origin": "http://evil.localhost:8081"},
    "a sandboxed frame": {"origin": "null"},
    "another port of ours": {"origin": "http://localhost:9999"},
    "another scheme of ours": {"origin": "https://localhost:8081"},
    "a name that begins like ours": {"origin": "http://localhost:8081.evil.example"},
    "a lie about the site": {"sec-fetch-site": "same-origin", "origin": "https://evil.example"},
    "nothing said, with a cookie": {},
}
NATIVE = {
    "a current browser": {"sec-fetch-site": "same-origin"},
    "a browser that says both": {"sec-fetch-site": "same-origin", "origin": OURS},
    "an old browser": {"origin": OURS},
    "another name of this machine": {"origin": "http://127.0.0.1:8081"},
}


async def post(browser: Browser, path: str, headers: dict[str, str]) -> httpx.Response:
    browser.headers.pop("sec-fetch-site", None)
    if path.startswith("/api/"):
        return await browser.post(path, json={}, headers=headers)
    return await browser.post(path, data={"next": "/"}, headers=headers)


@pytest.mark.parametrize("path", ROUTES)
async def test_foreign_requests_change_nothing(api: ApiWorld, path: str) -> None:
    browser = await api.browser().sign_in()
    for kind, headers in FOREIGN.items():
        answer = await post(browser, path, headers)

        assert answer.status_code == 403, kind
        browser.headers["sec-fetch-site"] = "same-origin"
        assert (await browser.get("/api/me")).status_code == 200, kind


@pytest.mark.parametrize("path", ROUTES)
async def test_our_own_requests_pass(api: ApiWorld, path: str) -> None:
    browser = api.browser()
    for kind, headers in NATIVE.items():
        await browser.sign_in()  # two of the routes end the session

        answer = await post(browser, path, headers)

        assert answer.status_code in (200, 303, 404, 422), kind


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""]
)
async def test_the_api_takes_nothing_that_a_plain_form_can_send(api: ApiWorld, kind: str) -> None:
    browser = await api.browser().sign_in()

    answer = await browser.post(
        "/api/payment/checkout", content=b'{"price_id":"x"}', headers={"content-type": kind} if kind else {}
    )

    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/form-data; boundary=x"])
async def test_forms_take_form_fields_only(api: ApiWorld, kind: str) -> None:
    answer = await (await api.browser().sign_in()).post("/cart/add", content=b"x", headers={"content-type": kind})

    assert answer.status_code == 415


UPLOAD = "/_nicegui/client/01234567-89ab-cdef-0123-456789abcdef/upload/12"


@pytest.mark.parametrize(
    ("path", "headers", "size", "status"),
    [
        (UPLOAD, {}, 200_000, 404),
        (UPLOAD, {"content-type": "application/json"}, 10, 415),
        (UPLOAD, {"sec-fetch-site": "cross-site"}, 10, 403),
        (UPLOAD, {"content-length": str(11 * 1024 * 1024)}, 10, 413),
        (f"{UPLOAD}/x", {}, 10, 415),
        ("/cart/add", {}, 10, 415),
    ],
    ids=["taken", "no-files", "foreign", "too-large", "no-upload", "a-form-of-ours"],
)
async def test_files_go_to_the_address_of_an_upload_only(
    api: ApiWorld, path: str, headers: dict[str, str], size: int, status: int
) -> None:
    browser = await api.browser().sign_in()
    files = {"content-type": "multipart/form-data; boundary=x", **headers}

    answer = await browser.post(path, content=b" " * size, headers=files)

    assert answer.status_code == status


async def test_a_body_larger_than_any_we_take_is_refused(api: ApiWorld) -> None:
    browser = await api.browser().sign_in()

    async def chunks() -> object:
        for _ in range(100):
            yield b" " * 1024

    json = {"content-type": "application/json"}
    named = await browser.post("/api/payment/checkout", content=b" " * 100_000, headers=json)
    unnamed = await browser.post("/api/payment/checkout", content=chunks(), headers=json)  # type: ignore[arg-type]

    assert (named.status_code, unnamed.status_code) == (413, 413)


@pytest.mark.parametrize(
    ("origin", "accepted"),
    [
        (OURS, True),
        ("http://127.0.0.1:8081", True),
        ("https://evil.example", False),
        ("http://localhost:8081.evil.example", False),
        ("null", False),
        ("", False),
        (None, False),
    ],
)
async def test_the_socket_opens_for_our_own_pages_only(api: ApiWorld, origin: str | None, accepted: bool) -> None:
    assert await socket_opens(api, "/_nicegui_ws/socket.io/", origin) is accepted


async def socket_opens(api: ApiWorld, path: str, origin: str | None) -> bool:
    """Ask for a socket; return whether the app got to see it, or fail where it was neither seen nor closed."""
    reached: list[str] = []
    sent: list[Message] = []

    async def app(scope: object, receive: object, send: object) -> None:
        reached.append("app")

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [] if origin is None else [(b"origin", origin.encode())]
    await CsrfGuard(app, api.container.settings)({"type": "websocket", "path": path, "headers": headers}, receive, send)

    assert [message["type"] for message in sent] == ([] if reached else ["websocket.close"])
    return bool(reached)


@pytest.mark.parametrize("path", ["/_nicegui_ws", "/_nicegui_ws/", "/_nicegui_ws/socket.iox/", "/_nicegui_ws/x"])
async def test_there_is_one_address_for_sockets_of_pages(api: ApiWorld, path: str) -> None:
    assert not await socket_opens(api, path, OURS)
    assert await socket_opens(api, "/_nicegui_ws/socket.io", OURS)


async def test_half_of_a_body_is_none(api: ApiWorld) -> None:
    reached: list[str] = []
    half: Message = {"type": "http.request", "body": b"price_id=a&quantity=1", "more_body": True}
    parts = iter((half, {"type": "http.disconnect"}))

    async def app(scope: object, receive: object, send: object) -> None:
        reached.append("app")

    async def receive() -> Message:
        return dict(next(parts))

    async def send(message: Message) -> None:
        pass

    headers = [(b"content-length", b"22"), (b"content-type", b"application/x-www-form-urlencoded")]
    scope = {"type": "http", "method": "POST", "path": "/cart/add", "headers": headers}
    await CsrfGuard(app, api.container.settings)(scope, receive, send)

    assert not reached


async def test_polling_from_another_site_is_refused_too(api: ApiWorld) -> None:
    browser = api.browser()

    answer = await browser.get(
        "/_nicegui_ws/socket.io/?EIO=4&transport=polling",
        headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    )

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("public_url", "origins"),
    [
        ("https://billing.example.com", {"https://billing.example.com"}),
        ("https://Billing.Example.com:443", {"https://billing.example.com"}),
        ("https://billing.example.com:8443", {"https://billing.example.com:8443"}),
        ("http://localhost:8081", {"http://localhost:8081", "http://127.0.0.1:8081", "http://[::1]:8081"}),
    ],
)
def test_our_origins_are_written_as_browsers_write_them(public_url: str, origins: set[str]) -> None:
    assert own_origins(public_url) == origins
