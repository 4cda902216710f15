"""What is written down is what the code does: settings in `.env.example` and their page, generated files up to date."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from settings import Settings, defaults
from tools.generate import FILES

ROOT = Path(__file__).resolve().parents[3]
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
NAMES = [name.upper() for name in Settings.model_fields]


@pytest.mark.parametrize("name", FILES)
def test_generated_file_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == FILES[name](), "run: make generate"


@pytest.mark.parametrize("name", NAMES)
def test_setting_stands_in_the_example_with_its_default_under_one_line(name: str) -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    place = lines.index(f"{name}={defaults()[name]}")

    assert re.fullmatch(r"# [A-Z].{10,110}\.", lines[place - 1])
    assert lines[place - 2] == ""


@pytest.mark.parametrize("name", NAMES)
def test_setting_stands_in_the_table(name: str) -> None:
    assert re.search(rf"^\| *`{name}` *\|", CONFIGURATION, re.MULTILINE)


def test_the_table_names_no_setting_that_is_gone() -> None:
    assert re.findall(r"^\| *`([A-Z][A-Z0-9_]+)` *\|", CONFIGURATION, re.MULTILINE) == NAMES


@pytest.mark.parametrize(("lock", "extras"), [("run", ()), ("otel", ("otel",)), ("dev", ("otel", "test", "lint"))])
def test_lock_holds_what_the_project_asks_for_by_hash_and_names_no_index(lock: str, extras: tuple[str, ...]) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = list(project["project"]["dependencies"])
    for extra in extras:
        wanted += {**project["project"]["optional-dependencies"], **project["dependency-groups"]}[extra]

    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(locked[requirement.name], prereleases=True), "run: make lock"
    assert len(re.findall(r"^\S+==", text, re.MULTILINE)) == len(
        re.findall(r" \\\n    --hash=sha256:.*\n(?!    )", text)
    )
    assert "://" not in text
