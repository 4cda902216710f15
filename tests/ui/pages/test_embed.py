"""The plan cards in another site's frame: the same cards, without our frame, and out of theirs on every press."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from catalog import Interval
from services.errors import StoreUnavailable
from tests.ui.billing_world import CATALOG, tags_in, until
from tests.ui.shop_world import Shopping, changed, shopping
from ui.nicegui_ext.html import Tag
from ui.page.stripe_mode_banner import prepare_stripe_mode_banner
from ui.pages.errors import too_many_requests
from ui.plans.live_catalog import live_plans
from ui.serving import document
from ui.serving.document import PageContext, page


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shopping]:
    async with shopping(tmp_path) as shopper:
        yield shopper


def ways_out(shop: Shopping) -> list[Tag]:
    client = shop.world.browser.client
    assert client is not None
    return [tag for tag in tags_in(client.layout) if tag.tag in ("a", "form")]


def staying(shop: Shopping) -> list[Tag]:
    return [tag for tag in ways_out(shop) if tag.props.get("target") != "_top"]


async def test_it_shows_every_plan_and_nothing_of_the_frame(shop: Shopping) -> None:
    text = (await shop.world.browser.http_client.get("/embed/pricing")).text
    body = text[text.index("<body") :]

    for plan in CATALOG.plans:
        assert f'data-testid="plan-card-{plan.id}"' in body
    for part in ("<header", "<footer", "<nav", "skip-link", 'href="/cart"'):
        assert part not in body
    assert '<meta name="robots" content="noindex">' in text


async def test_links_and_forms_lead_to_the_top_window_and_the_interval_stays(shop: Shopping) -> None:
    await shop.world.open("/embed/pricing")
    month, year, interval = stay = staying(shop)
    assert [link.props["href"] for link in (month, year)] == ["?interval=month", "?interval=year"]
    assert "interval-form" in interval._classes

    shop.world.browser.find(marker="interval-year").trigger("change")
    await until(lambda: "$290" in shop.world.text())

    assert staying(shop) == stay
    assert len(ways_out(shop)) == len(CATALOG.plans) + len(stay)


@pytest.mark.parametrize(("query", "chosen"), [("", "month"), ("?interval=year", "year"), ("?interval=x", "month")])
async def test_the_address_says_which_interval_is_shown(shop: Shopping, query: str, chosen: str) -> None:
    await shop.world.open(f"/embed/pricing{query}")

    radios = {interval: shop.world.one(f"interval-{interval}") for interval in Interval}
    assert [interval for interval, radio in radios.items() if radio.props.get("checked")] == [chosen]


async def test_the_address_says_theme_and_language(shop: Shopping) -> None:
    text = (await shop.world.browser.http_client.get("/embed/pricing?theme=dark&lang=ar")).text
    assert '<html lang="ar" dir="rtl" data-theme="dark">' in text
    assert "الأساسية" in text

    text = (await shop.world.browser.http_client.get("/embed/pricing?theme=%22x&lang=xx")).text
    assert '<html lang="en" dir="ltr" data-theme="system">' in text


async def test_new_prices_show_in_the_open_frame_and_still_lead_out_of_it(shop: Shopping) -> None:
    def dearer(document: dict[str, Any]) -> None:
        document["plans"][1]["prices"]["month"]["amount"] = 1200

    await shop.world.open("/embed/pricing")
    await until(lambda: shop.pubsub.count)
    await shop.sell(changed(dearer))

    await until(lambda: "$12" in shop.world.text())
    assert len(staying(shop)) == 3  # both links and the form of the interval


async def test_plan_cards_of_any_page_follow_the_catalog_at_the_interval_chosen(shop: Shopping) -> None:
    def dearer(document: dict[str, Any]) -> None:
        document["plans"][1]["prices"]["year"]["amount"] = 12000

    @page(shop.world.container, "/plans", title="Plans")
    async def plans(context: PageContext) -> None:
        await live_plans(context)

    await shop.world.open("/plans")
    await until(lambda: shop.pubsub.count)
    shop.world.browser.find(marker="interval-year").trigger("change")
    await until(lambda: "$90.00 today, then yearly." in shop.world.text())
    await shop.sell(changed(dearer))

    await until(lambda: "$120.00 today, then yearly." in shop.world.text())


@pytest.mark.parametrize("path", ["/embed/pricing", "/shop", "/pricing", "/cart"])
async def test_test_mode_on_a_public_address_shows_on_every_page(shop: Shopping, path: str) -> None:
    mode = shop.world.container.stripe_mode
    await shop.world.open(path)
    assert not shop.world.marked("money-banner")

    await mode.note("cs_test_1")
    await shop.world.open(path)

    assert "This site is in test mode." in shop.words("money-banner")


@pytest.mark.parametrize("trouble", ["before", "within"])
async def test_test_mode_shows_on_a_page_that_failed_too(
    shop: Shopping, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.world.container.stripe_mode.note("cs_test_1")

    async def arrive(context: PageContext) -> None:
        if trouble == "within":
            await prepare_stripe_mode_banner(context)
        raise StoreUnavailable("away")

    monkeypatch.setattr(document, "ARRIVALS", (arrive,))
    answer = await shop.world.browser.http_client.get("/pricing")

    assert answer.status_code == 503
    assert answer.text.count('data-testid="money-banner"') == 1


async def test_test_mode_shows_on_the_page_for_floods_too(shop: Shopping) -> None:
    container = shop.world.container
    mode = container.stripe_mode
    object.__setattr__(container.settings, "sandbox", False)
    before = bytes(too_many_requests(container, "en", 7.4).body).decode()
    await mode.note("cs_test_1")

    after = bytes(too_many_requests(container, "en", 7.4).body).decode()

    assert "This site is in test mode." not in before
    assert "This site is in test mode." in after
