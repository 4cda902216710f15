"""From the request to the finished document: visit, sign-in, errors, cookies, head and script."""

import json
import re
from typing import Any

import pytest
from nicegui import Client
from nicegui.version import __version__ as NICEGUI_VERSION
from starlette.responses import RedirectResponse

from services.container import Container
from services.errors import NotSignedIn, RateLimited, SignInUnavailable, StoreUnavailable, UpstreamUnavailable
from tests.ui.simulation import FakeSessions, Register, Simulate, press, sign_in, the
from ui.nicegui_ext import template
from ui.nicegui_ext.browser_events import on_browser_event
from ui.nicegui_ext.html import Tag
from ui.page import assets
from ui.page.frame import frame
from ui.serving.document import PageContext, page
from ui.theme.look import look_of


def sessions_of(container: Container) -> FakeSessions:
    assert isinstance(container.sessions, FakeSessions)
    return container.sessions


def serve(container: Container, *, requires_sign_in: bool = False) -> None:
    """Add a page that shows who looks at it."""

    @page(container, "/mirror", title="Mirror", description="What the server sees", requires_sign_in=requires_sign_in)
    def mirror(context: PageContext) -> None:
        with frame(context):
            Tag("h1", "Mirror")
            Tag("p", context.user.name if context.user else "nobody", testid="who")
            Tag("p", f"{context.locale} {context.timezone} {context.theme} {context.here}", testid="how")


async def test_the_first_html_holds_the_text_and_its_language(container: Container, simulate: Simulate) -> None:
    async with simulate(container, serve) as user:
        answer = await user.http_client.get("/mirror", headers={"accept-language": "ar"})

        assert '<html lang="ar" dir="rtl" data-theme="system">' in answer.text
        assert '<p data-testid="who">nobody</p>' in answer.text
        assert answer.headers["cache-control"] == "no-store"


async def test_the_visit_reads_language_zone_and_theme_from_cookies(container: Container, simulate: Simulate) -> None:
    async with simulate(container, serve) as user:
        for name, value in {"locale": "de", "timezone": "Europe%2FBerlin", "theme": "dark"}.items():
            user.http_client.cookies.set(name, value)

        await user.open("/mirror?a=1")

        assert the(user, "how").text == "de Europe/Berlin dark /mirror?a=1"


@pytest.mark.parametrize("value", ["Mars/Base", "../../etc/passwd", "", "x" * 5000])
async def test_a_zone_that_does_not_exist_is_utc(container: Container, simulate: Simulate, value: str) -> None:
    async with simulate(container, serve) as user:
        user.http_client.cookies.set("timezone", value)

        await user.open("/mirror")

        assert "UTC" in the(user, "how").text


async def test_a_new_browser_gets_a_cookie_and_a_known_one_keeps_its_own(
    container: Container, simulate: Simulate
) -> None:
    async with simulate(container, serve) as user:
        first = await user.http_client.get("/mirror")
        user.http_client.cookies.clear()
        sign_in(user, "visitor")
        second = await user.http_client.get("/mirror")

        assert any(header.startswith("visitor=new-1") for header in first.headers.get_list("set-cookie"))
        assert not any(header.startswith("visitor=") for header in second.headers.get_list("set-cookie"))


@pytest.mark.parametrize("failure", [StoreUnavailable("down"), SignInUnavailable("down")])
async def test_public_pages_open_while_nobody_can_say_who_it_is(
    container: Container, simulate: Simulate, failure: Exception
) -> None:
    sessions_of(container).failure = failure
    async with simulate(container, serve) as user:
        answer = await user.http_client.get("/mirror")

        assert answer.status_code == 200
        assert not any(header.startswith("visitor=") for header in answer.headers.get_list("set-cookie"))


async def test_private_pages_lead_to_sign_in_and_back(container: Container, simulate: Simulate) -> None:
    async with simulate(container, lambda container: serve(container, requires_sign_in=True)) as user:
        answer = await user.http_client.get("/mirror?plan=premium&interval=year")

        assert answer.status_code == 303
        assert answer.headers["location"] == "/login?next=/mirror%3Fplan%3Dpremium%26interval%3Dyear"


async def test_private_pages_show_who_is_signed_in(container: Container, simulate: Simulate) -> None:
    async with simulate(container, lambda container: serve(container, requires_sign_in=True)) as user:
        sign_in(user)

        await user.open("/mirror")

        assert the(user, "who").text == "Ada Lovelace"
        assert the(user, "user-name").text == "Ada Lovelace"


async def test_private_pages_say_when_sign_in_is_down(container: Container, simulate: Simulate) -> None:
    sessions_of(container).failure = SignInUnavailable("connection refused")
    async with simulate(container, lambda container: serve(container, requires_sign_in=True)) as user:
        answer = await user.http_client.get("/mirror")

        assert answer.status_code == 503
        assert "Sign-in is unavailable" in answer.text


def failing(error: Exception) -> Register:
    def register(container: Container) -> None:
        @page(container, "/fails", title="Fails")
        async def fails(context: PageContext) -> None:
            with frame(context):
                Tag("p", "half a page")
                raise error

    return register


async def test_an_error_of_ours_is_a_page_with_its_status_and_sentence(
    container: Container, simulate: Simulate
) -> None:
    error = UpstreamUnavailable("payment_ms", "subscription", "secret cause", request_id="req-7", retry_after=3.2)
    async with simulate(container, failing(error)) as user:
        answer = await user.http_client.get("/fails")

        assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
        assert "Payments are unavailable<" in answer.text
        assert "Try again in a minute." in answer.text
        assert "Opening a page never charges you." in answer.text
        assert "req-7" in answer.text
        assert "secret cause" not in answer.text
        assert "half a page" not in answer.text
        assert "Try again" in answer.text


async def test_an_unexpected_error_is_a_page_that_tells_nothing(
    container: Container, simulate: Simulate, caplog: pytest.LogCaptureFixture
) -> None:
    async with simulate(container, failing(ValueError("secret detail"))) as user:
        answer = await user.http_client.get("/fails")

        assert answer.status_code == 500
        assert "secret detail" not in answer.text
        assert answer.text.count("<h1") == 1


async def test_an_error_leaves_no_client_behind_but_its_own(container: Container, simulate: Simulate) -> None:
    async with simulate(container, failing(RateLimited())) as user:
        before = set(Client.instances)

        answer = await user.http_client.get("/fails")

        assert answer.status_code == 429
        assert len(set(Client.instances) - before) == 1


async def test_a_session_that_ends_meanwhile_leads_to_sign_in(container: Container, simulate: Simulate) -> None:
    async with simulate(container, failing(NotSignedIn())) as user:
        answer = await user.http_client.get("/fails")

        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/fails")


async def test_a_builder_may_answer_by_itself_and_leaves_no_client(container: Container, simulate: Simulate) -> None:
    def register(container: Container) -> None:
        @page(container, "/moved", title="Moved")
        def moved(context: PageContext) -> RedirectResponse:
            return RedirectResponse("/pricing", 303)

    async with simulate(container, register) as user:
        before = set(Client.instances)

        answer = await user.http_client.get("/moved")

        assert (answer.status_code, answer.headers["location"]) == (303, "/pricing")
        assert set(Client.instances) == before


@pytest.mark.optimized
async def test_every_script_carries_the_nonce_and_there_is_no_style_of_quasar(
    container: Container, simulate: Simulate
) -> None:
    async with simulate(container, serve) as user:
        html = (await user.http_client.get("/mirror")).text

    nonces = set(re.findall(r'<script[^>]*nonce="([^"]+)"', html))
    assert len(nonces) == 1
    assert html.count("<script") == len(re.findall(r'<script[^>]*nonce="', html))
    assert "quasar" not in html.lower().replace("sub_pages", "")
    assert "@import" not in html


async def test_titles_tell_tabs_apart_and_private_pages_stay_out_of_indexes(
    container: Container, simulate: Simulate
) -> None:
    def register(container: Container) -> None:
        @page(container, "/own", title="Your account", robots="noindex")
        def own(context: PageContext) -> None:
            Tag("h1", "x")

    async with simulate(container, serve, register) as user:
        public, own = (await user.http_client.get("/mirror")).text, (await user.http_client.get("/own")).text

    assert "<title>Mirror · Northwind Cloud</title>" in public
    assert '<link rel="canonical" href="http://localhost:8081/mirror">' in public
    assert '<meta property="og:title" content="Mirror · Northwind Cloud">' in public
    assert '<meta name="robots" content="noindex">' in own
    assert "canonical" not in own


async def test_structured_data_can_not_end_its_script(container: Container, simulate: Simulate) -> None:
    def register(container: Container) -> None:
        @page(container, "/data", title="Data")
        def data(context: PageContext) -> None:
            context.head.json_ld = ({"name": "</script><script>alert(1)</script>"},)

    async with simulate(container, register) as user:
        html = (await user.http_client.get("/data")).text

    found = re.search(r'<script type="application/ld\+json"[^>]*>(.*?)</script>', html)
    assert found is not None
    assert json.loads(found[1]) == {"name": "</script><script>alert(1)</script>"}


async def test_an_open_page_keeps_what_its_request_said_and_not_its_connection(
    container: Container, simulate: Simulate
) -> None:
    def register(container: Container) -> None:
        @page(container, "/kept", title="Kept")
        def kept(context: PageContext) -> None:
            Tag("p", context.here)

    async with simulate(container, register) as user:
        client = await user.open("/kept?plan=basic")
        request = client.request

        assert (request.url.path, request.query_params["plan"]) == ("/kept", "basic")
        with pytest.raises(RuntimeError, match=r"[Rr]eceive channel"):
            await request.receive()


async def test_the_style_stands_in_the_page_until_the_browser_has_it(container: Container, simulate: Simulate) -> None:
    def register(container: Container) -> None:
        @page(container, "/styled", title="Styled")
        def styled(_context: PageContext) -> None:
            Tag("p", "Hello")

    address = assets.style(look_of(container.settings)).address
    async with simulate(container, register) as user:
        asked = {came: user.http_client.get("/styled", headers={"Sec-Fetch-Site": came}) for came in CAME_FROM}
        html = {came: (await answer).text for came, answer in asked.items()}

    for came in ("none", "cross-site"):
        assert f'<link rel="prefetch" as="style" href="{address}">' in html[came]
        assert "--brand:" in html[came]
    assert f'<link rel="stylesheet" href="{address}">' in html["same-origin"]
    assert "--brand:" not in html["same-origin"]


@pytest.mark.parametrize(("takes", "told"), [("gzip, br", "br"), ("gzip, br;q=0", None), ("", None)])
async def test_a_live_page_is_compressed_by_brotli_where_the_browser_takes_it(
    container: Container, simulate: Simulate, takes: str, told: str | None
) -> None:
    def register(container: Container) -> None:
        @page(container, "/compressed", title="Compressed")
        def compressed(_context: PageContext) -> None:
            Tag("p", "Hello")

    async with simulate(container, register) as user:
        answer = await user.http_client.get("/compressed", headers={"Accept-Encoding": takes})

    assert answer.headers.get("content-encoding") == told
    assert "<p>Hello</p>" in answer.text


async def test_a_file_of_another_release_is_not_kept(container: Container, simulate: Simulate) -> None:
    """During a rollout an old replica may be asked for what a new one's page needs."""
    async with simulate(container, lambda _container: None) as user:
        assets.register(container.settings)
        address = assets.style(look_of(container.settings)).address
        known, other = [await user.http_client.get(asked) for asked in (address, "/assets/style.css?v=newer")]

    assert known.text == other.text
    assert "immutable" in known.headers["cache-control"]
    assert other.headers["cache-control"] == "no-cache"


CAME_FROM = ("none", "cross-site", "same-origin")
FORGED: list[Any] = [{"detail": {"reason": "visible"}}, {"detail": [1]}, [], None, {"detail": None}]


async def test_a_forged_event_is_an_empty_one(container: Container, simulate: Simulate) -> None:
    heard: list[dict[str, object]] = []

    def register(container: Container) -> None:
        @page(container, "/hears", title="Hears")
        def hears(context: PageContext) -> None:
            on_browser_event("visit", lambda payload: heard.append(dict(payload)))

    async with simulate(container, register) as user:
        client = await user.open("/hears")
        for listener in client.layout._event_listeners.values():
            if listener.type == "visit":
                for args in FORGED:
                    client.handle_event(
                        {"id": 0, "listener_id": listener.id, "args": [json.dumps(args)]},
                    )

    assert heard == [{"reason": "visible"}, {}, {}, {}, {}]


async def test_a_button_answers_over_the_socket(container: Container, simulate: Simulate) -> None:
    def register(container: Container) -> None:
        @page(container, "/count", title="Count")
        def count(context: PageContext) -> None:
            shown = Tag("p", "0", testid="count")
            Tag("button", "More", testid="more").on(
                "click.prevent", lambda: shown.set_text(str(int(shown.text) + 1)), args=[]
            )

    async with simulate(container, register) as user:
        await user.open("/count")

        press(user, "more")
        press(user, "more")

        assert the(user, "count").text == "2"


def test_a_changed_template_of_nicegui_is_named() -> None:
    with pytest.raises(template.TemplateChanged, match=re.escape(NICEGUI_VERSION)):
        template.dismantle("<html></html>", "{}")


def test_the_scripts_are_small() -> None:
    """They stand between a reader and a working page."""
    page, document = assets.script("app.js").text, assets.script("document.js").text
    assert len(page.encode()) < 13_500
    assert len(document.encode()) < 2_500
    later = assets.script("line.js").text
    assert len(later.encode()) < 2_800
    assert "/*" not in page + document + later
