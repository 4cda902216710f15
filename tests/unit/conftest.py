"""A sandbox process for the tests of the API with an app over it for each, and the services of one process."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.launch import FREE_PORTS, RunningSandbox, start_sandbox
from tests.fakes import settle
from tests.replica import Outside, Replica
from tests.unit.api.api_world import ApiWorld, api_world


@pytest.fixture(scope="session")
def api_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """One sandbox for all; `api_world` empties it."""
    database = tmp_path_factory.mktemp("api-sandbox") / "sandbox.sqlite3"
    with start_sandbox([*FREE_PORTS, "--database", str(database)], {"SANDBOX_WEBHOOK_DELAY": "0"}) as sandbox:
        yield sandbox


@pytest_asyncio.fixture
async def api(tmp_path: Path, api_sandbox: RunningSandbox) -> AsyncIterator[ApiWorld]:
    """An app with the routes and guards, nobody signed in."""
    async with api_world(tmp_path, api_sandbox) as world:
        yield world


@pytest.fixture
def outside() -> Outside:
    """The other systems and the store, for processes to share."""
    return Outside()


@pytest_asyncio.fixture
async def replica(outside: Outside) -> AsyncIterator[Replica]:
    """One process, which has to leave nothing behind."""
    before = asyncio.all_tasks()
    made = Replica(outside)
    yield made
    assert (made.status.watchers, made.status.tabs, made.pubsub.count) == (0, 0, 0), "a test left a tab open"
    await settle()
    assert asyncio.all_tasks() - before <= {asyncio.current_task()}
