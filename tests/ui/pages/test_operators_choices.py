"""What an operator decides for all pages by settings: where the site begins, a shop or none, languages and themes."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from httpx import AsyncClient

import languages
from catalog import load_catalog
from services.container import Container
from settings import load_settings
from tests.ui.simulation import ADA, ROOT, VISITOR, FakeSessions, Simulate, container_with
from ui.pages import account, cart, embed, errors, home, pricing, shop

Chosen = Callable[..., Container]


@pytest.fixture
def chosen(tmp_path: Path) -> Chosen:
    """What makes the parts with settings of an operator's."""

    def make(**values: object) -> Container:
        settings = load_settings(
            _env_file=None, storage_path=str(tmp_path / "store.sqlite3"), public_url="http://localhost:8081", **values
        )
        sold = load_catalog(ROOT / "products.json").in_force(datetime.now(UTC), shop=settings.shop)
        return container_with(settings, FakeSessions({"ada": ADA, "visitor": VISITOR}), sold)

    return make


async def page_of(client: AsyncClient, path: str, **headers: str) -> str:
    answer = await client.get(path, headers={"accept": "text/html", **headers})
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("address", ["/pricing", "https://www.example.com/"])
async def test_home_leads_elsewhere(simulate: Simulate, chosen: Chosen, address: str) -> None:
    async with simulate(
        chosen(home_page=address.strip("/") if address[0] == "/" else address), home.register, pricing.register
    ) as user:
        answer = await user.http_client.get("/", follow_redirects=False)
        html = await page_of(user.http_client, "/pricing")

    assert (answer.status_code, answer.headers["location"]) == (302, address)
    assert f'<a class="brand" href="{address}"' in html


async def test_without_a_shop_nothing_leads_there(simulate: Simulate, chosen: Chosen) -> None:
    async with simulate(chosen(shop=False), pricing.register, shop.register, cart.register, errors.register) as user:
        html = await page_of(user.http_client, "/pricing")
        gone = [
            (await user.http_client.get(path, headers={"accept": "text/html"})).status_code
            for path in ("/shop", "/cart")
        ]

    assert not re.search(r'href="/(shop|cart)"', html)
    assert gone == [404, 404]


async def test_languages_are_those_offered_and_the_first_is_for_all_others(simulate: Simulate, chosen: Chosen) -> None:
    async with simulate(chosen(languages="es,de"), pricing.register) as user:
        html = await page_of(user.http_client, "/pricing", **{"accept-language": "ja"}, cookie="locale=ar")

    assert '<html lang="es"' in html
    assert re.findall(r'<option[^>]*value="([^"]+)"', html) == ["es", "de"]


async def test_where_there_is_no_choice_none_is_drawn(simulate: Simulate, chosen: Chosen) -> None:
    async with simulate(
        chosen(languages="de", theme="fixed-dark"), pricing.register, embed.register, account.register
    ) as user:
        html = await page_of(user.http_client, "/pricing", cookie="theme=light")
        framed = await page_of(user.http_client, "/embed/pricing?theme=light&lang=en")

    for text in (html, framed):
        assert '<html lang="de" dir="ltr" data-theme="dark"' in text
    assert "/preferences" not in html
    assert 'class="preferences"' not in html


@pytest.mark.parametrize(("cookie", "expected"), [("", "dark"), ("theme=light", "light"), ("theme=blue", "dark")])
async def test_a_reader_chooses_another_theme_than_the_first(
    simulate: Simulate, chosen: Chosen, cookie: str, expected: str
) -> None:
    async with simulate(chosen(theme="dark"), pricing.register) as user:
        html = await page_of(user.http_client, "/pricing", cookie=cookie)

    assert f'data-theme="{expected}"' in html


async def test_a_folder_brings_its_language_to_pages(
    simulate: Simulate, chosen: Chosen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "locales" / "fr" / "LC_MESSAGES" / "messages.po"
    path.parent.mkdir(parents=True)
    path.write_text('msgid ""\nmsgstr ""\n\nmsgid "Choose the plan that fits"\nmsgstr "Tout à l’essai"\n', "utf-8")
    monkeypatch.setattr(languages, "FOLDER", tmp_path / "locales")

    async with simulate(chosen(), pricing.register) as user:
        html = await page_of(user.http_client, "/pricing", **{"accept-language": "fr-CA,fr;q=0.9"})

    assert '<html lang="fr"' in html
    assert "Tout à l’essai" in html
    assert "29,00\xa0$" in html  # amounts follow by themselves
    assert re.search(r'<option[^>]* lang="fr"[^>]*>Français<', html)
