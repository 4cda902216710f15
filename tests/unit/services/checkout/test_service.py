"""Starting a subscription's checkout: one open session at a time, whoever clicks how often on which replica."""

import asyncio

import pytest

from services.checkout_record import CheckoutEvent
from services.errors import (
    CheckoutInProgress,
    PaymentUnknown,
    PortalNewsDue,
    PurchaseUnconfirmed,
)
from services.sessions.service import Session
from tests.fakes import BILLING_DOWN
from tests.replica import BOB, Outside, Replica
from tests.shop import PLANS, catalog_with
from tests.unit.services.checkout.presses import BASIC, DAY, MONTH, YEAR, opened


class TestOneSessionAtATime:
    async def test_a_later_press_is_asked_and_gets_the_session_that_it_goes_on_with(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        first = await replica.click(ada)
        outside.clock.move(600)
        with pytest.raises(CheckoutInProgress) as caught:
            await replica.click(ada)
        second = await replica.click(ada, resume=first.id)

        assert caught.value.checkout is not None
        assert caught.value.checkout.id == first.id
        assert second.session_id == first.session_id
        assert second.url == first.url == f"https://checkout.stripe.com/c/pay/{first.session_id}"
        assert opened(outside) == 1
        assert [outcome for _kind, outcome in replica.counted] == ["opened", "checkout_in_progress", "reused"]

    async def test_a_program_gets_the_open_session_again_and_is_asked_about_one_that_is_not(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        first = await replica.click(ada, reuse=True)
        outside.clock.move(600)
        again = await replica.click(ada, reuse=True)
        outside.clock.move(24 * 3600)
        with pytest.raises(CheckoutInProgress):
            await replica.click(ada, reuse=True)

        assert again.session_id == first.session_id

    @pytest.mark.parametrize("later", [1.0, 23.9 * 3600, 24.1 * 3600, 95.9 * 3600])
    async def test_a_dead_session_is_two_presses_from_a_live_one(
        self, replica: Replica, ada: Session, outside: Outside, later: float
    ) -> None:
        dead = await replica.click(ada)
        outside.clock.move(later)
        with pytest.raises(CheckoutInProgress):
            await replica.click(ada)

        fresh = await replica.click(ada, instead_of=dead.id)

        assert fresh.session_id != dead.session_id
        assert fresh.open(outside.clock.now)

    async def test_fifty_clicks_on_two_replicas_open_one_session(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        other = Replica(outside, name="replica-2")
        clicks = [one.click(ada) for one in (replica, other) for _click in range(25)]

        found = await asyncio.gather(*clicks)

        assert {checkout.session_id for checkout in found} == {"cs_test_1"}
        assert opened(outside) == 1

    async def test_twenty_clicks_on_different_buttons_leave_one_session_open(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        prices = [MONTH, BASIC, YEAR, "price_basic_year"] * 5

        found = await asyncio.gather(*(replica.click(ada, price) for price in prices), return_exceptions=True)

        assert opened(outside) == 1
        refused = [one for one in found if isinstance(one, CheckoutInProgress)]
        assert len(refused) == 15
        assert {one.checkout.session_id for one in refused if one.checkout} == {"cs_test_1"}

    async def test_two_users_do_not_share_a_session(self, replica: Replica, ada: Session) -> None:
        bob = await replica.sign_in(BOB)

        assert (await replica.click(ada)).session_id != (await replica.click(bob)).session_id

    async def test_another_plan_is_refused_with_the_open_checkout(self, replica: Replica, ada: Session) -> None:
        first = await replica.click(ada)

        for price in (BASIC, YEAR):
            with pytest.raises(CheckoutInProgress) as caught:
                await replica.click(ada, price)
            assert caught.value.checkout is not None
            assert caught.value.checkout.session_id == first.session_id

    async def test_another_plan_instead_gives_the_first_one_up(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        first = await replica.click(ada)
        outside.clock.move(60)

        second = await replica.click(ada, BASIC, instead_of=first.id)
        again = await replica.click(ada, BASIC, instead_of=first.id)

        assert again.session_id == second.session_id != first.session_id
        assert [c.open(outside.clock.now) for c in await replica.checkouts.of("ada")] == [True, False]

    async def test_an_open_checkout_stays_open_when_the_one_instead_fails(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        first = await replica.click(ada)
        outside.payment_ms.checkout_switch.error = BILLING_DOWN

        with pytest.raises(type(BILLING_DOWN)):
            await replica.click(ada, BASIC, instead_of=first.id)

        assert (await replica.checkouts.of("ada"))[0].open(outside.clock.now)

    async def test_naming_some_other_checkout_gives_up_nothing(self, replica: Replica, ada: Session) -> None:
        await replica.click(ada)

        with pytest.raises(CheckoutInProgress):
            await replica.click(ada, BASIC, instead_of="another")

    @pytest.mark.parametrize("price", [MONTH, YEAR, BASIC])
    async def test_after_stripes_back_link_the_next_press_is_asked_whether_it_was_paid_in_another_tab(
        self, replica: Replica, ada: Session, outside: Outside, price: str
    ) -> None:
        first = await replica.click(ada)
        outside.clock.move(60)
        canceled = await replica.checkout.record_cancel(ada, first.id)
        outside.clock.move(60)
        with pytest.raises(CheckoutInProgress) as caught:
            await replica.click(ada, price)

        second = await replica.click(ada, price, instead_of=first.id)

        assert canceled is not None
        assert canceled.at(CheckoutEvent.CANCELED) is not None
        assert caught.value.checkout is not None
        assert caught.value.checkout.id == first.id
        assert second.session_id != first.session_id

    @pytest.mark.parametrize("later", [96.1 * 3600, 399 * DAY, 401 * DAY, 3 * 366 * DAY])
    @pytest.mark.parametrize("price", [MONTH, BASIC])
    async def test_an_old_checkout_that_may_have_been_paid_is_asked_about_once(
        self, replica: Replica, ada: Session, outside: Outside, later: float, price: str
    ) -> None:
        """A Payment MS can lose the news of a purchase for good: no time is long enough to sell one more unasked."""
        first = await replica.click(ada)
        outside.clock.move(later)
        ada = await replica.sign_in()
        for answer in ({}, {"resume": first.id}, {"reuse": True}, {"has_ended": True}):
            with pytest.raises(PaymentUnknown) as caught:
                await replica.click(ada, price, **answer)
            assert caught.value.checkout is not None
            assert caught.value.checkout.id == first.id

        second = await replica.click(ada, price, instead_of=first.id)

        assert second.session_id != first.session_id
        outside.clock.move(60)
        with pytest.raises(CheckoutInProgress) as again:
            await replica.click(ada, price)
        assert again.value.checkout is not None
        assert again.value.checkout.id == second.id

    async def test_an_old_checkout_that_billing_heard_of_late_is_not_asked_about_once_it_has_ended(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        bought = await replica.click(ada)
        subscription = outside.world.pay(bought.session_id)
        assert subscription is not None
        outside.clock.move(6 * DAY)
        outside.world.deliver_all()
        await replica.ask(ada)
        outside.world.set_status(subscription, "canceled")
        outside.world.deliver_all()
        outside.clock.move(60)

        assert (await replica.click(ada)).session_id != bought.session_id

    async def test_a_purchase_that_nobody_confirmed_is_asked_about_for_years(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        await replica.come_back(ada, await replica.click(ada))
        outside.clock.move(3 * 366 * DAY)

        with pytest.raises(PurchaseUnconfirmed):
            await replica.click(await replica.sign_in())

    async def test_a_session_that_was_given_up_is_not_handed_out_beside_an_open_one(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        first = await replica.click(ada)
        second = await replica.click(ada, BASIC, instead_of=first.id)
        outside.clock.move(1)

        for answer in ({}, {"resume": first.id}, {"reuse": True}):
            with pytest.raises(CheckoutInProgress) as caught:
                await replica.click(ada, **answer)
            assert caught.value.checkout is not None
            assert caught.value.checkout.session_id == second.session_id

    async def test_a_session_that_was_left_is_the_open_one_again_once_the_user_goes_on_with_it(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        first = await replica.click(ada)
        outside.clock.move(1)
        await replica.checkout.record_cancel(ada, first.id)
        outside.clock.move(1)

        again = await replica.click(ada, resume=first.id)

        assert again.session_id == first.session_id
        assert again.open(outside.clock.now)
        assert opened(outside) == 1
        with pytest.raises(CheckoutInProgress):
            await replica.click(ada, BASIC)

    async def test_a_session_handed_out_again_is_not_taken_for_paid_by_what_came_and_went_meanwhile(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        outside.payment_ms.shape = "documented"
        month = await replica.click(ada)
        year = await replica.click(ada, YEAR, instead_of=month.id)
        subscription = outside.world.pay(year.session_id)
        assert subscription is not None
        await replica.come_back(ada, year)
        outside.world.set_status(subscription, "canceled")
        outside.world.deliver_all()
        outside.clock.move(60)
        again = await replica.click(ada, resume=month.id)
        outside.clock.move(60)
        await replica.ask(ada)

        with pytest.raises(CheckoutInProgress):
            await replica.click(ada, BASIC)
        assert again.session_id == month.session_id

    async def test_start_over_replaces_a_session_that_does_not_work(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        dead = await replica.click(ada)

        fresh = await replica.click(ada, instead_of=dead.id)
        again = await replica.click(ada, instead_of=dead.id)

        assert fresh.session_id == again.session_id != dead.session_id
        assert opened(outside) == 2

    async def test_an_expired_session_is_not_handed_out(self, replica: Replica, ada: Session, outside: Outside) -> None:
        first = await replica.click(ada)
        outside.clock.move(24 * 3600 - 60)

        with pytest.raises(CheckoutInProgress):
            await replica.click(ada, resume=first.id)

    async def test_a_price_whose_amount_changed_is_another_purchase(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        first = await replica.click(ada)
        dearer = [{**plan, "prices": {**plan["prices"]}} if plan.get("prices") else plan for plan in PLANS]
        dearer[2]["prices"]["month"] = {**dearer[2]["prices"]["month"], "amount": 3100}
        outside.catalog = catalog_with(dearer)

        with pytest.raises(CheckoutInProgress):
            await replica.click(ada)
        second = await replica.click(ada, instead_of=first.id)

        assert second.total == 3100
        assert second.session_id != first.session_id

    async def test_an_add_on_is_bought_beside_an_open_checkout(self, replica: Replica, ada: Session) -> None:
        await replica.click(ada)

        assert (await replica.click(ada, "price_backup_month")).group == "addons"

    async def test_after_the_portal_a_plan_beside_an_add_on_is_sold_with_a_question(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        """In the portal the add-on may have become a plan: a second one would be paid beside it."""
        outside.world.pay((await replica.click(ada, "price_backup_month")).session_id)
        outside.world.deliver_all()
        await replica.ask(ada)
        await replica.refresher.note_portal_visit("ada")

        with pytest.raises(PortalNewsDue):
            await replica.click(ada)

        assert (await replica.click(ada, has_ended=True)).group == "main"
