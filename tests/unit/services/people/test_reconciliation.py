"""What does not fit between billing and the account is found for each kind, and nothing where all fits."""

import pytest

from services.auth_ms import PlanGrant
from services.errors import UpstreamTimeout
from services.people.reconciliation import FindingKind, findings_of
from services.sessions.service import Session
from tests.replica import Outside, Replica

K = FindingKind


@pytest.fixture(autouse=True)
def worded(outside: Outside) -> None:
    outside.payment_ms.shape = "documented"


async def found(replica: Replica, outside: Outside, session: Session) -> dict[FindingKind, str]:
    await replica.ask(session)
    return {one.kind: one.detail for one in findings_of("ada", "ada", await replica.refresher.last_word("ada"))}


async def bought(replica: Replica, outside: Outside, *, heard_by: tuple[str, ...] = ("billing", "account")) -> Session:
    ada = await replica.sign_in()
    made = await replica.click(ada)
    outside.world.pay(made.session_id)
    outside.world.deliver_all(heard_by)  # type: ignore[arg-type]
    await replica.come_back(ada, made)
    return ada


async def test_nothing_where_all_fits(replica: Replica, outside: Outside) -> None:
    assert await found(replica, outside, await bought(replica, outside)) == {}


async def test_nobody_of_whom_no_service_ever_spoke(replica: Replica) -> None:
    word = await replica.refresher.last_word("nobody")

    assert [one.kind for one in findings_of("nobody", "", word)] == [K.NOT_ASKED]


async def test_who_pays_and_has_no_access(replica: Replica, outside: Outside) -> None:
    ada = await bought(replica, outside, heard_by=("billing",))
    outside.world.accounts["ada"] = PlanGrant("none", "free", None)

    told = await found(replica, outside, ada)

    assert list(told) == [K.NO_ACCESS]


async def test_who_has_access_and_no_record(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    outside.world.accounts["ada"] = PlanGrant("active", "premium", None)

    assert await found(replica, outside, ada) == {K.NO_RECORD: "the account grants premium (granted)"}


async def test_who_has_two(replica: Replica, outside: Outside) -> None:
    ada = await bought(replica, outside)
    first = outside.world.live("ada")[0]
    session = outside.world.open_session("subscription", "ada", (("price_basic_month", 1),), "", "")
    second = outside.world.pay(session)
    outside.world.deliver_all(("billing",))
    assert second is not None

    told = await found(replica, outside, ada)

    assert first.id in told[K.TWO]
    assert second.id in told[K.TWO]


async def test_a_plan_that_nobody_knows(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    outside.world.accounts["ada"] = PlanGrant("active", "gold-2023", None)

    assert (await found(replica, outside, ada))[K.UNKNOWN_PLAN] == "the account names gold-2023"


async def test_billing_that_does_not_answer_is_said_and_nothing_else(replica: Replica, outside: Outside) -> None:
    ada = await bought(replica, outside)
    await replica.ask(ada)
    outside.payment_ms.switch.error = UpstreamTimeout("payment_ms", "subscription")
    outside.clock.move(60)

    assert list(await found(replica, outside, ada)) == [K.NOT_ASKED]
