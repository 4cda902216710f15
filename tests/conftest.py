"""What all tests share: settings of the developer's own machine stay out of them; a Redis for those that want one."""

import os
from collections.abc import Iterator

import pytest

from harness.redis_server import RedisServer
from settings import Settings


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every setting out of the environment, and let no test read the developer's `.env`."""
    for name in Settings.model_fields:
        for written in (name, name.upper()):
            if written in os.environ:
                monkeypatch.delenv(written)
    monkeypatch.setitem(Settings.model_config, "env_file", None)


@pytest.fixture
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server of the test's own, empty at its start."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()
