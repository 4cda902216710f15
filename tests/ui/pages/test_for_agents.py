"""`/llms.txt` and `/pricing.md`: the catalog as text, true as the pages are, for agents and tools."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from catalog import load_catalog
from services.container import Container
from settings import load_settings
from tests.ui.simulation import ADA, ROOT, VISITOR, FakeSessions, Simulate, container_with, sell
from ui.pages import index_files, pricing
from ui.text.amounts import price_words
from ui.text.i18n import LOCALES, use_locale

Chosen = Callable[..., Container]
ORIGIN = "http://localhost:8081"
PATHS = ("/llms.txt", "/pricing.md")


@pytest.fixture
def chosen(tmp_path: Path) -> Chosen:
    """What makes the parts of an operator: settings, and changes to each plan of the catalog."""

    def make(*, plans: dict[str, dict[str, Any]] | None = None, items: object = None, **values: object) -> Container:
        document = json.loads((ROOT / "products.json").read_text(encoding="utf-8"))
        document["plans"] = [plan | (plans or {}).get(plan["id"], {}) for plan in document["plans"]]
        path = tmp_path / "products.json"
        path.write_text(json.dumps(document | ({"items": items} if items is not None else {})), encoding="utf-8")
        settings = load_settings(
            _env_file=None,
            storage_path=str(tmp_path / "store.sqlite3"),
            public_url=ORIGIN,
            catalog_path=str(path),
            **values,
        )
        sold = load_catalog(path).in_force(datetime.now(UTC), shop=settings.shop)
        return container_with(settings, FakeSessions({"ada": ADA, "visitor": VISITOR}), sold)

    return make


async def read(simulate: Simulate, container: Container, path: str, **headers: str) -> Response:
    async with simulate(container, index_files.register) as user:
        return await user.http_client.get(path, headers=headers)


@pytest.mark.parametrize("locale", LOCALES)
async def test_everything_on_sale_stands_there_with_each_price(simulate: Simulate, chosen: Chosen, locale: str) -> None:
    container = chosen()
    text = (await read(simulate, container, f"/pricing.md?lang={locale}")).text

    catalog = container.catalog
    for plan in catalog.on_sale:
        assert f"\n### {plan.name.in_(locale)}\n" in text
        for price in plan.offered.values():
            with use_locale(locale):
                assert f"- {price_words(price, locale)} ({price.currency.upper()})" in text
    for item in catalog.items:
        assert item.name.in_(locale) in text
    for question in catalog.questions:
        assert question.a.in_(locale) in text


async def test_what_is_sold_no_more_is_not_offered(simulate: Simulate, chosen: Chosen) -> None:
    text = (await read(simulate, chosen(plans={"premium": {"retired": True}}), "/pricing.md")).text

    assert "### Premium" not in text
    assert "Choose Premium" not in text
    assert "Everything in Premium" not in text
    assert "250 GB of storage" in text  # on the card of the plan that has it too


async def test_a_trial_is_for_new_customers_only_and_where_it_is_given(simulate: Simulate, chosen: Chosen) -> None:
    text = (await read(simulate, chosen(), "/pricing.md")).text
    given = "14 days free for new customers, then $99.00 a month (list price)."

    assert f"- $99.00 a month (USD) · {given}" in text
    assert text.count("days free") == 2  # the month's and the year's price of one plan


async def test_without_a_shop_or_a_home_page_nothing_leads_there(simulate: Simulate, chosen: Chosen) -> None:
    container = chosen(shop=False, home_page="pricing")
    async with simulate(container, index_files.register) as user:
        index, prices = [(await user.http_client.get(path)).text for path in PATHS]

    assert "/shop" not in index + prices
    assert "Sticker pack" not in prices
    assert f"({ORIGIN}/)" not in index
    assert f"({ORIGIN}/pricing)" in index


async def test_the_index_has_the_form_that_readers_of_it_expect(simulate: Simulate, chosen: Chosen) -> None:
    text = (await read(simulate, chosen(terms_url="https://example.com/terms"), "/llms.txt")).text

    title, summary, *blocks = text.strip().split("\n\n")
    assert (title, summary[:2]) == ("# Northwind Cloud", "> ")
    sections = [block for block in blocks if block.startswith("## ")]
    assert sections == ["## Plans and prices", "## For programs", "## Optional"]
    links = re.findall(r"^- \[(.+)\]\((.+)\)$", text, re.MULTILINE)
    assert len(links) == len(re.findall("^- ", text, re.MULTILINE))
    assert {address.removeprefix(ORIGIN) for _words, address in links} == {
        "/pricing.md", "/", "/pricing", "/shop", "/api/catalog", "/api/openapi.json", "/api/docs",
        "https://example.com/terms",
    }  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
async def test_the_language_is_the_addresss_or_the_readers(simulate: Simulate, chosen: Chosen, path: str) -> None:
    async with simulate(chosen(), index_files.register) as user:
        german = await user.http_client.get(path, headers={"accept-language": "fr, de;q=0.8"})
        named = await user.http_client.get(f"{path}?lang=ja", headers={"accept-language": "de"})

    assert (german.headers["content-language"], named.headers["content-language"]) == ("de", "ja")
    assert german.text != named.text
    assert ("/pricing.md?lang=ja)" in named.text) == (path == "/llms.txt")
    assert "?lang=" not in german.text
    assert german.headers["vary"].startswith("Accept-Language")
    assert german.headers["content-type"] == "text/markdown; charset=utf-8"


@pytest.mark.parametrize("path", PATHS)
async def test_what_did_not_change_is_not_sent_again(simulate: Simulate, chosen: Chosen, path: str) -> None:
    container = chosen()
    async with simulate(container, index_files.register) as user:
        first = await user.http_client.get(path)
        has_it = {"if-none-match": first.headers["etag"]}
        again = await user.http_client.get(path, headers=has_it)
        other = await user.http_client.get(f"{path}?lang=de", headers=has_it)
        sell(container, load_catalog(ROOT / "products.json").in_force(datetime.now(UTC), shop=False))
        changed = await user.http_client.get(path, headers=has_it)

    assert first.headers["cache-control"] == "public, max-age=0, s-maxage=10, must-revalidate"
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert (other.status_code, changed.status_code) == (200, 200)


async def test_an_operators_words_stay_text(simulate: Simulate, chosen: Chosen) -> None:
    names = {"basic": {"name": "# Basic | [x](javascript:x)", "tagline": "1. *cheap* ## Free <b>"}}
    text = (await read(simulate, chosen(plans=names), "/pricing.md")).text

    assert "\n### \\# Basic \\| \\[x\\](javascript:x)\n" in text
    assert "\n1\\. \\*cheap\\* ## Free \\<b\\>\n" in text


async def test_pages_and_robots_lead_there(simulate: Simulate, chosen: Chosen) -> None:
    async with simulate(chosen(), pricing.register, index_files.register) as user:
        page = (await user.http_client.get("/pricing?lang=de", headers={"accept": "text/html"})).text
        robots = (await user.http_client.get("/robots.txt")).text

    assert '<link rel="alternate" type="text/markdown" href="/pricing.md?lang=de">' in page
    assert f"# For language models: {ORIGIN}/llms.txt" in robots
    assert robots.index("Allow: /api/catalog") < robots.index("Disallow: /api/")
