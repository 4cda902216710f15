"""A cart: lines, limits, totals, and what happens to it at sign-in and after a purchase."""

import asyncio

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from services.cart import Cart, CartService, user_owner, visitor_owner
from services.checkout_record import Checkout, CheckoutKind
from services.errors import CartFull, InvalidQuantity, MixedCurrencies, PriceNotSold, StoreUnavailable
from services.purchase import MOST_LINES, PurchaseLine
from services.storage.pubsub import Topic
from tests.fakes import settle
from tests.replica import ADA, BOB, Outside, Replica
from tests.shop import ITEMS, PLANS, catalog_with, item

MUG, SHIRT, YEN = "price_mug", "price_shirt", "price_yen"


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def cart(outside: Outside) -> CartService:
    return Replica(outside).cart


def quantities(found: Cart) -> dict[str, int]:
    """How many of each price."""
    return {line.item.price.price_id: line.quantity for line in found.lines}


def bought(**lines: int) -> Checkout:
    """A checkout of a cart with so many of each item."""
    made = tuple(
        PurchaseLine(price_id=f"price_{name}", name=name, quantity=many, amount=500) for name, many in lines.items()
    )
    return Checkout(
        id="checkout-1", customer="ada", kind=CheckoutKind.CART, session_id="cs_test_1", url="https://checkout.stripe.com/",
        lines=made, currency="usd", started_at=Outside().clock.now,
    )  # fmt: skip


async def test_an_empty_cart_costs_nothing(cart: CartService) -> None:
    found = await cart.read("a")

    assert (found.lines, found.count, found.total, found.currency, found.purchase.lines) == ((), 0, 0, None, ())


async def test_lines_are_in_the_catalogs_order_with_its_amounts(cart: CartService) -> None:
    await cart.add("a", SHIRT)
    found = await cart.add("a", MUG, 2)

    assert quantities(found) == {MUG: 2, SHIRT: 1}
    assert (found.count, found.total, found.currency) == (3, 2 * 500 + 1900, "usd")
    assert [(one.price_id, one.quantity, one.amount) for one in found.purchase.lines] == [
        (MUG, 2, 500),
        (SHIRT, 1, 1900),
    ]


async def test_adding_more_counts_up_and_setting_sets(cart: CartService) -> None:
    await cart.add("a", MUG, 2)

    assert quantities(await cart.add("a", MUG)) == {MUG: 3}
    assert quantities(await cart.set_quantity("a", MUG, 1)) == {MUG: 1}
    assert quantities(await cart.remove("a", MUG)) == {}
    assert quantities(await cart.remove("a", MUG)) == {}


async def test_what_a_page_shows_is_settled_for_the_lines_that_are_there(cart: CartService) -> None:
    await cart.add("a", MUG, 2)

    assert quantities(await cart.apply_quantities("a", {MUG: 4, "price_gone": 1})) == {MUG: 4}
    assert quantities(await cart.apply_quantities("a", {})) == {MUG: 4}
    with pytest.raises(InvalidQuantity):
        await cart.apply_quantities("a", {MUG: 0})
    assert quantities(await cart.read("a")) == {MUG: 4}


async def test_clicks_at_once_are_all_counted(cart: CartService) -> None:
    await asyncio.gather(*(cart.add("a", MUG) for _click in range(5)))

    assert quantities(await cart.read("a")) == {MUG: 5}


@pytest.mark.parametrize("quantity", [0, -1, 6])
async def test_a_quantity_outside_the_limits_is_refused(cart: CartService, quantity: int) -> None:
    with pytest.raises(InvalidQuantity):
        await cart.set_quantity("a", MUG, quantity)
    with pytest.raises(InvalidQuantity):
        await cart.add("a", MUG, quantity)


async def test_adding_nothing_is_refused_also_to_a_line_that_is_there(cart: CartService) -> None:
    await cart.add("a", MUG, 3)

    for quantity in (0, -1, 3):
        with pytest.raises(InvalidQuantity):
            await cart.add("a", MUG, quantity)
    assert quantities(await cart.read("a")) == {MUG: 3}


async def test_what_is_no_item_is_refused(cart: CartService) -> None:
    for price in ("price_premium_month", "price_unknown"):
        with pytest.raises(PriceNotSold):
            await cart.add("a", price)


async def test_a_cart_holds_one_currency(cart: CartService) -> None:
    await cart.add("a", MUG)

    with pytest.raises(MixedCurrencies):
        await cart.add("a", YEN)
    await cart.clear("a")
    assert (await cart.add("a", YEN)).currency == "jpy"


async def test_a_cart_holds_twenty_lines(outside: Outside) -> None:
    outside.catalog = catalog_with(PLANS, [item(f"item{number}") for number in range(MOST_LINES + 1)])
    cart = Replica(outside).cart
    adds = [cart.add("a", f"price_item{number}") for number in range(MOST_LINES + 1)]

    found = await asyncio.gather(*adds, return_exceptions=True)

    assert [type(one) for one in found if isinstance(one, BaseException)] == [CartFull]
    assert len((await cart.read("a")).lines) == MOST_LINES
    first = (await cart.read("a")).lines[0].item.price.price_id
    assert quantities(await cart.add("a", first))[first] == 2


async def test_what_is_sold_no_more_is_counted_and_not_bought(cart: CartService, outside: Outside) -> None:
    await cart.add("a", MUG, 2)
    await cart.add("a", SHIRT)
    outside.catalog = catalog_with(items=ITEMS[1:])

    found = await cart.read("a")

    assert (quantities(found), found.gone) == ({SHIRT: 1}, 1)


async def test_limits_that_changed_bound_what_is_in_the_cart(cart: CartService, outside: Outside) -> None:
    await cart.set_quantity("a", MUG, 5)
    outside.catalog = catalog_with(items=[item("mug", most=2)])
    assert quantities(await cart.read("a")) == {MUG: 2}
    outside.catalog = catalog_with(items=[item("mug", least=6, most=9)])
    assert quantities(await cart.read("a")) == {MUG: 6}


class TestCartAtSignIn:
    async def test_the_visitors_lines_come_along(self, cart: CartService) -> None:
        await cart.add("visitor", MUG, 3)
        await cart.add("user", MUG, 1)
        await cart.add("user", SHIRT)

        await cart.merge("visitor", "user")

        assert quantities(await cart.read("user")) == {MUG: 3, SHIRT: 1}
        assert (await cart.read("visitor")).lines == ()

    async def test_nothing_to_merge_changes_and_announces_nothing(self, outside: Outside) -> None:
        replica = Replica(outside)
        heard: list[str] = []
        listener = replica.pubsub.listen(Topic.CART, "user", heard.append)
        await replica.cart.add("user", MUG)
        heard.clear()

        await replica.cart.merge("visitor", "user")
        await replica.cart.merge("user", "user")

        assert heard == []
        assert quantities(await replica.cart.read("user")) == {MUG: 1}
        listener.close()

    async def test_lines_that_do_not_fit_stay_behind(self, cart: CartService) -> None:
        await cart.add("visitor", YEN)
        await cart.add("user", MUG)

        await cart.merge("visitor", "user")

        assert quantities(await cart.read("user")) == {MUG: 1}

    async def test_the_owner_is_a_browser_then_a_user(self) -> None:
        replica = Replica(Outside())
        ada, again, bob = await replica.sign_in(ADA), await replica.sign_in(ADA), await replica.sign_in(BOB)

        assert user_owner(ada) == user_owner(again) != user_owner(bob)
        assert "ada" not in user_owner(ada)
        assert ada.id not in visitor_owner(ada.id)
        assert visitor_owner("a") != visitor_owner("b")


class TestAfterAPurchase:
    async def test_what_was_bought_goes_and_what_was_added_since_stays(self, cart: CartService) -> None:
        await cart.add("a", MUG, 2)
        await cart.add("a", SHIRT, 2)

        await cart.take_out_bought("a", bought(mug=2, shirt=1))

        assert quantities(await cart.read("a")) == {SHIRT: 1}

    async def test_a_success_page_loaded_again_takes_nothing_more(self, cart: CartService) -> None:
        await cart.add("a", MUG, 2)
        await cart.take_out_bought("a", bought(mug=2))
        await cart.add("a", MUG, 2)

        await cart.take_out_bought("a", bought(mug=2))

        assert quantities(await cart.read("a")) == {MUG: 2}

    async def test_an_item_bought_at_once_takes_nothing_out_of_the_cart(self, cart: CartService) -> None:
        await cart.add("a", MUG, 2)

        await cart.take_out_bought("a", bought(mug=1).model_copy(update={"kind": CheckoutKind.ITEM}))

        assert quantities(await cart.read("a")) == {MUG: 2}


async def test_carts_of_two_owners_are_apart(cart: CartService) -> None:
    await cart.add("a", MUG)

    assert (await cart.read("b")).lines == ()


async def test_a_store_that_is_away_is_no_empty_cart(cart: CartService, outside: Outside) -> None:
    await cart.add("a", MUG)
    outside.store.broken = True

    with pytest.raises(StoreUnavailable):
        await cart.read("a")


async def test_a_change_is_announced_to_other_tabs(outside: Outside) -> None:
    one, two = Replica(outside), Replica(outside)
    heard: list[str] = []
    listener = two.pubsub.listen(Topic.CART, "a", heard.append)
    await settle()

    await one.cart.add("a", MUG)
    await one.cart.remove("a", MUG)
    await one.cart.clear("a")
    await settle()

    assert len(heard) == 3
    listener.close()


moves = st.tuples(st.sampled_from(["add", "set", "remove", "clear"]), st.sampled_from([MUG, SHIRT]), st.integers(-1, 6))


@settings(max_examples=60, deadline=None)
@given(st.lists(moves, max_size=12))
def test_whatever_is_done_the_cart_stays_one_that_can_be_bought(doings: list[tuple[str, str, int]]) -> None:
    async def run() -> None:
        cart = Replica(Outside()).cart
        for what, price, quantity in doings:
            try:
                if what == "add":
                    await cart.add("a", price, quantity)
                elif what == "set":
                    await cart.set_quantity("a", price, quantity)
                elif what == "remove":
                    await cart.remove("a", price)
                else:
                    await cart.clear("a")
            except InvalidQuantity:
                continue
        found = await cart.read("a")
        for line in found.lines:
            assert line.item.min_quantity <= line.quantity <= line.item.max_quantity
        assert found.total == sum(line.quantity * line.item.price.amount for line in found.lines)

    asyncio.run(run())
