"""Home, pricing, sign-in and error pages: what they say, what their buttons do, what the first HTML holds."""

import asyncio
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from catalog import Catalog, Interval
from tests.ui.simulation import ADA, FakeSessions, FixedCatalog, Simulate, press, sign_in, texts, the
from ui.components.plan_card import ButtonSpec, PlanOffer
from ui.components.plan_grid import PlanGrid
from ui.document import Visit, page
from ui.frame import frame
from ui.offers import plan_offer, public_offers
from ui.pages import errors, home, login, pricing
from ui.site import Site

PLANS = ("free", "basic", "premium", "enterprise", "contact")


async def test_pricing_shows_every_plan_with_its_price_and_button(site: Site, simulate: Simulate) -> None:
    async with simulate(site, pricing.register) as user:
        await user.open("/pricing")

        for plan in PLANS:
            the(user, f"plan-card-{plan}")
            the(user, f"subscribe-{plan}")
        assert texts(the(user, "plan-price-premium")) == "$29 per month"
        assert texts(the(user, "plan-price-free")) == "$0 per month"
        await user.should_see("$29.00 today, then monthly. Cancel any time.")
        await user.should_see("14 days free, then $99.00 a month. Cancel any time.")
        await user.should_see("2 months free")


async def test_the_switch_changes_prices_notes_and_what_is_bought(site: Site, simulate: Simulate) -> None:
    async with simulate(site, pricing.register) as user:
        await user.open("/pricing")

        user.find(marker="interval-year").trigger("change")

        assert texts(the(user, "plan-price-premium")) == "$24.17 per month"
        await user.should_see("billed yearly at $290")
        await user.should_see("$290.00 today, then yearly. Cancel any time.")
        assert posted(user, "premium")["price_id"] == yearly(site, "premium")
        user.find(marker="interval-month").trigger("change")
        assert texts(the(user, "plan-price-premium")) == "$29 per month"


async def test_the_address_chooses_the_interval_for_those_without_a_script(site: Site, simulate: Simulate) -> None:
    async with simulate(site, pricing.register) as user:
        await user.open("/pricing?interval=year")

        assert the(user, "interval-year").props["checked"] is True
        assert "checked" not in the(user, "interval-month").props
        assert texts(the(user, "plan-price-basic")) == "$7.50 per month"
        assert posted(user, "basic")["price_id"] == yearly(site, "basic")


async def test_the_first_html_of_both_intervals_lets_the_script_switch_at_once(site: Site, simulate: Simulate) -> None:
    async with simulate(site, pricing.register) as user:
        html = (await user.http_client.get("/pricing")).text

    assert 'data-month="$29" data-year="$24.17"' in html
    assert f'data-month="{monthly(site, "premium")}" data-year="{yearly(site, "premium")}"' in html


async def test_a_visitors_button_posts_price_and_catalog_version(site: Site, simulate: Simulate) -> None:
    async with simulate(site, pricing.register) as user:
        await user.open("/pricing")

        assert posted(user, "premium") == {"price_id": monthly(site, "premium"), "catalog": site.catalog.version}
        form = form_of(user, "premium")
        assert (form.props["method"], form.props["action"]) == ("post", "/payment/checkout")


async def test_plans_without_a_checkout_have_links(site: Site, simulate: Simulate) -> None:
    async with simulate(site, pricing.register) as user:
        await user.open("/pricing")

        assert the(user, "subscribe-free").props["href"] == "/login?next=/payment"
        assert the(user, "subscribe-contact").props["href"].startswith("mailto:")


async def test_somebody_signed_in_goes_on_where_their_plan_is_known(site: Site, simulate: Simulate) -> None:
    async with simulate(site, pricing.register) as user:
        sign_in(user)

        await user.open("/pricing")

        assert the(user, "subscribe-premium").props["href"] == "/payment?plan=premium&interval=month"


async def test_what_somebody_has_decides_their_buttons_when_it_is_known(site: Site, simulate: Simulate) -> None:
    async def offers(visit: Visit) -> tuple[PlanOffer, ...]:
        current = dict.fromkeys(Interval, ButtonSpec("current"))
        return (plan_offer(visit, site.catalog, site.catalog.plan("premium"), current),)

    site.offers_for = offers
    async with simulate(site, pricing.register) as user:
        sign_in(user)

        await user.open("/pricing")

        await user.should_see("Current plan")
        await user.should_not_see(marker="subscribe-premium")


async def test_the_first_html_holds_names_prices_and_structured_data(site: Site, simulate: Simulate) -> None:
    async with simulate(site, pricing.register) as user:
        html = (await user.http_client.get("/pricing")).text

    things = [json.loads(text) for text in re.findall(r'<script type="application/ld\+json"[^>]*>(.*?)</script>', html)]
    products = {thing["name"]: thing for thing in things if thing["@type"] == "Product"}
    for name in ("Basic", "Premium", "Enterprise"):
        assert f">{name}</h2>" in html
        assert products[f"Northwind Cloud {name}"]["offers"][0]["priceCurrency"] == "USD"
    assert products["Northwind Cloud Premium"]["offers"][0]["price"] == "29.00"
    assert len(next(thing for thing in things if thing["@type"] == "FAQPage")["mainEntity"]) == 4
    assert '<meta name="description"' in html


async def test_a_plan_with_one_interval_keeps_the_place_of_the_choice(site: Site, simulate: Simulate) -> None:
    plans = tuple(
        plan.model_copy(update={"prices": {Interval.MONTH: plan.prices[Interval.MONTH]}}) if plan.prices else plan
        for plan in site.catalog.plans
    )
    site.catalogs = FixedCatalog(site.catalog.model_copy(update={"plans": plans}))
    async with simulate(site, pricing.register) as user:
        await user.open("/pricing")

        await user.should_see("Monthly only")
        await user.should_see("Always free")
        await user.should_not_see(marker="interval-year")


async def test_amounts_follow_language_and_currency(site: Site, simulate: Simulate) -> None:
    site.catalogs = FixedCatalog(in_yen(site.catalog))
    async with simulate(site, pricing.register) as user:
        user.http_client.cookies.set("locale", "ja")

        await user.open("/pricing")

        assert texts(the(user, "plan-price-premium")).startswith("￥2,900")
        assert texts(the(user, "plan-card-premium")).startswith("プレミアム")


async def test_a_press_over_the_socket_names_plan_and_interval(site: Site, simulate: Simulate) -> None:
    pressed: list[tuple[str, Interval]] = []
    done = asyncio.Event()

    def register(site: Site) -> None:
        @page(site, "/plans", title="Plans")
        def plans(visit: Visit) -> None:
            async def start(offer: PlanOffer, interval: Interval) -> None:
                pressed.append((offer.plan.id, interval))
                grid.release()
                done.set()

            with frame(visit):
                grid = PlanGrid(visit, public_offers(visit), Interval.MONTH, on_press=start)

    async with simulate(site, register) as user:
        await user.open("/plans")

        user.find(marker="interval-year").trigger("change")
        press(user, "subscribe-basic")
        await asyncio.wait_for(done.wait(), 5)
        assert form_of(user, "basic").props["data-attempt"] == "1"

    assert pressed == [("basic", Interval.YEAR)]


async def test_home_has_one_heading_the_plans_and_a_way_in(site: Site, simulate: Simulate) -> None:
    async with simulate(site, home.register) as user:
        html = (await user.http_client.get("/")).text

    assert html.count("<h1") == 1
    assert html.index("<h1") < html.index("<h2") < html.index("<h3")
    assert 'href="/login?next=/payment"' in html
    assert "$29" in html


@pytest.mark.parametrize("provider", ["google", "github", "discord", "microsoft"])
async def test_each_provider_is_a_link_that_keeps_where_to_go(site: Site, simulate: Simulate, provider: str) -> None:
    async with simulate(site, login.register) as user:
        await user.open("/login?next=/payment%3Fprice%3Dprice_1")

        link = the(user, f"sign-in-{provider}")
        assert link.props["href"] == f"/auth/login?provider={provider}&next=%2Fpayment%3Fprice%3Dprice_1"
        await user.should_see("Then you go straight on to checkout.")


@pytest.mark.parametrize(
    "address", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
async def test_sign_in_leads_nowhere_else(site: Site, simulate: Simulate, address: str) -> None:
    async with simulate(site, login.register) as user:
        await user.open(f"/login?next={address}")

        assert the(user, "sign-in-google").props["href"].endswith("next=%2F")


async def test_somebody_signed_in_has_no_business_at_sign_in(site: Site, simulate: Simulate) -> None:
    async with simulate(site, login.register) as user:
        sign_in(user)

        answer = await user.http_client.get("/login?next=/account")

        assert (answer.status_code, answer.headers["location"]) == (303, "/account")


async def test_a_failed_sign_in_says_so_in_words_of_ours(site: Site, simulate: Simulate) -> None:
    async with simulate(site, login.register) as user:
        await user.open("/login?error=expired")
        assert the(user, "notice").props["data-kind"] == "warning"
        await user.should_see("That sign-in link has expired or was used before. Start again.")

        await user.open("/login?error=<b>made up</b>")
        await user.should_not_see(marker="notice")


async def test_an_unknown_address_is_a_page_for_people_and_json_for_programs(site: Site, simulate: Simulate) -> None:
    async with simulate(site, errors.register) as user:
        page_answer = await user.http_client.get("/nope", headers={"accept": "text/html"})
        json_answer = await user.http_client.get("/nope", headers={"accept": "application/json"})

        assert page_answer.status_code == json_answer.status_code == 404
        assert "This page doesn&#x27;t exist" in page_answer.text or "This page doesn't exist" in page_answer.text
        assert 'name="robots" content="noindex"' in page_answer.text
        assert json_answer.json() == {"detail": "Not Found"}


def test_the_page_for_floods_needs_no_script_and_says_when_to_come_back(site: Site) -> None:
    answer = errors.too_many_requests(site, "de", 7.4)
    html = bytes(answer.body).decode()

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert "<script" not in html
    assert '<html lang="de"' in html


async def test_the_sandbox_is_named_on_every_page(site: Site, simulate: Simulate) -> None:
    async with simulate(site, home.register, pricing.register, login.register) as user:
        for path in ("/", "/pricing", "/login"):
            await user.open(path)
            assert texts(the(user, "sandbox-banner")) == "Sandbox: no money moves."


async def test_with_real_money_there_is_no_sandbox_banner(site: Site, simulate: Simulate) -> None:
    object.__setattr__(site.settings, "sandbox", False)
    async with simulate(site, home.register) as user:
        await user.open("/")

        await user.should_not_see(marker="sandbox-banner")


async def test_the_frame_shows_what_arrival_found(site: Site, simulate: Simulate) -> None:
    async def arrive(visit: Visit) -> None:
        visit.plan_label, visit.cart_count = "Premium", 3

    site.on_arrival = arrive
    async with simulate(site, home.register) as user:
        sign_in(user)

        await user.open("/")

        assert the(user, "cart-count").text == "3"
        assert "Premium" in (await user.http_client.get("/")).text
        the(user, "sign-out")
        await user.should_not_see(marker="sign-in")


async def test_names_from_outside_stay_text(site: Site, simulate: Simulate) -> None:
    assert isinstance(site.sessions, FakeSessions)
    assert ADA.user is not None
    evil = "<img src=x onerror=alert(1)>"
    site.sessions.sessions["ada"] = replace(ADA, user=replace(ADA.user, name=evil, email=evil))
    async with simulate(site, home.register) as user:
        sign_in(user)
        html = (await user.http_client.get("/")).text

    assert "<img src=x" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def form_of(user: Any, plan: str) -> Any:
    """Return the form around a plan's button."""
    slot = the(user, f"subscribe-{plan}").parent_slot
    assert slot is not None
    return slot.parent


def posted(user: Any, plan: str) -> dict[str, str]:
    """Return what a plan's form posts."""
    fields = [child for child in form_of(user, plan).default_slot.children if child.tag == "input"]
    return {field.props["name"]: field.props["value"] for field in fields}


def monthly(site: Site, plan: str) -> str:
    return site.catalog.plan(plan).prices[Interval.MONTH].price_id


def yearly(site: Site, plan: str) -> str:
    return site.catalog.plan(plan).prices[Interval.YEAR].price_id


def in_yen(catalog: Catalog) -> Catalog:
    """Return the catalog with every amount in yen, which has no minor unit."""
    return Catalog.model_validate_json(catalog.model_dump_json(by_alias=True).replace('"usd"', '"jpy"'))
