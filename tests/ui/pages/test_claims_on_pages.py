"""What pages say rests on claims that a program can read from them, and follows what the services say."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest_asyncio

from catalog import parse_catalog
from services.auth_ms import User
from services.lifecycle import Lifecycle
from tests.ui.billing_states import NOW, SOON, active, canceled, offered, on_account
from tests.ui.billing_world import ADA, CATALOG, World, billing_world, text_of, until


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with billing_world(tmp_path) as world:
        yield world


def claims(world: World) -> list[dict[str, object]]:
    """Return the claims of the subscription cards on the page."""
    return [claim for card in world.classed("subscription") for claim in json.loads(str(card._props["data-claims"]))]


async def test_a_card_carries_the_claims_that_its_words_are_made_of(world: World) -> None:
    active(world)
    await world.sign_in()

    await world.open("/payment")

    said = {str(claim["says"]): claim for claim in claims(world)}
    assert said.keys() >= {"paid_until", "renews_unless_canceled", "has_access"}
    assert said["paid_until"]["plan"] == "premium"
    assert said["paid_until"]["evidence"] == "both"
    assert "Renews on" not in world.text()


async def test_renewing_is_said_once_a_service_says_it_in_every_word(world: World) -> None:
    active(world)
    product, record = next(iter(world.billing.records.items()))
    told = Lifecycle(cancel_at_period_end=False, paused=False, told=True)
    world.billing.records[product] = record.__class__(
        True, product, "active", record.subscription_id, record.customer_id, record.period_end, told
    )
    await world.sign_in()

    await world.open("/payment")

    assert "Renews on" in world.text()


async def test_a_visit_to_the_portal_is_remembered_until_a_service_says_something_new(world: World) -> None:
    active(world)
    await world.sign_in()
    await world.open("/payment")
    world.press("action-manage")
    await until(lambda: world.billing.portals)

    await world.open("/payment")
    assert "can take a while to show here" in world.text()
    world.billing.has("premium", "active", until=SOON + timedelta(days=30))
    await world.open("/payment?from=portal")

    assert "can take a while to show here" not in world.text()


async def test_each_group_of_plans_has_a_card_of_its_own(world: World) -> None:
    basic = next(plan for plan in CATALOG.plans if plan.id == "basic")
    addon = basic.model_copy(update={"group": "addons"})
    plans = tuple(addon if plan.id == "basic" else plan for plan in CATALOG.plans)
    world.catalogs.current = parse_catalog(CATALOG.model_copy(update={"plans": plans}).model_dump_json(by_alias=True))
    active(world)
    world.billing.has("basic", "active", until=SOON)
    await world.sign_in()

    await world.open("/payment")

    groups = [card._props["data-group"] for card in world.classed("subscription")]
    assert groups == ["main", "addons"]
    assert "You're on Premium" in world.text()
    assert "You're on Basic" in world.text()
    assert "You're paying twice" not in world.text()


async def test_a_plan_that_is_only_on_the_account_is_no_gift_and_sold_again_after_a_question_only(world: World) -> None:
    on_account(world)
    await world.sign_in()

    await world.open("/payment")

    assert "Premium is on your account" in world.text()
    assert "Billing has no subscription for it here." in world.text()
    assert offered(world, "basic") == ""
    world.press("answer-ended")
    await until(lambda: offered(world, "basic") == "Subscribe to Basic")


async def test_a_plan_that_the_catalog_does_not_know_is_named_and_makes_no_card_the_current_one(world: World) -> None:
    world.accounts.says("active", "gold-2023")
    await world.sign_in()

    await world.open("/payment")

    assert "gold-2023 is on your account" in world.text()
    for plan in ("free", "basic", "premium"):
        assert offered(world, plan) != "Current plan"


async def test_a_plan_whose_period_is_over_is_not_called_the_current_one(world: World) -> None:
    """Whether it goes on is not known: news of its renewal, or of its end, may be lost."""
    world.billing.has("premium", None, until=NOW - timedelta(days=40))
    await world.sign_in()

    await world.open("/payment")

    assert "We can't tell if Premium is still running" in world.text()
    assert "Current plan" not in world.text()


async def test_a_record_that_the_account_knows_nothing_of_is_not_called_the_current_plan(world: World) -> None:
    world.billing.has("premium", None, until=NOW + timedelta(days=20))
    world.accounts.says("none")
    await world.sign_in()

    await world.open("/payment")

    assert "We found a Premium subscription" in world.text()
    assert "Current plan" not in world.text()


async def test_a_record_without_a_word_is_not_called_the_current_plan_where_the_account_says_nothing(
    world: World,
) -> None:
    """Stripe may have ended it long ago: the running service answers the same."""
    world.billing.has("premium", None, until=NOW + timedelta(days=20))
    await world.sign_in()

    await world.open("/payment")

    assert "We found a Premium subscription" in world.text()
    assert "Current plan" not in world.text()


async def test_an_account_that_says_nothing_of_plans_puts_nobody_on_the_free_plan(world: World) -> None:
    await world.sign_in()

    await world.open("/payment")

    assert "You're on the free plan" not in world.text()
    assert "Billing has no subscription for you here." in world.text()
    assert offered(world, "free") != "Current plan"
    assert offered(world, "premium") == "Subscribe to Premium"


async def test_after_a_trial_no_second_one_is_offered(world: World) -> None:
    world.billing.has("enterprise", "canceled", until=NOW - timedelta(days=9))
    world.accounts.says("none")
    await world.sign_in()

    await world.open("/payment")

    assert offered(world, "enterprise") == "Subscribe to Enterprise"
    assert "A free trial is for new customers; Stripe shows what is due today." in world.text()


async def test_an_account_without_an_address_is_told_before_any_press(world: World) -> None:
    world.accounts.user = User(ADA.user_id, ADA.name, "")
    await world.sign_in()

    await world.open("/payment")

    assert "Your account has no email address" in world.text()
    assert offered(world, "premium") == ""


async def test_an_ended_plan_can_be_started_again_at_the_price_of_today(world: World) -> None:
    canceled(world)
    await world.sign_in()

    await world.open("/payment")

    label = "Resubscribe to Premium – $29.00 a month"
    again = next(tag for tag in world.classed("button") if text_of(tag).strip() == label)
    assert str(again._props["href"]).startswith("/payment?price=")


async def test_an_open_pricing_page_follows_what_the_user_has(world: World) -> None:
    world.accounts.says("none")
    await world.sign_in()
    await world.open("/pricing")
    assert offered(world, "premium") == "Subscribe to Premium"

    active(world)
    await world.look()

    await until(lambda: offered(world, "premium") == "Current plan")
