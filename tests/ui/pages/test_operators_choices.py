"""What an operator decides for all pages by settings: where the site begins, a shop or none, languages and themes."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient

import languages
from catalog import CatalogError, load_catalog
from services.container import Container
from settings import load_settings
from tests.ui.simulation import ADA, ROOT, VISITOR, FakeSessions, Simulate, container_with
from ui.page import assets
from ui.pages import account, cart, embed, errors, home, pricing, shop

Chosen = Callable[..., Container]
OWN_WORDS = {
    "texts": {
        "hero": {"en": "Kettles that pour straight", "de": "Kessel, die gerade gießen"}, "most_popular": "Our pick",
        "footer": "Kettle Works Ltd, Leith", "meta": "Kettles by post.", "meta_title": "Kettles",
    },
    "links": {
        "navigation": [{"label": {"en": "Journal", "de": "Tagebuch"}, "url": "https://kettle.example/journal"}],
        "footer": [{"label": "Careers", "url": "/careers"}],
        "imprint": "https://kettle.example/imprint", "status": "https://status.kettle.example",
        "documentation": "https://docs.kettle.example", "refund_policy": "/refunds",
    },
}  # fmt: skip
"""What a brand may add to its catalog."""


@pytest.fixture
def chosen(tmp_path: Path) -> Chosen:
    """What makes the parts with settings of an operator's."""

    def make(*, change: dict[str, Any] | None = None, **values: object) -> Container:
        if change is not None:
            document = json.loads((ROOT / "products.json").read_text(encoding="utf-8"))
            path = tmp_path / "products.json"
            path.write_text(json.dumps({**document, **change}), encoding="utf-8")
            values["catalog_path"] = str(path)
        settings = load_settings(
            _env_file=None, storage_path=str(tmp_path / "store.sqlite3"), public_url="http://localhost:8081", **values
        )
        sold = load_catalog(settings.catalog_path).in_force(datetime.now(UTC), shop=settings.shop)
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
    assert "29,00\xa0$US" in html  # amounts follow by themselves
    assert re.search(r'<option[^>]* lang="fr"[^>]*>Français<', html)


async def test_own_words_and_links_stand_on_the_pages(simulate: Simulate, chosen: Chosen) -> None:
    async with simulate(chosen(change=OWN_WORDS), home.register, pricing.register) as user:
        html = await page_of(user.http_client, "/")
        german = await page_of(user.http_client, "/", **{"accept-language": "de"})

    for words in ("<title>Kettles · ", "Kettles that pour straight", "Our pick", "Kettle Works Ltd, Leith"):
        assert words in html
    assert '<meta name="description" content="Kettles by post.">' in html
    assert "Most popular" not in html
    links = [
        (">Journal<", "https://kettle.example/journal"),
        (">Careers<", "/careers"),
        (">Refund policy<", "/refunds"),
    ]
    links += [
        (">Legal notice<", "https://kettle.example/imprint"),
        (">System status<", "https://status.kettle.example"),
    ]
    for words, address in [*links, (">Documentation<", "https://docs.kettle.example")]:
        assert re.search(f'<a[^>]* href="{re.escape(address)}"[^>]*{words}', html), words
    for words in ("Kessel, die gerade gießen", ">Tagebuch<", ">Impressum<", ">Rückerstattung<"):
        assert words in german


async def test_an_item_shows_the_operators_own_picture(simulate: Simulate, chosen: Chosen, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "Mug.webp").write_bytes(b"RIFF....WEBP")
    items = json.loads((ROOT / "products.json").read_text(encoding="utf-8"))["items"]
    items[0]["image"] = "pictures/Mug.webp"

    async with simulate(chosen(change={"items": items}), shop.register) as user:
        html = await page_of(user.http_client, "/shop")
        found = re.search(rf'<img[^>]* src="(/items/{items[0]["id"]}/picture\?v=[^"]+)"', html)
        assert found is not None
        picture = await user.http_client.get(found[1])
        drawn = await user.http_client.get(f"/items/{items[1]['id']}/picture")
        unknown = await user.http_client.get("/items/nothing/picture")

    assert (picture.status_code, picture.content) == (200, b"RIFF....WEBP")
    assert picture.headers["content-type"] == "image/webp"
    assert (drawn.status_code, unknown.status_code) == (404, 404)


def test_a_picture_that_is_not_there_is_told_with_its_place(chosen: Chosen) -> None:
    items = json.loads((ROOT / "products.json").read_text(encoding="utf-8"))["items"]
    items[1]["image"] = "pictures/mug.png"

    with pytest.raises(CatalogError) as caught:
        chosen(change={"items": items})

    assert "items[1].image: 'pictures/mug.png': there is no such file beside products.json" in str(caught.value)


async def test_a_brands_files_are_where_pages_say(simulate: Simulate, chosen: Chosen) -> None:
    brand = ROOT / "examples" / "brands" / "fernleaf"
    container = chosen(
        brand_name="Fernleaf", brand_logo=str(brand / "logo.svg"), brand_logo_dark=str(brand / "logo-dark.svg"),
        brand_logo_only=True, brand_font=str(ROOT / "ui" / "static" / "fonts" / "NotoSans-Bold.ttf"),
    )  # fmt: skip

    async with simulate(container, pricing.register, lambda made: assets.register(made.settings)) as user:
        html = await page_of(user.http_client, "/pricing")
        found = re.findall(r'(?:href|src|content)="(?:http://localhost:8081)?(/brand/[^"]+)"', html)
        kinds = {path: (await user.http_client.get(path)).headers["content-type"] for path in found}

    assert {path.partition("?")[0]: kind.partition(";")[0] for path, kind in kinds.items()} == {
        "/brand/icon.svg": "image/svg+xml", "/brand/touch-icon.png": "image/png", "/brand/preview.png": "image/png",
        "/brand/logo": "image/svg+xml", "/brand/logo-dark": "image/svg+xml", "/brand/font": "font/ttf",
    }  # fmt: skip
    logos = re.findall(r'<img class="brand-logo on-(?:light|dark)"[^>]*>', html)
    assert len(logos) == 2
    assert all('alt="Fernleaf"' in logo and 'height="28"' in logo and 'width="120"' in logo for logo in logos), logos
    assert 'class="brand-name"' not in html
