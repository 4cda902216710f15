"""Which releases can read a store, as its row says, and the start that goes by it."""

import asyncio
from pathlib import Path

import pytest

from cli import store_schema
from cli.store_gate import StoreGate
from cli.store_schema import SCHEMA, StoredSchema, note_schema, require_readable
from cli.stored import with_store
from services.errors import StoreTooNew, StoreUnavailable
from services.storage.port import Store
from services.storage.sqlite_store import SqliteStore
from settings import load_settings
from tests.fakes import Clock
from truth.memory_store import MemoryStore
from version import VERSION

NEWER = StoredSchema(needs=SCHEMA + 1, release="9.9.0").model_dump_json()
SENTENCE = (
    f"The store was written by release 9.9.0 (schema {SCHEMA + 1}), and this one, {VERSION}, reads schema {SCHEMA}. "
    "Start that release or a newer one, or go back to a backup from before it (docs/upgrading.md)."
)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(Clock())


async def written(store: MemoryStore) -> StoredSchema:
    return StoredSchema.model_validate_json(await store.get("schema") or "")


async def test_the_first_start_notes_its_schema_and_the_next_changes_nothing(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await note_schema(store)
    monkeypatch.setattr(store_schema, "VERSION", "9.9.0")  # a release that reads what this one does
    await note_schema(store)

    assert await written(store) == StoredSchema(needs=SCHEMA, release=VERSION)


async def test_a_release_with_a_later_schema_lifts_the_row(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await note_schema(store)
    monkeypatch.setattr(store_schema, "SCHEMA", SCHEMA + 1)
    monkeypatch.setattr(store_schema, "VERSION", "9.9.0")
    await note_schema(store)

    assert await store.get("schema") == NEWER


@pytest.mark.parametrize("look", [note_schema, require_readable])
async def test_a_store_of_a_newer_release_is_refused_and_left_as_it_is(store: MemoryStore, look: object) -> None:
    await store.put("schema", NEWER, None)

    with pytest.raises(StoreTooNew) as refused:
        await look(store)  # type: ignore[operator]

    assert refused.value.detail == SENTENCE
    assert await store.get("schema") == NEWER


async def test_looking_alone_writes_nothing(store: MemoryStore) -> None:
    await require_readable(store)

    assert await store.get("schema") is None


async def test_the_app_starts_on_a_store_that_it_can_read(store: MemoryStore) -> None:
    gate = StoreGate(store, lambda: pytest.fail("nothing to stop"))

    assert await gate.passes()
    assert (await written(store)).needs == SCHEMA


async def test_the_app_does_not_start_on_a_store_that_it_can_not_read(store: MemoryStore) -> None:
    await store.put("schema", NEWER, None)
    gate = StoreGate(store, lambda: pytest.fail("nothing to stop"))

    assert not await gate.passes()
    assert gate.problem == SENTENCE


async def test_a_store_that_is_away_at_the_start_is_looked_at_when_it_is_back(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.put("schema", NEWER, None)
    away, get = [True, True], store.get

    async def answer(key: str) -> str | None:
        if away:
            away.pop()
            raise StoreUnavailable("away")
        return await get(key)

    monkeypatch.setattr(store, "get", answer)
    stopped = asyncio.Event()
    gate = StoreGate(store, stopped.set, ask_every=0.001)

    assert await gate.passes()
    await asyncio.wait_for(stopped.wait(), timeout=5)
    assert gate.problem == SENTENCE


def test_commands_that_read_the_store_refuse_a_newer_releases(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "store.sqlite3"
    settings = load_settings(storage_path=str(path), _env_file=None)

    async def write() -> None:
        kept = SqliteStore(path)
        await kept.put("schema", NEWER, None)
        await kept.close()

    async def never(_store: Store) -> int:
        pytest.fail("nothing to read")

    asyncio.run(write())

    assert with_store(settings, never, "") == 1
    assert capsys.readouterr().err == f"{SENTENCE}\n"
