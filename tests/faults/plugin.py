"""Fixtures for tests of the whole product under faults, shared with `tests/security/`."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from harness.app_process import sandbox_for_tests
from sandbox.launch import RunningSandbox
from tests.faults.shop import API_KEY, ProxiedProduct, open_shop
from tests.forks import Forks
from tests.forks import forks as forking


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """The process from which processes of the app are forked."""
    with forking() as made:
        yield made


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """The sandbox behind the fault proxies; each test has people of its own in it."""
    folder = tmp_path_factory.mktemp("sandbox")
    with sandbox_for_tests(folder, webhook_delay="0", api_key=API_KEY) as sandbox:
        yield sandbox


@pytest_asyncio.fixture
async def shop(tmp_path: Path, stand_in: RunningSandbox, forks: Forks) -> AsyncIterator[ProxiedProduct]:
    """A product whose app a test starts with `open`."""
    async with open_shop(tmp_path, stand_in, forks) as made:
        yield made
