"""Back through Stripe's cancel link: the choice is kept, the same session goes on, and nothing is claimed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.checkout_record import CheckoutEvent
from services.errors import UpstreamFailed
from services.payment_contract.sessions import PaymentStatus, SessionState, SessionStatus
from services.payment_ms import SubscriptionRecord
from services.purchase import Purchase
from tests.ui.billing_world import ADA, CATALOG, World, billing_world
from tests.ui.reading import text_of, until

YEARLY = "price_sandbox_premium_year"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with billing_world(tmp_path) as world:
        world.accounts.says("none")
        yield world


async def test_the_chosen_plan_its_interval_and_its_figure_are_kept(world: World) -> None:
    session = await world.sign_in()
    checkout = await world.container.checkout.start(session, Purchase.of(CATALOG.offer(YEARLY)))

    await world.open(f"/payment/cancel?checkout={checkout.id}")

    text = world.text()
    assert "Checkout canceled" in text
    assert "Unless you paid in another tab, nothing was charged." in text
    assert "Premium" in text
    assert "$290.00 a year" in text


async def test_going_on_leads_to_the_same_session(world: World) -> None:
    session = await world.sign_in()
    checkout = await world.container.checkout.start(session, Purchase.of(CATALOG.offer(YEARLY)))
    await world.open(f"/payment/cancel?checkout={checkout.id}")

    world.press("continue-checkout")
    await until(lambda: world.went_to == checkout.url)

    assert len(world.billing.opened) == 1


async def test_a_new_one_is_one_press_away_and_names_the_danger(world: World) -> None:
    session = await world.sign_in()
    checkout = await world.container.checkout.start(session, Purchase.of(CATALOG.offer(YEARLY)))
    await world.open(f"/payment/cancel?checkout={checkout.id}")
    assert "If the other page is still open, don't pay there too." in world.text()

    world.press("start-new")
    await until(lambda: world.went_to.startswith("https://checkout.stripe.com/"))

    assert world.went_to != checkout.url
    assert len(world.billing.opened) == 2


async def test_another_plan_is_a_question_after_it(world: World) -> None:
    session = await world.sign_in()
    checkout = await world.container.checkout.start(session, Purchase.of(CATALOG.offer(YEARLY)))
    await world.open(f"/payment/cancel?checkout={checkout.id}")
    await world.open("/payment")

    world.press("subscribe-basic")
    await until(lambda: world.marked("start-instead"))

    assert "Did you pay there? It can take a while to show here." in world.text()
    assert len(world.billing.opened) == 1
    world.press("start-instead")
    await until(lambda: len(world.billing.opened) == 2)


async def test_what_was_paid_in_another_tab_is_not_called_uncharged(world: World) -> None:
    session = await world.sign_in()
    checkout = await world.container.checkout.start(session, Purchase.of(CATALOG.offer(YEARLY)))
    world.accounts.says("active", "premium")
    world.billing.records["prod_sandbox_premium"] = SubscriptionRecord(
        exists=True, product_id="prod_sandbox_premium", subscription_id="sub_1", status="active"
    )

    await world.open(f"/payment/cancel?checkout={checkout.id}")

    assert "This checkout went through" in world.text()
    assert "nothing was charged" not in world.text().lower()


async def test_a_plan_that_the_account_got_meanwhile_is_not_called_paid_here(world: World) -> None:
    """Given by somebody while the checkout was open: no service names the session that a plan came from."""
    session = await world.sign_in()
    checkout = await world.container.checkout.start(session, Purchase.of(CATALOG.offer(YEARLY)))
    world.accounts.says("active", "premium")

    await world.open(f"/payment/cancel?checkout={checkout.id}")

    text = world.text()
    assert "Premium is on your account" in text
    assert "Unless you paid in another tab, nothing was charged." in text
    assert "went through" not in text
    await world.open("/account")
    assert [text for tag in world.marked("purchase") if "Confirmed" in (text := text_of(tag))] == []


async def test_while_a_service_cannot_be_asked_nothing_is_said_as_a_fact(world: World) -> None:
    session = await world.sign_in()
    checkout = await world.container.checkout.start(session, Purchase.of(CATALOG.offer(YEARLY)))
    world.billing.failure = UpstreamFailed("payment_ms", "subscription", "answered 500", upstream_status=500)

    await world.open(f"/payment/cancel?checkout={checkout.id}")

    assert "We can't check right now whether you paid in another tab." in world.text()


async def test_the_return_is_noted_so_that_another_plan_can_be_chosen(world: World) -> None:
    session = await world.sign_in()
    checkout = await world.container.checkout.start(session, Purchase.of(CATALOG.offer(YEARLY)))

    await world.open(f"/payment/cancel?checkout={checkout.id}")

    kept = await world.checkouts.by_id(ADA.user_id, checkout.id)
    assert kept is not None
    assert kept.at(CheckoutEvent.CANCELED) is not None


async def test_a_cart_is_found_whole(world: World) -> None:
    item = CATALOG.items[0]
    session = await world.sign_in()
    cart = Purchase.of_cart(Purchase.of_item(item, item.min_quantity).lines)
    checkout = await world.container.checkout.start(session, cart)

    await world.open(f"/payment/cancel?checkout={checkout.id}")

    assert "Unless you paid in another tab, nothing was charged." in world.text()
    world.press("continue-checkout")
    await until(lambda: world.went_to == checkout.url)


async def test_after_coming_back_paid_it_says_nothing_about_charges(world: World) -> None:
    checkout = await world.started(returned=timedelta(seconds=3))
    await world.sign_in()

    await world.open(f"/payment/cancel?checkout={checkout.id}")

    assert "You already came back from this checkout" in world.text()
    assert "Nothing was charged" not in world.text()


@pytest.mark.parametrize("query", ["", "?checkout=co_of_somebody_else"])
async def test_an_address_of_no_checkout_of_this_user_says_nothing_about_any(world: World, query: str) -> None:
    await world.sign_in()

    await world.open(f"/payment/cancel{query}")

    assert "We couldn't find this checkout" in world.text()
    assert "unchanged" not in world.text()
    assert "no open checkout" not in world.text()


async def test_somebody_signed_out_signs_in_first(world: World) -> None:
    checkout = await world.started()

    await world.open(f"/payment/cancel?checkout={checkout.id}")

    assert "Sign in to continue your checkout" in world.text()
    assert "$29" not in world.text()


async def test_a_session_that_billing_calls_expired_is_not_gone_on_with_and_nothing_was_charged(world: World) -> None:
    session = await world.sign_in()
    checkout = await world.container.checkout.start(session, Purchase.of(CATALOG.offer(YEARLY)))
    world.billing.session_states[checkout.session_id] = SessionState(SessionStatus.EXPIRED, PaymentStatus.UNPAID)
    await world.open(f"/payment/cancel?checkout={checkout.id}")

    assert "This checkout ended without a payment, so nothing was charged for it." in world.text()
    assert not world.marked("continue-checkout")
    world.press("start-new")
    await until(lambda: world.went_to.startswith("https://checkout.stripe.com/"))
    assert len(world.billing.opened) == 2


@pytest.mark.parametrize("granted", [False, True])
async def test_of_a_session_that_billing_calls_open_it_says_what_was_so_then(world: World, granted: bool) -> None:
    """Paid a moment later in another tab, the page that stays open is still right."""
    session = await world.sign_in()
    checkout = await world.container.checkout.start(session, Purchase.of(CATALOG.offer(YEARLY)))
    world.billing.session_states[checkout.session_id] = SessionState(SessionStatus.OPEN, PaymentStatus.UNPAID)
    if granted:
        world.accounts.says("active", "premium")

    await world.open(f"/payment/cancel?checkout={checkout.id}")

    text = world.text()
    assert "When you came back, nothing had been charged for this checkout." in text
    assert "another tab" not in text
    assert ("Premium is on your account" in text) is granted
    assert bool(world.marked("continue-checkout")) is not granted


async def test_a_session_that_was_open_and_is_paid_by_the_next_look_went_through(world: World) -> None:
    session = await world.sign_in()
    checkout = await world.container.checkout.start(session, Purchase.of(CATALOG.offer(YEARLY)))
    world.billing.session_states[checkout.session_id] = SessionState(SessionStatus.OPEN, PaymentStatus.UNPAID)
    await world.open(f"/payment/cancel?checkout={checkout.id}")
    world.billing.session_states[checkout.session_id] = SessionState(SessionStatus.COMPLETE, PaymentStatus.PAID)

    await world.open(f"/payment/cancel?checkout={checkout.id}")

    assert "You bought Premium in another tab." in world.text()
    assert "nothing had been charged" not in world.text()


async def test_a_session_that_billing_calls_paid_went_through(world: World) -> None:
    session = await world.sign_in()
    checkout = await world.container.checkout.start(session, Purchase.of(CATALOG.offer(YEARLY)))
    world.billing.session_states[checkout.session_id] = SessionState(SessionStatus.COMPLETE, PaymentStatus.PAID)
    await world.open(f"/payment/cancel?checkout={checkout.id}")

    assert "You bought Premium in another tab." in world.text()
    assert not world.marked("start-new")
