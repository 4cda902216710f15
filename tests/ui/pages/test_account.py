"""The account page, the banner that follows a debt onto every page, and the pages for members."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from catalog import parse_catalog
from services.catalog_file import ALL_USERS
from services.checkout_record import CheckoutEvent
from services.errors import SignInUnavailable, StoreUnavailable, UpstreamUnavailable
from services.lifecycle import Lifecycle
from services.purchase import Purchase, PurchaseLine
from services.storage.pubsub import Topic
from services.subscription.model import State
from tests.ui.billing_world import CATALOG, World, billing_world
from tests.ui.reading import text_of, until
from ui.nicegui_ext.html import Tag
from ui.page.frame import frame
from ui.pages.signed_out import forgotten_just_now
from ui.serving.document import PageContext, page
from ui.serving.plan_guard import limit, requires

NOW = datetime.now(UTC)
SOON = NOW + timedelta(days=20)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with billing_world(tmp_path) as world:
        world.accounts.says("none")
        await world.sign_in()
        yield world


def premium(world: World, word: str = "active") -> None:
    world.billing.has("premium", word, until=SOON)
    world.accounts.says(word, "premium")


async def test_it_shows_who_somebody_is_the_way_to_billing_and_out_and_repeats_nothing(world: World) -> None:
    premium(world)

    await world.open("/account")

    text = world.text()
    assert "Ada Lovelace" in text
    assert "ada@example.com" in text
    assert "Go to billing" in text
    assert not world.marked("subscription-status")
    assert not [form for form in world.tags("form") if form._props.get("action") == "/payment/portal"]
    form = world.one("sign-out-here").parent_slot.parent  # type: ignore[union-attr]
    assert form._props["method"] == "post"


async def test_names_that_look_like_markup_stay_text(world: World) -> None:
    html = (await world.browser.http_client.get("/account")).text
    assert "<img src=x" not in html

    assert world.session is not None
    evil = world.session.user.__class__("user_ada", "<img src=x onerror=alert(1)>", "a@b.example")
    world.accounts.user = evil
    stale = world.session.model_copy(update={"user": evil})
    await world.keep_session(stale)
    html = (await world.browser.http_client.get("/account")).text

    assert "<img src=x" not in html
    assert "&lt;img src=x" in html


async def test_purchases_say_what_is_known_of_each(world: World) -> None:
    confirmed = await world.started("premium", ago=timedelta(days=40), returned=timedelta(days=40))
    await world.mark(confirmed, CheckoutEvent.ACCESS_ON, NOW - timedelta(days=40))
    left = await world.started("basic", ago=timedelta(days=2))
    await world.mark(left, CheckoutEvent.CANCELED, NOW - timedelta(days=2))
    assert world.session is not None
    bought = await world.container.checkout.start(world.session, Purchase.of_item(CATALOG.items[0]))
    await world.mark(bought, CheckoutEvent.RETURNED, NOW)

    await world.open("/payment")

    said = [text_of(tag) for tag in world.marked("purchase")]
    assert len(said) == 2
    assert "Order placed" in said[0]
    assert "paid" not in said[0].lower()
    assert "Confirmed" in said[1]
    assert "$29.00 a month" in said[1]


async def test_without_a_script_the_next_page_says_what_became_of_a_purchase(world: World) -> None:
    await world.started(returned=timedelta(seconds=20))

    async def page() -> str:
        return (await world.browser.http_client.get("/payment")).text

    assert 'data-state="confirming"' in await page()
    premium(world)

    async with asyncio.timeout(5):
        while 'data-state="active"' not in await page():  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # an answer younger than a second is shared


@pytest.mark.parametrize(("days", "counted"), [(20, False), (3, True)])
async def test_the_day_is_named_once_and_counted_when_it_is_near(world: World, days: int, counted: bool) -> None:
    until = datetime.now(UTC) + timedelta(days=days, hours=1)
    world.billing.has("premium", "active", until=until)
    told = Lifecycle(cancel_at_period_end=False, paused=False, told=True)
    world.billing.records = {name: replace(one, lifecycle=told) for name, one in world.billing.records.items()}
    world.accounts.says("active", "premium")

    await world.open("/payment")

    words = text_of(world.classed("subscription")[0])
    assert words.count(f"{until:%B}") == 1
    assert ("in 3 days" in words) is counted


async def test_a_cart_is_listed_by_the_names_and_numbers_of_what_is_in_it(world: World) -> None:
    assert world.session is not None
    stickers, credits = CATALOG.items[0], CATALOG.items[1]
    lines = [PurchaseLine.of(stickers, stickers.price, 2), PurchaseLine.of(credits, credits.price)]
    bought = await world.container.checkout.start(world.session, Purchase.of_cart(lines))
    await world.mark(bought, CheckoutEvent.RETURNED, NOW)

    await world.open("/payment")
    [listed] = [text_of(tag) for tag in world.marked("purchase")]
    await world.open(f"/payment/success?session_id={bought.session_id}")

    for said in (listed, world.text()):
        assert f"2 × {stickers.name}" in said
        assert str(credits.name) in said


async def test_without_orders_there_is_no_list_of_them(world: World) -> None:
    await world.open("/payment")

    assert "Orders" not in world.text()


async def test_somebody_not_signed_in_is_sent_to_sign_in(world: World) -> None:
    world.browser.http_client.cookies.clear()

    answer = await world.browser.http_client.get("/account")

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/account")


@pytest.mark.parametrize(
    ("word", "kind", "label"),
    [
        ("past_due", "danger", "Update payment method"),
        ("unpaid", "danger", "Pay invoice"),
        ("incomplete", "warning", "Finish payment"),
    ],
)
async def test_a_debt_follows_onto_every_page_with_what_helps(world: World, word: str, kind: str, label: str) -> None:
    premium(world, word)
    assert world.session is not None
    await world.refresher.ask(world.session, "all")

    await world.open("/pricing")

    assert world.one("notice")._props["data-kind"] == kind
    assert text_of(world.one("banner-action")).strip() == label
    world.press("banner-action")
    await until(lambda: world.billing.portals)
    assert world.billing.portals[0][1] == "https://test/payment?from=portal"


async def test_the_banner_comes_and_goes_with_the_state(world: World) -> None:
    premium(world)
    await world.open("/pricing")
    await world.look()
    assert not world.marked("notice")

    premium(world, "past_due")
    await world.look()
    assert world.one("notice")._props["data-kind"] == "danger"
    premium(world)
    await world.look()

    assert not world.marked("notice")


@pytest.mark.parametrize("path", ["/upgrade?plan=premium", "/pricing", "/payment"])
async def test_the_frame_says_what_the_page_has_just_heard_not_what_was_remembered(world: World, path: str) -> None:
    """Nothing tells an open page later: what it knows by then is no news."""
    premium(world, "past_due")
    assert world.session is not None
    await world.refresher.ask(world.session, "all")
    world.billing.has("premium", "canceled", until=NOW - timedelta(days=1))
    world.accounts.says("none")

    with time_machine.travel(NOW + timedelta(days=15)):
        await world.open(path)

        assert not world.marked("banner-action")
        assert not world.classed("plan-badge")


async def test_a_page_that_opens_after_a_services_word_of_a_change_asks(world: World) -> None:
    """Nobody watched when the word came, and the last answer is young."""
    premium(world)
    assert world.session is not None
    await world.refresher.ask(world.session, "all")
    premium(world, "past_due")

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=1)):
        await world.status.poll_once(world.session.user.user_id)
        await world.open("/upgrade?plan=premium")

        assert world.one("banner-action")


async def test_a_page_says_what_the_services_say_and_not_what_they_said_before(world: World) -> None:
    premium(world)
    assert world.session is not None
    await world.refresher.ask(world.session, "all")
    premium(world, "past_due")

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=3)):
        await world.open("/upgrade?plan=premium")

        assert world.one("banner-action")


@pytest.mark.parametrize("speaks", [True, False])
async def test_a_page_that_says_none_has_asked_about_every_plan(world: World, speaks: bool) -> None:
    """Neither service has told of a subscription that sales made."""
    assert world.session is not None
    if not speaks:
        world.accounts.grant = None
    await world.refresher.ask(world.session, "all")

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=2)) as now:
        await world.refresher.ask(world.session)  # as an open page does, about what can differ
        now.shift(1.5)
        world.billing.has("premium", "active", until=SOON)
        await world.open("/payment")

        shown = {one.props["data-state"] for one in world.marked("subscription-status")}
        assert shown == ({"conflict", "active"} if speaks else {"active"})


async def test_what_a_page_has_just_heard_is_shown_in_the_other_open_tabs(world: World) -> None:
    premium(world)
    assert world.session is not None
    shown: list[State] = []
    await world.refresher.ask(world.session, "all")
    tab = world.status.watch(world.session, lambda new: shown.append(new.current.state), lambda: None)
    await until(lambda: tab.customer_status is not None)
    premium(world, "past_due")
    shown.clear()

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=15)):
        await world.open("/upgrade?plan=premium")
        tab.close()

    assert State.PAST_DUE in shown


async def test_the_billing_page_does_not_say_it_twice(world: World) -> None:
    premium(world, "past_due")

    await world.open("/payment")

    assert not world.marked("banner-action")


async def test_a_page_opens_without_the_banner_when_the_store_is_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_customer: str) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(world.refresher, "remembered", away)

    await world.open("/pricing")

    assert "Choose the plan that fits" in world.text()


async def test_members_come_in(world: World) -> None:
    premium(world)

    await world.open("/members")

    assert world.one("members-only")


async def test_a_plan_that_includes_it_opens_the_page_too(world: World) -> None:
    world.billing.has("enterprise", "active", until=SOON)
    world.accounts.says("active", "enterprise")

    await world.open("/members")

    assert world.one("members-only")


@pytest.mark.parametrize("plan", [None, "basic"])
async def test_others_are_led_to_what_would_open_it(world: World, plan: str | None) -> None:
    if plan is not None:
        world.billing.has(plan, "active", until=SOON)
        world.accounts.says("active", plan)

    await world.open("/members")

    assert "This page needs Premium" in world.text()
    assert not world.marked("members-only")
    label = text_of(world.one("subscribe-premium")).strip()
    assert label == ("Change to Premium" if plan else "Subscribe to Premium")


async def test_members_stay_in_while_a_service_is_away(world: World) -> None:
    premium(world)
    await world.open("/members")
    world.billing.failure = UpstreamUnavailable("payment_ms", "subscription")
    world.accounts.failure = SignInUnavailable("down")

    await world.open("/members")

    assert world.one("members-only")


async def test_an_open_upgrade_page_shows_the_prices_of_another_catalog(world: World) -> None:
    await world.open("/upgrade?plan=basic")
    assert "$9.00 today" in world.text()

    dearer = (Path(__file__).parents[3] / "products.json").read_text().replace('"amount": 900,', '"amount": 1200,')
    world.catalogs.current = parse_catalog(dearer)
    await world.container.pubsub.announce(Topic.CATALOG, ALL_USERS)

    await until(lambda: "$12.00 today" in world.text())


async def test_an_upgrade_page_for_a_feature_sells_the_first_plan_that_unlocks_it(world: World) -> None:
    await world.open("/upgrade?feature=audit_log")

    assert "This page needs Enterprise" in world.text()


@pytest.mark.parametrize("granted", [True, False])
async def test_a_page_opens_for_whoever_has_its_feature(world: World, granted: bool) -> None:
    @page(world.container, "/audit", title="Audit log", requires_sign_in=True)
    @requires("audit_log")
    async def audit(context: PageContext) -> None:
        with frame(context):
            Tag("p", f"{await limit(context, 'members')} may look", testid="audit")

    plan = "enterprise" if granted else "premium"
    world.billing.has(plan, "active", until=SOON)
    world.accounts.says("active", plan)

    await world.open("/audit")

    assert ("100 may look" in world.text()) is granted
    assert ("This page needs Enterprise" in world.text()) is not granted


async def test_an_upgrade_page_for_an_unknown_plan_sells_nothing(world: World) -> None:
    await world.open("/upgrade?plan=<b>")

    assert "Compare plans" in world.text()
    assert "<b>" not in world.text()


async def test_the_way_to_what_is_kept_and_to_have_it_forgotten(world: World) -> None:
    html = (await world.browser.http_client.get("/account")).text

    assert 'href="/api/me/data"' in html
    assert 'href="/account/forget"' in html


async def test_of_whoever_bought_nothing_all_is_forgotten(world: World) -> None:
    html = (await world.browser.http_client.get("/account/forget")).text

    assert "These are removed from this app at once" in html
    assert "These stay for now" not in html


async def test_before_anything_is_forgotten_the_page_says_what_stays_and_why(world: World) -> None:
    premium(world)
    await world.started("basic", ago=timedelta(minutes=1))

    html = (await world.browser.http_client.get("/account/forget")).text

    assert "a subscription: so that no second one is sold to you" in html
    assert "Checkouts that may have been paid or can still be paid" in html
    assert "This ends no subscription" in html


async def test_what_kept_it_from_being_done_is_said(world: World) -> None:
    at = int(datetime.now(UTC).timestamp())

    html = (await world.browser.http_client.get(f"/account/forget?at={at}&problem=store_unavailable")).text

    assert 'data-code="store_unavailable"' in html


def test_whoever_was_forgotten_is_told_so_for_a_while() -> None:
    now = datetime.now(UTC)

    assert forgotten_just_now(str(int(now.timestamp())), now)
    assert not forgotten_just_now(str(int((now - timedelta(minutes=3)).timestamp())), now)
    assert not forgotten_just_now("soon", now)
