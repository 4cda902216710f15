"""The record of checkouts: what became of each, and what may be done with it."""

from datetime import timedelta

import pytest

from services.checkout_record import (
    REMEMBERED,
    SESSION_LIFE,
    Checkout,
    CheckoutEvent,
    CheckoutKind,
    CheckoutRepository,
    newest,
)
from services.errors import StoreUnavailable
from tests.fakes import START, Clock
from tests.unit.services.subscription.snapshot_tables import checkout
from truth.memory_store import MemoryStore

DAY = 86_400.0
HOUR = 3_600.0


class TestWhatBecameOfIt:
    """Each case: the events with the seconds since each; then whether it is open, reusable, confirming, unconfirmed."""

    @pytest.mark.parametrize(
        ("started", "events", "is_open", "reusable", "confirming", "unconfirmed"),
        [
            (60, [], True, True, False, False),
            (23 * HOUR, [], True, True, False, False),
            (23.6 * HOUR, [], True, False, False, False),
            (24.1 * HOUR, [], False, False, False, False),
            # Back by the success URL: nobody is sent there again, and it waits for a service to say so.
            (60, [(CheckoutEvent.RETURNED, 5)], False, False, True, True),
            (24.1 * HOUR, [(CheckoutEvent.RETURNED, 24 * HOUR)], False, False, False, True),
            (60, [(CheckoutEvent.RETURNED, 5), (CheckoutEvent.BILLING_HAS_IT, 4)], False, False, True, True),
            (60, [(CheckoutEvent.RETURNED, 5), (CheckoutEvent.ACCESS_ON, 4)], False, False, False, False),
            # Back by the cancel URL: still payable at Stripe, so it is the one to hand out again.
            (60, [(CheckoutEvent.CANCELED, 5)], False, True, False, False),
            (60, [(CheckoutEvent.REPLACED, 5)], False, True, False, False),
            (60, [(CheckoutEvent.CANCELED, 9), (CheckoutEvent.HANDED_OUT, 5)], True, True, False, False),
            (60, [(CheckoutEvent.HANDED_OUT, 9), (CheckoutEvent.CANCELED, 5)], False, True, False, False),
            (
                60,
                [(CheckoutEvent.REPLACED, 20), (CheckoutEvent.HANDED_OUT, 9), (CheckoutEvent.REPLACED, 5)],
                False,
                True,
                False,
                False,
            ),
            # Canceled first, then paid after all.
            (60, [(CheckoutEvent.CANCELED, 9), (CheckoutEvent.RETURNED, 5)], False, False, True, True),
            # A second tab went back after the first one had paid: no waiting, but the doubt stays.
            (60, [(CheckoutEvent.RETURNED, 9), (CheckoutEvent.CANCELED, 5)], False, False, False, True),
            # Neither time could be read, so both are its start: the return counts.
            (60, [(CheckoutEvent.RETURNED, 60), (CheckoutEvent.CANCELED, 60)], False, False, True, True),
            # The user said that it was not charged, and something else was started.
            (60, [(CheckoutEvent.RETURNED, 9), (CheckoutEvent.REPLACED, 5)], False, False, False, False),
            # Given up for another plan, and paid all the same in another tab.
            (60, [(CheckoutEvent.REPLACED, 9), (CheckoutEvent.RETURNED, 5)], False, False, True, True),
            # Never back, but a service has it.
            (60, [(CheckoutEvent.BILLING_HAS_IT, 5)], False, False, False, False),
            (60, [(CheckoutEvent.ACCESS_ON, 5)], False, False, False, False),
        ],
    )
    def test_the_table(
        self,
        started: float,
        events: list[tuple[CheckoutEvent, float]],
        is_open: bool,
        reusable: bool,
        confirming: bool,
        unconfirmed: bool,
    ) -> None:
        one = checkout(started=started, events=events)

        found = (one.open(START), one.reusable(START), one.confirming(START), one.unconfirmed)

        assert found == (is_open, reusable, confirming, unconfirmed)

    def test_a_return_from_a_short_session_is_waited_for_as_long_as_from_any(self) -> None:
        short = {"ends_at": START - timedelta(hours=2)}
        one = checkout(started=9_000, events=[(CheckoutEvent.RETURNED, 8_900)]).model_copy(update=short)

        assert one.confirming(START)
        assert not one.confirming(START + timedelta(days=1))

    def test_a_one_off_purchase_is_never_waited_for(self) -> None:
        one = checkout(events=[(CheckoutEvent.RETURNED, 5)]).model_copy(update={"kind": CheckoutKind.ITEM})

        assert not one.unconfirmed
        assert not one.confirming(START)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    return MemoryStore(clock)


@pytest.fixture
def record(store: MemoryStore, clock: Clock) -> CheckoutRepository:
    return CheckoutRepository(store, clock)


async def test_checkouts_are_returned_newest_first_with_their_events(record: CheckoutRepository) -> None:
    old, new = checkout(started=500, name="old"), checkout(started=5, name="new")
    await record.add(new)
    await record.add(old)
    marked = await record.mark(old, CheckoutEvent.RETURNED)

    assert await record.of("user-1") == (new, marked)
    assert await record.of("somebody-else") == ()


async def test_another_customers_checkout_is_not_found(record: CheckoutRepository) -> None:
    mine = checkout()
    await record.add(mine)

    assert await record.by_session("user-1", mine.session_id) == mine
    assert await record.by_id("user-1", mine.id) == mine
    assert await record.by_session("user-2", mine.session_id) is None
    assert await record.by_id("user-2", mine.id) is None
    assert await record.by_session("user-1", "cs_other") is None


async def test_the_first_return_counts_and_the_last_cancellation(record: CheckoutRepository, clock: Clock) -> None:
    one = checkout()
    await record.add(one)
    first = await record.mark(one, CheckoutEvent.RETURNED)
    canceled = await record.mark(first, CheckoutEvent.CANCELED)
    clock.move(60)

    again = await record.mark(await record.mark(canceled, CheckoutEvent.RETURNED), CheckoutEvent.CANCELED)

    assert again.at(CheckoutEvent.RETURNED) == first.at(CheckoutEvent.RETURNED)
    assert again.at(CheckoutEvent.CANCELED) == START + timedelta(seconds=60)
    assert (await record.of("user-1"))[0] == again


async def test_the_last_time_it_was_handed_out_counts(record: CheckoutRepository, clock: Clock) -> None:
    handed_out = await record.mark(checkout(), CheckoutEvent.HANDED_OUT)
    clock.move(60)

    again = await record.mark(handed_out, CheckoutEvent.HANDED_OUT)

    assert again.handed_out_at == clock.now


async def test_only_the_own_return_key_finds_a_checkout(record: CheckoutRepository) -> None:
    for name in ("first", "second"):
        await record.add(checkout(name=name).model_copy(update={"return_key": f"key-of-{name}"}))
    await record.add(checkout(name="without"))

    found = [await record.by_return_key("user-1", key) for key in ("key-of-first", "key-of-second", "", "another")]

    assert [one.id if one else None for one in found] == ["first", "second", None, None]


async def test_the_order_of_events_holds_where_replicas_clocks_differ(
    record: CheckoutRepository, store: MemoryStore
) -> None:
    slow = CheckoutRepository(store, Clock(START - timedelta(seconds=30)))
    one = checkout(started=5)
    await record.add(one)
    canceled = await record.mark(one, CheckoutEvent.CANCELED)

    handed_out = await slow.mark(canceled, CheckoutEvent.HANDED_OUT)

    assert handed_out.open(START)
    assert not (await slow.mark(handed_out, CheckoutEvent.REPLACED)).open(START)


async def test_old_checkouts_are_forgotten_with_their_events(
    record: CheckoutRepository, store: MemoryStore, clock: Clock
) -> None:
    old = checkout(name="old")
    await record.add(old)
    await record.mark(await record.mark(old, CheckoutEvent.RETURNED), CheckoutEvent.ACCESS_ON)
    clock.move(REMEMBERED.total_seconds() - 60)
    await record.add(checkout(name="middle").model_copy(update={"started_at": clock.now}))
    clock.move(120)

    await record.add(checkout(name="new").model_copy(update={"started_at": clock.now}))

    assert [one.id for one in await record.of("user-1")] == ["new", "middle"]
    assert set(await store.fields("checkouts:user-1")) == {"new", "middle"}


async def test_what_outlives_its_day_is_remembered_for_a_year_of_paying(
    record: CheckoutRepository, clock: Clock
) -> None:
    await record.add(checkout(started=0))
    clock.move(366 * DAY)

    assert len(await record.of("user-1")) == 1


async def test_a_checkout_that_cannot_be_read_is_absent_and_told_of(
    record: CheckoutRepository, store: MemoryStore
) -> None:
    await record.add(checkout(name="mine"))
    await store.put_field("checkouts:user-1", "odd", '{"id": "odd"}', None)

    assert [one.id for one in await record.of("user-1")] == ["mine"]
    assert (await record.read("user-1")).unreadable == ("odd",)


async def test_a_checkout_that_cannot_be_read_and_came_back_after_it_was_given_up_is_not_settled(
    record: CheckoutRepository, store: MemoryStore
) -> None:
    for name, events in (("paid", ("REPLACED", "RETURNED")), ("given up", ("RETURNED", "REPLACED"))):
        one = checkout(name=name)
        for event in events:
            one = await record.mark(one, CheckoutEvent[event])
        await store.put_field("checkouts:user-1", name, "{}", None)

    assert (await record.read("user-1")).unreadable == ("paid",)


async def test_a_checkout_of_nothing_cannot_be_read(record: CheckoutRepository, store: MemoryStore) -> None:
    text = checkout(name="empty").model_copy(update={"lines": ()}).model_dump_json()
    await store.put_field("checkouts:user-1", "empty", text, None)

    assert await record.of("user-1") == ()
    assert (await record.read("user-1")).unreadable == ("empty",)


def test_a_checkout_that_says_nothing_of_a_trial_has_none() -> None:
    assert checkout().trial_days == 0


async def test_a_store_that_is_away_is_never_an_empty_record(record: CheckoutRepository, store: MemoryStore) -> None:
    store.broken = True

    with pytest.raises(StoreUnavailable):
        await record.of("user-1")


def test_newest_takes_the_last_started_that_is_wanted() -> None:
    young, old = checkout(started=1, name="young"), checkout(started=9, name="old")

    def is_old(one: Checkout) -> bool:
        return one.id == "old"

    assert newest([old, young], lambda one: True) == young
    assert newest([old, young], is_old) == old
    assert newest([], is_old) is None


def test_the_total_counts_quantities() -> None:
    line = checkout().lines[0]
    cart = checkout().model_copy(update={"lines": (line, line.model_copy(update={"quantity": 3, "amount": 5}))})

    assert cart.total == 2900 + 15
    assert cart.expires_at - cart.started_at == SESSION_LIFE
