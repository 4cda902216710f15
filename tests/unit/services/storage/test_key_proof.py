"""That our key worked, kept in the store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from pydantic import SecretStr

from services.storage.key_proof import StoredKeyProof
from services.storage.port import Store
from services.storage.sqlite_store import SqliteStore

URL = "http://payment:9000"
KEY = SecretStr("proj_one")


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An embedded store."""
    store = SqliteStore(tmp_path / "store.sqlite3")
    yield store
    await store.close()


async def test_proof_outlives_the_process(store: Store) -> None:
    await StoredKeyProof(store, URL, KEY).keep()

    assert await StoredKeyProof(store, f"{URL}/", KEY).holds()


async def test_another_key_or_address_is_not_proven(store: Store) -> None:
    await StoredKeyProof(store, URL, KEY).keep()

    assert not await StoredKeyProof(store, URL, SecretStr("proj_two")).holds()
    assert not await StoredKeyProof(store, "http://elsewhere:9000", KEY).holds()


async def test_nothing_is_proven_before_the_first_answer(store: Store) -> None:
    assert not await StoredKeyProof(store, URL, KEY).holds()
