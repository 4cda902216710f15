"""Documents for whoever is not known here: what they depend on, what they are drawn for, and what is never kept."""

import asyncio
import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import brotli
import httpx
import pytest
from nicegui import app as nicegui_app
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from api.request_context import RequestContextMiddleware
from services.container import Container
from services.errors import StoreUnavailable
from services.stripe_mode import TEST_MODE_IN_PUBLIC
from settings import Settings
from tests.ui.simulation import Simulate
from ui.nicegui_ext import optimizations
from ui.nicegui_ext.optimizations import NONE, Optimizations
from ui.page.context import PageContext
from ui.pages import pricing
from ui.serving import document
from ui.serving.finished import FinishedDocument, KeptDocuments
from ui.serving.shared_documents import DOCUMENTS, LONGEST_VALUE, MARK, VERSION_PATH, SharedDocuments
from wiring.build import build

HTML = {"accept": "text/html", "accept-encoding": "identity"}


@dataclass
class DrawnPages:
    """The app behind the documents: it says what it was asked, and how often."""

    answer: Callable[[Request], Response] | None = None
    drawn: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        self.drawn.append(str(request.url.path))
        await asyncio.sleep(0)  # others come in between
        make = self.answer or seen
        await make(request)(scope, receive, send)


def seen(request: Request) -> Response:
    """A document that holds all that its request says."""
    said = f"{request.url.path}?{request.url.query} {sorted(request.headers.items())}"
    return Response(said, headers={MARK.decode(): "kept"}, media_type="text/html")


@pytest.fixture(autouse=True)
def documents_are_shared() -> Iterator[None]:
    """Also where all other tests run with every optimization off."""
    with optimizations.tried(Optimizations()):
        yield


@pytest.fixture
def container(settings: Settings) -> Container:
    return build(settings).container


@pytest.fixture
def pages() -> DrawnPages:
    return DrawnPages()


@pytest.fixture
def browser(container: Container, pages: DrawnPages) -> httpx.AsyncClient:
    app = RequestContextMiddleware(SharedDocuments(pages, container), trusted_proxies=())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8081", headers=HTML)


def cookie_of(container: Container) -> dict[str, str]:
    return {"cookie": f"{container.sessions.cookie_name}={container.sessions.new_cookie()}"}


@pytest.mark.parametrize("path", sorted(DOCUMENTS))
async def test_a_document_is_drawn_once_for_all(browser: httpx.AsyncClient, pages: DrawnPages, path: str) -> None:
    first = await browser.get(path, headers={"user-agent": "one", "referer": "http://localhost:8081/secret"})
    second = await browser.get(path, headers={"user-agent": "two", "cookie": "session=made.up; other=1"})

    assert first.content == second.content
    assert pages.drawn == [path]
    assert "set-cookie" not in first.headers
    assert first.headers["cache-control"].startswith("public, max-age=0")
    assert first.headers["vary"] == "Cookie, Accept-Language, Accept-Encoding, Sec-Fetch-Site"


async def test_it_is_counted_whether_it_was_kept(browser: httpx.AsyncClient, container: Container) -> None:
    for _visitor in range(3):
        await browser.get("/pricing")

    text = container.metrics.text().decode()

    assert 'billing_cache_answers_total{cache="shared_documents",outcome="miss"} 1.0' in text
    assert 'billing_cache_answers_total{cache="shared_documents",outcome="hit"} 2.0' in text
    assert float(text.partition("\nbilling_shared_documents_bytes ")[2].split()[0]) > 100


async def test_it_is_drawn_for_a_request_that_says_nothing_of_the_one_who_asked(browser: httpx.AsyncClient) -> None:
    asked = {
        "user-agent": "Browser of Ada", "authorization": "Basic YWRh", "referer": "http://localhost:8081/account",
        "cookie": "session=forged; timezone=Europe%2FVienna; theme=dark; locale=de", "x-forwarded-for": "192.0.2.7",
    }  # fmt: skip

    text = (await browser.get("/login?next=/cart&who=ada", headers=asked)).text

    assert text == (
        "/login?next=%2Fcart [('accept', 'text/html'), ('cookie', 'locale=de; theme=dark'), ('host', 'localhost:8081'),"
        " ('sec-fetch-site', 'none')]"
    )


@pytest.mark.parametrize(
    ("path", "headers", "same"),
    [
        ("/pricing?utm_source=mail", {}, True),
        ("/pricing?interval=year", {}, False),
        ("/pricing?lang=de", {}, False),
        ("/pricing?lang=tlh", {}, True),
        ("/pricing?theme=dark", {}, False),
        ("/pricing?theme=purple", {}, True),
        ("/pricing", {"accept-language": "de"}, False),
        ("/pricing", {"cookie": "locale=es"}, False),
        ("/pricing", {"cookie": "theme=dark"}, False),
        ("/pricing", {"cookie": "theme=purple"}, True),
        ("/pricing", {"cookie": "timezone=Asia%2FTokyo"}, True),
        ("/pricing", {"sec-fetch-site": "same-origin"}, False),
        ("/pricing", {"sec-fetch-site": "cross-site"}, True),
        ("/pricing", {"sec-fetch-site": "made up"}, True),
    ],
)
async def test_what_a_document_depends_on(
    browser: httpx.AsyncClient, path: str, headers: dict[str, str], same: bool
) -> None:
    plain, other = await browser.get("/pricing"), await browser.get(path, headers=headers)

    assert (plain.headers["etag"] == other.headers["etag"]) is same


async def test_who_has_a_cookie_of_ours_is_left_to_the_pages(
    browser: httpx.AsyncClient, container: Container, pages: DrawnPages
) -> None:
    pages.answer = lambda request: PlainTextResponse("for one alone", headers={"cache-control": "no-store"})
    answers = [await browser.get("/pricing", headers=cookie_of(container)) for _time in range(2)]
    pages.answer = None
    stranger = await browser.get("/pricing")

    assert [answer.text for answer in answers] == ["for one alone"] * 2
    assert [answer.headers["cache-control"] for answer in answers] == ["no-store"] * 2
    assert "for one alone" not in stranger.text


@pytest.mark.parametrize("status", [200, 303, 429, 500, 503])
async def test_only_what_a_page_marks_as_a_document_is_kept(
    browser: httpx.AsyncClient, pages: DrawnPages, status: int
) -> None:
    pages.answer = lambda request: PlainTextResponse("busy", status, {"retry-after": "3"})
    busy = await browser.get("/pricing")
    pages.answer = None

    assert (busy.status_code, busy.text, busy.headers["retry-after"]) == (status, "busy", "3")
    assert (await browser.get("/pricing")).status_code == 200


@pytest.mark.parametrize("failure", [StoreUnavailable("away"), OSError("no file is free")], ids=["ours", "unforeseen"])
async def test_what_went_wrong_once_is_shown_once_and_kept_by_nobody(
    container: Container, simulate: Simulate, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    async def fails(context: PageContext) -> None:
        raise failure

    async with simulate(container, pricing.register):
        front = RequestContextMiddleware(SharedDocuments(nicegui_app, container), trusted_proxies=())
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(front), base_url="http://localhost:8081", headers=HTML
        ) as browser:
            with monkeypatch.context() as trouble:
                trouble.setattr(document, "ARRIVALS", (fails,))
                failed = await browser.get("/pricing")
            then = [await browser.get("/pricing") for _time in range(2)]

    assert failed.status_code >= 500
    assert "etag" not in failed.headers
    assert "public" not in failed.headers.get("cache-control", "")
    assert failed.headers["x-request-id"] in failed.text  # the reference to quote is this one's
    assert [answer.status_code for answer in then] == [200, 200]
    assert then[0].content == then[1].content


async def test_who_come_together_wait_for_one_drawing(browser: httpx.AsyncClient, pages: DrawnPages) -> None:
    answers = await asyncio.gather(*(browser.get("/pricing") for _ in range(20)))

    assert pages.drawn == ["/pricing"]
    assert len({answer.headers["etag"] for answer in answers}) == 1


async def test_what_was_drawn_while_the_catalog_changed_is_not_kept(
    browser: httpx.AsyncClient, pages: DrawnPages, container: Container
) -> None:
    """It shows the new prices under the key of the old ones, which may be put back into force."""
    catalog, later = container.catalog, container.catalog.model_copy(update={"questions": ()})
    assert later.version != catalog.version

    def changing(request: Request) -> Response:
        container.catalogs.current = later  # type: ignore[misc]
        return seen(request)

    pages.answer = changing
    await browser.get("/pricing")
    container.catalogs.current, pages.answer = catalog, None  # type: ignore[misc]
    await browser.get("/pricing")

    assert pages.drawn == ["/pricing", "/pricing"]


async def test_a_banner_that_another_replica_has_seen_makes_another_document(
    browser: httpx.AsyncClient, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The facts are asked for by each view: no other page may be drawn for long that would ask."""
    asked = 0
    ask = container.stripe_mode.mode

    async def mode() -> object:
        nonlocal asked
        asked += 1
        return await ask()

    monkeypatch.setattr(container.stripe_mode, "mode", mode)
    first = (await browser.get(VERSION_PATH)).json()
    monkeypatch.setattr(container.stripe_mode, "known_problems", lambda: (TEST_MODE_IN_PUBLIC,))
    then = (await browser.get(VERSION_PATH)).json()
    await browser.get("/pricing")

    assert first != then
    assert asked == 3


async def test_one_language_does_not_wait_for_anothers_drawing(browser: httpx.AsyncClient, pages: DrawnPages) -> None:
    both = await asyncio.gather(*(browser.get("/", headers={"cookie": f"locale={name}"}) for name in ("de", "ja")))

    assert ["locale=de" in answer.text for answer in both] == [True, False]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("gzip, deflate, br, zstd", "br"), ("gzip, deflate", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("", None),
        ("identity", None), ("BR", "br"),
    ],
)  # fmt: skip
async def test_bytes_are_compressed_as_the_browser_takes_them(
    browser: httpx.AsyncClient, asked: str, told: str | None
) -> None:
    plain = await browser.get("/pricing")
    answer = await browser.get("/pricing", headers={"accept-encoding": asked})

    assert answer.headers.get("content-encoding") == told
    assert answer.text == plain.text


async def test_who_has_it_gets_304(browser: httpx.AsyncClient) -> None:
    first = await browser.get("/pricing")
    again = await browser.get("/pricing", headers={"if-none-match": f'"x", W/{first.headers["etag"]}'})
    other = await browser.get("/pricing", headers={"if-none-match": '"x"'})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert other.status_code == 200


async def test_a_value_longer_than_any_of_ours_is_as_good_as_none(browser: httpx.AsyncClient) -> None:
    plain, long = await browser.get("/login"), await browser.get(f"/login?next=/{'a' * LONGEST_VALUE}")

    assert plain.headers["etag"] == long.headers["etag"]


async def test_addresses_that_nobody_serves_are_one_document(browser: httpx.AsyncClient, pages: DrawnPages) -> None:
    def missing(request: Request) -> Response:
        headers = {MARK.decode(): "not-found"}
        return Response("not here", 404, headers) if request.url.path == "/not-found" else Response(None, 404, headers)

    pages.answer = missing
    answers = [await browser.get(path) for path in ("/a", "/b?c=d", "/pricing/", "/not-found")]

    assert [(answer.status_code, answer.text) for answer in answers] == [(404, "not here")] * 4
    assert MARK.decode() not in answers[0].headers
    assert pages.drawn.count("/not-found") == 2  # one is drawn, one was asked for


async def test_the_version_tells_when_a_page_is_no_more_the_servers(
    browser: httpx.AsyncClient, container: Container
) -> None:
    first = await browser.get(VERSION_PATH)
    again = await browser.get(VERSION_PATH, headers={"if-none-match": first.headers["etag"]})
    signed_in = await browser.get(VERSION_PATH, headers=cookie_of(container))

    assert again.status_code == 304
    assert signed_in.json()["version"] == "live" != first.json()["version"]
    assert first.headers["cache-control"] == "private, no-cache"


async def test_without_the_setting_every_page_is_live(browser: httpx.AsyncClient, pages: DrawnPages) -> None:
    with optimizations.tried(Optimizations(shared_documents=False)):
        await browser.get("/pricing")
        await browser.get("/pricing")
    with optimizations.tried(NONE):
        await browser.get("/pricing")

    assert pages.drawn == ["/pricing"] * 3


def test_the_longest_unused_goes_first() -> None:
    documents = [FinishedDocument.of(bytes([letter]) * 4000 + letter.to_bytes(2, "big"), 200) for letter in range(6)]
    kept = KeptDocuments(most_bytes=sum(one.size for one in documents[:3]) + 4)
    for number, one in enumerate(documents[:3]):
        kept.keep(number, one)
    kept.find(0)
    kept.keep(3, documents[3])

    assert [kept.find(number) is not None for number in range(4)] == [True, False, True, True]
    assert kept.bytes == sum(documents[number].size for number in (0, 2, 3))


def test_both_encodings_hold_the_same() -> None:
    document = FinishedDocument.of(b"<p>Hello</p>" * 300, 200)
    bodies = dict(document.encodings)

    assert brotli.decompress(bodies["br"]) == gzip.decompress(bodies["gzip"]) == b"<p>Hello</p>" * 300
