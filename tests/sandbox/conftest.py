"""One sandbox process for all its tests, emptied before each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.launch import FREE_PORTS, RunningSandbox, start_sandbox
from tests.sandbox.shop import Shop

QUICK = {"SANDBOX_WEBHOOK_DELAY": "0"}


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    database = tmp_path_factory.mktemp("sandbox") / "sandbox.sqlite3"
    with start_sandbox([*FREE_PORTS, "--database", str(database)], QUICK) as sandbox:
        yield sandbox


@pytest.fixture
def shop(running: RunningSandbox) -> Iterator[Shop]:
    with Shop(running) as shop:
        shop.control("POST", "reset")
        yield shop


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file for a test that starts and stops sandboxes of its own."""
    return tmp_path / "sandbox.sqlite3"
