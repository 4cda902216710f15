"""What the public pages and the cards say of a catalog: prices, savings and promises that hold for what is sold.

Each class is a row of complaints, or a kind of them; the source stands above it where it is a public thread.
"""

import copy
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from catalog import Catalog
from services.catalog_file import ALL_USERS
from services.checkout_record import CheckoutEvent
from services.storage.pubsub import Topic
from tests.shop import PLANS
from tests.ui.billing_world import CATALOG, World, billing_world, text_of, until
from ui.pages import home

SOON = datetime.now(UTC) + timedelta(days=28)


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """The billing pages and the home page, nobody signed in."""
    async with billing_world(tmp_path) as world:
        home.register(world.container)
        yield world


def plan(name: str, month: int = 0, year: int = 0, **more: Any) -> dict[str, Any]:
    prices = {
        interval: {"price_id": f"price_{name}_{interval}", "amount": amount, "currency": "eur"}
        for interval, amount in (("month", month), ("year", year))
        if amount
    }
    sold = {"kind": "paid", "product_id": f"prod_{name}", "prices": prices}
    return {"id": name, "name": name.title(), "tagline": "T", **sold, **more}


def catalog(*plans: dict[str, Any], **more: Any) -> Catalog:
    return Catalog.model_validate({"plans": plans, **more})


def shipped(**changes: dict[str, Any]) -> Catalog:
    """Return the shipped catalog with fields of some plans changed."""
    plans = copy.deepcopy(CATALOG.model_dump(mode="json")["plans"])
    for one in plans:
        one.update(changes.get(one["id"], {}))
    return CATALOG.model_validate({**CATALOG.model_dump(mode="json", by_alias=True), "plans": plans})


def without_premium() -> Catalog:
    """Return the shipped catalog after Premium was taken out of it."""
    plans = [{**one, "includes": None} for one in CATALOG.model_dump(mode="json")["plans"] if one["id"] != "premium"]
    return catalog(*plans)


async def said(world: World, path: str) -> str:
    """Return what the page says, its head included."""
    await world.open(path)
    html = (await world.browser.http_client.get(path)).text
    head = re.findall(r'<title>(.*?)</title>|<meta name="description" content="(.*?)"', html)
    return " ".join([*(text for pair in head for text in pair), world.text()])


class TestSavingThatDoesNotHoldForAll:
    async def test_one_plan_dearer_by_the_year_than_by_the_month(self, world: World) -> None:
        world.catalogs.current = catalog(plan("basic", 900, 12_000), plan("premium", 2900, 29_000))

        text = await said(world, "/pricing?interval=year")

        assert "2 months free" not in " ".join(tag.text for tag in world.classed("saving"))
        assert text.count("2 months free") == 1
        assert "€290.00 today, then yearly. 2 months free" in text

    async def test_twelve_times_nine_against_a_hundred_and_seven_ninety_nine(self, world: World) -> None:
        world.catalogs.current = catalog(plan("basic", 900, 10_799))

        assert not re.search(r"Save|free", await said(world, "/pricing?interval=year"))

    async def test_savings_of_seven_seventeen_and_forty_two_percent(self, world: World) -> None:
        world.catalogs.current = catalog(plan("a", 1000, 11_160), plan("b", 1000, 9960), plan("c", 1000, 6960))

        text = await said(world, "/pricing?interval=year")

        assert {tag.text for tag in world.classed("saving")} == {"Save up to 42%"}
        assert [text.count(f"Save {percent}%") for percent in (7, 17, 42)] == [1, 1, 1]


class TestNoFreePlan:
    @pytest.mark.parametrize("path", ["/", "/pricing"])
    async def test_nothing_starts_free(self, world: World, path: str) -> None:
        world.catalogs.current = catalog(
            plan("basic", 900, 12_000), plan("premium", 2900, 35_000), promises={"free_without_card": True}
        )

        assert not re.search(r"\bfree\b|no card", await said(world, path), re.IGNORECASE)

    @pytest.mark.parametrize("path", ["/", "/pricing"])
    async def test_nor_with_a_free_plan_that_is_retired(self, world: World, path: str) -> None:
        world.catalogs.current = catalog({**PLANS[0], "retired": True}, plan("basic", 900, 12_000))

        assert not re.search(r"\bfree\b", await said(world, path), re.IGNORECASE)


class TestOnePlanSoldByTheYear:
    @pytest.mark.parametrize("path", ["/", "/pricing", "/?interval=year"])
    @pytest.mark.parametrize("free", [True, False])
    async def test_nothing_is_priced_by_the_month(self, world: World, path: str, free: bool) -> None:
        plans = [*PLANS[:1], plan("yearly", 0, 12_000)] if free else [plan("yearly", 0, 12_000)]
        world.catalogs.current = catalog(*plans)

        text = await said(world, path)

        assert "per month" not in text
        assert "€120 per year" in text


# repo2pdf#28
class TestPromisesThatNobodyMade:
    @pytest.mark.parametrize("path", ["/", "/pricing", "/payment", "/payment?plan=basic"])
    async def test_nobody_can_cancel_any_time_unless_the_operator_says_so(self, world: World, path: str) -> None:
        world.catalogs.current = shipped().model_copy(update={"promises": type(CATALOG.promises)(), "questions": ()})
        await world.sign_in() if path.startswith("/payment") else None
        world.accounts.says("none")

        text = await said(world, path)

        assert not re.search(r"any time|whenever you like|until you cancel|no card|or cancel", text, re.IGNORECASE)

    async def test_what_the_operator_promises_is_said(self, world: World) -> None:
        others = {"promises": {"cancel_any_time": True, "others": [{"en": "Servers in Frankfurt"}]}}
        world.catalogs.current = catalog(plan("basic", 900), **others)

        text = await said(world, "/pricing")

        assert "€9.00 today, then monthly." in text
        assert "Cancel any time." in text
        assert "Servers in Frankfurt" in text


class TestTax:
    @pytest.mark.parametrize(
        ("tax", "today", "below"),
        [
            ("added", "€9.00 plus tax today, then monthly.", "tax, which is added at checkout"),
            ("included", "€9.00 today, then monthly.", "Prices include tax."),
            ("none", "€9.00 today, then monthly.", "A promotion code can lower these prices"),
            (None, "€9.00 today, then monthly.", "Checkout shows the final amount before you pay"),
        ],
    )
    async def test_what_is_due_today_goes_with_what_the_operator_says_of_tax(
        self, world: World, tax: str | None, today: str, below: str
    ) -> None:
        world.catalogs.current = catalog(plan("basic", 900), tax=tax)

        text = await said(world, "/pricing")

        assert today in text
        assert below in text
        assert "promotion code" in text


# manaflow-ai/cmux#11350, frappe/press#6821, Subscribie#1317
class TestPlanThatIsSoldNoMore:
    @pytest.mark.parametrize("path", ["/", "/pricing"])
    async def test_it_has_no_card_no_column_and_nothing_for_search_engines(self, world: World, path: str) -> None:
        world.catalogs.current = shipped(premium={"retired": True})

        html = (await world.browser.http_client.get(path)).text

        assert "price_sandbox_premium_month" not in html
        assert ">Premium<" not in html
        assert '"Northwind Cloud Premium"' not in html

    async def test_what_others_have_of_it_stands_on_their_own_cards(self, world: World) -> None:
        world.catalogs.current = shipped(basic={"retired": True})

        await world.open("/pricing")

        words = text_of(world.one("plan-card-premium"))
        assert "Everything in Free, plus" in words
        assert "Daily backups" in words

    @pytest.mark.parametrize("taken_out", [True, False])
    async def test_nothing_is_sold_beside_it(self, world: World, taken_out: bool) -> None:
        world.accounts.says("active", "premium", SOON)
        world.billing.has("premium", until=SOON)
        await world.sign_in()
        await world.open("/payment")
        world.catalogs.current = without_premium() if taken_out else shipped(premium={"retired": True})

        await world.open("/payment")

        assert "Subscribe to" not in world.text()
        assert "free plan" not in world.text()


# MCPJam/inspector#5104, freehire#2409
class TestDearerPriceOnPages:
    async def subscriber(self, world: World) -> None:
        """Ada bought Premium here for $29 a month; both services know."""
        world.accounts.says("active", "premium", SOON)
        world.billing.has("premium", until=SOON)
        checkout = await world.started("premium", ago=timedelta(days=2))
        now = datetime.now(UTC)
        await world.mark(checkout, CheckoutEvent.RETURNED, now - timedelta(days=2))
        await world.mark(checkout, CheckoutEvent.ACCESS_ON, now - timedelta(days=2))
        await world.sign_in()

    @staticmethod
    def dearer() -> Catalog:
        premium = CATALOG.plan("premium").model_dump(mode="json")
        premium["prices"]["month"] |= {"price_id": "price_new", "amount": 3900}
        return shipped(premium={"prices": premium["prices"], "former_price_ids": ["price_sandbox_premium_month"]})

    async def test_the_card_does_not_pass_the_new_price_off_as_theirs(self, world: World) -> None:
        await self.subscriber(world)
        world.catalogs.current = self.dearer()

        await world.open("/payment")

        words = text_of(world.one("plan-card-premium"))
        assert ("$39" in words) == ("for new subscriptions" in words)
        assert world.text().count("$39") == words.count("$39")

    async def test_the_present_price_is_theirs_or_that_for_new_subscriptions(self, world: World) -> None:
        await self.subscriber(world)

        await world.open("/payment")

        words = text_of(world.one("plan-card-premium"))
        theirs = "$29.00" in world.text().replace(words, "")
        assert ("for new subscriptions" in words) is not theirs


# polar#8007
class TestOpenPagesFollowTheCatalog:
    @staticmethod
    async def sell(world: World, catalog: Catalog) -> None:
        """Put another catalog into force, and say so, as `services/catalog_file.py` does."""
        await until(lambda: world.container.pubsub.count)
        world.catalogs.current = catalog
        await world.container.pubsub.announce(Topic.CATALOG, ALL_USERS)

    async def test_a_price_that_retires_goes_from_an_open_page(self, world: World) -> None:
        price = {"price_id": "price_year", "amount": 9000, "currency": "eur", "until": "2027-01-01T00:00:00Z"}
        month = {"price_id": "price_month", "amount": 900, "currency": "eur"}
        sold = catalog(plan("basic", prices={"month": month, "year": price}))
        moment = datetime(2027, 1, 1, tzinfo=UTC)
        world.catalogs.current = sold.in_force(moment - timedelta(seconds=1))
        await world.open("/pricing")
        assert world.marked("interval-year")

        await self.sell(world, sold.in_force(moment))

        await until(lambda: "Monthly only" in world.text())
        assert not world.marked("interval-year")

    @pytest.mark.parametrize("path", ["/", "/pricing"])
    async def test_what_is_said_of_the_whole_goes_with_it(self, world: World, path: str) -> None:
        world.catalogs.current = catalog(PLANS[0], plan("basic", 900, 12_000), promises={"cancel_any_time": True})
        await world.open(path)
        assert "Start with the free plan" in world.text()
        assert "Cancel any time" in world.text()

        await self.sell(world, catalog({**PLANS[0], "retired": True}, plan("basic", 900, 12_000), tax="added"))

        await until(lambda: "plus tax" in world.text())
        assert not re.search(r"\bfree\b|any time", world.text(), re.IGNORECASE)
