"""What all tests share: settings of the developer's own machine stay out of them; a Redis for those that want one."""

import gc
import os
from collections.abc import Iterator

import pytest
import structlog
from xdist.remote import Producer

from harness.app_process import PLAIN_PAGES
from harness.redis_server import RedisServer
from settings import Settings
from tests import scheduling
from ui.nicegui_ext.optimizations import NONE, put_in_force


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every setting out of the environment, and let no test read the developer's `.env`."""
    for name in Settings.model_fields:
        for written in (name, name.upper()):
            if written in os.environ:
                monkeypatch.delenv(written)
    monkeypatch.setitem(Settings.model_config, "env_file", None)


def pytest_configure(config: pytest.Config) -> None:
    """With PLAIN_PAGES draw all pages without what makes them fast, and leave out the tests of just that."""
    gc.disable()  # until all tests are collected, and stay
    # structlog would draw each exception with Rich, every local variable of it: a second and more of the processor.
    structlog.dev.ConsoleRenderer.get_active().exception_formatter = structlog.dev.plain_traceback
    if PLAIN_PAGES:
        put_in_force(NONE)
        without = [config.option.markexpr, "not optimized"]
        config.option.markexpr = " and ".join(f"({part})" for part in without if part)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the tests, let those that wait not all be waited for at once."""
    if hasattr(config, "workerinput"):
        scheduling.mix(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> scheduling.Scheduling | None:
    """With `--dist loadfile` keep together what shares more than a file."""
    return scheduling.Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_finish() -> None:
    """Let the collector leave alone what lives to the end, and look less often; NiceGUI runs it too."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()


@pytest.fixture
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server of the test's own, empty at its start."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()
