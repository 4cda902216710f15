"""Every press on the billing pages: where it leads, and what it says when it leads nowhere."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog import parse_catalog
from services.errors import (
    CustomerUnknown,
    FrontendError,
    KeyRejected,
    RequestFailed,
    StoreUnavailable,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from tests.ui.billing_world import ADA, CATALOG, World, billing_world
from tests.ui.reading import text_of, until

SOON = datetime.now(UTC) + timedelta(days=20)
PORTAL = "https://billing.stripe.com/p/session/bps_1"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with billing_world(tmp_path) as world:
        world.accounts.says("none")
        await world.sign_in()
        yield world


def active(world: World) -> None:
    world.billing.has("premium", "active", until=SOON)
    world.accounts.says("active", "premium")


async def test_a_press_opens_the_checkout_of_that_price_at_the_amount_shown(world: World) -> None:
    await world.open("/payment")

    world.press("subscribe-premium")
    await until(lambda: world.went_to.startswith("https://checkout.stripe.com/"))

    (purchase,) = world.billing.opened
    assert (world.billing.buyers, purchase.price_id) == ([ADA.user_id], "price_sandbox_premium_month")


async def test_the_yearly_button_buys_the_yearly_price(world: World) -> None:
    await world.open("/payment")

    world.browser.find(marker="interval-year").trigger("change")
    world.press("subscribe-premium")
    await until(lambda: world.billing.opened)

    assert world.billing.opened[0].price_id == "price_sandbox_premium_year"


async def test_a_second_press_asks_and_leads_to_the_open_session_or_to_a_new_one(world: World) -> None:
    await world.open("/payment")
    world.press("subscribe-premium")
    await until(lambda: world.went_to.startswith("https://checkout.stripe.com/"))
    first = world.went_to

    await world.open("/payment")
    world.press("subscribe-premium")
    await until(lambda: world.marked("notice") and world.marked("notice")[0].props["data-kind"] == "warning")

    assert "Continue, or start a new one?" in world.text()
    assert "If the other page is still open, don't pay there too." in world.text()
    assert world.one("continue-checkout").props["href"] == first
    assert len(world.billing.opened) == 1

    world.press("start-new")
    await until(lambda: len(world.billing.opened) == 2)


async def test_an_old_checkout_that_may_have_been_paid_is_a_question_with_a_way_to_ask_us(world: World) -> None:
    await world.started("premium", ago=timedelta(days=40))
    await world.open("/payment")

    world.press("subscribe-basic")
    await until(lambda: world.marked("start-instead"))

    said = text_of(world.one("notice"))
    assert "We don't know if you paid. If you were charged, contact us first." in said
    assert "Start a new one only if you weren't charged, or if that subscription has ended." in said
    assert not world.marked("continue-checkout")
    assert world.one("action-contact")._props["href"] == "https://help.example.com"
    world.press("start-instead")
    await until(lambda: world.billing.opened)


@pytest.mark.parametrize(
    "change", [{"currency": "eur"}, {"amount": 3900}, {"trial_days": 14}], ids=["currency", "amount", "trial"]
)
async def test_a_page_that_shows_other_terms_than_are_sold_now_leads_to_a_review(
    world: World, change: dict[str, object]
) -> None:
    await world.open("/payment")
    plans = [plan.model_dump() for plan in CATALOG.plans]
    premium = next(plan for plan in plans if plan["id"] == "premium")
    premium["prices"]["month"] |= change
    world.catalogs.current = CATALOG.model_validate({"plans": plans})

    world.press("subscribe-premium")
    await until(lambda: world.marked("notice"))

    assert "Review the new price. Nothing was charged." in world.text()
    assert not world.billing.opened


async def test_another_plans_open_checkout_is_a_question_not_an_error(world: World) -> None:
    await world.open("/payment")
    started = await world.started("premium")

    world.press("subscribe-basic")
    await until(lambda: world.marked("start-instead"))

    box = world.one("notice")
    assert box._props["data-kind"] == "warning"
    assert "You started a checkout for Premium 4 minutes ago. Continue, or start Basic instead?" in text_of(box)
    assert world.one("continue-checkout")._props["href"] == started.url
    world.press("start-instead")
    await until(lambda: world.billing.opened)
    assert world.billing.opened[0].price_id == "price_sandbox_basic_month"


async def test_a_subscription_that_appeared_meanwhile_leads_to_the_portal(world: World) -> None:
    await world.open("/payment")
    active(world)

    world.press("subscribe-basic")
    await until(lambda: world.marked("notice"))

    assert "You already have a subscription." in text_of(world.one("notice"))
    assert not world.billing.opened


async def test_a_record_that_appeared_meanwhile_asks_before_it_goes_on(world: World) -> None:
    await world.open("/payment")
    world.accounts.grant = None
    world.billing.has("premium", None, until=SOON)

    world.press("subscribe-basic")
    await until(lambda: "It has ended – continue" in world.text())

    world.browser.find("It has ended – continue")
    assert not world.billing.opened


@pytest.mark.parametrize(
    ("failure", "kind", "sentence"),
    [
        (UpstreamUnavailable("p", "c"), "danger", "Payments are unavailable right now. Nothing was charged."),
        (UpstreamTimeout("p", "c"), "danger", "Nothing was charged."),
        (UpstreamFailed("p", "c", retry_after=7), "danger", "Try again in 7 seconds."),
        (RequestFailed("p", "c"), "danger", "if that fails too, contact us and quote the reference."),
        (KeyRejected("p", "c", worked_before=False), "danger", "Payments aren't set up yet. Nothing was charged."),
    ],
)
async def test_a_failed_checkout_says_what_happened_and_whether_money_moved(
    world: World, failure: FrontendError, kind: str, sentence: str
) -> None:
    world.billing.refusal = failure
    await world.open("/payment")
    form = world.one("subscribe-premium").parent_slot.parent  # type: ignore[union-attr]
    before = form._props["data-attempt"]

    world.press("subscribe-premium")
    await until(lambda: world.marked("notice"))

    box = world.one("notice")
    assert box._props["data-kind"] == kind
    assert "data-focus" in box._props
    assert sentence in text_of(box)
    assert form._props["data-attempt"] != before


async def test_try_again_after_a_failure_goes_on_where_it_stopped(world: World) -> None:
    world.billing.refusal = UpstreamUnavailable("payment_ms", "checkout")
    await world.open("/payment")
    world.press("subscribe-premium")
    await until(lambda: world.marked("try-again"))

    world.billing.refusal = None
    world.press("try-again")
    await until(lambda: world.went_to.startswith("https://checkout.stripe.com/"))

    assert world.billing.opened[0].price_id == "price_sandbox_premium_month"


async def test_a_price_that_changed_under_the_page_is_shown_before_it_is_bought(world: World) -> None:
    await world.open("/payment")
    dearer = (Path(__file__).parents[3] / "products.json").read_text().replace('"amount": 900,', '"amount": 1200,')
    world.catalogs.current = parse_catalog(dearer)

    world.press("subscribe-basic")
    await until(lambda: world.marked("notice"))

    assert "Our prices changed while this page was open." in text_of(world.one("notice"))
    assert "Show the new prices" in world.text()
    assert not world.billing.opened


async def test_whoever_was_signed_out_meanwhile_signs_in_and_comes_back_to_the_price(world: World) -> None:
    await world.open("/payment")
    await until(lambda: world.status.tabs == 1)
    await world.look()
    assert world.session is not None
    await world.store.delete(f"session:{world.session.visitor_id}")

    world.press("subscribe-premium")
    await until(lambda: world.went_to.startswith("/login"))

    assert world.went_to == "/login?next=/payment%3Fprice%3Dprice_sandbox_premium_month"
    assert not world.billing.opened


async def test_the_portal_opens_and_leads_back_to_billing(world: World) -> None:
    active(world)
    await world.open("/payment")

    world.press("action-manage")
    await until(lambda: world.went_to == PORTAL)

    assert world.billing.portals == [(ADA.user_id, "https://test/payment?from=portal")]


async def test_the_cards_action_opens_the_portal(world: World) -> None:
    world.billing.has("premium", "past_due")
    world.accounts.says("past_due", "premium")
    await world.open("/payment")

    world.press("action-update_payment_method")
    await until(lambda: world.went_to == PORTAL)


async def test_a_change_of_plan_goes_through_the_portal_and_starts_no_checkout(world: World) -> None:
    active(world)
    await world.open("/payment")

    world.press("subscribe-basic")
    await until(lambda: world.went_to == PORTAL)

    assert not world.billing.opened


async def test_no_billing_history_is_no_error(world: World) -> None:
    active(world)
    world.billing.portal_refusal = CustomerUnknown("payment_ms", "portal")
    await world.open("/payment")

    world.press("action-manage")
    await until(lambda: world.marked("notice"))

    box = world.one("notice")
    assert box._props["data-kind"] == "info"
    assert "You have no billing history yet." in text_of(box)


async def test_a_portal_that_fails_says_so_beside_its_button(world: World) -> None:
    active(world)
    world.billing.portal_refusal = UpstreamUnavailable("payment_ms", "portal")
    await world.open("/payment")

    world.press("action-manage")
    await until(lambda: world.marked("notice"))

    assert world.one("notice")._props["data-kind"] == "danger"


async def test_a_store_that_is_away_refuses_the_press(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.open("/payment")

    async def away(*_arguments: object) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(world.store, "get", away)
    world.press("subscribe-premium")
    await until(lambda: world.marked("notice"))

    assert "We can't do that right now. Nothing was charged." in text_of(world.one("notice"))


async def test_the_buttons_are_forms_that_work_without_a_script(world: World) -> None:
    await world.open("/payment")

    html = (await world.browser.http_client.get("/payment")).text

    assert 'action="/payment/checkout"' in html
    assert 'name="price_id" value="price_sandbox_premium_month"' in html
    assert 'name="amount" value="2900"' in html
    active(world)
    assert world.session is not None
    await world.refresher.ask(world.session, "all", fresh=True)
    html = (await world.browser.http_client.get("/payment")).text
    assert 'action="/payment/portal"' in html
    assert 'name="return_to" value="/payment"' in html


async def test_no_secret_of_the_sign_in_is_in_a_page(world: World) -> None:
    html = (await world.browser.http_client.get("/payment")).text

    assert "auth_code" not in html
    assert world.session is not None
    assert world.session.id not in html


async def test_a_press_after_somebody_elses_sign_in_acts_for_nobody(world: World) -> None:
    """The session is looked up by this page's own cookie, not by what the page was drawn with."""
    await world.open("/payment")
    world.accounts.user = replace(ADA, user_id="user_eve")
    assert world.session is not None
    stale = world.session.model_copy(update={"validated_at": datetime.now(UTC) - timedelta(minutes=5)})
    await world.keep_session(stale)

    world.press("subscribe-premium")
    await until(lambda: "Continue with" in world.text())

    assert not world.billing.opened
