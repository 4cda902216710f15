"""One sandbox process for all its tests, emptied before each."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.launch import FREE_PORTS, RunningSandbox, start_sandbox
from tests.sandbox.local import LocalShop
from tests.sandbox.shop import Shop

QUICK = {"SANDBOX_WEBHOOK_DELAY": "0"}


@pytest.fixture(scope="session", autouse=True)
def no_sandbox_settings_of_this_machine() -> Iterator[None]:
    """Keep the developer's environment and `.env` out of the processes that these tests start."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("SANDBOX_")]:
            patch.delenv(name)
        patch.setenv("SANDBOX_ENV_FILE", "")
        yield


@pytest.fixture(scope="session")
def running(
    no_sandbox_settings_of_this_machine: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSandbox]:
    database = tmp_path_factory.mktemp("sandbox") / "sandbox.sqlite3"
    with start_sandbox([*FREE_PORTS, "--database", str(database)], QUICK) as sandbox:
        yield sandbox


@pytest.fixture
def shop(running: RunningSandbox) -> Iterator[Shop]:
    with Shop(running) as shop:
        shop.control("POST", "reset")
        yield shop


@pytest.fixture(scope="session")
def local_sandbox(no_sandbox_settings_of_this_machine: None) -> Iterator[LocalShop]:
    """A sandbox in this process."""
    with LocalShop() as local:
        yield local


@pytest.fixture
def local(local_sandbox: LocalShop) -> LocalShop:
    """The sandbox in this process, emptied."""
    local_sandbox.control("POST", "reset")
    return local_sandbox


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file for a test that starts and stops sandboxes of its own."""
    return tmp_path / "sandbox.sqlite3"
