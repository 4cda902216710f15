"""Sign-in and error pages, the frame around all pages, and what search engines are told."""

import re
from dataclasses import replace

import pytest

from services.container import Container
from services.errors import BillingUnavailable, FrontendError, PageNotFound, StoreUnavailable
from tests.ui.simulation import ADA, FakeSessions, Simulate, sign_in, texts, the
from ui.pages import errors, home, index_files, login, pricing, signed_out
from ui.serving import document
from ui.serving.document import PageContext
from ui.serving.error_page import words_below
from ui.text.i18n import use_locale


@pytest.mark.parametrize("provider", ["google", "github", "discord", "microsoft"])
async def test_each_provider_is_a_link_that_keeps_where_to_go(
    container: Container, simulate: Simulate, provider: str
) -> None:
    async with simulate(container, login.register) as user:
        await user.open("/login?next=/payment%3Fprice%3Dprice_1")

        link = the(user, f"sign-in-{provider}")
        assert link.props["href"] == f"/auth/login?provider={provider}&next=%2Fpayment%3Fprice%3Dprice_1"
        await user.should_see("Then you confirm your order and go to checkout.")


@pytest.mark.parametrize(
    "address", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
async def test_sign_in_leads_nowhere_else(container: Container, simulate: Simulate, address: str) -> None:
    async with simulate(container, login.register) as user:
        await user.open(f"/login?next={address}")

        assert the(user, "sign-in-google").props["href"].endswith("next=%2F")


async def test_somebody_signed_in_has_no_business_at_sign_in(container: Container, simulate: Simulate) -> None:
    async with simulate(container, login.register) as user:
        sign_in(user)

        answer = await user.http_client.get("/login?next=/account")

        assert (answer.status_code, answer.headers["location"]) == (303, "/account")


async def test_after_signing_out_a_page_says_so_to_whoever_is_not_signed_in(
    container: Container, simulate: Simulate
) -> None:
    async with simulate(container, signed_out.register) as user:
        await user.open("/signed-out")
        await user.should_see("You're signed out")
        sign_in(user)

        answer = await user.http_client.get("/signed-out")

        assert (answer.status_code, answer.headers["location"]) == (303, "/payment")


async def test_a_failed_sign_in_says_so_in_words_of_ours(container: Container, simulate: Simulate) -> None:
    async with simulate(container, login.register) as user:
        await user.open("/login?error=expired")
        assert the(user, "notice").props["data-kind"] == "warning"
        await user.should_see("That sign-in link has expired or was already used. Sign in again.")

        await user.open("/login?error=<b>made up</b>")
        await user.should_not_see(marker="notice")


@pytest.mark.parametrize("kind", [FrontendError, StoreUnavailable, BillingUnavailable, PageNotFound])
def test_an_error_page_says_its_headline_once(kind: type[FrontendError]) -> None:
    error = kind()

    with use_locale("en"):
        words = words_below(error)

    assert words
    assert not words.startswith(error.title)


def test_an_error_page_does_not_say_that_nothing_was_charged() -> None:
    """Whoever comes back from Stripe while the store is away has just paid."""
    with use_locale("en"):
        assert words_below(StoreUnavailable()) == "Try again in a minute."
        assert words_below(FrontendError()).startswith("Try again once; if that fails too, contact us")


async def test_an_unknown_address_is_a_page_for_people_and_json_for_programs(
    container: Container, simulate: Simulate
) -> None:
    async with simulate(container, errors.register) as user:
        page_answer = await user.http_client.get("/nope", headers={"accept": "text/html"})
        json_answer = await user.http_client.get("/nope", headers={"accept": "application/json"})

        assert page_answer.status_code == json_answer.status_code == 404
        assert "This page doesn&#x27;t exist" in page_answer.text or "This page doesn't exist" in page_answer.text
        assert 'name="robots" content="noindex"' in page_answer.text
        assert json_answer.json() == {"detail": "Not Found"}


def test_the_page_for_floods_needs_no_script_and_says_when_to_come_back(container: Container) -> None:
    answer = errors.too_many_requests(container, "de", 7.4)
    html = bytes(answer.body).decode()

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert "<script" not in html
    assert '<html lang="de"' in html


async def test_the_sandbox_is_named_on_every_page(container: Container, simulate: Simulate) -> None:
    async with simulate(container, home.register, pricing.register, login.register) as user:
        for path in ("/", "/pricing", "/login"):
            await user.open(path)
            assert texts(the(user, "sandbox-banner")) == "Sandbox: no money moves."
            panel = f"http://localhost:{container.settings.sandbox_stripe_port}/"
            assert the(user, "sandbox-panel-link").props["href"] == panel


async def test_with_real_money_there_is_no_sandbox_banner(container: Container, simulate: Simulate) -> None:
    object.__setattr__(container.settings, "sandbox", False)
    async with simulate(container, home.register) as user:
        await user.open("/")

        await user.should_not_see(marker="sandbox-banner")


async def test_the_frame_shows_what_arrival_found(
    container: Container, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def arrive(context: PageContext) -> None:
        context.plan_label, context.cart_count = lambda _context: "Premium", 3

    monkeypatch.setattr(document, "ARRIVALS", (arrive,))
    async with simulate(container, home.register) as user:
        sign_in(user)

        await user.open("/")

        assert the(user, "cart-count").text == "3"
        assert "Premium" in (await user.http_client.get("/")).text
        the(user, "sign-out")
        await user.should_not_see(marker="sign-in")


async def test_names_from_outside_stay_text(container: Container, simulate: Simulate) -> None:
    assert isinstance(container.sessions, FakeSessions)
    evil = "<img src=x onerror=alert(1)>"
    container.sessions.sessions["ada"] = ADA.model_copy(update={"user": replace(ADA.user, name=evil, email=evil)})
    async with simulate(container, home.register) as user:
        sign_in(user)
        html = (await user.http_client.get("/")).text

    assert "<img src=x" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


async def test_search_engines_find_the_public_pages_and_no_others(container: Container, simulate: Simulate) -> None:
    async with simulate(container, index_files.register) as user:
        robots = (await user.http_client.get("/robots.txt")).text
        sitemap = (await user.http_client.get("/sitemap.xml")).text

    assert "Sitemap: http://localhost:8081/sitemap.xml" in robots
    assert re.findall("<loc>([^?]*?)</loc>", sitemap) == [
        f"http://localhost:8081{path}" for path in ("/", "/pricing", "/shop")
    ]
