"""`backup` copies the store while the app has it, `restore` puts a copy back while it has not."""

import asyncio
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from cli.commands import main
from services.storage.sqlite_store import SqliteStore
from settings import Settings

STORE = Path("data/store.sqlite3")


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("STORAGE_PATH", str(STORE))
    monkeypatch.setenv("REDIS_URL", "")


def write(value: str) -> None:
    async def work() -> None:
        store = SqliteStore(STORE)
        await store.put("key", value, None)
        await store.put_field("cart", "item", "2", None)
        await store.close()

    asyncio.run(work())


def kept() -> str | None:
    async def work() -> str | None:
        store = SqliteStore(STORE)
        try:
            return await store.get("key")
        finally:
            await store.close()

    return asyncio.run(work())


def test_a_backup_is_restored_and_what_was_there_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    write("then")
    assert main(["backup", "copy"]) == 0
    assert "copy is a checked copy of data/store.sqlite3: 2 rows." in capsys.readouterr().out
    assert stat.S_IMODE(Path("copy").stat().st_mode) == 0o600
    write("now")
    if os.geteuid() == 0:
        os.chown(STORE, 10001, 10001)

    assert main(["restore", "copy"]) == 0

    said = capsys.readouterr().out
    assert kept() == "then"
    (before,) = Path("data").glob("store.sqlite3.before-*")
    assert str(before.resolve()) in said
    assert STORE.stat().st_uid == before.stat().st_uid == (10001 if os.geteuid() == 0 else os.geteuid())
    assert "not on record any more" in said
    assert main(["restore", str(before)]) == 0
    assert kept() == "now"
    assert {path.name for path in Path().iterdir()} == {"copy", "data"}


def test_a_running_app_is_backed_up_and_not_restored_over(capsys: pytest.CaptureFixture[str]) -> None:
    async def work() -> None:
        store = SqliteStore(STORE)
        await store.put("key", "in the journal", None)
        try:
            assert await asyncio.to_thread(main, ["backup", "copy"]) == 0
            await store.put("key", "later", None)
            assert await asyncio.to_thread(main, ["restore", "copy"]) == 1
            assert await store.get("key") == "later"
        finally:
            await store.close()

    asyncio.run(work())
    assert "The app is running" in capsys.readouterr().err
    assert main(["restore", "copy"]) == 0
    assert kept() == "in the journal"


def test_nothing_is_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "copy"]) == 1
    assert "data/store.sqlite3 does not exist" in capsys.readouterr().err
    write("x")
    Path("copy").write_text("mine")

    assert main(["backup", "copy"]) == 1

    assert "copy exists already" in capsys.readouterr().err
    assert Path("copy").read_text() == "mine"


@pytest.mark.parametrize("what", ["nothing", "text", "another database", "a torn copy", "a newer release's"])
def test_what_is_no_sound_backup_changes_nothing(capsys: pytest.CaptureFixture[str], what: str) -> None:
    write("x" * 5000)
    assert main(["backup", "good"]) == 0
    if what == "text":
        Path("copy").write_text("hello " * 1000)
    elif what == "another database":
        with sqlite3.connect("copy") as other:
            other.execute("CREATE TABLE people (name TEXT)")
        other.close()
    elif what == "a torn copy":
        Path("copy").write_bytes(Path("good").read_bytes()[:-4096])
    elif what == "a newer release's":
        Path("copy").write_bytes(Path("good").read_bytes())
        with sqlite3.connect("copy") as newer:
            newer.execute("PRAGMA user_version = 99")
        newer.close()
    capsys.readouterr()

    assert main(["restore", "copy"]) == 1

    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "Traceback" not in said
    assert kept() == "x" * 5000
    assert not list(Path("data").glob("*.before-*"))


def test_redis_has_backups_of_its_own(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://localhost:1/0")
    monkeypatch.setenv("ENTITLEMENTS_KEY", "-----BEGIN PRIVATE KEY-----")

    assert main(["backup", "copy"]) == 1

    assert "docs/operations.md, Backup" in capsys.readouterr().err
