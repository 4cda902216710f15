"""The embedded store: the common promises, and those of a file."""

import asyncio
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from services.errors import StoreInUse, StoreUnavailable
from services.storage.factory import open_store
from services.storage.port import RESYNC, Store
from services.storage.sqlite_store import SqliteStore
from tests.unit.services.storage.store_behaviour import StoreBehaviour, eventually


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "store.sqlite3"


class TestSqliteStore(StoreBehaviour):
    @pytest_asyncio.fixture
    async def store(self, path: Path) -> AsyncIterator[Store]:
        store = SqliteStore(path)
        yield store
        await store.close()


async def test_a_restart_keeps_everything_that_has_not_expired(path: Path) -> None:
    now = [1000.0]
    before = SqliteStore(path, clock=lambda: now[0])
    await before.put("session", "s", 60)
    await before.put("short", "s", 5)
    await before.put_field("cart", "item", "2", None)
    await before.close()
    now[0] += 10

    after = SqliteStore(path, clock=lambda: now[0])

    assert await after.get("session") == "s"
    assert await after.get("short") is None
    assert await after.fields("cart") == {"item": "2"}
    await after.close()


async def test_a_killed_process_loses_nothing_it_was_told_is_written(path: Path) -> None:
    script = (
        "import asyncio, os, signal, sys\n"
        "from services.storage.sqlite_store import SqliteStore\n"
        "async def main():\n"
        "    store = SqliteStore(sys.argv[1])\n"
        "    for number in range(20): await store.put(f'key{number}', 'x', 60)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(path))
    assert await process.wait() == -signal.SIGKILL

    store = SqliteStore(path)

    assert len(await store.keys("key")) == 20
    await store.close()


@pytest.fixture
def public_file(path: Path) -> Path:
    path.parent.mkdir()
    path.touch(mode=0o644)
    return path


async def test_only_the_owner_can_read_the_file(public_file: Path) -> None:
    path = public_file
    store = SqliteStore(path)
    await store.put("key", "secret", None)

    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
    await store.close()


async def test_a_second_process_on_the_same_file_is_refused_with_the_cure(path: Path) -> None:
    store = SqliteStore(path)
    script = "import sys; from services.storage.sqlite_store import SqliteStore; SqliteStore(sys.argv[1])"

    second = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(path), stderr=subprocess.PIPE)
    _, errors = await second.communicate()

    assert second.returncode == 1
    assert b"StoreInUse: Another process is using" in errors
    assert b"set REDIS_URL" in errors
    await store.close()


async def test_a_closed_store_gives_the_file_up(path: Path) -> None:
    first = SqliteStore(path)
    with pytest.raises(StoreInUse):
        SqliteStore(path)
    await first.close()

    second = SqliteStore(path)

    await second.ping()
    await second.close()


async def test_a_place_that_cannot_be_written_fails_each_call_until_it_can(tmp_path: Path) -> None:
    blocker = tmp_path / "data"
    blocker.write_text("a file where the directory should be")
    store = SqliteStore(blocker / "store.sqlite3")
    with pytest.raises(StoreUnavailable):
        await store.get("key")
    with pytest.raises(StoreUnavailable):
        await store.ping()

    blocker.unlink()

    await store.put("key", "x", None)
    assert await store.get("key") == "x"
    await store.close()


async def test_a_full_disk_refuses_writes_serves_reads_and_heals(path: Path) -> None:
    store = SqliteStore(path)
    await store.put("key", "x", None)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.with_name(path.name + "-wal").stat().st_size, hard))
    try:
        with pytest.raises(StoreUnavailable):
            await store.put("key", "y" * 10_000, None)
        assert await store.get("key") == "x"
        with pytest.raises(StoreUnavailable):
            await store.put_field("cart", "item", "y" * 10_000, None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert await store.fields("cart") == {}
    await store.put("key", "z", None)
    assert await store.get("key") == "z"
    await store.close()


async def test_what_is_asked_for_together_goes_to_the_disk_once(path: Path) -> None:
    store = SqliteStore(path)
    await store.put("first", "x", None)
    times = path.with_name(path.name + "-wal").stat().st_size

    await asyncio.gather(*(store.put(f"key{number}", "x", None) for number in range(20)))
    together = path.with_name(path.name + "-wal").stat().st_size - times
    for number in range(20):
        await store.put(f"key{number}", "y", None)
    alone = path.with_name(path.name + "-wal").stat().st_size - times - together

    assert together * 10 < alone
    assert len(await store.keys("key")) == 20
    await store.close()


async def test_one_write_that_fails_takes_none_of_those_beside_it_along(path: Path) -> None:
    store = SqliteStore(path)
    await store.put("key", "x", None)
    unwritable = "\ud800"  # which UTF-8 has no bytes for

    first, broken, last = await asyncio.gather(
        store.add("first", "1", None), store.put("broken", unwritable, None), store.add("last", "1", None),
        return_exceptions=True,
    )  # fmt: skip

    assert (first, last) == (True, True)
    assert isinstance(broken, UnicodeEncodeError)
    assert await store.keys("") == ["first", "key", "last"]
    await store.close()


async def test_whoever_leaves_before_their_turn_writes_nothing(path: Path) -> None:
    store = SqliteStore(path)
    leaving = asyncio.create_task(store.put("left", "x", None))
    staying = asyncio.create_task(store.put("stayed", "x", None))
    await asyncio.sleep(0)
    leaving.cancel()

    await staying

    assert await store.keys("") == ["stayed"]
    await store.close()


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"something precious" * 100)

    asyncio.run(_refuse(path))

    assert path.read_bytes() == b"something precious" * 100


async def _refuse(path: Path) -> None:
    store = SqliteStore(path)

    with pytest.raises(StoreUnavailable):
        await store.get("key")
    with pytest.raises(StoreUnavailable):
        await store.put("key", "x", None)
    await store.close()


async def test_a_file_of_a_newer_release_is_refused_and_left_alone(path: Path) -> None:
    store = SqliteStore(path)
    await store.put("key", "x", None)
    await store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        connection.execute("PRAGMA user_version = 99")
    connection.close()

    newer = SqliteStore(path)

    with pytest.raises(StoreUnavailable, match="newer release"):
        await newer.get("key")
    await newer.close()


async def test_expired_values_leave_the_file(path: Path) -> None:
    now = [1000.0]
    store = SqliteStore(path, clock=lambda: now[0])
    for number in range(50):
        await store.put(f"key{number}", "x", 5)
        await store.put_field(f"key{number}", "field", "x", 5)
    now[0] += 120

    await store.put("one-more", "x", 5)

    connection = sqlite3.connect(path)

    async def gone() -> bool:
        left = "SELECT (SELECT count(*) FROM entries), (SELECT count(*) FROM fields)"
        return bool(connection.execute(left).fetchone() == (1, 0))

    await eventually(gone)
    connection.close()
    await store.close()


async def test_a_slow_subscriber_loses_the_oldest_and_is_told(path: Path) -> None:
    store = SqliteStore(path)
    async with store.subscribe("channel") as slow:
        for number in range(150):
            await store.publish("channel", str(number))

        received = [await anext(slow) for _ in range(101)]

    assert received == [RESYNC, *(str(number) for number in range(50, 150))]
    await store.close()


async def test_writes_under_way_are_finished_before_the_store_closes(path: Path) -> None:
    store = SqliteStore(path)
    writes = [asyncio.create_task(store.put(f"key{number}", "x", None)) for number in range(50)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*writes)

    again = SqliteStore(path)

    assert len(await again.keys("key")) == 50
    await again.close()


async def test_the_log_names_the_trouble_once_and_no_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocker = tmp_path / "data"
    blocker.write_text("")
    store = SqliteStore(blocker / "store.sqlite3")
    for _ in range(5):
        with pytest.raises(StoreUnavailable) as refused:
            await store.put("session:s3cr3t", "v4lue", 60)

    output = "".join(capsys.readouterr())

    assert output.count("store_unavailable") == 1
    assert "s3cr3t" not in output + str(refused.value)
    assert "v4lue" not in output + str(refused.value)
    await store.close()


async def test_without_a_redis_url_the_store_is_the_file(path: Path) -> None:
    store = open_store(SimpleNamespace(redis_url=None, storage_path=str(path)))

    await store.put("key", "x", None)

    assert isinstance(store, SqliteStore)
    await store.close()


async def test_a_link_to_the_file_is_the_same_file(path: Path) -> None:
    link = path.parent / "elsewhere" / "link.sqlite3"
    link.parent.mkdir(parents=True)
    link.symlink_to(path)
    through_link = SqliteStore(link)
    with pytest.raises(StoreInUse):
        SqliteStore(path)
    await through_link.put("key", "x", None)
    await through_link.close()

    store = SqliteStore(path)

    assert await store.get("key") == "x"
    with pytest.raises(StoreInUse):
        SqliteStore(link)
    assert [entry.name for entry in link.parent.iterdir()] == ["link.sqlite3"]
    await store.close()


@pytest.mark.parametrize("what", ["the file", "all files", "the folder", "the journal", "the lock"])
async def test_files_deleted_under_the_process_are_written_back(path: Path, what: str) -> None:
    store = SqliteStore(path)
    await store.put("key", "x", None)
    await store.put_field("cart", "item", "2", None)

    gone = {"the file": [""], "the journal": ["-wal"], "the lock": [".lock"]}.get(what, ["", "-wal", "-shm", ".lock"])
    for ending in gone:
        path.with_name(path.name + ending).unlink()
    if what == "the folder":
        path.parent.rmdir()
    with capture_logs() as lines:
        await store.ping()
        await store.put("another", "y", None)

    assert await store.get("key") == "x"
    with pytest.raises(StoreInUse):
        SqliteStore(path)
    await store.close()
    again = SqliteStore(path)
    assert (await again.get("key"), await again.get("another"), await again.fields("cart")) == ("x", "y", {"item": "2"})
    await again.close()
    said = [line["event"] for line in lines]
    assert said == (["store_file_deleted"] if "" in gone else [])
    assert {entry.name.removeprefix(path.name) for entry in path.parent.iterdir()} == {"", ".lock"}


async def test_a_file_put_in_its_place_is_refused_and_left_alone(path: Path, tmp_path: Path) -> None:
    other = SqliteStore(tmp_path / "other.sqlite3")
    await other.put("key", "other", None)
    await other.close()
    store = SqliteStore(path)
    await store.put("key", "x", None)
    (tmp_path / "other.sqlite3").replace(path)

    with pytest.raises(StoreUnavailable, match="was replaced by another file"):
        await store.put("key", "y", None)
    await store.close()

    again = SqliteStore(path)
    assert await again.get("key") == "other"
    await again.close()


async def test_what_has_expired_goes_in_steps_that_hold_up_nobody(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.storage.sqlite.sqlite_file.PURGED_AT_ONCE", 10)
    now = [1000.0]
    store = SqliteStore(path, clock=lambda: now[0])
    await asyncio.gather(*(store.put(f"key{number}", "x", 5) for number in range(35)))
    now[0] += 120
    left = sqlite3.connect(path)

    def count() -> int:
        return int(left.execute("SELECT count(*) FROM entries").fetchone()[0])

    async def clean() -> bool:
        return count() == 1

    await store.put("one-more", "x", None)
    after_the_request = count()
    await eventually(clean)

    assert after_the_request >= 26
    left.close()
    await store.close()
