"""Starting the checkout of an item or a cart."""

import asyncio

import pytest

from services.checkout.service import MOST_LINES, Wanted
from services.checkout_record import CheckoutEvent, CheckoutKind
from services.errors import CartEmpty, CartFull, InvalidQuantity, MixedCurrencies, PriceNotSold, StatusUnknown
from tests.fakes import BILLING_DOWN
from tests.replica import Outside, Replica
from tests.shop import PLANS, catalog_with, item


async def test_an_item_is_sold_in_its_quantity() -> None:
    replica = Replica(Outside())
    ada = await replica.sign_in()

    checkout = await replica.checkout.start(ada, Wanted("price_mug", 3))

    assert (checkout.kind, checkout.total, checkout.plan_id) == (CheckoutKind.ITEM, 1500, None)
    assert replica.outside.payment_ms.checkout_switch.calls == [("item", "ada", "price_mug")]


@pytest.mark.parametrize("quantity", [0, 6, -1])
async def test_a_quantity_outside_the_limits_is_refused(quantity: int) -> None:
    replica = Replica(Outside())
    ada = await replica.sign_in()

    with pytest.raises(InvalidQuantity):
        await replica.checkout.start(ada, Wanted("price_mug", quantity))


async def test_the_same_item_gets_the_open_session_and_another_quantity_its_own() -> None:
    replica = Replica(Outside())
    ada = await replica.sign_in()
    first = await replica.checkout.start(ada, Wanted("price_mug", 2))

    again = await asyncio.gather(*(replica.checkout.start(ada, Wanted("price_mug", 2)) for _click in range(10)))
    more = await replica.checkout.start(ada, Wanted("price_mug", 3))

    assert {one.session_id for one in again} == {first.session_id}
    assert more.session_id != first.session_id


async def test_an_item_can_be_bought_again_after_the_return() -> None:
    replica = Replica(Outside())
    ada = await replica.sign_in()
    first = await replica.checkout.start(ada, Wanted("price_mug"))
    await replica.checkout.record_return(ada, first.session_id)

    assert (await replica.checkout.start(ada, Wanted("price_mug"))).session_id != first.session_id


async def test_an_item_whose_session_does_not_work_can_be_started_over() -> None:
    replica = Replica(Outside())
    ada = await replica.sign_in()
    dead = await replica.checkout.start(ada, Wanted("price_mug"))

    fresh = await replica.checkout.start(ada, Wanted("price_mug"), instead_of=dead.id)

    assert fresh.session_id != dead.session_id
    assert (await replica.checkouts.by_id("ada", dead.id)).at(CheckoutEvent.REPLACED) is not None  # type: ignore[union-attr]


async def test_items_are_sold_beside_a_subscription_and_while_billing_cannot_be_asked() -> None:
    replica = Replica(Outside())
    ada = await replica.sign_in()
    await replica.click(ada)
    replica.outside.payment_ms.switch.error = BILLING_DOWN

    await replica.checkout.start(ada, Wanted("price_mug"))

    with pytest.raises(StatusUnknown):
        await replica.click(ada, "price_basic_month")


async def test_a_cart_is_one_checkout_whatever_the_order_of_its_lines() -> None:
    replica = Replica(Outside())
    ada = await replica.sign_in()
    lines = [Wanted("price_mug", 2), Wanted("price_shirt")]

    checkout = await replica.checkout.start_cart(ada, lines)
    again = await replica.checkout.start_cart(ada, lines[::-1])

    assert (checkout.kind, checkout.total) == (CheckoutKind.CART, 2900)
    assert again.session_id == checkout.session_id
    assert replica.counted == [("cart", "opened"), ("cart", "reused")]


async def test_a_return_from_a_one_off_purchase_hurries_nobody() -> None:
    outside = Outside()
    replica = Replica(outside)
    ada = await replica.sign_in()
    checkout = await replica.checkout.start_cart(ada, [Wanted("price_mug")])

    back = await replica.checkout.record_return(ada, checkout.session_id)

    assert back is not None
    assert not outside.payment_ms.switch.calls


async def test_a_cart_that_cannot_be_bought_is_refused_with_its_reason() -> None:
    outside = Outside()
    outside.catalog = catalog_with(
        PLANS, [item(f"item{number}") for number in range(25)] + [item("yen", currency="jpy")]
    )
    replica = Replica(outside)
    ada = await replica.sign_in()
    many = [Wanted(f"price_item{number}") for number in range(MOST_LINES + 1)]

    with pytest.raises(CartEmpty):
        await replica.checkout.start_cart(ada, [])
    with pytest.raises(CartFull):
        await replica.checkout.start_cart(ada, many)
    with pytest.raises(MixedCurrencies):
        await replica.checkout.start_cart(ada, [many[0], Wanted("price_yen")])
    with pytest.raises(PriceNotSold):
        await replica.checkout.start_cart(ada, [Wanted("price_basic_month")])
    assert len((await replica.checkout.start_cart(ada, many[:MOST_LINES])).lines) == MOST_LINES
