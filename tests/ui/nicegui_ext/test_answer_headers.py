"""One middleware in place of NiceGUI's two: the same headers."""

import asyncio

import httpx
import pytest
from nicegui import app as nicegui_app
from nicegui import core
from nicegui.middlewares import RedirectWithPrefixMiddleware, SetCacheControlMiddleware
from nicegui.version import __version__ as NICEGUI_VERSION
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from ui.nicegui_ext.answer_headers import AnswerHeaders, put_in_place
from ui.nicegui_ext.page_policy import PlainPages

KEPT = f"/_nicegui/{NICEGUI_VERSION}/static/a.js"
PATHS = ("/here", "/away", "/plain", KEPT, f"/_nicegui/{NICEGUI_VERSION}/dynamic_resources/a.js", "/absent")


def answers(*middleware: Middleware) -> list[tuple[int, str | None, str | None]]:
    """What each path answers, without and with a proxy's prefix."""
    plain = [Route(path, lambda _request: PlainTextResponse("x")) for path in PATHS[2:-1]]

    def here(_request: object) -> Response:
        return RedirectResponse("/there")

    def away(_request: object) -> Response:
        return RedirectResponse("https://example.com/")

    routes = [Route("/here", here), Route("/away", away), *plain]
    app = Starlette(routes=routes, middleware=middleware)
    found = []

    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            for path in PATHS:
                for headers in ({}, {"X-Forwarded-Prefix": "/billing"}):
                    answer = await client.get(path, headers=headers)
                    words = (answer.headers.get("location"), answer.headers.get("cache-control"))
                    found.append((answer.status_code, *words))

    asyncio.run(ask())
    return found


def test_every_answer_has_the_headers_that_nicegui_would_give_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.app.config, "cache_control_directives", "public, max-age=9", raising=False)

    ours = answers(Middleware(AnswerHeaders))

    assert ours == answers(Middleware(SetCacheControlMiddleware), Middleware(RedirectWithPrefixMiddleware))
    assert (307, "/billing/there", None) in ours
    assert (200, None, "public, max-age=9") in ours


def test_it_takes_the_place_of_both_and_leaves_others_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Middleware(PlainPages)
    theirs = [Middleware(SetCacheControlMiddleware), Middleware(RedirectWithPrefixMiddleware)]
    monkeypatch.setattr(nicegui_app, "user_middleware", [*theirs, other])

    put_in_place()

    first, second = nicegui_app.user_middleware
    assert repr(first) == repr(Middleware(AnswerHeaders))
    assert second is other


def test_a_release_with_other_middlewares_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = Middleware(SetCacheControlMiddleware)
    monkeypatch.setattr(nicegui_app, "user_middleware", [theirs])

    put_in_place()

    assert nicegui_app.user_middleware == [theirs]
