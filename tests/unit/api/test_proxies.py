"""Proxy headers count from TRUSTED_PROXIES only; limits count the address that is really asking."""

from collections.abc import Sequence

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.request_context import RequestContextMiddleware

Header = tuple[bytes, bytes]


async def seen_by_the_app(
    headers: Sequence[Header], *, client: tuple[str, int] | None = ("10.0.0.7", 1234), trusted: Sequence[str] = ()
) -> Scope:
    found: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"body"})

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None: ...

    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "headers": list(headers), "client": client}
    await RequestContextMiddleware(app, trusted)(scope, receive, send)
    return found[0]


FORWARDED = [
    (b"x-forwarded-for", b"6.6.6.6, 203.0.113.9"),
    (b"x-forwarded-proto", b"https"),
    (b"x-forwarded-host", b"evil.example"),
    (b"x-forwarded-prefix", b"https://evil.example"),
    (b"forwarded", b"for=6.6.6.6"),
    (b"x-real-ip", b"6.6.6.6"),
]


async def test_a_stranger_can_not_say_who_it_is() -> None:
    scope = await seen_by_the_app([*FORWARDED, (b"accept", b"*/*")])

    assert scope["client"] == ("10.0.0.7", 1234)
    assert scope["scheme"] == "http"
    assert scope["headers"] == [(b"accept", b"*/*")]


async def test_a_trusted_proxy_says_who_asks_and_how() -> None:
    scope = await seen_by_the_app(FORWARDED, trusted=["10.0.0.0/8"])

    assert scope["client"] == ("203.0.113.9", 0)
    assert scope["scheme"] == "https"
    assert scope["headers"] == []


async def test_a_chain_of_trusted_proxies_is_walked_from_the_right() -> None:
    chain = [(b"x-forwarded-for", b"6.6.6.6, 203.0.113.9, 10.1.1.1"), (b"x-forwarded-for", b"10.2.2.2")]

    scope = await seen_by_the_app(chain, trusted=["10.0.0.0/8"])

    assert scope["client"] == ("203.0.113.9", 0)


@pytest.mark.parametrize("chain", [b"", b"rubbish", b"203.0.113.9, rubbish", b"10.1.1.1"])
async def test_a_chain_that_names_nobody_leaves_the_proxys_address(chain: bytes) -> None:
    scope = await seen_by_the_app([(b"x-forwarded-for", chain)], trusted=["10.0.0.0/8"])

    assert scope["client"][0] == "10.0.0.7"


async def test_a_client_without_an_address_is_a_stranger() -> None:
    scope = await seen_by_the_app(FORWARDED, client=None, trusted=["10.0.0.0/8"])

    assert scope["headers"] == []
