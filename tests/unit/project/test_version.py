"""The version stands in one place, and everything that shows it takes it from there."""

import json
import re
import tomllib
from pathlib import Path

import pytest

import app
from api.routes import json_api
from cli.store_schema import SCHEMA
from settings import load_settings
from version import VERSION
from wiring.build import build

ROOT = Path(__file__).resolve().parents[3]


def test_it_is_the_projects() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"] == VERSION


def test_the_command_line_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        app.main(["--version"])

    assert (end.value.code, capsys.readouterr().out) == (0, f"{VERSION}\n")


def test_the_changelog_begins_with_it_and_its_date() -> None:
    heading = re.search(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert heading is not None
    assert re.fullmatch(rf"\[{re.escape(VERSION)}\] - 20\d\d-\d\d-\d\d", heading[1])


def test_the_upgrade_notes_have_it_and_say_what_it_reads_of_the_store() -> None:
    notes = (ROOT / "docs" / "upgrading.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\d.]+) \| (\d+|none) \|", notes, re.MULTILINE)

    assert rows[0] == (VERSION, str(SCHEMA))
    assert f" to {VERSION}\n" in notes


def test_the_image_bears_it_however_it_is_built() -> None:
    """Compose builds it without an argument, and `docker build` with another one for a build of one's own."""
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    last_stage = dockerfile.rpartition("\nFROM ")[2]

    assert f"\nARG VERSION={VERSION}\n" in last_stage
    assert "org.opencontainers.image.version=$VERSION" in last_stage


def test_the_openapi_document_has_it(tmp_path: Path) -> None:
    container = build(load_settings(_env_file=None, storage_path=str(tmp_path / "store.sqlite3"))).container

    assert json_api(container).openapi()["info"]["version"] == VERSION


def test_the_client_for_node_has_the_same() -> None:
    assert json.loads((ROOT / "clients" / "node" / "package.json").read_text(encoding="utf-8"))["version"] == VERSION
