"""The billing page in every state: what the card says, what the plan cards offer, what a question stands before."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from services.checkout_record import CheckoutEvent
from services.errors import UpstreamUnavailable
from services.subscription.list_price import months_later
from tests.ui.billing_states import (
    NOW,
    SOON,
    active,
    canceled,
    card_actions,
    comped,
    conflict,
    ending,
    incomplete,
    incomplete_expired,
    nothing,
    offered,
    on_account,
    on_record,
    paid_until,
    past_due,
    paused,
    trialing,
    unavailable,
    unknown_word,
    unpaid,
)
from tests.ui.billing_world import World, billing_world
from tests.ui.reading import just_now, text_of, until
from ui.page import current_user


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with billing_world(tmp_path) as world:
        yield world


NO_BUTTONS = ("", "")
SUBSCRIBE = ("Subscribe to Basic", "Subscribe to Premium")
STATES: list[tuple[Callable[[World], None], str, str, list[str], tuple[str, str]]] = [
    (nothing, "none", "Free", ["Choose a plan"], SUBSCRIBE),
    (active, "active", "Active", ["Manage subscription", "Change plan"], ("Change to Basic", "Current plan")),
    (trialing, "trialing", "Trial", ["Manage subscription", "Change plan"], ("Change to Basic", "Current plan")),
    (ending, "ending", "Canceled", ["Keep my plan"], ("Change to Basic", "Current plan")),
    (past_due, "past_due", "Payment failed", ["Update payment method", "Manage subscription"], ("", "Current plan")),
    (unpaid, "unpaid", "Unpaid", ["Pay invoice", "Update payment method"], ("", "Current plan")),
    (incomplete, "incomplete", "Not finished", ["Finish payment", "Check again"], ("", "Current plan")),
    (incomplete_expired, "incomplete_expired", "Expired", ["Try again", "See plans"], SUBSCRIBE),
    (paused, "paused", "Paused", ["Resume"], ("", "Current plan")),
    (canceled, "canceled", "Ended", ["Resubscribe to Premium – $29.00 a month", "See plans"], SUBSCRIBE),
    (paid_until, "paid_until", "Canceled", [], ("", "Current plan")),
    (on_record, "on_record", "Status unknown", ["Manage subscription"], NO_BUTTONS),
    (unknown_word, "unknown_word", "Frozen by bank", ["Manage subscription"], NO_BUTTONS),
    (conflict, "conflict", "Please check", ["Check again", "Contact us", "Manage subscription"], NO_BUTTONS),
    (on_account, "on_account", "On your account", ["Contact us"], ("", "Current plan")),
    (comped, "comped", "Included", [], ("Subscribe to Basic", "Current plan")),
    (unavailable, "unavailable", "Can't check", ["Try again"], NO_BUTTONS),
]


@pytest.mark.parametrize(("put", "shown", "badge", "actions", "cards"), STATES)
async def test_each_state_shows_its_badge_its_actions_and_what_the_cards_offer(
    world: World,
    put: Callable[[World], None],
    shown: str,
    badge: str,
    actions: list[str],
    cards: tuple[str, str],
) -> None:
    put(world)
    await world.sign_in()

    await world.open("/payment")

    pill = world.one("subscription-status")
    assert pill._props["data-shown"] == shown
    assert text_of(pill) == badge
    assert card_actions(world) == actions
    assert offered(world, "basic") == cards[0]
    if shown not in ("on_record", "unknown_word"):
        assert offered(world, "premium") == cards[1]


async def test_the_date_and_the_amount_are_those_of_what_was_bought(world: World) -> None:
    world.billing.has("premium", "active", until=months_later(NOW, 1))
    world.accounts.says("active", "premium")
    bought = await world.started(returned=timedelta(minutes=2))
    await world.mark(bought, CheckoutEvent.ACCESS_ON, NOW)
    await world.sign_in()

    await world.open("/payment")

    assert "Unless it's canceled or paused, it renews then." in world.text()
    assert "$29.00 a month; discounts and tax are on your invoice" in world.text()


async def test_two_live_subscriptions_are_both_shown_with_what_to_end(world: World) -> None:
    active(world)
    world.billing.has("basic", "active", until=SOON + timedelta(days=2))
    await world.sign_in()

    await world.open("/payment")

    assert "Your account uses Premium: cancel Basic in the billing portal." in world.text()
    assert len(world.marked("subscription-status")) == 2
    world.press("end-duplicate")
    await until(lambda: world.billing.portals)


async def test_a_failed_question_keeps_the_last_known_state_and_says_how_old_it_is(world: World) -> None:
    active(world)
    session = await world.sign_in()
    await world.refresher.ask(session, "all")
    world.billing.failure = UpstreamUnavailable("payment_ms", "subscription")
    await world.open("/payment")

    await world.look()

    assert "We can't check right now. Last updated" in world.text()
    assert world.one("subscription-status")._props["data-state"] == "active"
    assert offered(world, "basic") == ""


async def test_a_slow_service_does_not_keep_the_first_page_from_opening_and_is_asked_before_a_sale(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_user, "PATIENCE", 0.05)
    active(world)
    world.billing.pause = asyncio.Event()
    await world.sign_in()

    await world.open("/payment")

    assert "Your subscription" in world.text()
    assert not world.marked("subscription-status")
    assert offered(world, "basic") == "Subscribe to Basic"
    world.press("subscribe-basic")
    world.billing.pause.set()
    await until(lambda: world.marked("notice"))
    assert "You already have a subscription" in text_of(world.one("notice"))
    assert world.billing.opened == []
    await until(lambda: world.marked("subscription-status"))
    assert offered(world, "premium") == "Current plan"


async def test_where_others_wait_for_billing_a_first_page_comes_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_user, "PATIENCE", 60.0)
    monkeypatch.setattr(type(world.container.payment_upstream), "waiting", 3)
    active(world)
    world.billing.pause = asyncio.Event()
    await world.sign_in()

    await world.open("/payment")

    assert offered(world, "basic") == "Subscribe to Basic"
    world.billing.pause.set()
    await until(lambda: offered(world, "premium") == "Current plan")


async def test_a_visitor_is_led_to_sign_in_and_back_to_the_plan(world: World) -> None:
    answer = await world.browser.http_client.get("/payment?price=price_sandbox_basic_month")

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=/payment%3Fprice%3Dprice_sandbox_basic_month")


async def test_an_address_that_is_opened_again_later_says_nothing_of_money(world: World) -> None:
    """What a press ran into was true then; something may have been paid since."""
    nothing(world)
    await world.sign_in()
    address = just_now("/payment?problem=upstream_timeout&price=price_sandbox_basic_month")
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61), tick=True):
        await world.open(address)
        assert "Nothing was charged" not in world.text()
        await world.open("/payment?problem=upstream_timeout")
        assert "Nothing was charged" not in world.text()


@pytest.mark.parametrize("code", ["subscription_on_record", "already_subscribed", "status_unclear"])
async def test_a_refusal_for_what_somebody_had_is_not_said_again_once_nothing_stands_in_the_way(
    world: World, code: str
) -> None:
    nothing(world)
    await world.sign_in()

    await world.open(just_now(f"/payment?problem={code}&price=price_sandbox_basic_month"))

    assert not world.marked("notice")


@pytest.mark.parametrize("code", ["subscription_under_email", "status_unknown", "upstream_timeout"])
async def test_a_refusal_of_another_kind_is_said_all_the_same(world: World, code: str) -> None:
    nothing(world)
    await world.sign_in()

    await world.open(just_now(f"/payment?problem={code}&price=price_sandbox_basic_month"))

    assert world.marked("notice")


async def test_a_refusal_is_said_while_what_it_says_is_so(world: World) -> None:
    world.billing.has("premium", "active", until=months_later(NOW, 1))
    world.accounts.says("active", "premium")
    await world.sign_in()

    await world.open(just_now("/payment?problem=already_subscribed&price=price_sandbox_basic_month"))

    assert world.marked("notice")


async def test_that_nothing_was_charged_is_a_claim_with_its_evidence(world: World) -> None:
    nothing(world)
    await world.sign_in()

    await world.open(just_now("/payment?problem=sign_in_unavailable&price=price_sandbox_basic_month"))

    [claim] = json.loads(str(world.one("notice")._props["data-claims"]))
    assert (claim["says"], claim["evidence"]) == ("nothing_charged", "stopped_here")
    assert "Nothing was charged." in text_of(world.one("notice"))


async def test_a_code_in_the_address_is_said_in_our_words(world: World) -> None:
    nothing(world)
    await world.sign_in()

    await world.open(just_now("/payment?problem=upstream_timeout&price=price_sandbox_basic_month"))

    box = world.one("notice")
    assert "Payments are unavailable right now. Nothing was charged." in text_of(box)
    assert "data-focus" in box._props
    assert world.one("try-again")


async def test_text_in_the_address_is_never_shown(world: World) -> None:
    nothing(world)
    await world.sign_in()

    await world.open("/payment?problem=<b>hello</b>")

    assert "hello" not in world.text()
    assert not world.marked("notice")


@pytest.mark.parametrize(
    ("put", "reason"),
    [
        (past_due, "You can change plans once the open payment is settled."),
        (on_record, "Answer the question above to choose a plan."),
        (unavailable, "You can choose a plan again once we can check what you have."),
        (active, ""),
        (nothing, ""),
    ],
)
async def test_cards_without_buttons_say_why(world: World, put: Callable[[World], None], reason: str) -> None:
    put(world)
    await world.sign_in()

    await world.open("/payment")

    said = [text_of(tag).strip() for tag in world.classed("plans-why")]
    assert said == ([reason] if reason else [])


async def test_the_public_page_offers_what_the_billing_page_offers(world: World) -> None:
    active(world)
    await world.sign_in()

    await world.open("/pricing")

    assert offered(world, "basic") == "Change to Basic"
    assert offered(world, "premium") == "Current plan"
