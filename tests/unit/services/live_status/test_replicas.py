"""Live status across replicas: one asks, all hear."""

from datetime import timedelta

from services.sessions.service import Session
from services.subscription.model import State
from tests.fakes import settle
from tests.replica import BOB, Outside, Replica, watch
from tests.unit.services.live_status.status_asked import buy, looks


async def pair(outside: Outside) -> tuple[Replica, Replica, Session]:
    """Return two replicas that share a store, and somebody who signed in at the first."""
    one, two = Replica(outside, leases=True, name="one"), Replica(outside, leases=True, name="two")
    return one, two, await one.sign_in()


class TestReplicas:
    async def test_one_replica_asks_and_the_other_hears(self, outside: Outside) -> None:
        one, two, ada = await pair(outside)
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
        one, two, ada = await pair(outside)
        first, second = watch(one, ada), watch(two, ada)

        await outside.clock.advance(600)

        assert second._watch.customer_status is not None
        assert outside.clock.now - second._watch.customer_status.as_of <= timedelta(seconds=121)
        await first.close()
        await second.close()

    async def test_another_replica_takes_over_within_five_seconds(self, outside: Outside) -> None:
        one, two, ada = await pair(outside)
        dead, alive = watch(one, ada), watch(two, ada)
        await outside.clock.advance(10)
        await one.status.poll_fast("ada")
        await outside.clock.advance(3)
        for watcher in one.status._pollers.values():  # the process dies: nothing of it runs, nothing is released
            assert watcher._task is not None
            watcher._task.cancel()
        before = looks(outside)

        await outside.clock.advance(5.2)

        assert looks(outside) > before
        await alive.close()
        await dead.close()

    async def test_a_replica_whose_last_tab_left_hands_over_at_once(self, outside: Outside) -> None:
        one, two, ada = await pair(outside)
        first, second = watch(one, ada), watch(two, ada)
        await outside.clock.advance(10)
        await first.close()
        buy(outside)

        second.look_now()
        await outside.clock.advance(1)

        assert second.state == State.ACTIVE
        await second.close()

    async def test_a_press_on_the_replica_that_does_not_ask_is_passed_on(self, outside: Outside) -> None:
        one, two, ada = await pair(outside)
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
        one, two, ada = await pair(outside)
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

    async def test_a_change_that_one_replica_is_told_of_is_asked_about_at_the_others(self, outside: Outside) -> None:
        one, two, ada = await pair(outside)
        two.status.start()
        await two.ask(ada)
        buy(outside)
        before = await two.refresher.ask(ada)

        await one.status.poll_once("ada")
        await settle()

        assert (before.current.state, two.refresher.is_outdated("ada")) == (State.NONE, True)
        assert (await two.refresher.ask(ada)).current.state == State.ACTIVE
        assert not two.refresher.is_outdated("ada")
        two.status.stop()

    async def test_a_replica_that_never_heard_of_a_customer_trusts_no_answer_from_before_a_change(
        self, outside: Outside
    ) -> None:
        one, two, ada = await pair(outside)
        one.status.start()
        two.status.start()
        await one.ask(ada)

        await one.status.poll_once("ada")
        await settle()

        assert await two.refresher.remembered("ada") is not None
        assert two.refresher.is_outdated("ada")
        one.status.stop()
        two.status.stop()

    async def test_lost_messages_may_have_told_of_anybody(self, outside: Outside) -> None:
        _one, two, ada = await pair(outside)
        two.status.start()
        await two.ask(ada)
        await settle()

        outside.store.lose_messages()
        await settle()

        assert two.refresher.is_outdated("ada")
        two.status.stop()

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
