"""The sandbox that the API's tests share, for the samples too; and the document that clients are made from."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from api.routes import json_api
from settings import load_settings
from tests.unit.api.api_world import STORAGE_SECRET
from tests.unit.conftest import api_sandbox
from wiring.build import build

__all__ = ["api_sandbox"]


@pytest.fixture(scope="session")
def openapi_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document that an app publishes, as a file."""
    folder = tmp_path_factory.mktemp("document")
    settings = load_settings(
        _env_file=None, storage_path=str(folder / "store.sqlite3"), storage_secret=SecretStr(STORAGE_SECRET)
    )
    document = json_api(build(settings).container).openapi()
    (folder / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    return folder / "openapi.json"
