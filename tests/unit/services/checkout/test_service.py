"""Starting a subscription's checkout: one open session at a time, whoever clicks how often on which replica."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from services.checkout_record import CheckoutEvent
from services.errors import (
    AlreadySubscribed,
    CatalogChanged,
    CheckoutInProgress,
    FrontendError,
    InvalidQuantity,
    LockLost,
    PaymentUnknown,
    PortalNewsDue,
    PriceNotSold,
    PurchaseUnconfirmed,
    RateLimited,
    RequestRefused,
    StatusUnknown,
    StoreUnavailable,
    SubscriptionOnRecord,
    UnsafeRedirect,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from services.rate_limits import Policy
from services.sessions.service import Session
from services.subscription.model import State
from tests.fakes import BILLING_DOWN, settle
from tests.replica import BOB, Outside, Replica, watch
from tests.shop import PLANS, catalog_with, press, without

MONTH, YEAR, BASIC = "price_premium_month", "price_premium_year", "price_basic_month"
DAY = 86_400.0


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def replica(outside: Outside) -> Replica:
    return Replica(outside)


@pytest_asyncio.fixture
async def ada(replica: Replica) -> AsyncIterator[Session]:
    yield await replica.sign_in()
    await replica.checkout.finish()


def opened(outside: Outside) -> int:
    """How many checkouts the Payment MS was asked for."""
    return len(outside.payment_ms.checkout_switch.calls)


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


class TestFaultsAtCheckout:
    async def test_a_lost_answer_is_asked_for_again_under_the_same_key(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        outside.payment_ms.lose_answers = True
        with pytest.raises(UpstreamTimeout):
            await replica.click(ada)
        outside.payment_ms.lose_answers = False
        outside.clock.move(60)

        checkout = await replica.click(ada)

        assert len(set(outside.payment_ms.keys)) == 1
        assert list(outside.world.sessions) == [checkout.session_id]
        assert outside.world.sessions[checkout.session_id].cancel_url.endswith(f"?checkout={checkout.id}")

    async def test_a_lost_answer_is_not_asked_for_under_an_old_key(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        """A session opened long ago would be handed out for longer than Stripe keeps it."""
        outside.payment_ms.lose_answers = True
        with pytest.raises(UpstreamTimeout):
            await replica.click(ada)
        outside.payment_ms.lose_answers = False
        outside.clock.move(3600)

        await replica.click(ada)

        assert len(set(outside.payment_ms.keys)) == 2

    @pytest.mark.parametrize(
        "lost",
        [
            UpstreamFailed("payment_ms", "checkout_subscription", "hung up", reason="reset"),
            UpstreamUnavailable("payment_ms", "checkout_subscription", "no connection"),
        ],
        ids=["reset", "no connection"],
    )
    async def test_a_connection_that_broke_keeps_the_key(
        self, replica: Replica, ada: Session, outside: Outside, lost: FrontendError
    ) -> None:
        """The session may have been opened all the same: a second one under another key could be paid as well."""
        outside.payment_ms.lost_answer = lost
        with pytest.raises(type(lost)):
            await replica.click(ada)
        outside.payment_ms.lost_answer = None
        outside.clock.move(60)

        checkout = await replica.click(ada)

        assert len(set(outside.payment_ms.keys)) == 1
        assert list(outside.world.sessions) == [checkout.session_id]

    async def test_the_key_is_dropped_once_the_session_is_remembered(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        await replica.click(ada)

        assert await outside.store.keys("attempt:") == []

    @pytest.mark.parametrize("error", [RequestRefused("payment_ms", "checkout"), BILLING_DOWN])
    async def test_an_answered_failure_ends_the_attempt(
        self, replica: Replica, ada: Session, outside: Outside, error: Exception
    ) -> None:
        outside.payment_ms.checkout_switch.error = error  # type: ignore[assignment]
        with pytest.raises(type(error)):
            await replica.click(ada)
        outside.payment_ms.checkout_switch.error = None

        await replica.click(ada)

        assert len(set(outside.payment_ms.keys)) == 2

    async def test_an_unsafe_address_is_never_remembered_and_never_asked_for_again(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        outside.payment_ms.checkout_host = "checkout.stripe.com.evil.example"
        with pytest.raises(UnsafeRedirect):
            await replica.click(ada)
        assert await replica.checkouts.of("ada") == ()
        outside.payment_ms.checkout_host = "checkout.stripe.com"

        assert (await replica.click(ada)).url.startswith("https://checkout.stripe.com/")
        assert len(set(outside.payment_ms.keys)) == 2

    async def test_a_browser_that_leaves_cuts_nothing_off(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        outside.payment_ms.checkout_switch.gate = asyncio.Event()
        press = asyncio.create_task(replica.click(ada))
        await settle()
        assert outside.payment_ms.checkout_switch.in_flight == 1

        press.cancel()
        await settle()
        outside.payment_ms.checkout_switch.gate.set()
        await replica.checkout.finish()

        assert press.cancelled()
        assert (await replica.click(ada)).session_id == "cs_test_1"
        assert opened(outside) == 1

    async def test_a_checkout_that_is_cut_off_at_shutdown_is_no_error(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        reported: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
        outside.payment_ms.checkout_switch.gate = asyncio.Event()
        before = asyncio.all_tasks()
        press = asyncio.create_task(replica.click(ada))
        await settle()
        assert outside.payment_ms.checkout_switch.in_flight == 1

        for task in asyncio.all_tasks() - before:
            task.cancel()
        await settle()

        assert press.cancelled()
        assert reported == []

    async def test_without_its_store_nothing_is_sold(self, replica: Replica, ada: Session, outside: Outside) -> None:
        outside.store.broken = True

        with pytest.raises(StoreUnavailable):
            await replica.click(ada)

        assert opened(outside) == 0

    async def test_a_session_that_cannot_be_remembered_is_handed_to_nobody(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        outside.payment_ms.checkout_switch.gate = asyncio.Event()
        press = asyncio.create_task(replica.click(ada))
        await settle()
        outside.store.broken = True
        outside.payment_ms.checkout_switch.gate.set()

        with pytest.raises(StoreUnavailable):
            await press

        outside.store.broken = False
        assert (await replica.click(ada)).session_id == "cs_test_1"  # the same attempt goes on
        assert len(set(outside.payment_ms.keys)) == 1

    async def test_a_session_started_over_is_a_new_one_also_after_a_store_that_failed_at_the_very_end(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        await replica.ask(ada)
        for after in range(30):
            outside.store.break_after = after
            try:
                first = await replica.click(ada)
            except StoreUnavailable:
                first = None
            outside.store.broken, outside.store.break_after = False, None
            known = first or next(iter(await replica.checkouts.of("ada")), None)
            if known is None:
                continue

            fresh = await replica.click(ada, instead_of=known.id)

            assert fresh.id != known.id
            assert fresh.open(outside.clock.now)
            for one in await replica.checkouts.of("ada"):
                await replica.checkout.record_cancel(ada, one.id)
                await outside.store.delete("checkouts:ada")

    async def test_what_was_opened_under_a_lost_lock_is_handed_to_nobody(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        outside.store.lose_lock = "checkout:"

        with pytest.raises(LockLost):
            await replica.click(ada)

        assert not (await replica.checkouts.of("ada"))[0].open(outside.clock.now)

    async def test_nothing_is_sold_while_a_service_cannot_be_asked(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        outside.payment_ms.switch.error = BILLING_DOWN

        with pytest.raises(StatusUnknown):
            await replica.click(ada)

        assert opened(outside) == 0

    async def test_both_services_are_looked_at_afresh_before_a_session_is_handed_out_once_more(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        """Given up, then another one paid, all within the second in which another replica's answer is shared."""
        other = Replica(outside)
        given_up = await replica.click(ada)
        paid = await replica.click(ada, YEAR, instead_of=given_up.id)
        outside.world.pay(paid.session_id)
        await other.come_back(ada, paid)
        outside.world.deliver_all()
        await other.ask(ada)

        with pytest.raises(AlreadySubscribed):
            await replica.click(ada)

    async def test_both_services_are_looked_at_afresh_before_each_new_session(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        await replica.refresher.ask(ada, "all")
        subscription = outside.world.pay(outside.world.open_session("subscription", "ada", ((BASIC, 1),), "", ""))
        outside.world.deliver_all()

        with pytest.raises(AlreadySubscribed):  # within the second in which an answer is shared
            await replica.click(ada)

        assert subscription is not None


class TestWhatIsAskedFor:
    async def test_the_payment_ms_gets_our_ids_and_addresses(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        checkout = await replica.click(ada)
        session = outside.world.sessions[checkout.session_id]

        assert session.customer == "ada"
        assert session.success_url == (
            f"https://shop.example/payment/success?session_id={{CHECKOUT_SESSION_ID}}&key={checkout.return_key}"
        )
        assert len(checkout.return_key) == 32
        assert checkout.return_key not in checkout.url + checkout.id + session.cancel_url
        assert session.cancel_url == f"https://shop.example/payment/cancel?checkout={checkout.id}"
        assert (checkout.plan_id, checkout.interval, checkout.total, checkout.currency) == (
            "premium", "month", 2900, "usd",
        )  # fmt: skip

    async def test_what_the_catalog_does_not_sell_is_refused(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        sold = press(MONTH)
        outside.catalog = without("premium")

        with pytest.raises(PriceNotSold):
            await replica.checkout.start(ada, sold)

    async def test_a_plan_is_bought_once(self, replica: Replica, ada: Session) -> None:
        with pytest.raises(InvalidQuantity):
            await replica.click(ada, MONTH, 2)

    @pytest.mark.parametrize(
        "shown",
        [{"amount": 2800}, {"currency": "eur"}, {"interval": "year"}, {"trial_days": 14}, {"product_id": "prod_basic"}],
    )
    async def test_what_was_shown_otherwise_is_not_sold(
        self, replica: Replica, ada: Session, outside: Outside, shown: dict[str, object]
    ) -> None:
        right = press(MONTH)
        wrong = right.model_copy(update={"lines": (right.lines[0].model_copy(update=shown),)})

        with pytest.raises(CatalogChanged):
            await replica.checkout.start(ada, wrong)

        assert opened(outside) == 0
        assert (await replica.checkout.start(ada, right)).total == 2900

    async def test_only_new_sessions_count_towards_the_limit(self, outside: Outside) -> None:
        replica = Replica(outside, policy=Policy("checkout", "1 per minute"))
        ada = await replica.sign_in()
        first = await replica.click(ada)
        for _click in range(5):
            await replica.click(ada)

        with pytest.raises(RateLimited) as caught:
            await replica.click(ada, BASIC, instead_of=first.id)

        assert caught.value.retry_after is not None

    @pytest.mark.parametrize(
        ("told", "life"),
        [
            (timedelta(minutes=30), timedelta(minutes=30)),
            (None, timedelta(hours=2)),
            (timedelta(days=900), timedelta(hours=2)),
        ],
        ids=["told", "set", "nonsense"],
    )
    async def test_a_session_ends_when_the_service_says_so_or_the_setting(
        self, outside: Outside, told: timedelta | None, life: timedelta
    ) -> None:
        replica = Replica(outside, session_life=timedelta(hours=2))
        ada = await replica.sign_in()
        outside.payment_ms.told_end = outside.clock.now + told if told is not None else None

        checkout = await replica.click(ada)

        assert checkout.expires_at == outside.clock.now + life
        outside.clock.move(life.total_seconds() * 0.7)
        assert checkout.reusable(outside.clock.now)
        outside.clock.move(life.total_seconds() * 0.1)
        assert not checkout.reusable(outside.clock.now)
        outside.clock.move(life.total_seconds() * 0.3)
        assert not checkout.open(outside.clock.now)

    async def test_other_tabs_hear_of_a_session_that_is_handed_out_once_more(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        checkout = await replica.click(ada)
        await replica.checkout.record_cancel(ada, checkout.id)
        tab = watch(replica, ada)
        await settle()
        assert tab.seen[-1].open is None
        outside.clock.move(60)

        await replica.click(ada, resume=checkout.id)
        await settle()

        assert tab.seen[-1].open is not None
        assert tab.seen[-1].open.session_id == checkout.session_id
        await tab.close()

    async def test_other_tabs_hear_of_a_checkout_that_the_user_came_back_from(
        self, replica: Replica, ada: Session, outside: Outside
    ) -> None:
        tab = watch(replica, ada)
        checkout = await replica.click(ada)
        await settle()
        assert tab.seen[-1].open is not None
        outside.clock.move(5)

        await replica.checkout.record_cancel(ada, checkout.id)
        await settle()

        assert tab.seen[-1].open is None
        await tab.close()

    async def test_other_tabs_hear_of_the_open_checkout(self, replica: Replica, ada: Session) -> None:
        tab = watch(replica, ada)
        await settle()

        checkout = await replica.click(ada)
        await settle()

        assert tab.seen[-1].open is not None
        assert tab.seen[-1].open.session_id == checkout.session_id
        await tab.close()
