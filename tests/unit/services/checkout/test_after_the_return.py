"""After the return from a plan's checkout: what may be sold before, and after, a service has spoken of it."""

import pytest

from services.checkout_record import CheckoutEvent
from services.errors import (
    AlreadySubscribed,
    CheckoutInProgress,
    PurchaseUnconfirmed,
    SubscriptionOnRecord,
)
from services.sessions.service import Session
from services.subscription.model import State
from tests.fakes import settle
from tests.replica import BOB, Outside, Replica, watch
from tests.unit.services.checkout.presses import BASIC, MONTH, YEAR


class TestAfterTheReturn:
    async def test_coming_back_blocks_the_group_until_a_service_confirms(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        checkout = await replica.click(ada)
        outside.clock.move(60)
        outside.world.pay(checkout.session_id)
        back = await replica.come_back(ada, checkout)

        for price in (MONTH, YEAR, BASIC):
            with pytest.raises(CheckoutInProgress):
                await replica.click(ada, price, instead_of=checkout.id, has_ended=True)

        assert back is not None
        assert back.at(CheckoutEvent.RETURNED) == outside.clock.now

    async def test_confirmed_leads_to_the_portal_then(self, replica: Replica, ada: Session, outside: Outside) -> None:
        checkout = await replica.click(ada)
        outside.world.pay(checkout.session_id)
        outside.world.deliver_all()

        with pytest.raises(AlreadySubscribed):
            await replica.click(ada, BASIC)

        assert (await replica.checkouts.of("ada"))[0].confirmed

    async def test_a_cancel_link_in_a_second_tab_after_paying_sells_nothing_unasked(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        checkout = await replica.click(ada)
        outside.world.pay(checkout.session_id)
        await replica.come_back(ada, checkout)
        outside.clock.move(5)
        await replica.checkout.record_cancel(ada, checkout.id)

        with pytest.raises(PurchaseUnconfirmed):
            await replica.click(ada, BASIC)

    async def test_not_charged_is_an_answer_that_settles_an_unconfirmed_purchase(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        checkout = await replica.click(ada)
        await replica.come_back(ada, checkout)
        outside.clock.move(25 * 3600)
        with pytest.raises(PurchaseUnconfirmed):
            await replica.click(ada)

        await replica.click(ada, has_ended=True)

        assert (await replica.ask(ada)).unconfirmed is None

    async def test_not_charged_says_nothing_of_another_group_s_purchase(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        plan, addon = await replica.click(ada), await replica.click(ada, "price_backup_month")
        await replica.come_back(ada, plan)
        await replica.come_back(ada, addon)
        outside.clock.move(25 * 3600)

        await replica.click(ada, has_ended=True)

        kept = await replica.checkouts.by_id("ada", addon.id)
        assert kept is not None
        assert kept.unconfirmed
        assert not kept.disclaimed
        with pytest.raises(PurchaseUnconfirmed):
            await replica.click(ada, "price_backup_month")

    async def test_a_plain_question_names_the_checkout_that_is_given_up_with_its_answer(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        outside.world.account_speaks = False
        first = outside.world.pay((await replica.click(ada)).session_id)
        assert first is not None
        outside.world.deliver_all()
        outside.clock.move(60)
        opened_since = await replica.click(ada, has_ended=True)
        outside.clock.move(60)
        with pytest.raises(SubscriptionOnRecord) as caught:
            await replica.click(ada, BASIC)

        assert caught.value.also_open is not None
        assert caught.value.also_open.id == opened_since.id
        second = await replica.click(ada, BASIC, has_ended=True, instead_of=opened_since.id)
        assert second.session_id != opened_since.session_id

    async def test_a_return_has_the_account_asked_each_second(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        checkout = await replica.click(ada)
        tab = watch(replica, ada)
        await outside.clock.advance(120)
        asked = outside.auth_ms.switch.count("refresh")
        await outside.clock.advance(5)
        calm = outside.auth_ms.switch.count("refresh") - asked

        await replica.come_back(ada, checkout)
        asked = outside.auth_ms.switch.count("refresh")
        await outside.clock.advance(5)

        assert outside.auth_ms.switch.count("refresh") - asked >= 4 > calm
        await tab.close()

    async def test_an_address_typed_by_hand_is_no_return(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        unpaid = await replica.click(ada)
        outside.clock.move(5)

        for session_id, key in ((unpaid.session_id, ""), (unpaid.session_id, "0" * 32), (None, "")):
            await replica.checkout.record_return(ada, session_id, key)

        assert (await replica.checkouts.of("ada"))[0].events == {}
        assert (await replica.click(ada, instead_of=unpaid.id)).session_id != unpaid.session_id

    async def test_a_row_of_an_earlier_release_without_a_key_is_found_by_its_session(
        self, replica: Replica, ada: Session
    ) -> None:
        old = (await replica.click(ada)).model_copy(update={"return_key": "", "ends_at": None})
        await replica.checkouts.add(old)

        back = await replica.checkout.record_return(ada, old.session_id)

        assert back is not None
        assert back.at(CheckoutEvent.RETURNED) is not None

    @pytest.mark.parametrize("written", ["{CHECKOUT_SESSION_ID}", "%7BCHECKOUT_SESSION_ID%7D"])
    async def test_a_session_id_that_was_never_filled_in_finds_the_checkout_by_who_came_back(
        self, replica: Replica, ada: Session, outside: Outside, written: str
    ) -> None:
        checkout = await replica.click(ada)
        bob = await replica.sign_in(BOB)
        outside.clock.move(60)

        found = await replica.checkout.record_return(ada, written)
        proven = await replica.checkout.record_return(ada, written, checkout.return_key)

        assert found is not None
        assert (found.id, found.at(CheckoutEvent.RETURNED)) == (checkout.id, None)
        assert proven is not None
        assert proven.at(CheckoutEvent.RETURNED) is not None
        assert await replica.checkout.record_return(bob, written, checkout.return_key) is None

    async def test_a_session_of_somebody_else_or_of_nobody_changes_nothing(
        self, replica: Replica, ada: Session
    ) -> None:
        checkout = await replica.click(ada)
        bob = await replica.sign_in(BOB)

        assert await replica.come_back(bob, checkout) is None
        assert await replica.checkout.record_return(ada, None) is None
        assert await replica.checkout.record_cancel(bob, checkout.id) is None
        assert await replica.checkout.record_cancel(ada, None) is None
        assert (await replica.checkouts.of("ada"))[0].events == {}

    async def test_a_replayed_return_keeps_the_first_time(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        checkout = await replica.click(ada)
        first = await replica.come_back(ada, checkout)
        outside.clock.move(60)

        assert await replica.come_back(ada, checkout) == first

    async def test_somebody_whose_subscription_ended_can_subscribe_again(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        bought = await replica.click(ada)
        subscription = outside.world.pay(bought.session_id)
        assert subscription is not None
        outside.world.deliver_all()
        await replica.come_back(ada, bought)
        await replica.ask(ada)
        outside.world.set_status(subscription, "canceled")
        outside.world.deliver_all()

        again = await replica.click(ada)
        await replica.come_back(ada, again)

        assert again.session_id != bought.session_id
        assert again.known_subscriptions == (subscription.id,)
        assert (await replica.ask(ada)).current.state == "confirming"

    async def test_a_payment_that_only_billing_heard_of_is_not_sold_again_to_a_former_subscriber(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        """The account still calls the earlier subscription canceled, and the browser never came back."""
        first = outside.world.pay((await replica.click(ada)).session_id)
        assert first is not None
        outside.world.deliver_all()
        outside.clock.move(60)
        await replica.ask(ada)
        outside.world.set_status(first, "canceled")
        outside.world.deliver_all()
        outside.clock.move(60)
        outside.world.pay((await replica.click(ada)).session_id)
        outside.world.deliver_all(("billing",))
        outside.clock.move(60)

        with pytest.raises(SubscriptionOnRecord):
            await replica.click(ada, BASIC)

    async def test_on_record_is_sold_beside_only_after_a_plain_answer(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        outside.world.account_speaks = False
        checkout = await replica.click(ada)
        outside.world.pay(checkout.session_id)
        outside.world.deliver_all()
        outside.clock.move(5)

        with pytest.raises(SubscriptionOnRecord):
            await replica.click(ada)

        assert (await replica.click(ada, has_ended=True)).known_subscriptions == ("sub_2",)

    async def test_what_a_press_is_refused_for_is_told_to_the_open_tabs(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        """Else the question stands above "No subscription yet"."""
        outside.world.account_speaks = False
        tab = watch(replica, ada)
        await settle()
        outside.clock.move(5)
        outside.world.pay(outside.world.open_session("subscription", "ada", (("price_premium_month", 1),), "", ""))
        outside.world.deliver_all()

        with pytest.raises(SubscriptionOnRecord):
            await replica.click(ada)

        assert tab.state == State.ON_RECORD
        await tab.close()
