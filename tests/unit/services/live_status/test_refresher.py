"""Asking both services: once for all, shared for a second, remembered, and noted on the checkouts that wait for it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.auth_ms import PlanGrant, User
from services.checkout_record import CheckoutEvent
from services.errors import NotSignedIn, StoreUnavailable
from services.live_status import refresher
from services.payment_contract.features import ContractFeature, PaymentContract
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import DISAGREEMENTS, Reason, State
from services.subscription.reconcile import reconcile
from services.subscription.snapshot import UpstreamSnapshot
from tests.fakes import AUTH_DOWN, BILLING_DOWN, SHAPES, START, Shape, settle
from tests.replica import ADA, BOB, Outside, Replica
from tests.shop import without
from tests.unit.services.subscription.snapshot_tables import snapshot
from tests.world import Row


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def replica(outside: Outside) -> Replica:
    return Replica(outside)


def questions(outside: Outside) -> int:
    """How many questions both services were asked."""
    return len(outside.payment_ms.switch.calls) + outside.auth_ms.switch.count("refresh")


def buy(outside: Outside, price: str = "price_premium_month") -> None:
    """Have a subscription at Stripe; the webhook is on its way."""
    outside.world.pay(outside.world.open_session("subscription", "ada", ((price, 1),), "", ""))


class TestOneAnswerForAll:
    async def test_each_live_subscription_is_counted_also_of_one_product(
        self, replica: Replica, outside: Outside
    ) -> None:
        outside.payment_ms.contract = PaymentContract(2, frozenset(ContractFeature))
        rows = [("sub_1", "active"), ("sub_2", "trialing"), ("sub_2", "trialing"), ("sub_3", "canceled")]
        for place, (name, word) in enumerate(rows):
            outside.world.billing["ada", str(place)] = Row("prod_premium", name, word, START + timedelta(days=20))

        found = await replica.refresher.ask(await replica.sign_in(), "all")

        assert {one.subscription_id for one in found.duplicates} == {"sub_1", "sub_2"}


class TestSharing:
    async def test_fifty_who_ask_at_once_share_one_question(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()

        found = await asyncio.gather(*(replica.refresher.ask(ada, "all") for _tab in range(50)))

        assert questions(outside) == 4
        assert all(one == found[0] for one in found)

    async def test_fifty_who_need_it_fresh_share_one_more(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        outside.payment_ms.switch.gate = asyncio.Event()
        first = asyncio.create_task(replica.refresher.ask(ada, "all"))
        await settle()
        fresh = [asyncio.create_task(replica.refresher.ask(ada, "all", fresh=True)) for _tab in range(50)]
        await settle()

        outside.payment_ms.switch.gate.set()
        await asyncio.gather(first, *fresh)

        assert questions(outside) == 8

    async def test_what_another_replica_has_found_is_asked_about_too(self) -> None:
        outside = Outside("documented")
        outside.world.account_speaks = False
        one, two = Replica(outside, name="one"), Replica(outside, name="two")
        ada = await two.sign_in()
        assert (await two.refresher.ask(ada, "all")).current.state is State.NONE
        buy(outside)
        outside.world.deliver_all()
        outside.clock.move(30)
        assert (await one.refresher.ask(ada, "all")).current.state is State.ACTIVE
        outside.world.set_status(outside.world.live("ada")[0], "canceled")
        outside.world.deliver_all()
        outside.clock.move(30)

        assert (await two.refresher.ask(ada)).current.state is State.CANCELED

    async def test_an_answer_is_shared_for_a_second(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        await replica.refresher.ask(ada, "all")
        outside.clock.move(0.9)
        await replica.refresher.ask(ada, "all")
        assert questions(outside) == 4
        outside.clock.move(0.2)

        await replica.refresher.ask(ada, "all")

        assert questions(outside) == 8

    async def test_a_narrow_answer_is_not_shared_with_who_wants_all(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        await replica.refresher.ask(ada, "all")
        outside.clock.move(5)
        await asyncio.gather(replica.refresher.ask(ada), replica.refresher.ask(ada, "all"))

        assert outside.payment_ms.switch.count("subscription") == 6

    async def test_what_is_shared_are_answers_not_what_the_browser_did(
        self, replica: Replica, outside: Outside
    ) -> None:
        ada = await replica.sign_in()
        checkout = await replica.click(ada)
        assert (await replica.refresher.ask(ada)).current.state is State.NONE

        await replica.come_back(ada, checkout)

        assert (await replica.refresher.ask(ada)).current.state is State.CONFIRMING
        assert replica.refresher.age("ada") is not None

    async def test_another_browsers_ended_session_does_not_end_this_one(
        self, replica: Replica, outside: Outside
    ) -> None:
        laptop, phone = await replica.sign_in(), await replica.sign_in()
        del outside.auth_ms.sessions[laptop.auth_session_id.get_secret_value()]

        ended, found = await asyncio.gather(
            replica.refresher.ask(laptop), replica.refresher.ask(phone), return_exceptions=True
        )

        assert isinstance(ended, NotSignedIn)
        assert not isinstance(found, BaseException)

    async def test_a_caller_that_leaves_cuts_no_question_off(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        outside.payment_ms.switch.gate = asyncio.Event()
        asking = asyncio.create_task(replica.refresher.ask(ada))
        await settle()

        asking.cancel()
        outside.payment_ms.switch.gate.set()
        await settle()

        assert await replica.refresher.remembered("ada") is not None

    async def test_memory_is_bounded_but_never_drops_a_question_under_way(self, outside: Outside) -> None:
        replica = Replica(outside, memory=2)
        ada, bob = await replica.sign_in(), await replica.sign_in(BOB)
        outside.payment_ms.switch.gate = asyncio.Event()
        slow = asyncio.create_task(replica.refresher.ask(ada))
        await settle()
        for number in range(10):
            await replica.refresher.remembered(f"somebody-{number}")
        again = asyncio.create_task(replica.refresher.ask(ada))
        await settle()

        outside.payment_ms.switch.gate.set()
        await asyncio.gather(slow, again)

        assert outside.auth_ms.switch.count("refresh") == 1
        assert len(replica.refresher._memory) <= 2
        await replica.refresher.ask(bob)


class TestScope:
    async def test_the_first_look_is_full_and_then_only_what_can_differ(
        self, replica: Replica, outside: Outside
    ) -> None:
        buy(outside)
        outside.world.deliver_all()
        ada = await replica.sign_in()
        await replica.refresher.ask(ada)
        assert outside.payment_ms.switch.count("subscription") == 3
        outside.clock.move(5)

        await replica.refresher.ask(ada)

        assert outside.payment_ms.switch.calls[3:] == [("subscription", "ada", "prod_premium")]

    @pytest.mark.parametrize("grant", [None, PlanGrant("none", "", None)])
    async def test_none_of_long_ago_is_asked_again(
        self, replica: Replica, outside: Outside, grant: PlanGrant | None
    ) -> None:
        if grant is not None:
            outside.world.accounts["ada"] = grant
        ada = await replica.sign_in()
        await replica.refresher.ask(ada)
        buy(outside)
        outside.world.deliver_all(("billing",))

        outside.payment_ms.switch.calls.clear()
        outside.clock.move(11 * 60)
        await replica.refresher.ask(ada)

        assert ("subscription", "ada", "prod_premium") in outside.payment_ms.switch.calls

    @pytest.mark.parametrize(
        ("grant", "asked"), [(None, ["prod_basic", "prod_premium"]), (PlanGrant("none", "", None), [])]
    )
    async def test_none_by_billings_word_alone_is_asked_again_at_each_look(
        self, replica: Replica, outside: Outside, grant: PlanGrant | None, asked: list[str]
    ) -> None:
        if grant is not None:
            outside.world.accounts["ada"] = grant
        ada = await replica.sign_in()
        await replica.refresher.ask(ada, "all")
        outside.payment_ms.switch.calls.clear()

        outside.clock.move(50)
        await replica.refresher.ask(ada, "relevant")

        assert [product for _what, _customer, product in outside.payment_ms.switch.calls] == asked

    @pytest.mark.parametrize(
        ("grant", "asked"),
        [
            (None, ["prod_basic", "prod_premium", "prod_backup"]),
            (PlanGrant("none", "", None), ["prod_basic", "prod_premium"]),
            (PlanGrant("active", "basic", None), ["prod_basic"]),
        ],
    )
    async def test_who_is_told_of_none_now_is_told_what_billing_says_now(
        self, replica: Replica, outside: Outside, grant: PlanGrant | None, asked: list[str]
    ) -> None:
        if grant is not None:
            outside.world.accounts["ada"] = grant
        ada = await replica.sign_in()
        await replica.refresher.ask(ada, "all")
        outside.clock.move(1.5)
        await replica.refresher.ask(ada, "relevant")
        outside.payment_ms.switch.calls.clear()

        await replica.refresher.ask(ada, "shown")
        await replica.refresher.ask(ada, "shown")

        assert [product for _what, _customer, product in outside.payment_ms.switch.calls] == asked

    async def test_a_checkout_under_way_is_asked_about(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        await replica.click(ada)
        outside.clock.move(5)
        outside.payment_ms.switch.calls.clear()

        await replica.refresher.ask(ada)

        assert outside.payment_ms.switch.calls == [("subscription", "ada", "prod_premium")]

    async def test_the_plan_that_the_account_names_is_asked_about(self, replica: Replica, outside: Outside) -> None:
        outside.world.accounts["ada"] = PlanGrant("active", "basic", None)
        ada = await replica.sign_in()
        await replica.refresher.ask(ada)
        outside.clock.move(5)
        outside.payment_ms.switch.calls.clear()

        await replica.refresher.ask(ada)

        assert outside.payment_ms.switch.calls == [("subscription", "ada", "prod_basic")]

    async def test_an_account_that_says_something_new_makes_the_look_a_full_one(
        self, replica: Replica, outside: Outside
    ) -> None:
        """Bought somewhere else: not "given to you" until the next full look."""
        ada = await replica.sign_in()
        await replica.refresher.ask(ada)
        outside.clock.move(5)
        buy(outside)
        outside.world.deliver_all()

        found = await replica.refresher.ask(ada)

        assert (found.current.state, found.current.reason) == (State.ACTIVE, Reason.AGREED)

    @pytest.mark.parametrize("speaks", [True, False])
    async def test_a_record_that_is_gone_is_looked_for_under_every_product(
        self, replica: Replica, outside: Outside, speaks: bool
    ) -> None:
        """A change of plan moves it, and nobody tells: no "billing has none" until the next full look."""
        outside.world.account_speaks = speaks
        buy(outside, "price_basic_month")
        outside.world.deliver_all(("billing",))
        ada = await replica.sign_in()
        await replica.refresher.ask(ada, "all")
        outside.clock.move(60)
        moved = outside.world.billing.pop(("ada", "prod_basic"))
        outside.world.billing["ada", "prod_premium"] = moved

        found = await replica.refresher.ask(ada)

        assert (found.current.plan_id, found.current.live) == ("premium", True)

    async def test_a_plan_taken_out_of_the_catalog_is_still_asked_about(
        self, replica: Replica, outside: Outside
    ) -> None:
        buy(outside)
        outside.world.deliver_all()
        ada = await replica.sign_in()
        await replica.ask(ada)
        outside.catalog = without("premium")
        outside.payment_ms.switch.calls.clear()

        found = await replica.ask(ada)

        assert ("subscription", "ada", "prod_premium") in outside.payment_ms.switch.calls
        assert found.current.state is State.ACTIVE

    async def test_a_plan_added_to_the_catalog_is_looked_at(self, replica: Replica, outside: Outside) -> None:
        full = outside.catalog
        outside.catalog = without("premium")
        buy(outside)
        outside.world.deliver_all(("billing",))
        ada = await replica.sign_in()
        assert (await replica.refresher.ask(ada)).current.state is State.NONE
        outside.clock.move(5)
        outside.catalog = full

        assert (await replica.refresher.ask(ada)).current.product_id == "prod_premium"


class TestMemoryBound:
    async def test_what_was_known_survives_a_restart(self, replica: Replica, outside: Outside) -> None:
        buy(outside)
        outside.world.deliver_all()
        ada = await replica.sign_in()
        assert await replica.refresher.remembered("ada") is None
        known = await replica.ask(ada)

        again = Replica(outside)

        assert await again.refresher.remembered("ada") == known
        assert again.refresher.age("ada") is None

    async def test_an_outage_starts_from_what_was_known(self, replica: Replica, outside: Outside) -> None:
        buy(outside)
        outside.world.deliver_all()
        ada = await replica.sign_in()
        await replica.ask(ada)
        outside.payment_ms.switch.error, outside.auth_ms.switch.error = BILLING_DOWN, AUTH_DOWN
        outside.clock.move(60)

        found = await Replica(outside).refresher.ask(ada)

        assert (found.current.state, found.current.access, found.stale) == (State.ACTIVE, True, True)

    async def test_unreadable_memory_is_no_memory(self, replica: Replica, outside: Outside) -> None:
        await outside.store.put("evidence:ada", '{"records": 1}', None)
        ada = await replica.sign_in()

        assert await replica.refresher.remembered("ada") is None
        assert (await replica.ask(ada)).current.state is State.NONE

    async def test_a_store_that_fails_while_answers_come_in_loses_none_of_them(
        self, replica: Replica, outside: Outside
    ) -> None:
        """What was asked is known; what could not be written is written later."""
        ada = await replica.sign_in()
        checkout = await replica.click(ada)
        await replica.come_back(ada, checkout)
        outside.world.pay(checkout.session_id)
        outside.world.deliver_all()
        outside.clock.move(5)
        outside.payment_ms.switch.gate = asyncio.Event()
        asking = asyncio.create_task(replica.refresher.ask(ada, "all"))
        await settle()
        outside.store.broken = True
        outside.payment_ms.switch.gate.set()
        with pytest.raises(StoreUnavailable):
            await asking  # the checkouts can't be read, so nothing is claimed
        outside.store.broken = False

        found = await replica.refresher.remembered("ada")
        assert found is not None
        assert found.current.state is State.ACTIVE
        outside.clock.move(5)
        await replica.refresher.ask(ada)
        assert (await replica.checkouts.of("ada"))[0].confirmed

    async def test_a_store_that_breaks_at_any_moment_leaves_no_false_memory(self, outside: Outside) -> None:
        buy(outside)
        outside.world.deliver_all()
        for after in range(25):
            replica = Replica(outside)
            ada = await replica.sign_in()
            outside.store.break_after = after
            with_error = None
            try:
                await replica.ask(ada)
            except StoreUnavailable as error:
                with_error = error
            outside.store.broken, outside.store.break_after = False, None

            assert (await replica.ask(ada)).current.state is State.ACTIVE, after
            assert with_error is None or after < 20

    async def test_two_replicas_do_not_overwrite_each_others_newer_answers(self, outside: Outside) -> None:
        one, two = Replica(outside), Replica(outside)
        ada = await one.sign_in()
        await one.ask(ada)
        await two.ask(ada)
        outside.clock.move(20)
        buy(outside, "price_basic_month")
        outside.world.deliver_all(("billing",))
        await one.ask(ada)
        outside.clock.move(1)
        await two.refresher.ask(ada)  # relevant only: does not look at Basic, and writes what it knows

        found = await Replica(outside).refresher.remembered("ada")

        assert found is not None
        assert found.current.plan_id == "basic"
        assert (await two.refresher.reread("ada")) == found

    async def test_a_replica_whose_clock_is_ahead_hides_no_later_answer_of_others(self, outside: Outside) -> None:
        right, ahead = Replica(outside), Replica(outside, ahead=timedelta(seconds=30))
        ada = await right.sign_in()
        await ahead.ask(ada)
        outside.clock.move(5)
        buy(outside)
        outside.world.deliver_all()

        assert (await right.ask(ada)).current.state is State.ACTIVE
        told = await ahead.refresher.reread("ada", news=True)
        assert told is not None
        assert told.current.state is State.ACTIVE

    async def test_reading_again_while_a_question_is_under_way_disturbs_it_not(
        self, replica: Replica, outside: Outside
    ) -> None:
        buy(outside)
        outside.world.deliver_all()
        ada = await replica.sign_in()
        await replica.ask(ada)
        outside.clock.move(30)
        outside.payment_ms.switch.gate = asyncio.Event()
        asking = asyncio.create_task(replica.refresher.ask(ada))
        await settle()

        assert (await replica.refresher.reread("ada")) is not None
        outside.payment_ms.switch.error = BILLING_DOWN
        outside.payment_ms.switch.gate.set()

        assert (await asking).current.state is State.ACTIVE

    def test_merging_keeps_the_younger_answers_and_the_latest_failures(self) -> None:
        old = snapshot("basic=active premium=?", "premium active", ago=60)
        new = snapshot("premium=? !", "unasked", ago=5, asked=False)

        merged = new.with_memory_of(old, START)

        assert merged.records["prod_basic"] == old.records["prod_basic"]
        assert merged.records["prod_premium"] == new.records["prod_premium"]
        assert merged.account == old.account
        assert (merged.billing_failed, merged.account_failed) == (new.billing_failed, new.account_failed)
        assert old.with_memory_of(new, START).records["prod_premium"] == new.records["prod_premium"]
        assert UpstreamSnapshot().as_of is None


class TestSecondLook:
    async def test_a_loss_is_believed_when_it_is_said_twice(self, replica: Replica, outside: Outside) -> None:
        buy(outside)
        outside.world.deliver_all()
        ada = await replica.sign_in()
        await replica.ask(ada)
        outside.world.billing.clear()
        outside.world.accounts.clear()
        outside.clock.move(60)
        before = questions(outside)

        found = await replica.ask(ada)

        assert found.current.state is State.NONE
        assert questions(outside) - before == 8

    async def test_a_second_look_that_fails_keeps_what_was_known_as_memory(
        self, replica: Replica, outside: Outside, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        buy(outside)
        outside.world.deliver_all()
        ada = await replica.sign_in()
        known = await replica.ask(ada)
        outside.world.accounts.clear()
        outside.clock.move(60)
        asked = outside.auth_ms.refresh

        async def once(session_id: object) -> object:
            outside.auth_ms.switch.error = AUTH_DOWN if outside.auth_ms.switch.count("refresh") > 1 else None
            return await asked(session_id)  # type: ignore[arg-type]

        monkeypatch.setattr(outside.auth_ms, "refresh", once)
        found = await replica.ask(ada)

        assert (found.current.state, found.current.access) == (State.ACTIVE, True)
        assert found.account_failed == "sign_in_unavailable"
        assert found.as_of == known.as_of


class TestProgress:
    """Which service has the purchase: the steps of the success page."""

    @pytest.mark.parametrize("shape", SHAPES)
    async def test_each_service_is_noted_when_it_has_it(self, shape: Shape) -> None:
        outside = Outside(shape)
        replica = Replica(outside)
        ada = await replica.sign_in()
        checkout = await replica.click(ada)
        outside.world.pay(checkout.session_id)
        await replica.come_back(ada, checkout)

        assert (await replica.ask(ada)).current.state is State.CONFIRMING
        outside.clock.move(10)
        outside.world.deliver(outside.world.pending[0], ("billing",), keep=True)
        waiting = await replica.ask(ada)
        outside.clock.move(10)
        outside.world.deliver_all()
        done = await replica.ask(ada)

        # Where the account says nothing yet, billing's own word counts: it has one in two of the shapes.
        assert waiting.current.state is (State.ON_RECORD if shape == "running" else State.ACTIVE)
        assert done.current.state is State.ACTIVE
        assert done.current.access
        assert done.current.amount == 2900
        times = (await replica.checkouts.of("ada"))[0].events
        assert times[CheckoutEvent.BILLING_HAS_IT] < times[CheckoutEvent.ACCOUNT_HAS_IT]
        assert CheckoutEvent.ACCESS_ON in times

    async def test_an_account_that_says_none_keeps_the_purchase_waiting(
        self, replica: Replica, outside: Outside
    ) -> None:
        outside.payment_ms.shape = "documented"
        outside.world.accounts["ada"] = PlanGrant("none", "free", None)
        ada = await replica.sign_in()
        checkout = await replica.click(ada)
        outside.world.pay(checkout.session_id)
        await replica.come_back(ada, checkout)
        outside.world.deliver_all(("billing",))

        found = await replica.ask(ada)

        assert (found.current.state, found.current.access) == (State.CONFIRMING, False)
        assert not (await replica.checkouts.of("ada"))[0].confirmed

    async def test_the_account_alone_is_enough(self, replica: Replica, outside: Outside) -> None:
        """The running service may never have it."""
        ada = await replica.sign_in()
        checkout = await replica.click(ada)
        outside.world.pay(checkout.session_id)
        await replica.come_back(ada, checkout)
        outside.world.deliver_all(("account",))

        found = await replica.ask(ada)

        assert (found.current.state, found.current.reason) == (State.ACTIVE, Reason.BILLING_LAGS)
        assert CheckoutEvent.BILLING_HAS_IT not in (await replica.checkouts.of("ada"))[0].events

    async def test_an_account_with_an_unknown_plan_confirms_nothing(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        checkout = await replica.click(ada)
        await replica.come_back(ada, checkout)
        outside.world.accounts["ada"] = PlanGrant("active", "beta_testers", None)

        await replica.ask(ada)

        assert CheckoutEvent.ACCOUNT_HAS_IT not in (await replica.checkouts.of("ada"))[0].events

    async def test_an_account_that_names_no_plan_confirms(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        checkout = await replica.click(ada)
        await replica.come_back(ada, checkout)
        outside.world.accounts["ada"] = PlanGrant("active", "", None)

        await replica.ask(ada)

        assert (await replica.checkouts.of("ada"))[0].confirmed

    async def test_somebody_who_paid_and_never_came_back_is_noted_too(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        checkout = await replica.click(ada)
        outside.world.pay(checkout.session_id)
        outside.world.deliver_all()

        found = await replica.ask(ada)

        assert found.open is None
        assert found.current.amount == 2900

    async def test_of_two_sessions_for_one_plan_the_one_that_was_paid_is_noted(
        self, replica: Replica, outside: Outside
    ) -> None:
        ada = await replica.sign_in()
        month = await replica.click(ada)
        outside.clock.move(60)
        year = await replica.click(ada, "price_premium_year", instead_of=month.id)
        outside.clock.move(60)
        again = await replica.click(ada, resume=month.id, instead_of=year.id)
        outside.world.pay(again.session_id)
        outside.world.deliver_all()

        found = await replica.ask(ada)

        assert again.session_id == month.session_id
        assert (found.current.amount, found.current.interval) == (2900, "month")

    async def test_an_abandoned_checkout_is_not_confirmed_by_a_gift_weeks_later(
        self, replica: Replica, outside: Outside
    ) -> None:
        ada = await replica.sign_in()
        await replica.click(ada)
        outside.clock.move(20 * 86_400)
        outside.world.accounts["ada"] = PlanGrant("active", "premium", None)

        assert (await replica.ask(ada)).current.state is State.ON_ACCOUNT

    async def test_a_return_that_was_never_confirmed_does_not_hide_a_later_purchase(
        self, replica: Replica, outside: Outside
    ) -> None:
        ada = await replica.sign_in()
        first = await replica.click(ada)
        await replica.come_back(ada, first)
        outside.clock.move(86_401)
        second = await replica.click(ada, "price_premium_year", has_ended=True)
        outside.world.pay(second.session_id)
        outside.world.deliver_all()
        unsure = await replica.ask(ada)
        await replica.come_back(ada, second)

        assert (unsure.current.state, unsure.current.interval) == (State.ACTIVE, None)  # it may be the first one's
        assert (await replica.ask(ada)).current.interval == "year"


async def test_a_user_is_a_customer_by_their_id(replica: Replica) -> None:
    assert replica.refresher.customer_of(await replica.sign_in(ADA)) == "ada"


class TestOperatorIsTold:
    @pytest.mark.parametrize(
        ("user", "event", "reason"),
        [
            (User("a/b", "Ada", "ada@example.com"), "customer_id_refused", "can't take in its address"),
            (User("a" * 201, "Ada", "ada@example.com"), "customer_id_refused", "longer than 200"),
            (User("ada", "Ada", ""), "customer_email_missing", "name an address"),
        ],
        ids=["slash", "long", "no-email"],
    )
    async def test_of_a_user_who_can_buy_nothing_once_and_not_by_name(
        self, replica: Replica, outside: Outside, user: User, event: str, reason: str
    ) -> None:
        session = await replica.sign_in(user)

        with capture_logs() as logs:
            for _look in range(3):
                await replica.refresher.ask(session, "all", fresh=True)

        told = [line for line in logs if line["event"] == event]
        assert [line["log_level"] for line in told] == ["error"]
        assert reason in str(told)
        assert "user_hash" in told[0]
        assert user.user_id not in str(told).replace("user_id", "")


async def test_the_rules_run_once_for_each_answer(
    replica: Replica, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await replica.sign_in()
    outside.world.accounts["ada"] = PlanGrant("active", "premium", None)
    for _time in range(2):
        await replica.ask(ada)
        outside.clock.move(60)
    runs: list[str] = []

    def counted(customer: str, *args: Any, **more: Any) -> CustomerStatus:
        runs.append(customer)
        return reconcile(customer, *args, **more)

    monkeypatch.setattr(refresher, "reconcile", counted)
    await replica.ask(ada)

    assert len(runs) == 1


async def test_a_contradiction_between_the_services_counts_when_it_begins(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    buy(outside)
    outside.world.deliver_all()
    await replica.ask(ada)
    assert replica.disagreed == []

    for plan in ("legacy", "legacy", "premium", "legacy"):
        outside.world.accounts["ada"] = PlanGrant("active", plan, None)
        outside.clock.move(60)
        await replica.ask(ada)

    assert replica.disagreed == [Reason.PLAN_DIFFERS, Reason.PLAN_DIFFERS]
    assert set(replica.disagreed) <= set(DISAGREEMENTS)
