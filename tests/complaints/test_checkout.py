"""A checkout goes wrong where nobody of ours is: at Stripe, in another tab, in a browser that never comes back.

Each class is a row of complaints found in public threads; the source stands above it.
"""

import asyncio
from datetime import timedelta

import pytest

from services.checkout_record import Checkout, CheckoutEvent
from services.errors import CartChanged, CatalogChanged, CheckoutInProgress, PurchaseUnconfirmed
from services.purchase import Purchase
from services.sessions.service import Session
from services.subscription.model import State
from tests.fakes import SHAPES, Shape, settle
from tests.replica import Outside, Replica, watch
from tests.shop import ITEMS, PLANS, catalog_with, item, press, press_cart

PLAN, ITEM, CART = press("price_premium_month"), press("price_mug", 2), press_cart(("price_mug", 1), ("price_shirt", 2))
ALL = pytest.mark.parametrize("purchase", [PLAN, ITEM, CART], ids=["plan", "item", "cart"])


async def asked_about(replica: Replica, session: Session, purchase: Purchase) -> Checkout:
    """Press, and return the checkout that the user is asked about before there is a second one."""
    with pytest.raises(CheckoutInProgress) as caught:
        await replica.checkout.start(session, purchase)
    assert isinstance(caught.value.checkout, Checkout)
    return caught.value.checkout


# stripe-node#2462, jarvis#669, Kilo-Org/cloud#1208, polar#6103
class TestASessionThatIsDeadAtStripe:
    @ALL
    @pytest.mark.parametrize("later", [5.0, 3600.0, 23.5 * 3600, 24.5 * 3600, 3 * 86_400.0])
    async def test_a_new_one_is_two_presses_away(
        self, replica: Replica, outside: Outside, purchase: Purchase, later: float
    ) -> None:
        ada = await replica.sign_in()
        dead = await replica.checkout.start(ada, purchase)
        outside.world.sessions[dead.session_id].expired = True
        outside.clock.move(later)

        asked = await asked_about(replica, ada, purchase)
        fresh = await replica.checkout.start(ada, purchase.instead(asked.id))

        assert asked.id == dead.id
        assert outside.world.payable(fresh.session_id)

    @ALL
    async def test_after_the_cancel_page_too(self, replica: Replica, outside: Outside, purchase: Purchase) -> None:
        ada = await replica.sign_in()
        dead = await replica.checkout.start(ada, purchase)
        outside.world.sessions[dead.session_id].expired = True
        outside.clock.move(60)
        await replica.checkout.record_cancel(ada, dead.id)

        fresh = await replica.checkout.start(ada, dead.purchase.instead(dead.id))  # what that page offers

        assert outside.world.payable(fresh.session_id)

    @ALL
    async def test_going_on_with_it_leads_back_to_the_same_two_presses(
        self, replica: Replica, outside: Outside, purchase: Purchase
    ) -> None:
        ada = await replica.sign_in()
        dead = await replica.checkout.start(ada, purchase)
        outside.clock.move(5)
        await replica.checkout.start(ada, purchase.resuming(dead.id))
        outside.clock.move(5)

        asked = await asked_about(replica, ada, purchase)

        fresh = await replica.checkout.start(ada, purchase.instead(asked.id))
        assert fresh.session_id != dead.session_id

    async def test_a_session_of_half_an_hour_is_not_offered_for_a_day(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        outside.payment_ms.told_end = outside.clock.now + timedelta(minutes=30)
        await replica.checkout.start(ada, PLAN)
        tab = watch(replica, ada)
        await settle()
        assert tab.seen[-1].open is not None
        outside.clock.move(31 * 60)

        assert (await replica.ask(ada)).open is None
        await tab.close()


# stripe-php#1336
class TestASuccessAddressThatWasNeverFilledIn:
    @ALL
    @pytest.mark.parametrize("written", ["{CHECKOUT_SESSION_ID}", "%7BCHECKOUT_SESSION_ID%7D", "CHECKOUT_SESSION_ID"])
    async def test_the_purchase_is_found_by_who_came_back(
        self, replica: Replica, outside: Outside, purchase: Purchase, written: str
    ) -> None:
        ada = await replica.sign_in()
        started = await replica.checkout.start(ada, purchase)
        outside.world.pay(started.session_id)
        outside.clock.move(60)

        back = await replica.checkout.record_return(ada, written, started.return_key)

        assert back is not None
        assert back.id == started.id
        assert back.at(CheckoutEvent.RETURNED) is not None

    async def test_without_the_key_the_open_one_is_shown_and_nothing_is_taken_for_paid(
        self, replica: Replica, outside: Outside
    ) -> None:
        ada = await replica.sign_in()
        started = await replica.checkout.start(ada, PLAN)
        outside.clock.move(60)

        back = await replica.checkout.record_return(ada, "{CHECKOUT_SESSION_ID}")

        assert back is not None
        assert (back.id, back.events) == (started.id, {})


# pay#575
class TestAnItemPaidInABrowserThatNeverCameBack:
    @pytest.mark.parametrize("later", [1.0, 3600.0, 30 * 3600.0, 3.9 * 86_400])
    @pytest.mark.parametrize("quantity", [2, 1])
    async def test_before_a_second_one_the_user_is_told_of_the_first(
        self, replica: Replica, outside: Outside, later: float, quantity: int
    ) -> None:
        ada = await replica.sign_in()
        paid = await replica.checkout.start(ada, ITEM)
        outside.world.pay(paid.session_id)
        outside.clock.move(later)

        asked = await asked_about(replica, ada, press("price_mug", quantity))

        assert asked.id == paid.id
        assert len(outside.world.sessions) == 1

    async def test_another_item_is_no_second_one(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        await replica.checkout.start(ada, ITEM)
        outside.clock.move(60)

        await replica.checkout.start(ada, press("price_shirt"))

    async def test_after_the_return_one_more_is_a_question_and_can_be_bought(
        self, replica: Replica, outside: Outside
    ) -> None:
        """Whether that order was paid, nobody says: with a delayed method it takes days."""
        ada = await replica.sign_in()
        bought = await replica.checkout.start(ada, ITEM)
        outside.world.pay(bought.session_id)
        await replica.come_back(ada, bought)
        outside.clock.move(60)

        with pytest.raises(CheckoutInProgress):
            await replica.checkout.start(ada, ITEM)
        again = await replica.checkout.start(ada, ITEM.instead(bought.id))

        assert again.session_id != bought.session_id


# gameserverapp#1216
class TestADelayedMethod:
    @pytest.mark.parametrize("shape", SHAPES)
    async def test_complete_and_unpaid_it_is_processed_and_then_a_question(self, shape: Shape) -> None:
        """The browser is back from a checkout that Stripe calls complete; the money comes days later."""
        outside = Outside(shape)
        replica = Replica(outside)
        ada = await replica.sign_in()
        started = await replica.checkout.start(ada, PLAN)
        subscription = outside.world.pay(started.session_id)
        await replica.come_back(ada, started)
        assert subscription is not None

        outside.clock.move(60)
        assert (await replica.ask(ada)).current.state is State.CONFIRMING
        assert (await asked_about(replica, ada, PLAN)).id == started.id
        outside.clock.move(2.5 * 86_400)
        with pytest.raises(PurchaseUnconfirmed):
            await replica.checkout.start(ada, press("price_basic_month"))
        outside.world.deliver_all()
        outside.clock.move(5)

        assert (await replica.ask(ada)).current.state is State.ACTIVE
        assert len(outside.world.sessions) == 1


# Furnix#100
class TestACartThatLostItsConnection:
    async def test_a_dearer_item_is_a_review_and_no_sale(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        await replica.cart.add("a", "price_mug", 2)
        fields = (await replica.cart.read("a")).purchase.cart_fields
        outside.catalog = catalog_with(PLANS, [item("mug", 9900), *ITEMS[1:]])

        held = await replica.cart.read("a")
        with pytest.raises(CatalogChanged):
            await replica.checkout.start(ada, held.purchase.shown_as_cart(fields))

        assert not outside.world.sessions

    async def test_a_cart_changed_in_another_tab_is_a_review_too(self, replica: Replica) -> None:
        await replica.cart.add("a", "price_mug", 2)
        fields = (await replica.cart.read("a")).purchase.cart_fields
        await replica.cart.add("a", "price_shirt")

        held = await replica.cart.read("a")

        with pytest.raises(CartChanged):
            held.purchase.shown_as_cart(fields)

    async def test_an_unchanged_one_is_sold(self, replica: Replica) -> None:
        ada = await replica.sign_in()
        await replica.cart.add("a", "price_mug", 2)
        held = (await replica.cart.read("a")).purchase

        checkout = await replica.checkout.start(ada, held.shown_as_cart(held.cart_fields))

        assert checkout.total == 1000


# the truth: paid in one tab, Stripe's back link in another
class TestTheBackLinkAfterPayingInAnotherTab:
    @pytest.mark.parametrize("price", ["price_premium_month", "price_premium_year", "price_basic_month"])
    @pytest.mark.parametrize("later", [1.0, 3600.0, 25 * 3600.0, 3.5 * 86_400])
    async def test_no_second_subscription_is_sold_unasked(
        self, replica: Replica, outside: Outside, price: str, later: float
    ) -> None:
        ada = await replica.sign_in()
        started = await replica.checkout.start(ada, PLAN)
        outside.world.pay(started.session_id)
        outside.clock.move(5)
        await replica.checkout.record_cancel(ada, started.id)
        outside.clock.move(later)

        assert (await asked_about(replica, ada, press(price))).id == started.id

    @ALL
    async def test_twenty_four_presses_at_once_open_one_session(
        self, replica: Replica, outside: Outside, purchase: Purchase
    ) -> None:
        ada = await replica.sign_in()

        found = await asyncio.gather(*(replica.checkout.start(ada, purchase) for _press in range(24)))

        assert len({one.session_id for one in found}) == len(outside.world.sessions) == 1
