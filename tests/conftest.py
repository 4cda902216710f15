"""What all tests share: settings of the developer's own machine stay out of them."""

import os

import pytest

from settings import Settings


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every setting out of the environment, and let no test read the developer's `.env`."""
    for name in Settings.model_fields:
        for written in (name, name.upper()):
            if written in os.environ:
                monkeypatch.delenv(written)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
