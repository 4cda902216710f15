"""The billing page in every state: what the card says, what the plan cards offer, what a question stands before."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.checkouts import Event
from services.errors import SignInUnavailable, UpstreamUnavailable
from tests.ui.billing_world import ADA, World, billing_world, tags_in, text_of, until
from ui import knowledge
from ui.html import Tag

NOW = datetime.now(UTC)
SOON = NOW + timedelta(days=20)
PAST = NOW - timedelta(days=5)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with billing_world(tmp_path) as world:
        yield world


def active(world: World) -> None:
    world.billing.has("premium", "active", until=SOON)
    world.accounts.says("active", "premium")


def trialing(world: World) -> None:
    world.billing.has("premium", "trialing", until=SOON)
    world.accounts.says("trialing", "premium")


def ending(world: World) -> None:
    world.billing.has("premium", "active", until=SOON, ends=True)
    world.accounts.says("active", "premium")


def past_due(world: World) -> None:
    world.billing.has("premium", "past_due", until=SOON)
    world.accounts.says("past_due", "premium")


def unpaid(world: World) -> None:
    world.billing.has("premium", "unpaid")
    world.accounts.says("unpaid", "premium")


def incomplete(world: World) -> None:
    world.billing.has("premium", "incomplete")
    world.accounts.says("incomplete", "premium")


def incomplete_expired(world: World) -> None:
    world.billing.has("premium", "incomplete_expired")
    world.accounts.says("none")


def paused(world: World) -> None:
    world.billing.has("premium", "paused")
    world.accounts.says("paused", "premium")


def canceled(world: World) -> None:
    world.billing.has("premium", "canceled", until=PAST)
    world.accounts.says("canceled", "premium", PAST)


def paid_until(world: World) -> None:
    world.billing.has("premium", "canceled", until=SOON)
    world.accounts.says("canceled", "premium", SOON)


def on_record(world: World) -> None:
    world.billing.has("premium", None, until=SOON)


def unknown_word(world: World) -> None:
    world.billing.has("premium", "frozen_by_bank", until=SOON)


def conflict(world: World) -> None:
    world.billing.has("premium", "canceled", until=PAST)
    world.accounts.says("active", "premium")


def comped(world: World) -> None:
    world.accounts.says("active", "premium")


def unavailable(world: World) -> None:
    world.billing.failure = UpstreamUnavailable("payment_ms", "subscription")
    world.accounts.failure = SignInUnavailable("down")


def nothing(world: World) -> None:
    world.accounts.says("none")


NO_BUTTONS = ("", "")
SUBSCRIBE = ("Subscribe to Basic", "Subscribe to Premium")
STATES: list[tuple[Callable[[World], None], str, str, list[str], tuple[str, str]]] = [
    (nothing, "none", "Free", ["Choose a plan"], SUBSCRIBE),
    (active, "active", "Active", ["Manage", "Change plan"], ("Change to Basic", "Current plan")),
    (trialing, "trialing", "Trial", ["Manage", "Change plan"], ("Change to Basic", "Current plan")),
    (ending, "ending", "Ends soon", ["Keep my plan"], ("Change to Basic", "Current plan")),
    (past_due, "past_due", "Payment failed", ["Update payment method", "Manage"], ("", "Current plan")),
    (unpaid, "unpaid", "Unpaid", ["Pay invoice", "Update payment method"], ("", "Current plan")),
    (incomplete, "incomplete", "Not finished", ["Finish payment", "Check again"], ("", "Current plan")),
    (incomplete_expired, "incomplete_expired", "Expired", ["Try again", "See plans"], SUBSCRIBE),
    (paused, "paused", "Paused", ["Resume"], ("", "Current plan")),
    (canceled, "canceled", "Ended", ["Subscribe again", "See plans"], SUBSCRIBE),
    (paid_until, "paid_until", "Canceled", ["Keep my plan"], ("", "Current plan")),
    (on_record, "on_record", "On record", ["Manage"], NO_BUTTONS),
    (unknown_word, "unknown_word", "frozen_by_bank", ["Manage"], NO_BUTTONS),
    (conflict, "conflict", "Please check", ["Check again", "Contact us", "Manage"], NO_BUTTONS),
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


def card_actions(world: World) -> list[str]:
    """Return the labels of the buttons on the subscription's card, in order."""
    return [text_of(label).strip() for box in world.classed("subscription-actions") for label in labels_in(box)]


def labels_in(box: Tag) -> list[Tag]:
    """Return the labels of the buttons in a part of the page."""
    return [tag for tag in tags_in(box) if "button-label" in tag._classes]


def offered(world: World, plan: str) -> str:
    """Return what a plan's card offers: its button's label, "Current plan", or nothing."""
    card = world.one(f"plan-card-{plan}")
    return text_of(next(tag for tag in tags_in(card) if "plan-action" in tag._classes)).strip()


async def test_the_date_and_the_amount_are_those_of_what_was_bought(world: World) -> None:
    active(world)
    bought = await world.started(returned=timedelta(minutes=2))
    await world.mark(bought, Event.ACCESS_ON, NOW)
    await world.sign_in()

    await world.open("/payment")

    assert "for $29.00." in world.text()
    assert "$29.00 a month" in world.text()


async def test_a_chosen_price_leads_on_with_one_press(world: World) -> None:
    nothing(world)
    await world.sign_in()

    await world.open("/payment?price=price_sandbox_premium_year")

    assert "$290.00 a year" in world.text()
    assert "$290.00 today, then yearly. Cancel any time." in world.text()
    assert not world.billing.opened
    world.press("continue-to-checkout")
    await until(lambda: "checkout.stripe.com" in world.went_to)
    assert world.billing.opened[0].price_id == "price_sandbox_premium_year"


async def test_a_chosen_plan_shows_its_interval_on_the_cards(world: World) -> None:
    nothing(world)
    await world.sign_in()

    await world.open("/payment?plan=basic&interval=year")

    assert world.one("interval-year")._props.get("checked") is True
    assert "billed yearly at $90" in world.text()
    assert world.one("continue-to-checkout")


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

    assert "You started Premium 4 minutes ago. Continue, or start Basic instead?" in world.text()
    assert world.one("continue-checkout")._props["href"] == started.url
    world.press("start-instead")
    await until(lambda: "checkout.stripe.com" in world.went_to)
    again = await world.checkouts.by_id(ADA.user_id, started.id)
    assert again is not None
    assert again.at(Event.REPLACED) is not None


async def test_an_open_checkout_is_offered_without_a_choice_too(world: World) -> None:
    nothing(world)
    await world.started("premium")
    await world.sign_in()

    await world.open("/payment")

    assert "You can continue where you left off." in world.text()
    assert not world.marked("start-instead")


async def test_while_confirming_nothing_is_sold_and_the_open_session_leads_on(world: World) -> None:
    nothing(world)
    started = await world.started("premium", returned=timedelta(seconds=5))
    await world.sign_in()

    await world.open("/payment?price=price_sandbox_basic_month")

    assert world.one("subscription-status")._props["data-state"] == "confirming"
    assert offered(world, "basic") == offered(world, "premium") == ""
    assert world.one("action-continue_checkout")._props["href"] == started.url
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

    assert "Has this subscription ended?" in text_of(world.one("has-ended"))
    world.press("answer-ended")
    await until(lambda: offered(world, "basic") == "Subscribe to Basic")
    world.press("subscribe-basic")

    await until(lambda: "checkout.stripe.com" in world.went_to)


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


async def test_two_live_subscriptions_are_both_shown_with_what_to_end(world: World) -> None:
    active(world)
    world.billing.has("basic", "active", until=SOON + timedelta(days=2))
    await world.sign_in()

    await world.open("/payment")

    assert "Your account uses Premium: end Basic in the billing portal." in world.text()
    assert len(world.marked("subscription-status")) == 2
    world.press("end-duplicate")
    await until(lambda: world.billing.portals)


async def test_a_failed_question_keeps_the_last_known_state_and_says_how_old_it_is(world: World) -> None:
    active(world)
    session = await world.sign_in()
    await world.inquiry.ask(session, "all")
    world.billing.failure = UpstreamUnavailable("payment_ms", "subscription")
    await world.open("/payment")

    await world.look()

    assert "We can't check right now. This is from" in world.text()
    assert world.one("subscription-status")._props["data-state"] == "active"
    assert offered(world, "basic") == ""


async def test_a_slow_service_does_not_keep_the_page_from_opening(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knowledge, "PATIENCE", 0.05)
    active(world)
    world.billing.pause = asyncio.Event()
    await world.sign_in()

    await world.open("/payment")

    assert "Your subscription" in world.text()
    assert not world.marked("subscription-status")
    world.billing.pause.set()
    await until(lambda: world.marked("subscription-status"))
    assert offered(world, "premium") == "Current plan"


async def test_a_visitor_is_led_to_sign_in_and_back_to_the_plan(world: World) -> None:
    answer = await world.browser.http_client.get("/payment?price=price_sandbox_basic_month")

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=/payment%3Fprice%3Dprice_sandbox_basic_month")


async def test_a_code_in_the_address_is_said_in_our_words(world: World) -> None:
    nothing(world)
    await world.sign_in()

    await world.open("/payment?problem=upstream_timeout&price=price_sandbox_basic_month")

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
        (on_record, "You can choose a plan after the question above."),
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
