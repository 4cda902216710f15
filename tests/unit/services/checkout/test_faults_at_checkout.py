"""Faults of services and store while a plan's checkout is started: never two sessions, never a word too much."""

import asyncio

import pytest

from services.errors import (
    AlreadySubscribed,
    FrontendError,
    LockLost,
    RequestRefused,
    StatusUnknown,
    StoreUnavailable,
    UnsafeRedirect,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from services.sessions.service import Session
from tests.fakes import BILLING_DOWN, settle
from tests.replica import Outside, Replica
from tests.unit.services.checkout.presses import BASIC, YEAR, opened


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
