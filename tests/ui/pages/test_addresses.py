"""What an address may say of a page: its language, its theme, its interval; and what search engines are told of it."""

import re
from html import unescape

import pytest

from services.container import Container
from tests.ui.simulation import Simulate, the
from ui.pages import cancel, cart, embed, errors, home, index_files, login, pricing, shop, signed_out, success
from ui.text.i18n import LOCALES

PAGES = (cancel, cart, embed, errors, home, index_files, login, pricing, shop, signed_out, success)
PUBLIC = ("/", "/pricing", "/shop", "/login", "/embed/pricing", "/payment/cancel", "/payment/success", "/nothing")
INDEXED = ("/", "/pricing", "/shop")
SEEN = re.compile(r'<html lang="([^"]+)" dir="([^"]+)" data-theme="([^"]+)"')
CANONICAL = re.compile(r'<link rel="canonical" href="([^"]+)">')
DESCRIPTION = re.compile(r'<meta name="description" content="([^"]+)">')
ALTERNATE = re.compile(r'<(?:xhtml:)?link rel="alternate" hreflang="([^"]+)" href="([^"]+)"/?>')


def register(container: Container) -> None:
    for each in PAGES:
        each.register(container)


async def test_every_public_page_comes_in_the_language_and_theme_of_its_address(
    container: Container, simulate: Simulate
) -> None:
    async with simulate(container, register) as user:
        user.http_client.headers["accept"] = "text/html"
        user.http_client.cookies.set("locale", "es")
        user.http_client.cookies.set("theme", "light")
        for page in PUBLIC:
            asked = (await user.http_client.get(f"{page}?lang=ar&theme=dark")).text
            odd = (await user.http_client.get(f"{page}?lang=tlh&theme=purple")).text

            assert SEEN.findall(asked) == [("ar", "rtl", "dark")], page
            assert SEEN.findall(odd) == [("es", "ltr", "light")], page


async def test_every_public_page_says_what_it_is_in_a_sentence_of_the_readers_language(
    container: Container, simulate: Simulate
) -> None:
    """Also those that no search engine lists: links to them are shared all the same."""
    async with simulate(container, register) as user:
        for page in (*PUBLIC[:-1], "/cart", "/signed-out"):
            said = {
                locale: DESCRIPTION.findall((await user.http_client.get(f"{page}?lang={locale}")).text)
                for locale in ("en", "de")
            }

            assert [len(found) for found in said.values()] == [1, 1], page
            assert len(said["en"][0]) > 20, page
            assert said["en"] != said["de"], page


async def test_a_language_chosen_on_such_a_page_is_the_next_pages(container: Container, simulate: Simulate) -> None:
    async with simulate(container, register) as user:
        await user.open("/pricing?lang=de&interval=year&theme=dark")
        html = (await user.http_client.get("/pricing?lang=de&interval=year&theme=dark")).text

    language, theme = (unescape(value) for value in re.findall(r'name="next" value="([^"]+)"', html))
    assert language == "/pricing?interval=year&theme=dark"
    assert theme == "/pricing?lang=de&interval=year"


@pytest.mark.parametrize("page", ["/", "/pricing", "/embed/pricing"])
async def test_the_interval_of_the_address_is_what_is_shown(
    container: Container, simulate: Simulate, page: str
) -> None:
    async with simulate(container, register) as user:
        await user.open(f"{page}?interval=year&lang=en")

        assert the(user, "interval-year").props["checked"] is True


async def test_search_engines_are_told_of_each_language_once_and_alike_everywhere(
    container: Container, simulate: Simulate
) -> None:
    base = container.settings.public_url
    async with simulate(container, register) as user:
        entries = (await user.http_client.get("/sitemap.xml")).text.split("<url>")[1:]
        listed = {re.findall("<loc>(.*?)</loc>", entry)[0]: ALTERNATE.findall(entry) for entry in entries}
        for page in INDEXED:
            languages = {locale: f"{base}{page}?lang={locale}" for locale in LOCALES} | {"x-default": f"{base}{page}"}
            for language, address in languages.items():
                html = (await user.http_client.get(address.removeprefix(base))).text
                head = html[: html.index("</head>")]

                assert CANONICAL.findall(head) == [address]
                assert dict(ALTERNATE.findall(head)) == languages
                assert dict(listed[address]) == languages
                assert language == "x-default" or SEEN.findall(html)[0][0] == language
        own = (await user.http_client.get("/login?lang=de")).text

    assert len(listed) == len(INDEXED) * (len(LOCALES) + 1)
    assert "hreflang" not in own
