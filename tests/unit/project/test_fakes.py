"""The stand-ins keep the promises of what they stand for."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest_asyncio

from services.storage.port import Store
from tests.unit.services.storage.store_behaviour import StoreBehaviour
from truth.memory_store import MemoryStore


class TestMemoryStore(StoreBehaviour):
    @pytest_asyncio.fixture
    async def store(self) -> AsyncIterator[Store]:
        store = MemoryStore(lambda: datetime.now(UTC))
        yield store
        await store.close()
