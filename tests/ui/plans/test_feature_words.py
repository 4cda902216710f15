"""Cards and comparison say what plans unlock, where the catalog leaves that to them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from catalog import Catalog, parse_catalog
from services.container import Container
from settings import Settings
from tests.ui.simulation import ROOT, VISITOR, FakeSessions, Simulate, container_with
from ui.pages import pricing


def shipped(*, retired: str = "") -> Catalog:
    """The catalog of the shop, without what it says of features itself."""
    raw: dict[str, Any] = json.loads(Path(ROOT / "products.json").read_text(encoding="utf-8"))
    del raw["comparison"]
    for plan in raw["plans"]:
        plan.pop("features", None)
        plan["retired"] = plan["id"] == retired
    return parse_catalog(json.dumps(raw))


def words_of(page: str) -> str:
    """The page's text, without its markup."""
    without_scripts = re.sub(r"<script.*?</script>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", without_scripts).split())


def selling(settings: Settings, catalog: Catalog) -> Container:
    return container_with(settings, FakeSessions({"visitor": VISITOR}), catalog)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Projects: 20", "Storage: 25 GB", "API calls a month: 50,000", "Projects: Unlimited", "Audit log"]),
        ("de", ["Projekte: 20", "Speicher: 25 GB", "API-Aufrufe im Monat: 50.000", "Projekte: Unbegrenzt"]),
    ],
)
async def test_a_card_without_lines_lists_what_its_plan_adds(
    settings: Settings, simulate: Simulate, language: str, words: list[str]
) -> None:
    async with simulate(selling(settings, shipped()), pricing.register) as user:
        shown = words_of((await user.http_client.get("/pricing", headers={"accept-language": language})).text)

    assert [text for text in words if text not in shown] == []


async def test_without_a_comparison_there_is_a_row_for_each_feature(settings: Settings, simulate: Simulate) -> None:
    async with simulate(selling(settings, shipped()), pricing.register) as user:
        page = (await user.http_client.get("/pricing")).text

    table = page[page.index('class="comparison"') : page.index("</table>")]
    names = ("Projects", "Members", "Storage", "Single sign-on", "Audit log")
    assert [name for name in names if name not in table] == []
    assert table.count("<tr") == 8


async def test_what_a_retired_plan_granted_stands_once_on_the_card_above_it(
    settings: Settings, simulate: Simulate
) -> None:
    async with simulate(selling(settings, shipped(retired="basic")), pricing.register) as user:
        page = (await user.http_client.get("/pricing")).text

    shown = words_of(page[: page.index('class="comparison"')])
    assert "Projects: 20" not in shown
    assert shown.count("Storage: 250 GB") == 1
