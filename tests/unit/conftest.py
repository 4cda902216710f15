"""A sandbox process for the tests of the API, and an app over it for each."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.launch import FREE_PORTS, RunningSandbox, start_sandbox
from tests.unit.api_world import ApiWorld, api_world


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
