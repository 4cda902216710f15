"""Live status: one watcher a user, what its tabs are told, and that nothing outlives the last of them."""

import asyncio
from datetime import datetime, timedelta

import pytest
import structlog

from services.concurrency.limit import Priority
from services.storage.pubsub import Topic
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import State
from tests.fakes import AUTH_DOWN, BILLING_DOWN, START, settle
from tests.replica import Outside, Replica, Tab, watch
from tests.unit.services.live_status.status_asked import buy, looks, person


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

    async def test_what_only_got_older_is_told_apart_once_a_minute(self, replica: Replica, outside: Outside) -> None:
        buy(outside)
        ages: list[datetime] = []
        changes: list[CustomerStatus] = []
        session = await replica.sign_in()
        open_page = replica.status.watch(session, changes.append, lambda: None, lambda one: ages.append(one.as_of))

        await outside.clock.advance(605)

        assert len(changes) == 1
        assert 8 <= len(ages) <= 12
        assert ages == sorted(set(ages))
        open_page.close()
        await settle()

    async def test_what_did_not_change_is_not_pushed_again(self, replica: Replica, outside: Outside) -> None:
        buy(outside)
        tab = watch(replica, await replica.sign_in())

        await outside.clock.advance(600)

        assert looks(outside) > 5
        assert len(tab.seen) == 1
        assert tab._watch.customer_status is not None
        assert outside.clock.now - tab._watch.customer_status.as_of <= timedelta(seconds=60)
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

        assert (replica.status.watchers, replica.status.tabs, replica.pubsub.count) == (0, 0, 0)
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
        assert await replica.refresher.remembered("ada") is not None

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

        def fail(_status_of: object) -> None:
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
        first = replica.status.watch(ada, lambda _status_of: others[0]._watch.close(), lambda: None)
        others.append(watch(replica, ada))
        await settle()

        assert others[0].seen == []
        first.close()


class TestFaultsWhileWatching:
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

        async def flapping(customer_id: str, product_id: str, *, priority: Priority = Priority.LOOK) -> object:
            """Forget the row for every other question about it."""
            if product_id == "prod_premium":
                outside.world.billing = {} if outside.world.billing else dict(rows)
            return await asked(customer_id, product_id, priority=priority)

        outside.payment_ms.subscription = flapping  # type: ignore[method-assign,assignment]
        await outside.clock.advance(400)

        assert {(one.current.state, one.stale) for one in tab.seen} == {(State.ACTIVE, False)}
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

    async def test_a_store_that_stays_away_takes_the_state_back_and_then_the_access(
        self, replica: Replica, outside: Outside
    ) -> None:
        """A page that was open before says nothing for good that nobody can check."""
        buy(outside)
        tab = watch(replica, await replica.sign_in())
        await settle()
        outside.store.broken = True

        await outside.clock.advance(200)
        lost = tab.seen[-1].current
        assert (lost.state, lost.access, lost.plan_id) == (State.UNAVAILABLE, True, "premium")
        assert lost.last_known is not None
        assert lost.last_known.state is State.ACTIVE

        await outside.clock.advance(500)
        assert (tab.state, tab.seen[-1].current.access) == (State.UNAVAILABLE, False)

        outside.store.broken = False
        await outside.clock.advance(3)
        assert (tab.state, tab.seen[-1].current.access) == (State.ACTIVE, True)
        await tab.close()

    async def test_a_store_that_is_back_brings_no_old_state_back_before_the_next_answer(
        self, replica: Replica, outside: Outside
    ) -> None:
        tab = watch(replica, await replica.sign_in())
        await settle()
        outside.store.broken = True
        await outside.clock.advance(200)
        buy(outside)
        outside.world.deliver_all()

        outside.store.broken = False
        outside.store.lose_messages()
        await settle()
        await outside.clock.advance(3)

        assert [one.current.state for one in tab.seen][-2:] == [State.UNAVAILABLE, State.ACTIVE]
        await tab.close()

    async def test_what_a_page_was_drawn_from_is_taken_back_though_no_answer_ever_came(
        self, replica: Replica, outside: Outside
    ) -> None:
        buy(outside)
        ada = await replica.sign_in()
        drawn = await replica.ask(ada)
        again = Replica(outside)
        outside.store.broken = True
        seen: list[CustomerStatus] = []

        tab = again.status.watch(ada, seen.append, lambda: None, shown=drawn)
        await outside.clock.advance(200)

        assert seen[-1].current.state is State.UNAVAILABLE
        tab.close()

    async def test_a_crash_that_goes_on_takes_the_state_back(
        self, replica: Replica, outside: Outside, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        buy(outside)
        tab = watch(replica, await replica.sign_in())
        await settle()
        with monkeypatch.context() as patch:
            patch.setattr(outside, "catalog", None)
            await outside.clock.advance(200)

        assert tab.state == State.UNAVAILABLE
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

    async def test_a_crash_at_the_very_start_is_not_the_end_of_watching(
        self, replica: Replica, outside: Outside, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        buy(outside)
        ada = await replica.sign_in()

        async def crash(_customer: str) -> None:
            raise RuntimeError("a bug in what is remembered")

        with monkeypatch.context() as patch, structlog.testing.capture_logs() as logged:
            patch.setattr(replica.refresher, "remembered", crash)
            tab = watch(replica, ada)
            await outside.clock.advance(1)

        assert [line["event"] for line in logged] == ["status_poll_crashed"]
        assert tab.state == State.ACTIVE
        outside.world.set_status(outside.world.live("ada")[0], "canceled")
        outside.world.deliver_all()
        await outside.clock.advance(61)
        assert tab.state == State.CANCELED
        await tab.close()

    async def test_a_crash_while_reading_again_is_said_and_watching_goes_on(
        self, replica: Replica, outside: Outside, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tab = watch(replica, await replica.sign_in())
        await settle()

        async def crash(_customer: str, *, news: bool) -> None:
            raise RuntimeError("a bug in reading again")

        with monkeypatch.context() as patch, structlog.testing.capture_logs() as logged:
            patch.setattr(replica.refresher, "reread", crash)
            await replica.pubsub.announce(Topic.CUSTOMER_STATUS, "ada")
            await settle()

        assert [line["event"] for line in logged] == ["status_reread_failed"]
        buy(outside)
        await outside.clock.advance(61)
        assert tab.state == State.ACTIVE
        await tab.close()


class TestWhatAPageWasDrawnFrom:
    async def test_a_younger_status_than_the_watchers_is_kept_and_told_to_the_other_tabs(
        self, replica: Replica, outside: Outside
    ) -> None:
        ada = await replica.sign_in()
        first = watch(replica, ada)
        await settle()
        before = first.seen[-1]
        buy(outside)
        outside.world.deliver_all()
        outside.clock.move(5)
        drawn = await replica.refresher.ask(ada, "all")

        second = replica.status.watch(ada, lambda _new: None, lambda: None, shown=drawn)
        third = replica.status.watch(ada, lambda _new: None, lambda: None, shown=before)

        for one in (second.customer_status, third.customer_status, first.seen[-1]):
            assert one is not None
            assert one.current.state is State.ACTIVE
        for open_ in (second, third):
            open_.close()
        await first.close()


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
