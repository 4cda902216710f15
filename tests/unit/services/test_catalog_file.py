"""The catalog under a running app: a good change comes into force, a bad one keeps the last good one."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from catalog import CatalogError, Interval
from services.catalog_file import ALL_USERS, CatalogFile
from services.storage.pubsub import PubSub, Topic
from services.storage.sqlite_store import SqliteStore
from tests.fakes import Clock

SOLD: dict[str, Any] = json.loads((Path(__file__).parents[3] / "products.json").read_bytes())


class WatchedCatalog:
    """A catalog file in a folder, and who hears of its changes."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.path = folder / "products.json"
        self.path.write_text(json.dumps(SOLD))
        self.store = SqliteStore(folder / "store.sqlite3")
        self.pubsub = PubSub(self.store)
        self.file = CatalogFile(self.path, self.pubsub, look_every=0.01, **options)

    def rename_first_plan(self, name: str) -> None:
        changed = json.loads(json.dumps(SOLD))
        changed["plans"][0]["name"] = name
        self.path.write_text(json.dumps(changed))


@pytest.fixture
def shop(tmp_path: Path) -> WatchedCatalog:
    return WatchedCatalog(tmp_path)


async def test_a_good_change_is_in_force_and_announced(shop: WatchedCatalog) -> None:
    heard = asyncio.Event()
    listener = shop.pubsub.listen(Topic.CATALOG, ALL_USERS, lambda _text: heard.set())
    before = shop.file.current
    shop.file.start()

    shop.rename_first_plan("Gratis")
    await asyncio.wait_for(heard.wait(), 5)
    await shop.file.stop()
    listener.close()

    assert str(shop.file.current.plans[0].name) == "Gratis"
    assert shop.file.current.version != before.version
    await shop.store.close()


@pytest.mark.parametrize("bad", ["", "{", "[]", '{"plans": []}', "\x00", None])
async def test_a_bad_change_keeps_the_last_good_one_and_says_why_once(shop: WatchedCatalog, bad: str | None) -> None:
    before = shop.file.current
    shop.path.unlink() if bad is None else shop.path.write_text(bad)

    with capture_logs() as logs:
        changed = [await shop.file.look() for _ in range(3)]

    assert changed == [False, False, False]
    assert shop.file.current is before
    assert shop.file.problem
    assert [line["event"] for line in logs] == ["catalog_refused"]
    await shop.store.close()


async def test_a_repaired_file_ends_the_problem(shop: WatchedCatalog) -> None:
    good = shop.path.read_text()
    shop.path.write_text("{")
    await shop.file.look()

    shop.path.write_text(good)
    same = await shop.file.look()
    shop.rename_first_plan("Gratis")
    other = await shop.file.look()

    assert (same, other) == (False, True)
    assert shop.file.problem is None
    await shop.store.close()


async def test_another_layout_of_the_same_catalog_changes_nothing(shop: WatchedCatalog) -> None:
    shop.path.write_text(json.dumps(SOLD, indent=4))

    assert await shop.file.look() is False
    assert shop.file.problem is None
    await shop.store.close()


async def test_it_stops_when_it_is_told_to(shop: WatchedCatalog) -> None:
    shop.file.start()
    await shop.file.stop()
    await shop.file.stop()

    assert not [task for task in asyncio.all_tasks() if task.get_name() == "catalog file"]
    await shop.store.close()


async def test_a_bad_file_at_the_start_is_refused(tmp_path: Path) -> None:
    (tmp_path / "products.json").write_text("{")
    store = SqliteStore(tmp_path / "store.sqlite3")

    with pytest.raises(CatalogError):
        CatalogFile(tmp_path / "products.json", PubSub(store))
    await store.close()


async def test_a_price_retires_at_its_moment_and_that_is_announced(tmp_path: Path) -> None:
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    clock = Clock(moment - timedelta(seconds=1))
    shop = WatchedCatalog(tmp_path, now=clock)
    changed = json.loads(json.dumps(SOLD))
    changed["plans"][1]["prices"]["year"]["until"] = moment.isoformat()
    shop.path.write_text(json.dumps(changed))
    heard = asyncio.Event()
    assert await shop.file.look()
    listener = shop.pubsub.listen(Topic.CATALOG, ALL_USERS, lambda _text: heard.set())
    before = await shop.file.look(), list(shop.file.current.plan("basic").offered)

    clock.move(1)
    after = await shop.file.look(), list(shop.file.current.plan("basic").offered)

    assert before == (False, [Interval.MONTH, Interval.YEAR])
    assert after == (True, [Interval.MONTH])
    assert await shop.file.look() is False
    await asyncio.wait_for(heard.wait(), 5)
    listener.close()
    await shop.store.close()


async def test_without_trials_none_is_in_force_also_after_a_change(tmp_path: Path) -> None:
    shop = WatchedCatalog(tmp_path, trials=False)
    shop.rename_first_plan("Gratis")

    assert await shop.file.look()

    assert {offer.price.trial_days for offer in shop.file.current.offers()} == {0}
    await shop.store.close()


async def test_trials_come_into_force_once_the_service_says_that_it_gives_them(tmp_path: Path) -> None:
    shop = WatchedCatalog(tmp_path, trials=False)
    before = shop.file.current.version

    await shop.file.give_trials(True)
    given = any(price.trial_days for plan in shop.file.current.plans for price in plan.prices.values())
    await shop.file.give_trials(False)

    assert given
    assert shop.file.current.version == before
