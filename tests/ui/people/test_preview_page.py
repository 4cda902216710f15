"""The preview draws the draft's cards beside today's, in the language asked for."""

import json
from pathlib import Path

from catalog import load_catalog, parse_catalog
from services.container import Container
from tests.ui.simulation import ROOT, Simulate
from ui.pages.operators import preview


async def test_the_drafts_cards_stand_beside_todays(container: Container, simulate: Simulate) -> None:
    today = load_catalog(ROOT / "products.json")
    text = (ROOT / "products.json").read_text(encoding="utf-8")
    written = json.loads(text)
    premium = next(plan for plan in written["plans"] if plan["id"] == "premium")
    premium["prices"]["month"].update(price_id="price_new", amount=3900)
    draft = parse_catalog(json.dumps(written), Path("draft.json"))

    def register(container: Container) -> None:
        preview.register(container, today, draft, ["new customers: it costs more."])

    async with simulate(container, register) as user:
        page = (await user.http_client.get("/preview?lang=de")).text

    parts = page.partition('data-testid="preview-draft"')[2].partition('data-testid="preview-today"')
    assert "39 US$" in parts[0].replace("\xa0", " ")
    assert "29 US$" in parts[2].replace("\xa0", " ")
    assert "it costs more" in page
    assert "Premium abonnieren" in parts[0]
