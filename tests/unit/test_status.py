"""Live status: one watcher a user, its pace, what its tabs are told, and that nothing outlives the last of them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from services.auth_ms import User
from services.checkouts import Event
from services.pace import PACE, Pace, pace_after, spread, wait_for
from services.subscription import State
from services.watcher import TOGETHER
from tests.fakes import AUTH_DOWN, BILLING_DOWN, START, settle
from tests.replica import BOB, Outside, Replica, Tab, watch
from tests.unit.evidence_tables import checkout, standing


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest_asyncio.fixture
async def replica(outside: Outside) -> AsyncIterator[Replica]:
    before = asyncio.all_tasks()
    made = Replica(outside)
    yield made
    assert (made.status.watchers, made.status.tabs, made.announcements.count) == (0, 0, 0), "a test left a tab open"
    await settle()
    assert asyncio.all_tasks() - before <= {asyncio.current_task()}


def looks(outside: Outside) -> int:
    """How often the Auth MS was asked: once for each look at both services."""
    return outside.auth_ms.switch.count("refresh")


def buy(outside: Outside, price: str = "price_premium_month", customer: str = "ada") -> None:
    """Have a subscription of this user at Stripe, known to both services."""
    outside.world.pay(outside.world.open_session("subscription", customer, ((price, 1),), "", ""))
    outside.world.deliver_all()


def person(number: int) -> User:
    """Return one of many users."""
    return User(f"user-{number}", f"User {number}", f"user{number}@example.com")


class TestOneWatcher:
    async def test_fifty_tabs_cost_no_more_than_one(self) -> None:
        counts = []
        for many in (1, 50):
            outside = Outside()
            replica = Replica(outside)
            buy(outside)
            ada = await replica.sign_in()
            tabs = [watch(replica, ada) for _tab in range(many)]
            await outside.clock.advance(300)
            counts.append((len(outside.payment_ms.switch.calls), looks(outside)))
            assert replica.status.watchers == 1
            assert replica.status.tabs == many
            for tab in tabs:
                assert tab.state == State.ACTIVE
                await tab.close()
            assert outside.payment_ms.switch.most_in_flight == 1

        assert counts[0] == counts[1]

    async def test_a_change_reaches_every_tab_with_the_poll_that_saw_it(
        self, replica: Replica, outside: Outside
    ) -> None:
        ada = await replica.sign_in()
        tabs = [watch(replica, ada) for _tab in range(20)]
        await settle()
        buy(outside)

        await outside.clock.advance(61)

        assert {tab.state for tab in tabs} == {State.ACTIVE}
        assert {len(tab.seen) for tab in tabs} == {2}
        for tab in tabs:
            await tab.close()

    async def test_what_did_not_change_is_not_pushed_again(self, replica: Replica, outside: Outside) -> None:
        buy(outside)
        tab = watch(replica, await replica.sign_in())

        await outside.clock.advance(600)

        assert looks(outside) > 5
        assert len(tab.seen) == 1
        assert tab._watch.standing is not None
        assert outside.clock.now - tab._watch.standing.as_of <= timedelta(seconds=60)
        await tab.close()

    async def test_nobody_is_asked_about_without_a_tab(self, replica: Replica, outside: Outside) -> None:
        tab = watch(replica, await replica.sign_in())
        await settle()
        await tab.close()
        before = looks(outside)

        await outside.clock.advance(3600)

        assert looks(outside) == before

    async def test_two_hundred_tabs_leave_nothing_behind(self, replica: Replica, outside: Outside) -> None:
        before = asyncio.all_tasks()
        people = [await replica.sign_in(person(number)) for number in range(40)]
        tabs = [watch(replica, people[number % 40]) for number in range(200)]
        await outside.clock.advance(120)
        assert (replica.status.watchers, replica.status.tabs) == (40, 200)

        for tab in tabs:
            await tab.close()
            await tab.close()

        assert (replica.status.watchers, replica.status.tabs, replica.announcements.count) == (0, 0, 0)
        assert asyncio.all_tasks() == before
        assert outside.clock._sleepers == []

    async def test_the_last_tab_may_leave_while_a_question_is_under_way(
        self, replica: Replica, outside: Outside
    ) -> None:
        """The call is completed, not cut off; nobody is told."""
        ada = await replica.sign_in()
        outside.payment_ms.switch.gate = asyncio.Event()
        tab = watch(replica, ada)
        await settle()
        assert outside.payment_ms.switch.in_flight == 1

        await tab.close()
        outside.payment_ms.switch.gate.set()
        await settle()

        assert outside.payment_ms.switch.in_flight == 0
        assert tab.seen == []
        assert await replica.inquiry.remembered("ada") is not None

    async def test_a_failure_after_the_last_tab_left_disturbs_nobody(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        outside.auth_ms.switch.gate = asyncio.Event()
        tab = watch(replica, ada)
        await settle()
        await tab.close()
        outside.auth_ms.sessions.clear()

        outside.auth_ms.switch.gate.set()
        await settle()

        assert tab.signed_out == 0

    async def test_a_page_that_fails_does_not_keep_the_others_from_hearing(
        self, replica: Replica, outside: Outside
    ) -> None:
        ada = await replica.sign_in()

        def fail(_standing: object) -> None:
            raise RuntimeError("a broken page")

        broken = replica.status.watch(ada, fail, lambda: None)
        tab = watch(replica, ada)
        await settle()

        assert tab.state == State.NONE
        broken.close()
        await tab.close()

    async def test_a_tab_that_closes_another_one_spares_it_the_news(self, replica: Replica) -> None:
        ada = await replica.sign_in()
        others: list[Tab] = []
        first = replica.status.watch(ada, lambda _standing: others[0]._watch.close(), lambda: None)
        others.append(watch(replica, ada))
        await settle()

        assert others[0].seen == []
        first.close()


class TestPace:
    @pytest.mark.parametrize(
        ("since", "pace"),
        [(0, 1), (29, 1), (30, 2), (59, 2), (60, 5), (119, 5), (120, 15), (299, 15), (300, 60), (9999, 60)],
    )
    def test_the_table(self, since: float, pace: float) -> None:
        assert pace_after(since) == pace

    def test_it_slows_down_and_never_up(self) -> None:
        assert [until for until, _pace in PACE] == sorted(until for until, _pace in PACE)
        assert [pace for _until, pace in PACE] == sorted(pace for _until, pace in PACE)

    @pytest.mark.parametrize(("failures", "pace"), [(0, 1), (1, 2), (3, 8), (6, 60), (50, 60)])
    def test_failures_in_a_row_double_it(self, failures: int, pace: float) -> None:
        one, failed = Pace(START), standing("!", "silent")
        for _failure in range(failures):
            one.asked(failed, START, full=False)

        assert one.interval(failed, START) == pace
        one.asked(standing("", "silent"), START, full=False)
        assert one.interval(failed, START) == 1

    @pytest.mark.parametrize(("back", "pace"), [(56, 2), (59, 1), (59.5, 0.5), (60, 5), (598, 2), (600, 60)])
    def test_the_moments_at_which_the_words_change_are_not_missed(self, back: float, pace: float) -> None:
        waiting = standing("", "silent", checkout(started=700, events=[(Event.RETURNED, back)]))

        assert Pace(None).interval(waiting, START) == pace

    def test_pauses_of_a_minute_are_spread(self) -> None:
        pauses = {spread(60) for _pause in range(50)}

        assert len(pauses) > 1
        assert all(54 <= pause <= 66 for pause in pauses)

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
        await replica.checkout.came_back(ada, checkout.session_id)
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

    async def test_back_from_the_portal_is_looked_at_each_second(self, replica: Replica, outside: Outside) -> None:
        buy(outside)
        ada = await replica.sign_in()
        await replica.portal.open(ada, "/account")
        await replica.portal.came_back(ada)
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
        await replica.portal.came_back(ada)
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
        await replica.status.poke("ada")
        await settle()
        buy(outside)

        await replica.status.poke("ada")
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

        await replica.status.poke("ada")
        outside.payment_ms.switch.gate.set()
        await outside.clock.advance(1.1)

        assert looks(outside) == before + 1
        await tab.close()

    async def test_a_page_opened_soon_after_another_asks_nobody(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        await replica.inquiry.ask(ada)
        before = looks(outside)
        outside.clock.move(9)

        tab = watch(replica, ada)
        await settle()
        assert looks(outside) == before
        assert tab.state == State.NONE

        await outside.clock.advance(2)
        other = watch(replica, ada)
        await settle()
        assert looks(outside) == before + 1
        await tab.close()
        await other.close()

    async def test_a_push_makes_the_watcher_look_at_everything(self, replica: Replica, outside: Outside) -> None:
        tab = watch(replica, await replica.sign_in())
        await outside.clock.advance(5)
        buy(outside, "price_basic_month")

        await replica.status.poke("ada")
        await settle()

        assert tab.seen[-1].current.plan_id == "basic"
        await tab.close()


class TestFaults:
    async def test_a_failed_poll_keeps_what_is_on_screen(self, replica: Replica, outside: Outside) -> None:
        buy(outside)
        tab = watch(replica, await replica.sign_in())
        await settle()
        outside.payment_ms.switch.error, outside.auth_ms.switch.error = BILLING_DOWN, AUTH_DOWN

        await outside.clock.advance(61)
        assert tab.state == State.ACTIVE
        assert tab.seen[-1].stale
        assert tab.seen[-1].as_of == START

        await outside.clock.advance(120)
        assert tab.state == State.UNAVAILABLE
        assert tab.seen[-1].current.last_known is not None

        outside.payment_ms.switch.error = outside.auth_ms.switch.error = None
        await outside.clock.advance(61)
        assert (tab.state, tab.seen[-1].stale) == (State.ACTIVE, False)
        await tab.close()

    async def test_good_news_that_vanishes_for_one_answer_is_not_shown(
        self, replica: Replica, outside: Outside
    ) -> None:
        buy(outside)
        tab = watch(replica, await replica.sign_in())
        await settle()
        rows, asked = dict(outside.world.billing), outside.payment_ms.subscription

        async def flapping(customer_id: str, product_id: str) -> object:
            """Forget the row for every other question about it."""
            outside.world.billing = {} if outside.world.billing else dict(rows)
            return await asked(customer_id, product_id)

        outside.payment_ms.subscription = flapping  # type: ignore[method-assign,assignment]
        await outside.clock.advance(400)

        assert {one.current.state for one in tab.seen} == {State.ACTIVE}
        await tab.close()

    async def test_bad_news_that_stays_is_shown(self, replica: Replica, outside: Outside) -> None:
        buy(outside)
        tab = watch(replica, await replica.sign_in())
        await settle()
        outside.world.set_status(outside.world.live("ada")[0], "canceled")
        outside.world.deliver_all()

        await outside.clock.advance(61)

        assert tab.state == State.CANCELED
        await tab.close()

    async def test_a_store_that_is_away_is_told_and_healed(self, replica: Replica, outside: Outside) -> None:
        buy(outside)
        tab = watch(replica, await replica.sign_in())
        await settle()
        outside.store.broken = True

        await outside.clock.advance(61)
        assert (tab.state, tab.seen[-1].account_failed) == (State.ACTIVE, "store_unavailable")

        outside.store.broken = False
        await outside.clock.advance(3)
        assert not tab.seen[-1].stale
        await tab.close()

    async def test_a_crash_is_not_the_end_of_watching(
        self, replica: Replica, outside: Outside, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ada = await replica.sign_in()
        with monkeypatch.context() as patch:
            patch.setattr(outside, "catalog", None)
            tab = watch(replica, ada)
            await outside.clock.advance(1)
            assert tab.seen == []

        await outside.clock.advance(61)
        assert tab.state == State.NONE
        await tab.close()


class TestSignOut:
    async def test_the_end_of_a_session_is_told_to_its_tabs_only(self, replica: Replica, outside: Outside) -> None:
        laptop, phone = await replica.sign_in(), await replica.sign_in()
        tabs = [watch(replica, laptop), watch(replica, laptop), watch(replica, phone)]
        await settle()

        await replica.sessions.end(laptop.id)
        await settle()

        assert [tab.signed_out for tab in tabs] == [1, 1, 0]
        buy(outside)
        await outside.clock.advance(61)
        assert [tab.state for tab in tabs] == [State.NONE, State.NONE, State.ACTIVE]
        await tabs[2].close()

    async def test_a_session_ended_by_the_auth_ms_is_found_whichever_tab_is_newest(
        self, replica: Replica, outside: Outside
    ) -> None:
        laptop, phone = await replica.sign_in(), await replica.sign_in()
        tabs = [watch(replica, laptop), watch(replica, phone)]
        await settle()
        del outside.auth_ms.sessions[laptop.auth_session_id.get_secret_value()]

        await outside.clock.advance(121)

        assert [tab.signed_out for tab in tabs] == [1, 0]
        await tabs[1].close()

    async def test_the_last_sessions_end_ends_the_watcher(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        tab = watch(replica, ada)
        await settle()
        outside.auth_ms.sessions.clear()

        await outside.clock.advance(61)

        assert tab.signed_out == 1
        assert replica.status.watchers == 0
        before = looks(outside)
        await outside.clock.advance(300)
        assert looks(outside) == before

    async def test_auth_ms_ids_that_change_with_each_refresh_sign_nobody_out(self) -> None:
        outside = Outside(rotates=True)
        replica = Replica(outside)
        tab = watch(replica, await replica.sign_in())

        await outside.clock.advance(600)

        assert tab.signed_out == 0
        assert looks(outside) > 5
        await tab.close()


class TestReplicas:
    async def test_one_replica_asks_and_the_other_hears(self, outside: Outside) -> None:
        one, two = Replica(outside, leases=True, name="one"), Replica(outside, leases=True, name="two")
        ada = await one.sign_in()
        first, second = watch(one, ada), watch(two, ada)
        await outside.clock.advance(5)
        before = looks(outside)
        buy(outside)

        await outside.clock.advance(61)

        assert looks(outside) - before == 1
        assert first.state == second.state == State.ACTIVE
        await first.close()
        await second.close()

    async def test_the_age_stays_true_on_the_replica_that_does_not_ask(self, outside: Outside) -> None:
        one, two = Replica(outside, leases=True, name="one"), Replica(outside, leases=True, name="two")
        ada = await one.sign_in()
        first, second = watch(one, ada), watch(two, ada)

        await outside.clock.advance(600)

        assert second._watch.standing is not None
        assert outside.clock.now - second._watch.standing.as_of <= timedelta(seconds=121)
        await first.close()
        await second.close()

    async def test_another_replica_takes_over_within_five_seconds(self, outside: Outside) -> None:
        one, two = Replica(outside, leases=True, name="one"), Replica(outside, leases=True, name="two")
        ada = await one.sign_in()
        dead, alive = watch(one, ada), watch(two, ada)
        await outside.clock.advance(10)
        await one.status.hurry("ada")
        await outside.clock.advance(3)
        for watcher in one.status._watchers.values():  # the process dies: nothing of it runs, nothing is released
            assert watcher._task is not None
            watcher._task.cancel()
        before = looks(outside)

        await outside.clock.advance(5.2)

        assert looks(outside) > before
        await alive.close()
        await dead.close()

    async def test_a_replica_whose_last_tab_left_hands_over_at_once(self, outside: Outside) -> None:
        one, two = Replica(outside, leases=True, name="one"), Replica(outside, leases=True, name="two")
        ada = await one.sign_in()
        first, second = watch(one, ada), watch(two, ada)
        await outside.clock.advance(10)
        await first.close()
        buy(outside)

        second.look_now()
        await outside.clock.advance(1)

        assert second.state == State.ACTIVE
        await second.close()

    async def test_a_press_on_the_replica_that_does_not_ask_is_passed_on(self, outside: Outside) -> None:
        one, two = Replica(outside, leases=True, name="one"), Replica(outside, leases=True, name="two")
        ada = await one.sign_in()
        first, second = watch(one, ada), watch(two, ada)
        await outside.clock.advance(20)
        before = looks(outside)
        buy(outside)

        second.look_now()
        await outside.clock.advance(1)

        assert looks(outside) - before == 1
        assert second.state == State.ACTIVE
        await first.close()
        await second.close()

    async def test_a_sign_out_reaches_the_tabs_on_other_replicas(self, outside: Outside) -> None:
        one, two = Replica(outside, leases=True, name="one"), Replica(outside, leases=True, name="two")
        ada = await one.sign_in()
        tab = watch(two, ada)
        await outside.clock.advance(1)

        await one.sessions.end(ada.id)
        await settle()

        assert tab.signed_out == 1
        assert two.status.watchers == 0

    async def test_lost_messages_make_watchers_read_again(self, outside: Outside) -> None:
        one, two = Replica(outside), Replica(outside, leases=True, name="two")
        ada = await one.sign_in()
        await outside.store.add("lease:watch:ada", "somebody", 3600)
        tab = watch(two, ada)
        await outside.clock.advance(2)
        buy(outside)
        await one.ask(ada)

        outside.store.lose_messages()
        await settle()

        assert tab.state == State.ACTIVE
        assert tab.signed_out == 0
        await tab.close()

    async def test_a_lease_that_cannot_be_given_back_runs_out(self, outside: Outside) -> None:
        one = Replica(outside, leases=True, name="one")
        tab = watch(one, await one.sign_in())
        await outside.clock.advance(1)
        outside.store.broken = True

        await tab.close()

        assert one.status.watchers == 0

    async def test_news_found_before_a_checkout_reach_the_other_replica(self, outside: Outside) -> None:
        one, two = Replica(outside), Replica(outside, leases=True, name="two")
        ada = await one.sign_in()
        await outside.store.add("lease:watch:ada", "somebody", 3600)
        tab = watch(two, ada)
        await outside.clock.advance(2)

        checkout = await one.click(ada)
        await settle()

        assert tab.seen[-1].open is not None
        assert tab.seen[-1].open.session_id == checkout.session_id
        await tab.close()

    async def test_users_do_not_hear_of_each_other(self, outside: Outside) -> None:
        one = Replica(outside)
        ada, bob = await one.sign_in(), await one.sign_in(BOB)
        hers, his = watch(one, ada), watch(one, bob)
        buy(outside)

        await outside.clock.advance(61)

        assert (hers.state, his.state) == (State.ACTIVE, State.NONE)
        await hers.close()
        await his.close()
