"""Home and pricing: what they say, what their buttons do, what the first HTML holds."""

import asyncio
import json
import re
from html import unescape
from typing import Any

import pytest

from catalog import Catalog, Interval
from services.container import Container
from tests.ui.simulation import Simulate, press, sell, sign_in, texts, the
from ui.page.frame import frame
from ui.pages import home, pricing
from ui.plans import live_catalog
from ui.plans.card import ButtonSpec, PlanCard, PlanOffer
from ui.plans.grid import PlanGrid
from ui.plans.offers import plan_offer, public_offers
from ui.serving.document import PageContext, page

PLANS = ("free", "basic", "premium", "enterprise", "contact")


async def test_pricing_shows_every_plan_with_its_price_and_button(container: Container, simulate: Simulate) -> None:
    async with simulate(container, pricing.register) as user:
        await user.open("/pricing")

        for plan in PLANS:
            the(user, f"plan-card-{plan}")
            the(user, f"subscribe-{plan}")
        assert texts(the(user, "plan-price-premium")) == "$29 per month"
        assert texts(the(user, "plan-price-free")) == "$0"
        await user.should_see("$29.00 today, then monthly.")
        await user.should_see("14 days free for new customers, then $99.00 a month (list price).")
        await user.should_see("2 months free")


async def test_a_browser_that_translates_leaves_names_and_amounts_alone(
    container: Container, simulate: Simulate
) -> None:
    async with simulate(container, pricing.register) as user:
        html = (await user.http_client.get("/pricing")).text

    parts = {
        kind: re.findall(rf'<[a-z0-9]+ [^>]*class="{kind}[ "][^>]*>', html)
        for kind in ("plan-name", "amount", "brand-name", "head-name", "head-amount")
    }
    for kind, tags in parts.items():
        assert tags, kind
        assert [tag for tag in tags if 'translate="no"' not in tag] == [], kind


async def test_the_switch_changes_prices_notes_and_what_is_bought(container: Container, simulate: Simulate) -> None:
    async with simulate(container, pricing.register) as user:
        await user.open("/pricing")

        user.find(marker="interval-year").trigger("change")

        assert texts(the(user, "plan-price-premium")) == "$24.17 per month"
        await user.should_see("$290.00 today, then yearly.")
        assert posted(user, "premium")["price_id"] == yearly(container, "premium")
        user.find(marker="interval-month").trigger("change")
        assert texts(the(user, "plan-price-premium")) == "$29 per month"


async def test_the_address_chooses_the_interval_for_those_without_a_script(
    container: Container, simulate: Simulate
) -> None:
    async with simulate(container, pricing.register) as user:
        await user.open("/pricing?interval=year")

        assert the(user, "interval-year").props["checked"] is True
        assert "checked" not in the(user, "interval-month").props
        assert texts(the(user, "plan-price-basic")) == "$7.50 per month"
        assert posted(user, "basic")["price_id"] == yearly(container, "basic")


async def test_the_first_html_of_both_intervals_lets_the_script_switch_at_once(
    container: Container, simulate: Simulate
) -> None:
    async with simulate(container, pricing.register) as user:
        html = (await user.http_client.get("/pricing")).text

    assert 'data-month="$29" data-year="$24.17"' in html
    assert f'data-month="{monthly(container, "premium")}" data-year="{yearly(container, "premium")}"' in html


async def test_a_visitors_button_posts_the_price_and_its_terms(container: Container, simulate: Simulate) -> None:
    async with simulate(container, pricing.register) as user:
        await user.open("/pricing")

        assert posted(user, "premium") == {
            "price_id": monthly(container, "premium"),
            "product_id": "prod_sandbox_premium",
            "amount": "2900",
            "currency": "usd",
            "interval": "month",
            "trial_days": "0",
            "trial_shown": "false",
        }
        form = form_of(user, "premium")
        assert (form.props["method"], form.props["action"]) == ("post", "/payment/checkout")


async def test_plans_without_a_checkout_have_links(container: Container, simulate: Simulate) -> None:
    async with simulate(container, pricing.register) as user:
        await user.open("/pricing")

        assert the(user, "subscribe-free").props["href"] == "/login?next=/payment"
        assert the(user, "subscribe-contact").props["href"].startswith("mailto:")


async def test_somebody_signed_in_goes_on_where_their_plan_is_known(container: Container, simulate: Simulate) -> None:
    async with simulate(container, pricing.register) as user:
        sign_in(user)

        await user.open("/pricing")

        assert the(user, "subscribe-premium").props["href"] == "/payment?plan=premium&interval=month"


async def test_what_somebody_has_decides_their_buttons_when_it_is_known(
    container: Container, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def offers(context: PageContext) -> tuple[PlanOffer, ...]:
        current = dict.fromkeys(Interval, ButtonSpec("current"))
        return (plan_offer(context, container.catalog, container.catalog.plan("premium"), current),)

    monkeypatch.setattr(live_catalog, "offers_for", offers)
    async with simulate(container, pricing.register) as user:
        sign_in(user)

        await user.open("/pricing")

        await user.should_see("Current plan")
        await user.should_not_see(marker="subscribe-premium")


async def test_the_first_html_holds_names_prices_and_structured_data(container: Container, simulate: Simulate) -> None:
    async with simulate(container, pricing.register) as user:
        html = (await user.http_client.get("/pricing")).text

    things = [json.loads(text) for text in re.findall(r'<script type="application/ld\+json"[^>]*>(.*?)</script>', html)]
    products = {thing["name"]: thing for thing in things if thing["@type"] == "Product"}
    for name in ("Basic", "Premium", "Enterprise"):
        assert f">{name}</h2>" in html
        assert products[f"Northwind Cloud {name}"]["offers"][0]["priceCurrency"] == "USD"
    assert products["Northwind Cloud Premium"]["offers"][0]["price"] == "29.00"
    assert len(next(thing for thing in things if thing["@type"] == "FAQPage")["mainEntity"]) == 4
    assert '<meta name="description"' in html


async def test_a_plan_with_one_interval_keeps_the_place_of_the_choice(container: Container, simulate: Simulate) -> None:
    plans = tuple(
        plan.model_copy(update={"prices": {Interval.MONTH: plan.prices[Interval.MONTH]}}) if plan.prices else plan
        for plan in container.catalog.plans
    )
    sell(container, container.catalog.model_copy(update={"plans": plans}))
    async with simulate(container, pricing.register) as user:
        await user.open("/pricing")

        await user.should_see("Monthly only")
        await user.should_see("Always free")
        await user.should_not_see(marker="interval-year")


async def test_notes_carry_claims_that_are_the_same_at_each_drawing(container: Container, simulate: Simulate) -> None:
    async with simulate(container, pricing.register) as user:
        drawn = [(await user.http_client.get("/pricing")).text for _time in range(2)]

    first, second = (re.findall(r'data-claims="([^"]+)"', html) for html in drawn)
    assert first == second
    said = [claim for held in first for claim in json.loads(unescape(held))]
    assert {claim["says"] for claim in said} >= {"due_today", "then_each"}
    assert (2900, "month") in {(claim.get("amount"), claim["interval"]) for claim in said}


async def test_amounts_follow_language_and_currency(container: Container, simulate: Simulate) -> None:
    sell(container, in_yen(container.catalog))
    async with simulate(container, pricing.register) as user:
        user.http_client.cookies.set("locale", "ja")

        await user.open("/pricing")

        assert texts(the(user, "plan-price-premium")).startswith("￥2,900")
        assert texts(the(user, "plan-card-premium")).startswith("プレミアム")


async def test_a_press_over_the_socket_names_plan_and_interval(container: Container, simulate: Simulate) -> None:
    pressed: list[tuple[str, Interval]] = []
    done = asyncio.Event()

    def register(container: Container) -> None:
        @page(container, "/plans", title="Plans")
        def plans(context: PageContext) -> None:
            async def start(card: PlanCard) -> None:
                pressed.append((card.offer.plan.id, card.interval))
                grid.release()
                done.set()

            with frame(context):
                grid = PlanGrid(context, public_offers(context), Interval.MONTH, on_press=start)

    async with simulate(container, register) as user:
        await user.open("/plans")

        user.find(marker="interval-year").trigger("change")
        press(user, "subscribe-basic")
        await asyncio.wait_for(done.wait(), 5)
        assert form_of(user, "basic").props["data-attempt"] == "1"

    assert pressed == [("basic", Interval.YEAR)]


async def test_home_has_one_heading_the_plans_and_a_way_in(container: Container, simulate: Simulate) -> None:
    async with simulate(container, home.register) as user:
        html = (await user.http_client.get("/")).text

    assert html.count("<h1") == 1
    assert html.index("<h1") < html.index("<h2") < html.index("<h3")
    assert 'href="/login?next=/payment"' in html
    assert "$29" in html


def form_of(user: Any, plan: str) -> Any:
    """Return the form around a plan's button."""
    slot = the(user, f"subscribe-{plan}").parent_slot
    assert slot is not None
    return slot.parent


def posted(user: Any, plan: str) -> dict[str, str]:
    """Return what a plan's form posts."""
    fields = [child for child in form_of(user, plan).default_slot.children if child.tag == "input"]
    return {field.props["name"]: field.props["value"] for field in fields}


def monthly(container: Container, plan: str) -> str:
    return container.catalog.plan(plan).prices[Interval.MONTH].price_id


def yearly(container: Container, plan: str) -> str:
    return container.catalog.plan(plan).prices[Interval.YEAR].price_id


def in_yen(catalog: Catalog) -> Catalog:
    """Return the catalog with every amount in yen, which has no minor unit."""
    return Catalog.model_validate_json(catalog.model_dump_json(by_alias=True).replace('"usd"', '"jpy"'))
