"""The way in: a plan that somebody chose before, a checkout under way, and questions that come first."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog import parse_catalog
from services.catalog_file import ALL_USERS
from services.checkout_record import CheckoutEvent
from services.errors import UpstreamTimeout
from services.purchase import Purchase
from services.storage.pubsub import Topic
from tests.ui.billing_states import active, nothing, offered, on_record
from tests.ui.billing_world import ADA, CATALOG, World, billing_world
from tests.ui.reading import text_of, until


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with billing_world(tmp_path) as world:
        yield world


async def bought(world: World, plan: str) -> str:
    """Press the button of a plan; return the price that Stripe's page was opened with."""
    world.press(f"subscribe-{plan}")
    await until(lambda: "checkout.stripe.com" in world.went_to)
    return world.billing.opened[0].price_id


async def test_a_chosen_price_leads_on_with_one_press(world: World) -> None:
    nothing(world)
    await world.sign_in()

    await world.open("/payment?price=price_sandbox_premium_year")

    assert "Subscribe to Premium" in world.text()
    assert "$290.00 today, then yearly. Cancel any time." in world.text()
    assert not world.marked("plan-card-premium")
    assert not world.billing.opened
    assert await bought(world, "premium") == "price_sandbox_premium_year"


@pytest.mark.parametrize("query", ["plan=basic&interval=year", "price=price_sandbox_basic_month&interval=year"])
async def test_a_chosen_plan_opens_at_the_interval_that_was_chosen_last(world: World, query: str) -> None:
    nothing(world)
    await world.sign_in()

    await world.open(f"/payment?{query}")

    assert world.one("interval-year")._props.get("checked") is True
    assert "$90.00 today, then yearly." in world.text()
    assert await bought(world, "basic") == "price_sandbox_basic_year"


async def test_the_other_interval_can_be_taken_before_the_one_button_is_pressed(world: World) -> None:
    nothing(world)
    await world.sign_in()
    await world.open("/payment?price=price_sandbox_basic_month")
    assert "$9.00 today, then monthly." in world.text()

    world.browser.find(marker="interval-year").trigger("change")

    assert "$90.00 today, then yearly." in world.text()
    assert await bought(world, "basic") == "price_sandbox_basic_year"


async def test_the_card_to_be_confirmed_follows_what_is_said_of_tax_promises_and_trials(world: World) -> None:
    nothing(world)
    await world.sign_in()
    await world.open("/payment?price=price_sandbox_enterprise_month")
    assert "Try Enterprise" in world.text()
    assert "Cancel any time." in world.text()

    document = CATALOG.model_dump(mode="json", by_alias=True)
    document |= {"tax": "added", "promises": {}}
    for price in next(plan for plan in document["plans"] if plan["id"] == "enterprise")["prices"].values():
        price["trial_days"] = 0
    world.catalogs.current = parse_catalog(json.dumps(document))
    await world.container.pubsub.announce(Topic.CATALOG, ALL_USERS)

    await until(lambda: "plus tax today, then monthly." in world.text())
    assert "Try Enterprise" not in world.text()
    assert "Cancel any time." not in world.text()
    assert "Prices are without tax, which is added at checkout." in world.text()


async def test_below_the_plans_stands_what_their_prices_leave_open_and_follows_the_catalog(world: World) -> None:
    nothing(world)
    await world.sign_in()
    await world.open("/payment")
    open_ = "Checkout shows the final amount before you pay, with any tax and promotion code."
    assert text_of(world.one("prices-leave-open")).strip() == open_

    document = CATALOG.model_dump(mode="json", by_alias=True) | {"tax": "included"}
    world.catalogs.current = parse_catalog(json.dumps(document))
    await world.container.pubsub.announce(Topic.CATALOG, ALL_USERS)

    included = "Prices include tax. A promotion code can lower them at checkout."
    await until(lambda: text_of(world.one("prices-leave-open")).strip() == included)


async def test_who_can_subscribe_again_reads_what_that_price_leaves_open(world: World) -> None:
    world.billing.has("premium", "canceled", until=datetime.now(UTC) - timedelta(days=9))
    world.accounts.says("canceled", "premium")
    await world.sign_in()

    await world.open("/payment")

    assert "Resubscribe to Premium – $29.00 a month" in world.text()
    assert "promotion code" in text_of(world.one("prices-leave-open"))


async def test_a_plan_that_comes_meanwhile_shows_billing_in_place_of_the_card(world: World) -> None:
    nothing(world)
    await world.sign_in()
    await world.open("/payment?price=price_sandbox_basic_month")
    assert world.one("confirm")

    active(world)
    await world.look()

    assert not world.marked("confirm")
    assert world.one("subscription-status")._props["data-state"] == "active"


async def test_what_a_press_ran_into_is_said_also_where_its_card_was_replaced_meanwhile(world: World) -> None:
    nothing(world)
    await world.sign_in()
    await world.open("/payment?price=price_sandbox_basic_month")
    world.billing.checkout_pause = answers = asyncio.Event()
    world.billing.refusal = UpstreamTimeout("payment_ms", "checkout_subscription")
    world.press("subscribe-basic")
    await until(lambda: world.billing.checkouts_begun)
    active(world)
    await world.look()
    assert not world.marked("confirm")

    answers.set()

    await until(lambda: UpstreamTimeout.title in world.text())


@pytest.mark.parametrize("query", ["price=price_of_somebody_else", "plan=nope", "plan=free", "price="])
async def test_an_unknown_choice_in_the_address_is_ignored(world: World, query: str) -> None:
    nothing(world)
    await world.sign_in()

    await world.open(f"/payment?{query}")

    assert not world.marked("continue-to-checkout")


async def test_whoever_has_a_plan_is_not_led_to_a_checkout_of_another(world: World) -> None:
    active(world)
    await world.sign_in()

    await world.open("/payment?price=price_sandbox_basic_month")

    assert not world.marked("continue-to-checkout")
    assert offered(world, "basic") == "Change to Basic"


async def test_an_open_checkout_of_another_plan_is_shown_first(world: World) -> None:
    nothing(world)
    started = await world.started("premium", ago=timedelta(minutes=4))
    await world.sign_in()

    await world.open("/payment?price=price_sandbox_basic_month")

    assert "You started a checkout for Premium 4 minutes ago. Continue, or start Basic instead?" in world.text()
    assert world.one("continue-checkout")._props["href"] == started.url
    world.press("start-instead")
    await until(lambda: "checkout.stripe.com" in world.went_to)
    again = await world.checkouts.by_id(ADA.user_id, started.id)
    assert again is not None
    assert again.at(CheckoutEvent.REPLACED) is not None


async def test_an_open_checkout_is_offered_without_a_choice_too(world: World) -> None:
    nothing(world)
    await world.started("premium")
    await world.sign_in()

    await world.open("/payment")

    assert "You started a checkout for Premium 4 minutes ago. Continue, or start a new one?" in world.text()
    assert "If the other page is still open, don't pay there too." in world.text()
    assert world.one("continue-checkout").props["href"].startswith("https://checkout.stripe.com/")
    assert not world.marked("start-instead")


async def test_a_checkout_that_is_dead_at_stripe_is_one_press_from_a_new_one(world: World) -> None:
    nothing(world)
    dead = await world.started("premium")
    await world.sign_in()
    await world.open("/payment")

    world.press("start-new")
    await until(lambda: world.went_to.startswith("https://checkout.stripe.com/"))

    assert world.went_to != dead.url
    assert len(world.billing.opened) == 1


async def test_while_confirming_nothing_is_sold_and_its_own_page_leads_on(world: World) -> None:
    nothing(world)
    started = await world.started("premium", returned=timedelta(seconds=5))
    await world.sign_in()

    await world.open("/payment?price=price_sandbox_basic_month")

    assert world.one("subscription-status")._props["data-state"] == "confirming"
    assert offered(world, "basic") == offered(world, "premium") == ""
    way = world.one("action-continue_checkout")._props["href"]
    assert way == f"/payment/success?session_id={started.session_id}"
    assert not world.marked("continue-to-checkout")


@pytest.mark.parametrize(("returned", "shown"), [(timedelta(seconds=90), "delayed"), (timedelta(minutes=11), "lost")])
async def test_a_long_confirmation_changes_its_words(world: World, returned: timedelta, shown: str) -> None:
    nothing(world)
    late = await world.started("premium", ago=timedelta(minutes=15), returned=returned)
    await world.sign_in()

    await world.open("/payment")

    assert world.one("subscription-status")._props["data-shown"] == shown
    assert late.session_id in world.text()
    assert world.one("action-contact")
    assert offered(world, "premium") == ""


async def test_a_subscription_on_record_is_sold_beside_only_after_a_plain_answer(world: World) -> None:
    on_record(world)
    await world.sign_in()
    await world.open("/payment")

    assert "Has it ended?" in text_of(world.one("has-ended"))
    world.press("answer-ended")
    await until(lambda: offered(world, "basic") == "Subscribe to Basic")
    world.press("subscribe-basic")

    await until(lambda: "checkout.stripe.com" in world.went_to)


@pytest.mark.parametrize("left", [False, True])
async def test_the_plain_answer_gives_up_what_was_started_beside(world: World, left: bool) -> None:
    """So that it takes the answer and one press to a live session; the question says so."""
    on_record(world)
    beside = await world.started("basic")
    if left:
        await world.mark(beside, CheckoutEvent.CANCELED, datetime.now(UTC) - timedelta(minutes=1))
    await world.sign_in()
    await world.open("/payment")

    words = "You also started another checkout. If the other page is still open, don't pay there too."
    assert words in text_of(world.one("has-ended"))
    world.press("answer-ended")
    await until(lambda: offered(world, "basic") == "Subscribe to Basic")
    world.press("subscribe-basic")

    await until(lambda: "checkout.stripe.com" in world.went_to)
    assert beside.session_id not in world.went_to


async def test_the_plain_answer_works_without_a_script(world: World) -> None:
    on_record(world)
    await world.sign_in()

    await world.open("/payment?ended=yes")

    assert offered(world, "basic") == "Subscribe to Basic"
    form = world.one("subscribe-basic").parent_slot.parent  # type: ignore[union-attr]
    values = {child._props.get("name"): child._props.get("value") for child in form.default_slot.children}
    assert values["has_ended"] == "true"


async def test_a_purchase_that_nobody_ever_confirmed_asks_before_the_next_one(world: World) -> None:
    nothing(world)
    old = await world.started("premium", ago=timedelta(hours=30), returned=timedelta(hours=29))
    await world.sign_in()

    await world.open("/payment")

    assert "Were you charged?" in world.text()
    assert old.session_id in world.text()
    assert offered(world, "premium") == ""
    world.press("answer-ended")
    await until(lambda: offered(world, "premium") == "Subscribe to Premium")


async def test_who_was_not_seen_to_come_back_is_told_so_nowhere(world: World) -> None:
    """A service's word that the session went through counts as the return."""
    checkout = await world.started(ago=timedelta(days=3))
    for event in (CheckoutEvent.COMPLETE, CheckoutEvent.RETURNED):
        await world.mark(checkout, event, datetime.now(UTC) - timedelta(days=2))
    await world.sign_in()

    await world.open("/payment")

    assert "Your checkout was never confirmed." in world.text()
    day = f"{checkout.started_at:%B %-d}"
    assert f"You started a checkout for Premium on {day} that was never confirmed." in world.text()
    assert "ou came back" not in world.text()


async def test_the_question_names_the_day_of_the_return_as_the_card_above_does(world: World) -> None:
    await world.started(ago=timedelta(days=3), returned=timedelta(days=2))
    [checkout] = await world.checkouts.of(ADA.user_id)
    await world.sign_in()

    await world.open("/payment")

    day = f"{checkout.at(CheckoutEvent.RETURNED):%B %-d}"
    assert f"You came back from checkout on {day}." in world.text()
    assert f"You came back from a checkout for Premium on {day} that was never confirmed." in world.text()


async def test_an_open_checkout_is_not_called_unpaid(world: World) -> None:
    """It may have been paid in a browser that never came back, and of an item no service ever says so."""
    session = await world.sign_in()
    await world.container.checkout.start(session, Purchase.of_item(CATALOG.items[0], 1))
    await world.started()

    await world.open("/payment")

    orders = [text_of(one) for one in world.marked("purchase")]
    assert len(orders) == len(["the item", "the plan"])
    assert all("Not confirmed" in order and "paid" not in order.lower() for order in orders)
