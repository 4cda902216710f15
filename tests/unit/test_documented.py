"""What is written down is what the code does: settings in `.env.example` and the README, generated files up to date."""

import re
from pathlib import Path

import pytest

from settings import Settings, defaults
from tools.generate import FILES

ROOT = Path(__file__).resolve().parents[2]
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
def test_setting_stands_in_the_readmes_table(name: str) -> None:
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("there is no README yet")

    assert re.search(rf"^\| *`{name}` *\|", readme.read_text(encoding="utf-8"), re.MULTILINE)


def test_readme_names_no_setting_that_is_gone() -> None:
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("there is no README yet")
    rows = re.findall(r"^\| *`([A-Z][A-Z0-9_]+)` *\|", readme.read_text(encoding="utf-8"), re.MULTILINE)

    assert [name for name in rows if name not in NAMES and not name.startswith("SANDBOX_")] == []
