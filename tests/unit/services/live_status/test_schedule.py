"""How often a user is asked about, and what makes the watcher look at once."""

import asyncio
from datetime import timedelta

import pytest

from services.checkout_record import CheckoutEvent
from services.live_status.poller import TOGETHER
from services.live_status.schedule import (
    BILLING_INTERVALS,
    POLL_INTERVALS,
    PollSchedule,
    StripeReturn,
    interval_after,
    jitter,
    wait_for,
)
from services.subscription.model import State
from tests.fakes import START, settle
from tests.replica import Outside, Replica, watch
from tests.unit.services.live_status.status_asked import buy, looks
from tests.unit.services.subscription.snapshot_tables import checkout, customer_status

RETURNED = checkout(started=60, events=[(CheckoutEvent.RETURNED, 0)])


class TestPace:
    @pytest.mark.parametrize(
        ("since", "pace"),
        [(0, 1), (29, 1), (30, 2), (59, 2), (60, 5), (119, 5), (120, 15), (299, 15), (300, 60), (9999, 60)],
    )
    def test_the_table(self, since: float, pace: float) -> None:
        assert interval_after(since) == pace

    @pytest.mark.parametrize(("since", "pace"), [(0, 5), (29, 5), (30, 10), (59, 10), (60, 15), (299, 15), (300, 60)])
    def test_billing_is_asked_far_less_often(self, since: float, pace: float) -> None:
        assert interval_after(since, BILLING_INTERVALS) == pace

    def test_after_a_return_the_account_is_asked_and_billing_when_it_is_due(self) -> None:
        one, waiting = PollSchedule(StripeReturn(START)), customer_status("", "silent", RETURNED)
        scopes = []
        for second in range(61):
            now = START + timedelta(seconds=second)
            scopes.append(scope := one.scope(now))
            one.asked(waiting, now, scope)

        billing = [second for second, scope in enumerate(scopes) if scope != "account"]
        assert billing == [5, 10, 15, 20, 25, 35, 45, 55, 60]
        assert [second for second, scope in enumerate(scopes) if scope == "all"] == [60]

    def test_the_full_look_of_a_page_that_begins_to_watch_is_not_made_twice(self) -> None:
        one, minute = PollSchedule(None, looked_at_all=START), timedelta(minutes=1)

        assert PollSchedule(None).scope(START + minute) == "all"
        assert [one.scope(START + count * minute) for count in (1, 4, 5)] == ["relevant", "relevant", "all"]

    def test_failures_of_billing_make_its_questions_rarer_and_not_those_in_between(self) -> None:
        one, failed = PollSchedule(StripeReturn(START)), customer_status("!", "silent", RETURNED)
        one.asked(failed, START, "relevant")
        for second in range(1, 5):
            one.asked(failed, START + timedelta(seconds=second), "account")

        assert one.interval(failed, START) == 2

    def test_it_slows_down_and_never_up(self) -> None:
        assert [until for until, _schedule in POLL_INTERVALS] == sorted(until for until, _schedule in POLL_INTERVALS)
        assert [pace for _until, pace in POLL_INTERVALS] == sorted(pace for _until, pace in POLL_INTERVALS)

    @pytest.mark.parametrize(("failures", "pace"), [(0, 1), (1, 2), (3, 8), (6, 60), (50, 60)])
    def test_failures_in_a_row_double_it(self, failures: int, pace: float) -> None:
        one, failed = PollSchedule(StripeReturn(START)), customer_status("!", "silent")
        for _failure in range(failures):
            one.asked(failed, START, "relevant")

        assert one.interval(failed, START) == pace
        one.asked(customer_status("", "silent"), START, "relevant")
        assert one.interval(failed, START) == 1

    @pytest.mark.parametrize(("back", "pace"), [(56, 2), (59, 1), (59.5, 0.5), (60, 5), (598, 2), (600, 60)])
    def test_the_moments_at_which_the_words_change_are_not_missed(self, back: float, pace: float) -> None:
        waiting = customer_status("", "silent", checkout(started=700, events=[(CheckoutEvent.RETURNED, back)]))

        assert PollSchedule(None).interval(waiting, START) == pace

    def test_pauses_of_a_minute_are_spread(self) -> None:
        pauses = [jitter(60) for _pause in range(400)]

        assert 54 <= min(pauses) < 55
        assert 65 < max(pauses) <= 66

    async def test_waiting_ends_with_its_time_or_its_event(self) -> None:
        event = asyncio.Event()
        await wait_for(event, 0.001)
        assert not event.is_set()
        event.set()
        await wait_for(event, 60)

    async def test_back_from_checkout_is_looked_at_each_second(self, replica: Replica, outside: Outside) -> None:
        """Also when no page was connected yet at the moment of the return."""
        ada = await replica.sign_in()
        checkout = await replica.click(ada)
        outside.world.pay(checkout.session_id)
        await replica.come_back(ada, checkout)
        outside.clock.move(1.5)
        tab = watch(replica, ada)
        await settle()
        before = looks(outside)

        await outside.clock.advance(20)
        assert 19 <= looks(outside) - before <= 21
        assert tab.state == State.CONFIRMING

        outside.world.deliver_all()
        await outside.clock.advance(1.01)
        assert tab.state == State.ACTIVE
        await tab.close()

    async def test_a_purchase_costs_the_payment_ms_few_questions(self, replica: Replica, outside: Outside) -> None:
        """Its webhooks are due, and one that meets a question of ours breaks it."""
        ada = await replica.sign_in()
        checkout = await replica.click(ada)
        outside.world.pay(checkout.session_id)
        await replica.checkout.record_return(ada, checkout.session_id, checkout.return_key)
        tab = watch(replica, ada)
        await outside.clock.advance(2)
        outside.world.deliver_all()

        await outside.clock.advance(50)

        assert tab.state == State.ACTIVE
        assert len(outside.payment_ms.switch.calls) <= 6
        await tab.close()

    async def test_without_a_word_of_the_account_the_record_is_found_in_seconds_and_ends_the_asking(
        self, replica: Replica, outside: Outside
    ) -> None:
        outside.world.account_speaks = False
        ada = await replica.sign_in()
        checkout = await replica.click(ada)
        outside.world.pay(checkout.session_id)
        await replica.checkout.record_return(ada, checkout.session_id, checkout.return_key)
        tab = watch(replica, ada)
        await outside.clock.advance(2)
        outside.world.deliver_all()

        await outside.clock.advance(4)
        assert tab.state == State.ON_RECORD
        before = len(outside.payment_ms.switch.calls)
        await outside.clock.advance(50)

        assert len(outside.payment_ms.switch.calls) == before
        await tab.close()

    async def test_back_from_the_portal_is_looked_at_each_second(self, replica: Replica, outside: Outside) -> None:
        buy(outside)
        ada = await replica.sign_in()
        await replica.portal.open(ada, "/account")
        await replica.portal.record_return(ada)
        tab = watch(replica, ada)
        await settle()
        before = looks(outside)

        await outside.clock.advance(10)

        assert 9 <= looks(outside) - before <= 11
        await tab.close()

    async def test_a_switch_to_another_product_is_found_within_seconds(
        self, replica: Replica, outside: Outside
    ) -> None:
        buy(outside, "price_basic_month")
        outside.world.lists_both = False
        ada = await replica.sign_in()
        tab = watch(replica, ada)
        await settle()
        await replica.portal.open(ada, "/account")
        outside.world.switch(outside.world.live("ada")[0], "price_premium_year")
        await replica.portal.record_return(ada)
        await outside.clock.advance(3)
        outside.world.deliver_all()

        await outside.clock.advance(6)

        assert tab.seen[-1].current.plan_id == "premium"
        assert tab.state == State.ACTIVE
        await tab.close()

    async def test_idle_users_are_asked_about_once_a_minute_and_only_what_can_differ(
        self, replica: Replica, outside: Outside
    ) -> None:
        buy(outside)
        tab = watch(replica, await replica.sign_in())
        await settle()
        before = len(outside.payment_ms.switch.calls)

        await outside.clock.advance(240)

        asked = outside.payment_ms.switch.calls[before:]
        assert asked == [("subscription", "ada", "prod_premium")] * 4
        await outside.clock.advance(120)
        assert ("subscription", "ada", "prod_basic") in outside.payment_ms.switch.calls[before:]
        await tab.close()

    async def test_a_tab_that_becomes_visible_looks_at_once(self, replica: Replica, outside: Outside) -> None:
        tab = watch(replica, await replica.sign_in())
        await outside.clock.advance(30)
        buy(outside)

        tab.look_now()
        await outside.clock.advance(TOGETHER.total_seconds())

        assert tab.state == State.ACTIVE
        await tab.close()

    async def test_tabs_that_are_brought_back_together_share_one_question(
        self, replica: Replica, outside: Outside
    ) -> None:
        ada = await replica.sign_in()
        tabs = [watch(replica, ada) for _tab in range(100)]
        await outside.clock.advance(30)
        before = looks(outside)
        for tab in tabs:
            tab.look_now()
            await outside.clock.advance(TOGETHER.total_seconds() / 200)
        buy(outside)
        await outside.clock.advance(5)

        assert looks(outside) == before + 1
        assert {tab.state for tab in tabs} == {State.ACTIVE}
        for tab in tabs:
            await tab.close()

    async def test_a_look_is_answered_by_no_question_that_began_before_it(
        self, replica: Replica, outside: Outside
    ) -> None:
        ada = await replica.sign_in()
        first, second = watch(replica, ada), watch(replica, ada)
        await outside.clock.advance(30)
        first.look_now()
        await outside.clock.advance(TOGETHER.total_seconds())
        before = looks(outside)
        buy(outside)

        second.look_now()
        await outside.clock.advance(1.1)

        assert looks(outside) == before + 1
        assert first.state == State.ACTIVE
        await first.close()
        await second.close()

    async def test_news_that_comes_within_a_second_of_an_answer_is_asked_about_all_the_same(
        self, replica: Replica, outside: Outside
    ) -> None:
        tab = watch(replica, await replica.sign_in())
        await outside.clock.advance(30)
        await replica.status.poll_once("ada")
        await settle()
        buy(outside)

        await replica.status.poll_once("ada")
        await outside.clock.advance(1.5)

        assert tab.state == State.ACTIVE
        await tab.close()

    async def test_a_question_asked_for_during_another_is_asked_after_it(
        self, replica: Replica, outside: Outside
    ) -> None:
        buy(outside)
        tab = watch(replica, await replica.sign_in())
        await outside.clock.advance(30)
        outside.payment_ms.switch.gate = asyncio.Event()
        tab.look_now()
        await outside.clock.advance(TOGETHER.total_seconds())
        assert outside.payment_ms.switch.in_flight == 1
        before = looks(outside)

        await replica.status.poll_once("ada")
        outside.payment_ms.switch.gate.set()
        await outside.clock.advance(1.1)

        assert looks(outside) == before + 1
        await tab.close()

    async def test_a_page_opened_soon_after_another_asks_nobody(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        await replica.refresher.ask(ada)
        before = looks(outside)
        outside.clock.move(1.5)

        tab = watch(replica, ada)
        await settle()
        assert looks(outside) == before
        assert tab.state == State.NONE

        await outside.clock.advance(1)
        other = watch(replica, ada)
        await settle()
        assert looks(outside) == before + 1
        await tab.close()
        await other.close()

    async def test_a_push_makes_the_watcher_look_at_everything(self, replica: Replica, outside: Outside) -> None:
        tab = watch(replica, await replica.sign_in())
        await outside.clock.advance(5)
        buy(outside, "price_basic_month")

        await replica.status.poll_once("ada")
        await settle()

        assert tab.seen[-1].current.plan_id == "basic"
        await tab.close()
