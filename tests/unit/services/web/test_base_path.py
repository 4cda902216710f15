"""A site below a path of its host: what comes in loses the path, what goes out gets it."""

from collections.abc import Iterator

import httpx
import pytest
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from services.web import base_path
from services.web.base_path import UnderBasePath, at, below
from ui.nicegui_ext.html import attribute_values

BASE = "/billing"


@pytest.fixture
def in_force() -> Iterator[None]:
    base_path.put_in_force(f"https://example.com{BASE}")
    yield
    base_path.put_in_force("https://example.com")


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Say which path was asked for, redirect to what `to` names, and set one cookie."""
    query = scope["query_string"].decode()
    answer = RedirectResponse(query) if query else Response(scope["path"] + " " + scope["raw_path"].decode())
    answer.set_cookie("session", "x")
    await answer(scope, receive, send)


async def get(path: str) -> httpx.Response:
    transport = httpx.ASGITransport(UnderBasePath(echo, BASE))
    async with httpx.AsyncClient(transport=transport, base_url="http://site") as client:
        return await client.get(path)


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        (BASE, "/"),
        (f"{BASE}/", "/"),
        (f"{BASE}/pricing", "/pricing"),
        (f"{BASE}/a%2Fb", "/a/b"),
        ("/readyz", "/readyz"),
        ("/billings", "/billings"),
    ],
)
async def test_a_request_loses_the_path_whether_or_not_a_proxy_has_taken_it(asked: str, seen: str) -> None:
    path, _space, raw = (await get(asked)).text.partition(" ")

    assert path == seen
    assert not raw.startswith(f"{BASE}/")


@pytest.mark.parametrize(
    ("leads", "to"),
    [
        ("/login", f"{BASE}/login"),
        (f"{BASE}/login", f"{BASE}/login"),
        ("https://checkout.stripe.com/c", "https://checkout.stripe.com/c"),
        ("//elsewhere/x", "//elsewhere/x"),
    ],
)
async def test_a_redirect_within_the_site_gets_it_once(leads: str, to: str) -> None:
    assert (await get(f"{BASE}/x?{leads}")).headers["location"] == to


async def test_cookies_are_for_the_site_alone() -> None:
    assert "; Path=/billing;" in (await get(f"{BASE}/pricing")).headers["set-cookie"]


@pytest.mark.usefixtures("in_force")
def test_addresses_of_elements_get_it_and_those_of_other_sites_do_not() -> None:
    assert attribute_values({"href": "/pricing?a=/b", "data_next": "/cart"}) == {
        "href": f"{BASE}/pricing?a=/b", "data-next": "/cart",
    }  # fmt: skip
    assert attribute_values({"href": "?interval=year"}) == {"href": "?interval=year"}
    assert attribute_values({"src": "https://example.org/x"}) == {"src": "https://example.org/x"}
    assert (at("/x"), at("//y"), at("#z")) == (f"{BASE}/x", "//y", "#z")


def test_at_the_root_nothing_changes() -> None:
    assert (at("/x"), below("/x", "")) == ("/x", "/x")
