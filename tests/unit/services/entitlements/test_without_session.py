"""What is told of users who are not here: billing's word of now, the account's last one, and how old it is."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from catalog import Catalog
from services.entitlements.model import Entitlement
from services.entitlements.without_session import EntitlementLookup
from services.errors import UpstreamUnavailable
from services.sessions.service import Session
from services.subscription.model import State
from tests.replica import Outside, Replica
from tests.shop import CATALOG
from tests.unit.services.live_status.status_asked import buy

DAY = timedelta(days=1).total_seconds()


def lookup(
    replica: Replica,
    outside: Outside,
    asks_for: float = 4.0,
    *,
    alone: bool = False,
    catalog: list[Catalog] | None = None,
    answered: Callable[[str], None] = lambda outcome: None,
) -> EntitlementLookup:
    async def customer_of(user_id: str) -> str | None:
        return user_id

    return EntitlementLookup(
        replica.refresher, catalog=lambda: (catalog or [CATALOG])[-1], customer_of=customer_of, now=outside.clock,
        asks_for=asks_for, alone=alone, answered=answered,
    )  # fmt: skip


def looks(outside: Outside) -> int:
    """How often billing was asked."""
    return outside.payment_ms.switch.count("subscription")


async def told(replica: Replica, outside: Outside) -> Entitlement:
    return (await lookup(replica, outside).of(["ada"]))["ada"]


async def subscriber(replica: Replica, outside: Outside) -> Session:
    ada = await replica.sign_in()
    buy(outside)
    await replica.refresher.ask(ada, "all")
    return ada


async def test_what_was_asked_just_now_for_the_user_is_not_asked_again(replica: Replica, outside: Outside) -> None:
    await subscriber(replica, outside)
    before = looks(outside)
    outside.clock.move(14)

    found = await told(replica, outside)

    assert (found.plan, found.access, found.stale) == ("premium", True, False)
    assert looks(outside) == before


async def test_it_is_counted_how_each_answer_came_about(replica: Replica, outside: Outside) -> None:
    await subscriber(replica, outside)
    counted: list[str] = []
    ours = lookup(replica, outside, alone=True, answered=counted.append)

    for seconds in (14, 0, 60):
        outside.clock.move(seconds)
        await ours.of(["ada"])
    outside.payment_ms.switch.error = UpstreamUnavailable("payment_ms", "subscription")
    outside.clock.move(60)
    await ours.of(["ada"])

    assert counted == ["hit", "hit", "miss", "stale"]


async def test_an_absent_user_keeps_access_as_last_known_with_its_age(replica: Replica, outside: Outside) -> None:
    await subscriber(replica, outside)
    asked_at = outside.clock()
    outside.clock.move(9 * DAY)

    found = await told(replica, outside)

    assert (found.plan, found.access, found.stale) == ("premium", True, True)
    assert found.as_of == asked_at
    assert {group.as_of for group in found.groups.values()} == {asked_at}


async def test_the_accounts_word_stands_no_longer_than_what_was_paid(replica: Replica, outside: Outside) -> None:
    await subscriber(replica, outside)
    outside.clock.move(40 * DAY)

    found = await told(replica, outside)

    assert (found.access, found.stale) == (False, True)


async def test_a_renewal_that_billing_tells_of_keeps_it_standing(replica: Replica, outside: Outside) -> None:
    await subscriber(replica, outside)
    outside.clock.move(31 * DAY)
    outside.world.let_periods_end()
    outside.world.deliver_all()

    assert (await told(replica, outside)).access


@pytest.mark.parametrize("seconds", [16, 136])
async def test_an_end_that_billing_tells_of_is_told_soon_after_the_users_look(
    seconds: int,
) -> None:
    outside = Outside("documented")
    replica = Replica(outside)
    await subscriber(replica, outside)
    (subscription,) = outside.world.subscriptions.values()
    outside.world.set_status(subscription, "canceled")
    outside.world.deliver_all()
    outside.clock.move(seconds)

    found = await told(replica, outside)

    assert (found.access, found.state) == (False, State.CANCELED)


async def test_while_billing_is_away_what_was_known_is_told(replica: Replica, outside: Outside) -> None:
    await subscriber(replica, outside)
    outside.payment_ms.switch.error = UpstreamUnavailable("payment_ms", "subscription")
    outside.clock.move(DAY)

    found = await told(replica, outside)

    assert (found.access, found.stale) == (True, True)


async def test_billing_is_asked_once_in_fifteen_seconds(replica: Replica, outside: Outside) -> None:
    await subscriber(replica, outside)
    outside.clock.move(DAY)
    before = looks(outside)

    for _ in range(3):
        await told(replica, outside)
    asked = looks(outside) - before
    outside.clock.move(16)
    await told(replica, outside)

    assert asked == len(CATALOG.products)  # after a day anything may have changed
    assert looks(outside) - before == asked + 1


async def test_without_time_to_ask_all_are_told_from_memory(replica: Replica, outside: Outside) -> None:
    await subscriber(replica, outside)
    outside.clock.move(DAY)
    before = looks(outside)

    found = await lookup(replica, outside, asks_for=-1.0).of(["ada", "bob"])

    assert (found["ada"].access, found["ada"].stale) == (True, True)
    assert looks(outside) == before


async def test_of_somebody_who_never_came_nothing_is_kept(replica: Replica, outside: Outside) -> None:
    found = await lookup(replica, outside).of(["nobody", "a/b", "\x00"])

    assert {one.access for one in found.values()} == {False}
    assert all(one.stale for one in found.values())
    assert await outside.store.keys("evidence:") == []


@pytest.mark.parametrize("known", [True, False])
async def test_going_by_addresses_the_first_one_is_asked_about(outside: Outside, known: bool) -> None:
    replica = Replica(outside, customer_id="email")
    if known:
        await replica.sign_in()

    assert await replica.sessions.first_email_of("ada") == ("ada@example.com" if known else None)


async def test_who_asks_again_within_the_second_gets_the_same_answer(replica: Replica, outside: Outside) -> None:
    await subscriber(replica, outside)
    asked = lookup(replica, outside, alone=True)

    first = (await asked.of(["ada"]))["ada"]
    again = (await asked.of(["ada"]))["ada"]
    outside.clock.move(1)
    later = (await asked.of(["ada"]))["ada"]

    assert again is first
    assert later is not first


async def test_what_a_service_says_meanwhile_is_told_at_once(replica: Replica, outside: Outside) -> None:
    ada = await subscriber(replica, outside)
    asked = lookup(replica, outside, alone=True)
    first = (await asked.of(["ada"]))["ada"]

    (subscription,) = outside.world.subscriptions.values()
    outside.world.set_status(subscription, "canceled")
    outside.world.deliver_all()
    await replica.refresher.ask(ada, "all", fresh=True)
    after = (await asked.of(["ada"]))["ada"]

    assert (first.access, after.access) == (True, False)


async def test_another_catalog_is_told_at_once(replica: Replica, outside: Outside) -> None:
    await subscriber(replica, outside)
    catalogs = [CATALOG]
    asked = lookup(replica, outside, alone=True, catalog=catalogs)
    first = (await asked.of(["ada"]))["ada"]

    catalogs.append(CATALOG.model_copy(update={"features": ()}))
    after = (await asked.of(["ada"]))["ada"]

    assert after is not first
    assert after.features == {}


async def test_beside_other_replicas_the_store_is_read_for_each_answer(replica: Replica, outside: Outside) -> None:
    await subscriber(replica, outside)
    asked = lookup(replica, outside)

    assert (await asked.of(["ada"]))["ada"] is not (await asked.of(["ada"]))["ada"]
