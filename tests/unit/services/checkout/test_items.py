"""Starting the checkout of an item or a cart."""

import asyncio

import pytest

from services.checkout_record import Checkout, CheckoutEvent, CheckoutKind
from services.errors import (
    CartEmpty,
    CartFull,
    CatalogChanged,
    CheckoutInProgress,
    InvalidQuantity,
    MixedCurrencies,
    PriceNotSold,
    RateLimited,
    StatusUnknown,
)
from services.purchase import MOST_LINES, Purchase
from services.rate_limits import Policy
from tests.fakes import BILLING_DOWN
from tests.replica import Outside, Replica
from tests.shop import PLANS, catalog_with, item, press, press_cart


async def test_an_item_is_sold_in_its_quantity() -> None:
    replica = Replica(Outside())
    ada = await replica.sign_in()

    checkout = await replica.click(ada, "price_mug", 3)

    assert (checkout.kind, checkout.total, checkout.plan_id) == (CheckoutKind.ITEM, 1500, None)
    assert replica.outside.payment_ms.checkout_switch.calls == [("item", "ada", "price_mug")]


@pytest.mark.parametrize("quantity", [0, 6, -1])
async def test_a_quantity_outside_the_limits_is_refused(quantity: int) -> None:
    replica = Replica(Outside())
    ada = await replica.sign_in()

    with pytest.raises(InvalidQuantity):
        await replica.click(ada, "price_mug", quantity)


async def test_presses_at_once_on_an_item_get_one_session() -> None:
    replica = Replica(Outside())
    ada = await replica.sign_in()

    found = await asyncio.gather(*(replica.click(ada, "price_mug", 2) for _click in range(10)))

    assert len({one.session_id for one in found}) == 1


@pytest.mark.parametrize(("quantity", "later"), [(2, 60.0), (3, 60.0), (2, 25 * 3600.0), (2, 95 * 3600.0)])
async def test_an_item_that_may_have_been_paid_is_a_question_before_it_is_sold_again(
    quantity: int, later: float
) -> None:
    """Its browser may never have come back; nobody ever hears of an item's payment."""
    outside = Outside()
    replica = Replica(outside)
    ada = await replica.sign_in()
    first = await replica.click(ada, "price_mug", 2)
    outside.clock.move(later)

    with pytest.raises(CheckoutInProgress) as caught:
        await replica.click(ada, "price_mug", quantity)

    assert caught.value.checkout is not None
    assert caught.value.checkout.id == first.id
    assert (await replica.click(ada, "price_mug", quantity, instead_of=first.id)).session_id != first.session_id
    assert (await replica.click(ada, "price_shirt")).session_id


@pytest.mark.parametrize("later", [60.0, 25 * 3600.0, 95 * 3600.0])
async def test_an_order_that_may_not_be_paid_yet_is_a_question_before_it_is_made_again(later: float) -> None:
    """Back from Stripe says nothing of money: a bank debit takes days, and nobody ever tells."""
    outside = Outside()
    replica = Replica(outside)
    ada = await replica.sign_in()
    first = await replica.click(ada, "price_mug", 2)
    outside.world.pay(first.session_id)
    await replica.come_back(ada, first)
    outside.clock.move(later)

    with pytest.raises(CheckoutInProgress) as caught:
        await replica.click(ada, "price_mug", 3)

    assert caught.value.checkout is not None
    assert caught.value.checkout.id == first.id
    again = await replica.click(ada, "price_mug", 3, instead_of=first.id)
    assert again.session_id != first.session_id
    assert (await replica.click(ada, "price_shirt")).session_id


async def test_an_order_is_asked_about_once_and_not_for_good() -> None:
    outside = Outside()
    replica = Replica(outside)
    ada = await replica.sign_in()
    first = await replica.click(ada, "price_mug")
    outside.world.pay(first.session_id)
    await replica.come_back(ada, first)
    outside.clock.move(97 * 3600.0)

    assert (await replica.click(ada, "price_mug")).session_id != first.session_id


async def test_a_cart_of_other_things_is_no_order_made_again() -> None:
    outside = Outside()
    replica = Replica(outside)
    ada = await replica.sign_in()
    first = await replica.checkout.start(ada, press_cart(("price_mug", 1)))
    outside.world.pay(first.session_id)
    await replica.come_back(ada, first)
    outside.clock.move(60)

    assert (await replica.checkout.start(ada, press_cart(("price_shirt", 1)))).session_id != first.session_id
    with pytest.raises(CheckoutInProgress):
        await replica.checkout.start(ada, press_cart(("price_mug", 1)))


async def test_an_item_s_session_typed_by_hand_into_the_success_address_proves_nothing() -> None:
    outside = Outside()
    replica = Replica(outside)
    ada = await replica.sign_in()
    unpaid = await replica.click(ada, "price_mug")
    outside.clock.move(5)

    back = await replica.checkout.record_return(ada, unpaid.session_id)

    assert back is not None
    assert back.at(CheckoutEvent.RETURNED) is None
    with pytest.raises(CheckoutInProgress):
        await replica.click(ada, "price_mug")


async def test_the_items_limit_counts_new_sessions() -> None:
    outside = Outside()
    replica = Replica(outside, policy=Policy("checkout", "1 per minute"))
    ada = await replica.sign_in()
    first = await replica.click(ada, "price_mug")
    await replica.click(ada, "price_mug", resume=first.id)

    with pytest.raises(RateLimited):
        await replica.click(ada, "price_shirt")


async def test_an_item_bought_meanwhile_gives_up_no_plan() -> None:
    """Whatever the press names: a plan's checkout is only given up for another plan of its group."""
    outside = Outside()
    replica = Replica(outside)
    ada = await replica.sign_in()
    plan = await replica.click(ada)
    outside.clock.move(60)

    await replica.click(ada, "price_mug")
    await replica.click(ada, "price_shirt", instead_of=plan.id)

    kept = await replica.checkouts.by_id("ada", plan.id)
    assert kept is not None
    assert kept.open(outside.clock.now)
    outside.clock.move(60)
    with pytest.raises(CheckoutInProgress):
        await replica.click(ada, "price_basic_month")


async def test_an_item_bought_after_a_plan_s_return_leaves_the_plan_awaited() -> None:
    outside = Outside()
    replica = Replica(outside)
    ada = await replica.sign_in()
    plan = await replica.click(ada)
    await replica.come_back(ada, plan)
    outside.clock.move(60)

    await replica.click(ada, "price_mug", instead_of=plan.id)

    kept = await replica.checkouts.by_id("ada", plan.id)
    assert kept is not None
    assert kept.confirming(outside.clock.now)
    with pytest.raises(CheckoutInProgress):
        await replica.click(ada, "price_basic_month")


async def test_plans_items_and_carts_are_bought_beside_each_other() -> None:
    outside = Outside()
    replica = Replica(outside)
    ada = await replica.sign_in()
    presses = [press("price_premium_month"), press("price_mug"), press_cart(("price_mug", 1))]

    for purchase in presses:
        await replica.checkout.start(ada, purchase)
    outside.clock.move(60)
    for purchase in presses:
        with pytest.raises(CheckoutInProgress) as caught:
            await replica.checkout.start(ada, purchase)
        assert isinstance(caught.value.checkout, Checkout)
        assert caught.value.checkout.kind is purchase.kind

    assert len(outside.world.sessions) == 3


async def test_another_cart_is_a_question_while_one_may_be_paid() -> None:
    outside = Outside()
    replica = Replica(outside)
    ada = await replica.sign_in()
    first = await replica.checkout.start(ada, press_cart(("price_mug", 1)))
    outside.clock.move(60)

    with pytest.raises(CheckoutInProgress) as caught:
        await replica.checkout.start(ada, press_cart(("price_mug", 2)))

    assert caught.value.checkout is not None
    assert caught.value.checkout.id == first.id
    again = await replica.checkout.start(ada, press_cart(("price_mug", 2)).instead(first.id))
    assert again.session_id != first.session_id


@pytest.mark.parametrize("shown", [{"amount": 400}, {"currency": "eur"}])
async def test_a_cart_that_was_shown_otherwise_is_not_sold(shown: dict[str, object]) -> None:
    replica = Replica(Outside())
    ada = await replica.sign_in()
    right = press_cart(("price_mug", 1))
    wrong = right.model_copy(update={"lines": (right.lines[0].model_copy(update=shown),)})

    with pytest.raises(CatalogChanged):
        await replica.checkout.start(ada, wrong)


async def test_an_item_can_be_bought_again_after_the_return() -> None:
    replica = Replica(Outside())
    ada = await replica.sign_in()
    first = await replica.click(ada, "price_mug")
    await replica.come_back(ada, first)

    again = await replica.click(ada, "price_mug", instead_of=first.id)
    third = await replica.click(ada, "price_mug", instead_of=again.id)

    assert len({first.session_id, again.session_id, third.session_id}) == 3


async def test_an_item_whose_session_does_not_work_can_be_started_over() -> None:
    replica = Replica(Outside())
    ada = await replica.sign_in()
    dead = await replica.click(ada, "price_mug")

    fresh = await replica.click(ada, "price_mug", instead_of=dead.id)

    assert fresh.session_id != dead.session_id
    assert (await replica.checkouts.by_id("ada", dead.id)).at(CheckoutEvent.REPLACED) is not None  # type: ignore[union-attr]


async def test_items_are_sold_beside_a_subscription_and_while_billing_cannot_be_asked() -> None:
    replica = Replica(Outside())
    ada = await replica.sign_in()
    await replica.click(ada)
    replica.outside.payment_ms.switch.error = BILLING_DOWN

    await replica.click(ada, "price_mug")

    with pytest.raises(StatusUnknown):
        await replica.click(ada, "price_basic_month")


async def test_a_cart_is_one_checkout_whatever_the_order_of_its_lines() -> None:
    replica = Replica(Outside())
    ada = await replica.sign_in()

    checkout = await replica.checkout.start(ada, press_cart(("price_mug", 2), ("price_shirt", 1)))
    again = await replica.checkout.start(ada, press_cart(("price_shirt", 1), ("price_mug", 2)))

    assert (checkout.kind, checkout.total) == (CheckoutKind.CART, 2900)
    assert again.session_id == checkout.session_id
    assert replica.counted == [("cart", "opened"), ("cart", "reused")]


async def test_a_return_from_a_one_off_purchase_hurries_nobody() -> None:
    outside = Outside()
    replica = Replica(outside)
    ada = await replica.sign_in()
    checkout = await replica.checkout.start(ada, press_cart(("price_mug", 1)))

    back = await replica.come_back(ada, checkout)

    assert back is not None
    assert not outside.payment_ms.switch.calls


async def test_a_cart_that_cannot_be_bought_is_refused_with_its_reason() -> None:
    outside = Outside()
    outside.catalog = catalog_with(
        PLANS, [item(f"item{number}") for number in range(25)] + [item("yen", currency="jpy")]
    )
    replica = Replica(outside)
    ada = await replica.sign_in()
    many = [(f"price_item{number}", 1) for number in range(MOST_LINES + 1)]

    def cart(*lines: tuple[str, int]) -> Purchase:
        return press_cart(*lines, catalog=outside.catalog)

    with pytest.raises(CartEmpty):
        await replica.checkout.start(ada, cart())
    with pytest.raises(CartFull):
        await replica.checkout.start(ada, cart(*many))
    with pytest.raises(MixedCurrencies):
        await replica.checkout.start(ada, cart(many[0], ("price_yen", 1)))
    with pytest.raises(PriceNotSold):
        await replica.checkout.start(ada, cart(("price_basic_month", 1)))
    assert len((await replica.checkout.start(ada, cart(*many[:MOST_LINES]))).lines) == MOST_LINES
