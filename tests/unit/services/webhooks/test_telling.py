"""Other services are told of what changes: each thing once, in order, however often they have to be tried."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.errors import UpstreamUnavailable
from services.sessions.service import Session
from services.webhooks.deliverer import PAUSES
from services.webhooks.model import Backlog
from tests.replica import BOB, Outside, Replica
from tests.unit.services.live_status.status_asked import buy
from tests.unit.services.webhooks.receivers import ENDPOINT, HookReceiver, Telling

PURCHASE = ["checkout.opened", "checkout.confirmed", "subscription.started", "entitlements.changed"]
DAY = timedelta(days=1).total_seconds()


@pytest.fixture
def receiver() -> HookReceiver:
    return HookReceiver()


@pytest.fixture
async def telling(outside: Outside, receiver: HookReceiver) -> AsyncIterator[Telling]:
    made = Telling(outside, receiver)
    await made.deliverer.begin()
    yield made
    await made.replica.checkout.finish()


async def purchase(telling: Telling, outside: Outside, price: str = "price_premium_month") -> Session:
    """Ada comes, buys, pays, and comes back."""
    ada = await telling.replica.sign_in()
    await telling.replica.ask(ada)
    checkout = await telling.replica.click(ada, price)
    outside.world.pay(checkout.session_id)
    outside.world.deliver_all()
    await telling.replica.come_back(ada, checkout)
    outside.clock.move(2)
    await telling.replica.ask(ada)
    await telling.deliverer.run_once()
    return ada


async def test_a_purchase_is_told_from_checkout_to_features(
    telling: Telling, outside: Outside, receiver: HookReceiver
) -> None:
    await purchase(telling, outside)

    assert receiver.kinds == PURCHASE
    opened, confirmed, started, changed = receiver.events
    assert {event["data"]["user_id"] for event in receiver.events} == {"ada"}
    assert opened["data"]["checkout_id"] == confirmed["data"]["checkout_id"]
    assert (started["data"]["plan"], started["data"]["state"]) == ("premium", "active")
    assert (changed["data"]["plan"], changed["data"]["previous"]["plan"]) == ("premium", None)


async def test_nothing_is_told_that_opens_a_checkout(
    telling: Telling, outside: Outside, receiver: HookReceiver
) -> None:
    await purchase(telling, outside)

    assert "cs_" not in str(receiver.got)
    assert "https://" not in str(receiver.got)


async def test_what_a_user_had_before_is_not_told_as_new(
    telling: Telling, outside: Outside, receiver: HookReceiver
) -> None:
    buy(outside)
    ada = await telling.replica.sign_in()
    for _look in range(3):
        await telling.replica.ask(ada)
        outside.clock.move(60)
    await telling.deliverer.run_once()

    assert receiver.tried == []


async def test_an_end_is_told_once(telling: Telling, outside: Outside, receiver: HookReceiver) -> None:
    ada = await purchase(telling, outside)
    (subscription,) = outside.world.subscriptions.values()
    outside.world.set_status(subscription, "canceled")
    outside.world.deliver_all()
    for _look in range(3):
        outside.clock.move(30)
        await telling.replica.ask(ada)
        await telling.deliverer.run_once()

    assert receiver.kinds[4:] == ["subscription.ended", "entitlements.changed"]


async def test_a_payment_that_fails_is_told_as_past_due(
    telling: Telling, outside: Outside, receiver: HookReceiver
) -> None:
    ada = await purchase(telling, outside)
    (subscription,) = outside.world.subscriptions.values()
    outside.world.set_status(subscription, "past_due")
    outside.world.deliver_all()
    outside.clock.move(30)
    await telling.replica.ask(ada)
    await telling.deliverer.run_once()

    assert receiver.kinds[4:] == ["subscription.past_due"]


async def test_a_service_that_is_away_changes_nothing(
    telling: Telling, outside: Outside, receiver: HookReceiver
) -> None:
    ada = await purchase(telling, outside)
    outside.payment_ms.switch.error = UpstreamUnavailable("payment_ms", "subscription")
    for _look in range(20):
        outside.clock.move(60)
        await telling.replica.ask(ada)
    outside.payment_ms.switch.error = None
    await telling.replica.ask(ada)
    await telling.deliverer.run_once()

    assert len(receiver.kinds) == 4


async def test_a_checkout_that_nobody_confirms_is_told_as_lost(
    telling: Telling, outside: Outside, receiver: HookReceiver
) -> None:
    ada = await telling.replica.sign_in()
    await telling.replica.ask(ada)
    checkout = await telling.replica.click(ada)
    await telling.replica.come_back(ada, checkout)
    await telling.deliverer.run_once()
    outside.clock.move(11 * 60)

    await telling.deliverer.run_once()  # nobody is here any more

    assert receiver.kinds == ["checkout.opened", "checkout.lost"]


async def test_an_order_is_told_when_its_browser_is_back(
    telling: Telling, outside: Outside, receiver: HookReceiver
) -> None:
    ada = await telling.replica.sign_in()
    await telling.replica.ask(ada)
    checkout = await telling.replica.click(ada, "price_mug", 2)
    await telling.replica.come_back(ada, checkout)
    await telling.deliverer.run_once()

    assert receiver.kinds == ["checkout.opened", "order.returned"]
    assert receiver.events[1]["data"]["lines"][0]["quantity"] == 2


async def test_a_word_of_billings_is_followed_up_for_who_is_not_here(outside: Outside, receiver: HookReceiver) -> None:
    outside = Outside("documented")
    telling = Telling(outside, receiver)
    await telling.deliverer.begin()
    await purchase(telling, outside)
    outside.clock.move(DAY)
    (subscription,) = outside.world.subscriptions.values()
    outside.world.set_status(subscription, "canceled")
    outside.world.deliver_all()

    await telling.outbox.look_soon("ada")
    outside.clock.move(3)
    await telling.deliverer.run_once()

    assert receiver.kinds[4:] == ["subscription.ended", "entitlements.changed"]
    assert receiver.events[-1]["data"]["stale"] is True
    await telling.replica.checkout.finish()


async def test_what_is_refused_is_tried_again_for_a_day_and_order_is_kept(
    telling: Telling, outside: Outside, receiver: HookReceiver
) -> None:
    receiver.statuses = [500, 503, 302, 404]
    await purchase(telling, outside)
    for pause in PAUSES[:4]:
        outside.clock.move(pause.total_seconds() + 1)
        await telling.deliverer.run_once()

    assert receiver.kinds == PURCHASE
    assert receiver.tried[:5] == [receiver.tried[0]] * 5  # the next one waits for the one before
    assert timedelta(hours=20) < sum(PAUSES, timedelta()) < timedelta(hours=28)


async def test_what_waits_is_counted_with_the_age_of_the_oldest(
    telling: Telling, outside: Outside, receiver: HookReceiver
) -> None:
    receiver.statuses = [500, 500]
    began = outside.clock()
    await purchase(telling, outside)
    outside.clock.move(20)

    waiting = await telling.outbox.backlog()

    assert waiting.events == len(PURCHASE)
    assert waiting.oldest is not None
    assert began <= waiting.oldest < began + timedelta(seconds=1)
    assert waiting.age(outside.clock()) == pytest.approx(22, abs=0.1)
    for pause in PAUSES[:2]:
        outside.clock.move(pause.total_seconds() + 1)
        await telling.deliverer.run_once()
    assert await telling.outbox.backlog() == Backlog(events=0, oldest=None)


async def test_a_count_that_a_crash_left_out_is_put_right_at_the_next_try(
    telling: Telling, outside: Outside, receiver: HookReceiver
) -> None:
    receiver.statuses = [500, 500]
    await purchase(telling, outside)
    await outside.store.delete_field("outbox-waiting:index", "ada")
    outside.clock.move(PAUSES[0].total_seconds() + 1)

    await telling.deliverer.run_once()

    assert (await telling.outbox.backlog()).events == len(PURCHASE)


async def test_what_nobody_takes_in_a_day_is_dead_shown_and_holds_nothing_up(
    telling: Telling, outside: Outside, receiver: HookReceiver
) -> None:
    receiver.statuses = [500] * (len(PAUSES) + 1)
    await purchase(telling, outside)
    for pause in PAUSES:
        outside.clock.move(pause.total_seconds() + 1)
        await telling.deliverer.run_once()

    (dead,) = await telling.outbox.buried()
    assert (dead.event.kind, dead.endpoint, dead.last) == ("checkout.opened", "reports", "500")
    assert dead.attempts == len(PAUSES) + 1
    assert dead.event.data == {}
    assert receiver.kinds == PURCHASE[1:]


async def test_a_receiver_that_says_when_is_not_asked_before(
    telling: Telling, outside: Outside, receiver: HookReceiver
) -> None:
    receiver.statuses, receiver.headers = [429], {"retry-after": "90"}
    await purchase(telling, outside)
    outside.clock.move(60)
    await telling.deliverer.run_once()
    tried = len(receiver.tried)
    outside.clock.move(31)
    await telling.deliverer.run_once()

    assert tried == 1
    assert len(receiver.kinds) == 4


async def test_one_that_is_gone_gets_no_second_try(telling: Telling, outside: Outside, receiver: HookReceiver) -> None:
    receiver.statuses = [410]
    await purchase(telling, outside)

    assert len(receiver.tried) == 4
    assert [one.last for one in await telling.outbox.buried()] == ["410"]


async def test_customers_do_not_wait_for_each_other(telling: Telling, outside: Outside, receiver: HookReceiver) -> None:
    receiver.statuses = [500]
    await purchase(telling, outside)
    bob = await telling.replica.sign_in(BOB)
    await telling.replica.ask(bob)
    await telling.replica.click(bob, "price_mug")
    await telling.deliverer.run_once()

    assert [event["data"]["user_id"] for event in receiver.events] == ["bob"]


async def test_an_endpoint_gets_what_it_asks_for(outside: Outside, receiver: HookReceiver) -> None:
    telling = Telling(outside, receiver, ENDPOINT.model_copy(update={"events": ("subscription.*",)}))
    await telling.deliverer.begin()
    await purchase(telling, outside)

    assert receiver.kinds == ["subscription.started"]
    await telling.replica.checkout.finish()


async def test_two_replicas_tell_a_thing_once(telling: Telling, outside: Outside, receiver: HookReceiver) -> None:
    other = Telling(outside, receiver)
    ada = await purchase(telling, outside)
    await other.replica.ask(ada)
    await other.deliverer.run_once()
    await telling.deliverer.run_once()

    assert len(receiver.tried) == len(set(receiver.tried)) == 4


async def test_without_endpoints_nothing_is_kept(outside: Outside) -> None:
    replica = Replica(outside)
    buy(outside)
    await replica.ask(await replica.sign_in())

    assert await outside.store.keys("outbox") == []
