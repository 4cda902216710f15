"""The version stands in one place, and everything that shows it takes it from there."""

import tomllib
from pathlib import Path

import pytest

import app
from version import VERSION

ROOT = Path(__file__).resolve().parents[3]


def test_it_is_the_projects() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"] == VERSION


def test_the_command_line_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        app.main(["--version"])

    assert (end.value.code, capsys.readouterr().out) == (0, f"{VERSION}\n")
