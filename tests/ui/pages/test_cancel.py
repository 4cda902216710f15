"""Back through Stripe's cancel link: the choice is kept, the same session goes on, and nothing is claimed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.checkout.service import Wanted
from services.checkout_record import CheckoutEvent
from tests.ui.billing_world import ADA, CATALOG, World, billing_world
from tests.ui.reading import until

YEARLY = "price_sandbox_premium_year"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with billing_world(tmp_path) as world:
        world.accounts.says("none")
        yield world


async def test_the_chosen_plan_its_interval_and_its_figure_are_kept(world: World) -> None:
    session = await world.sign_in()
    checkout = await world.container.checkout.start(session, Wanted(YEARLY))

    await world.open(f"/payment/cancel?checkout={checkout.id}")

    text = world.text()
    assert "You left the checkout" in text
    assert "Nothing was charged, and your plan is unchanged." in text
    assert "Premium" in text
    assert "$290.00 a year" in text


async def test_going_on_reuses_the_same_session(world: World) -> None:
    session = await world.sign_in()
    checkout = await world.container.checkout.start(session, Wanted(YEARLY))
    await world.open(f"/payment/cancel?checkout={checkout.id}")

    world.press("go-on")
    await until(lambda: world.went_to == checkout.url)

    assert len(world.billing.opened) == 1


async def test_the_return_is_noted_so_that_another_plan_can_be_chosen(world: World) -> None:
    session = await world.sign_in()
    checkout = await world.container.checkout.start(session, Wanted(YEARLY))

    await world.open(f"/payment/cancel?checkout={checkout.id}")

    kept = await world.checkouts.by_id(ADA.user_id, checkout.id)
    assert kept is not None
    assert kept.at(CheckoutEvent.CANCELED) is not None


async def test_a_cart_is_found_whole(world: World) -> None:
    item = CATALOG.items[0]
    session = await world.sign_in()
    wanted = Wanted(item.price.price_id, item.min_quantity)
    checkout = await world.container.checkout.start_cart(session, [wanted])

    await world.open(f"/payment/cancel?checkout={checkout.id}")

    assert world.one("go-on")._props["href"] == "/cart"


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

    assert "No checkout of yours is open here" in world.text()


async def test_somebody_signed_out_signs_in_first(world: World) -> None:
    checkout = await world.started()

    await world.open(f"/payment/cancel?checkout={checkout.id}")

    assert "Sign in to go on with your checkout" in world.text()
    assert "$29" not in world.text()
