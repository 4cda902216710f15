"""What is counted of purchases: how long each took from the return to access, and those that nobody ever confirmed."""

import asyncio

import pytest
import structlog

from services.checkout_record import Checkout, CheckoutEvent
from services.errors import StoreUnavailable, UpstreamUnavailable
from services.live_status import confirmations as watched
from services.sessions.service import Session
from services.subscription.model import LOST_AFTER
from tests.fakes import settle
from tests.replica import Outside, Replica
from tests.world import Part

LATER = LOST_AFTER.total_seconds() + 1


async def buy(replica: Replica, outside: Outside, *, arrives: tuple[Part, ...] = ()) -> tuple[Session, Checkout]:
    """Ada buys and comes back; `arrives` names who hears of it."""
    ada = await replica.sign_in()
    checkout = await replica.click(ada)
    outside.world.pay(checkout.session_id)
    for webhook in tuple(outside.world.pending) if arrives else ():
        outside.world.deliver(webhook, arrives)
    await replica.come_back(ada, checkout)
    return ada, checkout


async def wait_is_over(replica: Replica, outside: Outside) -> None:
    outside.clock.move(LATER)
    await replica.confirmation_watch.run_once()


async def test_a_purchase_counts_once_with_the_time_from_return_to_access(replica: Replica, outside: Outside) -> None:
    ada, _checkout = await buy(replica, outside)
    outside.clock.move(7)
    outside.world.deliver_all()
    await replica.ask(ada)
    await replica.ask(ada)
    await wait_is_over(replica, outside)

    ((outcome, seconds),) = replica.confirmed
    assert outcome == "confirmed"
    assert seconds == pytest.approx(7, abs=0.01)
    assert replica.confirmation_watch.waiting == 0


async def test_access_before_the_return_took_no_time(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    checkout = await replica.click(ada)
    outside.world.pay(checkout.session_id)
    outside.world.deliver_all()
    await replica.ask(ada)
    assert replica.confirmed == []  # who never comes back waits for nothing

    outside.clock.move(5)
    await replica.come_back(ada, checkout)

    assert replica.confirmed == [("confirmed", 0.0)]


async def test_what_no_service_has_after_ten_minutes_is_lost_and_counted_once_over_all_replicas(
    replica: Replica, outside: Outside
) -> None:
    ada, checkout = await buy(replica, outside)
    outside.clock.move(LOST_AFTER.total_seconds() - 5)
    await replica.confirmation_watch.run_once()
    assert (replica.confirmed, replica.confirmation_watch.waiting) == ([], 1)
    outside.clock.move(6)
    restarted, other = Replica(outside), Replica(outside, name="replica-2")

    with structlog.testing.capture_logs() as logged:
        await asyncio.gather(restarted.confirmation_watch.run_once(), other.confirmation_watch.run_once())
        await replica.confirmation_watch.run_once()

    assert replica.confirmed + restarted.confirmed + other.confirmed == [("lost", None)]
    assert [line["checkout_id"] for line in logged if line["event"] == "confirmation_missing"] == [checkout.id]
    outside.world.deliver_all()
    await replica.ask(ada)
    assert replica.confirmed == []  # late news is logged, and no second purchase


async def test_what_arrived_after_the_user_left_is_not_lost(replica: Replica, outside: Outside) -> None:
    await buy(replica, outside, arrives=("billing", "account"))

    await wait_is_over(replica, outside)

    assert replica.confirmed == [("unseen", None)]


async def test_a_record_without_access_is_told_apart_from_a_loss(replica: Replica, outside: Outside) -> None:
    ada, _checkout = await buy(replica, outside, arrives=("billing",))
    outside.clock.move(120)
    await replica.ask(ada)

    await wait_is_over(replica, outside)

    assert replica.confirmed == [("no_access", None)]


async def test_while_billing_is_away_what_nobody_confirmed_is_lost(replica: Replica, outside: Outside) -> None:
    await buy(replica, outside, arrives=("billing", "account"))
    outside.payment_ms.switch.error = UpstreamUnavailable("payment_ms", "subscription")

    await wait_is_over(replica, outside)

    assert replica.confirmed == [("lost", None)]


async def test_who_says_that_nothing_was_charged_waits_for_nothing(replica: Replica, outside: Outside) -> None:
    _ada, checkout = await buy(replica, outside)
    outside.clock.move(30)
    returned = await replica.checkouts.by_id("ada", checkout.id)
    assert returned is not None
    await replica.checkouts.mark(returned, CheckoutEvent.REPLACED)

    await wait_is_over(replica, outside)

    assert replica.confirmed == []
    assert await replica.confirmations.waiting() == {}


async def test_an_item_is_nobodys_confirmation(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    await replica.come_back(ada, await replica.click(ada, "price_mug"))

    await wait_is_over(replica, outside)

    assert replica.confirmed == []


async def test_a_store_that_is_away_ends_nothing(
    replica: Replica, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    await buy(replica, outside)
    asked: list[str] = []

    async def fields(key: str) -> dict[str, str]:
        asked.append(key)
        raise StoreUnavailable if len(asked) == 1 else RuntimeError("a bug")

    monkeypatch.setattr(watched, "LOOKS_EVERY", 0.0)
    monkeypatch.setattr(outside.store, "fields", fields)
    with structlog.testing.capture_logs() as logged:
        replica.confirmation_watch.start()
        while len(asked) < 3:
            await settle(1)
        await replica.confirmation_watch.stop()

    assert {line["event"] for line in logged} == {"confirmations_look_failed"}
