"""Requests that no HTTP library would send, byte by byte: each gets an answer that the app meant to give."""

import asyncio
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from tests.faults.shop import ProxiedProduct

HOSTS: Final = (
    b"", b"[", b"]", b"a b", b"x:99999999", b"::1", b"evil.example:abc", b"\xff\xfe", b"a/b", b"a@b", b"a?b", b"a#b",
)  # fmt: skip
PATHS: Final = (
    b"/", b"/login?next=/x", b"/account", b"/payment", b"/nothing", b"/api/me", b"/metrics", b"/api/docs", b"/ops",
    b"/auth/login?provider=google", b"/auth/callback?auth_code=x",
)  # fmt: skip
TARGETS: Final = (
    b"http://evil.example/", b"*", b"//evil.example", b"/%00", b"/%ff", b"/login?next=%00", b"/?%ff=%ff", b"/\x01",
    b"/login?next=/%ff", b"/a?" + b"b=c&" * 5000, b"/" + b"a" * 60_000, b"/payment?price=%ff", b"/..%2f..%2f",
    b"/_nicegui/3.18.0/static/..%2f..%2f", b"/_nicegui/3.18.0/resources/x/..%2f", b"/assets/..%2fapp.js",
    b"/payment/success?session_id=" + b"%F0%9F%98%80" * 500,
)  # fmt: skip
HEADERS: Final = (
    b"X-Forwarded-For: fe80::1%\x01", b"Accept-Language: " + b"a-" * 4000, b"Cookie: session=a\xffb.\xff",
    b"Cookie: locale=%ff; timezone=../../etc/passwd; theme=\xff", b"X-Request-Id: \xff", b"X-Forwarded-Proto: \xff",
    b"Range: bytes=0-1", b"Expect: 100-continue", b"Authorization: Basic \xff", b"Authorization: Bearer \xff",
)  # fmt: skip
FORM: Final = b"application/x-www-form-urlencoded"
JSON: Final = b"application/json"
BODIES: Final = (
    (FORM, b"a=%ff&%ff=1"), (FORM + b"; charset=utf-7", b"a&" * 3000), (JSON + b"; charset=utf-16", b"{}"),
    (FORM, b"price_id=%00&quantity=%00&next=%00&locale=de"), (JSON, b"\xff\xfe"), (JSON, b'{"price_id":"\\ud800"}'),
    (JSON, b'{"price_id":"a","quantity":1e400}'), (JSON, b'{"price_id":"a","quantity":' + b"9" * 5000 + b"}"),
    (JSON, b'{"return_to":"\\ud800"}'),
)  # fmt: skip
POSTS: Final = (
    b"/payment/checkout", b"/payment/portal", b"/preferences", b"/cart/add", b"/api/payment/checkout",
    b"/api/payment/portal", b"/sign-out", b"/api/payment/events",
)  # fmt: skip
NO_HTTP: Final = (
    b"\x16\x03\x01\x02\x00\x01", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"GET /_nicegui_ws/socket.io/ HTTP/1.1\r\nHost: caf\xe9\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n",
    b"GET /_nicegui_ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
)  # fmt: skip
HALF_OPEN: Final = (
    b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n",
    b"POST /sign-out HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n",
    b"POST /_nicegui_ws/socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n4",
)  # fmt: skip


def requests(origin: bytes, cookie: bytes) -> Iterator[bytes]:
    """Yield every request, those of somebody signed in among them."""
    end = b"\r\nConnection: close\r\n\r\n"
    signed_in = b"\r\nCookie: session=" + cookie
    for path in PATHS:
        for host in HOSTS:
            for more in (b"", signed_in):
                yield b"GET " + path + b" HTTP/1.1\r\nAccept: text/html\r\nHost: " + host + more + end
    for target in TARGETS:
        for header in HEADERS:
            yield b"GET " + target + b" HTTP/1.1\r\nAccept: text/html\r\nHost: localhost\r\n" + header + end
    for path in POSTS:
        for kind, body in BODIES:
            head = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nOrigin: " + origin + b"\r\nX-Signature: \xff"
            length = b"\r\nContent-Length: " + str(len(body)).encode()
            yield (
                head + b"\r\nContent-Type: " + kind + length + (b"" if b"sign-out" in path else signed_in) + end + body
            )


async def status_of(url: str, request: bytes) -> int:
    """Send the bytes on a connection of their own and return the status of the answer."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(request)
        return int((await asyncio.wait_for(reader.readline(), 10)).split(b" ")[1])
    finally:
        writer.close()


async def closes(url: str, request: bytes) -> bytes:
    """Send the bytes, and return what comes until the server closes the connection."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(request)
        return await asyncio.wait_for(reader.read(), 30)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_no_bytes_are_too_much(shop: ProxiedProduct) -> None:
    await shop.open(
        {"TRUSTED_PROXIES": "127.0.0.1,::1", "LIMIT_UNCONNECTED_VIEWS": "10000", "LIMIT_PAGE_VIEWS": "100000/minute"}
    )
    person = await shop.person().sign_in()
    sent = requests(shop.app.url.encode(), person.client.cookies["session"].encode())

    half_open = [asyncio.create_task(closes(shop.app.url, request)) for request in HALF_OPEN]
    statuses = [await status_of(shop.app.url, request) for request in sent]
    for _time in range(5):
        await asyncio.gather(*(closes(shop.app.url, request) for request in NO_HTTP))
    answers = await asyncio.gather(*half_open)

    assert [answer[9:12] for answer in answers] == [b"", b"408", b"200", b"415", b"400"]
    assert {200, 303, 400, 401, 404, 415, 422} <= set(statuses) <= {200, 303, 307, 400, 401, 403, 404, 415, 422}
    for said in ("Invalid HTTP request received.", "Invalid WebSocket request received."):
        assert len(shop.app.events(said)) == 1
    assert not shop.app.events("request_failed")
    assert not shop.app.events("page_failed")
    assert "Traceback" not in shop.app.log()
