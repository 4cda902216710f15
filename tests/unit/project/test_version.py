"""The version stands in one place, and everything that shows it takes it from there."""

import json
import re
import tomllib
from pathlib import Path

import pytest

import app
from cli.store_schema import SCHEMA
from version import VERSION

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


def test_the_client_for_node_has_the_same() -> None:
    assert json.loads((ROOT / "clients" / "node" / "package.json").read_text(encoding="utf-8"))["version"] == VERSION
