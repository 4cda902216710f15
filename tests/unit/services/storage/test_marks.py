"""What was seen once is kept by the first who sees it, and costs nothing after that."""

from pathlib import Path

import pytest

from services.auth_ms import PlanGrant
from services.storage.marks import Mark, Marks
from services.storage.sqlite_store import SqliteStore
from tests.replica import Outside, Replica


async def test_a_mark_outlives_the_process_and_is_kept_for_good(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    store = SqliteStore(path, clock=lambda: 0.0)
    await Marks(store).set(Mark.ACCOUNT_ANSWERED)
    await store.close()

    store = SqliteStore(path, clock=lambda: 1e9)
    assert await Marks(store).holds(Mark.ACCOUNT_ANSWERED)
    assert not await Marks(store).holds(Mark.ACCOUNT_SPOKE_OF_PLANS)
    await store.close()


@pytest.mark.parametrize(
    ("grant", "spoke"),
    [(None, False), (PlanGrant("none", "", None), True), (PlanGrant("active", "premium", None), True)],
)
async def test_whether_the_account_speaks_of_plans_is_marked_by_its_answers(
    grant: PlanGrant | None, *, spoke: bool
) -> None:
    outside = Outside()
    replica = Replica(outside)
    ada = await replica.sign_in()
    if grant is not None:
        outside.world.accounts["ada"] = grant

    await replica.refresher.ask(ada)

    marks = Marks(outside.store)
    assert await marks.holds(Mark.ACCOUNT_ANSWERED)
    assert await marks.holds(Mark.ACCOUNT_SPOKE_OF_PLANS) is spoke
