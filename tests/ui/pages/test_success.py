"""The way back from Stripe: what the page says at each moment, and that it never says more than the services."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog import parse_catalog
from services.cart import user_owner
from services.checkout_record import Checkout, CheckoutEvent
from services.errors import UpstreamUnavailable
from services.purchase import Purchase
from tests.ui.billing_world import ADA, CATALOG, World, billing_world
from tests.ui.reading import text_of, until
from ui.billing.timeline import Progress, steps_of

SOON = datetime.now(UTC) + timedelta(days=20)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with billing_world(tmp_path) as world:
        world.accounts.says("none")
        yield world


async def back(world: World, checkout: Checkout) -> None:
    """Come back from Stripe through the success address."""
    await world.open(f"/payment/success?session_id={checkout.session_id}&key={checkout.return_key}")


def state(world: World) -> str:
    return str(world.one("success-state")._props["data-state"])


def progress(world: World) -> list[str]:
    events = (
        CheckoutEvent.RETURNED,
        CheckoutEvent.BILLING_HAS_IT,
        CheckoutEvent.ACCOUNT_HAS_IT,
        CheckoutEvent.ACCESS_ON,
    )
    return [str(world.one(f"step-{event}")._props["data-progress"]) for event in events]


async def test_right_after_the_return_it_waits_and_claims_nothing(world: World) -> None:
    checkout = await world.started()
    await world.sign_in()

    await back(world, checkout)

    assert state(world) == "confirming"
    assert progress(world) == ["done", "now", "waiting", "waiting"]
    text = world.text()
    assert "Waiting for Stripe's confirmation, usually a few seconds." in text
    assert "$29.00 a month" in text
    assert "You can close this page." in text
    assert not any(word in text.lower() for word in ("thank", "is active", "paid"))


async def test_without_a_script_a_page_that_waits_loads_itself_again(world: World) -> None:
    checkout = await world.started()
    await world.sign_in()
    path = f"/payment/success?session_id={checkout.session_id}&key={checkout.return_key}"
    again = '<noscript><meta http-equiv="refresh" content="5"></noscript>'

    waiting = (await world.browser.http_client.get(path)).text
    world.billing.has("premium", "active", until=SOON)
    world.accounts.says("active", "premium")
    await back(world, checkout)
    await until(lambda: state(world) == "active")
    arrived = (await world.browser.http_client.get(path)).text

    assert again in waiting[: waiting.index("</head>")]
    assert again not in arrived


async def test_each_service_that_has_it_moves_one_step_and_then_it_is_active(world: World) -> None:
    checkout = await world.started()
    await world.sign_in()
    await back(world, checkout)

    world.billing.has("premium", "active", until=SOON)
    await world.look()
    await until(lambda: progress(world) == ["done", "done", "now", "waiting"])
    assert state(world) == "arrived"
    assert "Billing has your subscription, but it isn't on your account yet." in world.text()
    assert world.one("success-state")._props.get("data-waits") is None
    world.accounts.says("active", "premium")
    await world.look()
    await until(lambda: state(world) == "active")

    assert progress(world) == ["done", "done", "done", "done"]
    assert "Welcome to Premium" in world.text()
    assert "Paid until" in world.text()


async def test_a_trial_ends_in_its_own_words(world: World) -> None:
    checkout = await world.started()
    world.billing.has("premium", "trialing", until=SOON)
    world.accounts.says("trialing", "premium")
    await world.sign_in()

    await back(world, checkout)

    assert state(world) == "trialing"
    assert "Free until" in world.text()


@pytest.mark.parametrize(("ago", "expected"), [(70, "delayed"), (11 * 60, "lost")])
async def test_a_late_confirmation_changes_the_words_and_gives_a_reference(
    world: World, ago: int, expected: str
) -> None:
    checkout = await world.started(ago=timedelta(minutes=20), returned=timedelta(seconds=ago))
    await world.sign_in()

    await back(world, checkout)

    assert state(world) == expected
    assert text_of(world.one("reference")) == checkout.session_id
    assert "charged twice" in world.text() or "charged again" in world.text()
    assert world.one("action-check_again")
    assert world.one("action-contact")._props["href"] == "https://help.example.com"


async def test_who_may_have_paid_two_sessions_is_not_told_that_one_is_charged(world: World) -> None:
    await world.started("basic", ago=timedelta(minutes=30))
    checkout = await world.started(ago=timedelta(minutes=20), returned=timedelta(minutes=11))
    await world.sign_in()

    await back(world, checkout)

    assert state(world) == "lost"
    assert "If you were charged, contact us and quote the reference." in world.text()
    assert "charged again" not in world.text()


async def test_a_record_that_came_late_is_never_beside_words_that_nothing_was_heard(world: World) -> None:
    checkout = await world.started(ago=timedelta(minutes=20), returned=timedelta(minutes=12))
    world.billing.has("premium", None, until=SOON)
    world.accounts.says("none")
    await world.sign_in()

    await back(world, checkout)

    assert (state(world), progress(world)) == ("arrived", ["done", "done", "now", "waiting"])
    assert "heard" not in world.text()
    assert text_of(world.one("reference")) == checkout.session_id
    await world.open("/payment")
    assert "heard" not in world.text()
    assert "it isn't on your account yet" in world.text()


async def test_with_an_account_that_says_nothing_a_record_is_the_end_of_the_wait(world: World) -> None:
    world.accounts.grant = None
    checkout = await world.started()
    await world.sign_in()
    await back(world, checkout)
    assert state(world) == "confirming"

    world.billing.has("premium", None, until=SOON)
    await world.look()
    await until(lambda: state(world) == "on_record")

    assert world.one("success-state")._props.get("data-waits") is None
    assert "It's paid until" in world.text()


@pytest.mark.parametrize("path", ["/payment", "/payment/success"])
async def test_a_purchase_that_nobody_ever_confirmed_stays_a_question_with_its_reference(
    world: World, path: str
) -> None:
    checkout = await world.started(ago=timedelta(days=9), returned=timedelta(days=9))
    await world.sign_in()

    await world.open(f"{path}?session_id={checkout.session_id}")

    assert "Premium isn't confirmed" in world.text()
    assert checkout.session_id in world.text()
    assert "No subscription yet" not in world.text()
    assert "If you were charged, contact us" in world.text()
    quoted = [
        tag for name in ("span", "dd", "p", "code") for tag in world.tags(name) if checkout.session_id in tag.text
    ]
    assert quoted
    assert [tag.text for tag in quoted if tag.prop_dict().get("translate") != "no"] == []


async def test_a_lost_confirmation_that_comes_after_all_is_believed(world: World) -> None:
    checkout = await world.started(ago=timedelta(minutes=20), returned=timedelta(minutes=12))
    await world.sign_in()
    await back(world, checkout)

    world.billing.has("premium", "active", until=SOON)
    world.accounts.says("active", "premium")
    await world.look()

    await until(lambda: state(world) == "active")


async def test_check_again_asks_both_services(world: World) -> None:
    checkout = await world.started(ago=timedelta(minutes=5), returned=timedelta(seconds=70))
    await world.sign_in()
    await back(world, checkout)
    await until(lambda: (age := world.refresher.age(ADA.user_id)) is not None and age > timedelta(seconds=1))
    before = world.billing.questions

    world.press("action-check_again")

    await until(lambda: world.billing.questions > before)


@pytest.mark.parametrize("query", ["", "?session_id=cs_test_of_somebody_else", "?session_id={CHECKOUT_SESSION_ID}"])
async def test_an_address_that_is_not_this_users_shows_their_real_status_and_nothing_else(
    world: World, query: str
) -> None:
    await world.sign_in()

    await world.open(f"/payment/success{query}")

    assert state(world) == "not_ours"
    assert world.one("subscription-status")._props["data-state"] == "none"
    assert "cs_test" not in world.text()
    assert not world.marked("timeline")


async def test_a_shared_address_shows_another_user_nothing_of_the_buyer(world: World) -> None:
    checkout = await world.started()
    moved = checkout.model_copy(update={"customer": "user_bob", "id": "co_bob", "session_id": "cs_test_bob"})
    await world.checkouts.add(moved)
    await world.sign_in()

    await world.open("/payment/success?session_id=cs_test_bob")

    assert state(world) == "not_ours"
    kept = await world.checkouts.by_id("user_bob", "co_bob")
    assert kept is not None
    assert kept.at(CheckoutEvent.RETURNED) is None


async def test_somebody_signed_out_signs_in_and_comes_back(world: World) -> None:
    checkout = await world.started()

    await back(world, checkout)

    assert state(world) == "signed_out"
    assert "Premium" not in world.text()
    assert (
        f"/login?next=/payment/success%3Fsession_id%3D{checkout.session_id}"
        in (await world.browser.http_client.get(f"/payment/success?session_id={checkout.session_id}")).text
    )


@pytest.mark.parametrize("word", ["incomplete", "past_due", "unpaid"])
async def test_a_payment_that_needs_something_says_what(world: World, word: str) -> None:
    checkout = await world.started()
    world.billing.has("premium", word)
    world.accounts.says(word, "premium")
    await world.sign_in()

    await back(world, checkout)

    assert state(world) == word
    assert "https" not in world.text()


async def test_a_replayed_address_shows_what_is_true_now(world: World) -> None:
    checkout = await world.started(ago=timedelta(days=3), returned=timedelta(days=3))
    await world.mark(checkout, CheckoutEvent.ACCESS_ON, datetime.now(UTC) - timedelta(days=3))
    world.billing.has("premium", "canceled", until=datetime.now(UTC) - timedelta(days=1))
    world.accounts.says("canceled", "premium", datetime.now(UTC) - timedelta(days=1))
    await world.sign_in()

    await back(world, checkout)

    assert state(world) == "canceled"
    assert "Premium has ended" in world.text()


async def test_a_purchase_that_was_changed_since_says_so(world: World) -> None:
    checkout = await world.started(ago=timedelta(days=3), returned=timedelta(days=3))
    await world.mark(checkout, CheckoutEvent.ACCESS_ON, datetime.now(UTC) - timedelta(days=3))
    world.billing.has("basic", "active", until=SOON)
    world.accounts.says("active", "basic")
    await world.sign_in()

    await back(world, checkout)

    assert "Since then your subscription has changed." in world.text()


@pytest.mark.parametrize("accounts_too", [False, True])
async def test_of_a_purchase_whose_subscription_can_t_be_asked_about_nobody_says_that_it_changed(
    world: World, accounts_too: bool
) -> None:
    checkout = await world.started(ago=timedelta(days=3), returned=timedelta(days=3))
    await world.mark(checkout, CheckoutEvent.ACCESS_ON, datetime.now(UTC) - timedelta(days=3))
    await world.sign_in()
    world.billing.failure = UpstreamUnavailable("payment_ms", "subscription")
    if accounts_too:
        world.accounts.failure = UpstreamUnavailable("auth_ms", "me")

    await back(world, checkout)

    assert "This purchase was confirmed" in world.text()
    assert "changed" not in world.text()


async def test_of_an_add_on_that_is_gone_nothing_is_said_of_other_plans_nor_that_there_is_none(world: World) -> None:
    basic = next(plan for plan in CATALOG.plans if plan.id == "basic")
    plans = tuple(plan.model_copy(update={"group": "addons"}) if plan is basic else plan for plan in CATALOG.plans)
    world.catalogs.current = parse_catalog(CATALOG.model_copy(update={"plans": plans}).model_dump_json(by_alias=True))
    bought = await world.started("basic", ago=timedelta(days=3), returned=timedelta(days=3))
    checkout = bought.model_copy(update={"group": "addons"})
    await world.checkouts.add(checkout)
    await world.mark(checkout, CheckoutEvent.ACCESS_ON, datetime.now(UTC) - timedelta(days=3))
    world.billing.has("premium", "active", until=SOON)
    world.accounts.says("active", "premium")
    await world.sign_in()

    await back(world, checkout)

    assert "This purchase was confirmed." in world.text()
    assert "You're on Premium" not in world.text()
    assert "No subscription yet" not in world.text()  # it may have become Premium in the portal


async def test_a_cart_is_submitted_never_paid_and_leaves_the_cart_once(world: World) -> None:
    item = CATALOG.items[0]
    session = await world.sign_in()
    owner = user_owner(session)
    await world.cart.add(owner, item.price.price_id, item.min_quantity)
    cart = await world.cart.read(owner)
    checkout = await world.container.checkout.start(session, cart.purchase)

    await back(world, checkout)

    assert state(world) == "submitted"
    assert "paid" not in world.text().lower()
    assert (await world.cart.read(owner)).count == 0
    await world.cart.add(owner, item.price.price_id, item.min_quantity)
    await back(world, checkout)
    assert (await world.cart.read(owner)).count == item.min_quantity


async def test_an_item_is_submitted_at_its_figure(world: World) -> None:
    item = CATALOG.items[0]
    session = await world.sign_in()
    quantity = item.max_quantity
    checkout = await world.container.checkout.start(session, Purchase.of_item(item, quantity))

    await back(world, checkout)

    assert state(world) == "submitted"
    assert f"{quantity} × {item.name}" in world.text()


async def test_an_address_typed_by_hand_with_ones_own_unpaid_session_proves_nothing(world: World) -> None:
    item = CATALOG.items[0]
    session = await world.sign_in()
    owner = user_owner(session)
    await world.cart.add(owner, item.price.price_id, item.min_quantity)
    checkout = await world.container.checkout.start(session, (await world.cart.read(owner)).purchase)

    await world.open(f"/payment/success?session_id={checkout.session_id}")

    assert state(world) == "unproven"
    assert "Your order is submitted" not in world.text()
    assert "If you paid, Stripe emails the receipt to the address you entered there." in world.text()
    assert (await world.cart.read(owner)).count == item.min_quantity


async def test_a_plan_given_while_its_checkout_is_open_was_not_bought_there(world: World) -> None:
    session = await world.sign_in()
    plan = CATALOG.plan("premium")
    purchase = Purchase.of_plan(plan, next(iter(plan.prices.values())))
    checkout = await world.container.checkout.start(session, purchase)
    world.accounts.says("active", "premium")
    await world.open(f"/payment/success?session_id={checkout.session_id}")
    await until(lambda: state(world) == "active")

    assert "Stripe emails your receipt" not in world.text()
    assert "Welcome" not in world.text()

    await back(world, checkout)
    await until(lambda: "Stripe emails your receipt" in world.text())


@pytest.mark.parametrize("written", ["{CHECKOUT_SESSION_ID}", "%7BCHECKOUT_SESSION_ID%7D"])
@pytest.mark.parametrize("with_key", [True, False])
async def test_an_address_whose_session_id_was_never_filled_in_finds_the_purchase_by_who_came_back(
    world: World, written: str, with_key: bool
) -> None:
    world.accounts.says("none")
    session = await world.sign_in()
    purchase = Purchase.of(CATALOG.offer("price_sandbox_premium_month"))
    checkout = await world.container.checkout.start(session, purchase)

    await world.open(f"/payment/success?session_id={written}" + (f"&key={checkout.return_key}" if with_key else ""))

    assert state(world) == ("confirming" if with_key else "unproven")
    assert "Premium" in world.text()
    assert "free plan" not in world.text().lower()


async def test_a_price_that_is_no_longer_sold_does_not_break_the_return(world: World) -> None:
    checkout = await world.started()
    world.catalogs.current = CATALOG.model_validate(
        {"plans": [plan.model_dump() for plan in CATALOG.plans if plan.kind == "free"]}
    )
    await world.sign_in()

    await back(world, checkout)

    assert state(world) == "confirming"
    assert "Premium" in world.text()
    assert "$29.00 a month" in world.text()


async def test_while_confirming_the_billing_page_sells_nothing(world: World) -> None:
    checkout = await world.started()
    await world.sign_in()
    await back(world, checkout)

    await world.open("/payment")

    assert not world.marked("subscribe-premium")
    assert not world.marked("subscribe-basic")


def test_a_later_word_without_an_earlier_one_is_not_made_up() -> None:
    now = datetime.now(UTC)
    base = {"id": "a", "customer": "c", "kind": "subscription", "session_id": "cs", "url": "u", "currency": "usd"}
    line = {"price_id": "p", "name": "n", "amount": 1}
    events = {CheckoutEvent.RETURNED: now, CheckoutEvent.BILLING_HAS_IT: now, CheckoutEvent.ACCESS_ON: now}
    checkout = Checkout.model_validate({**base, "lines": [line], "started_at": now, "events": events})

    steps = steps_of(checkout)

    assert [step.progress for step in steps] == [Progress.DONE, Progress.DONE, Progress.SILENT, Progress.DONE]
    assert steps[2].at is None
