"""What `make` runs."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_make_test_runs_every_folder_of_tests_but_other_engines_which_have_a_target_of_their_own() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = re.search(r"^ALL_TESTS := ((?:.*\\\n)*.*)", makefile, re.MULTILINE)
    engines = re.search(r"^test-browsers:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)

    assert named is not None
    assert engines is not None
    assert re.findall(r"tests/\w+", engines[1]) == ["tests/engines"]
    folders = {"/".join(path.relative_to(ROOT).parts[:2]) for path in (ROOT / "tests").rglob("test_*.py")}
    assert {*re.findall(r"tests/\w+", named[1]), "tests/engines"} == folders


def test_a_commit_is_checked_with_the_same_commands_and_nothing_is_fetched() -> None:
    config = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    assert recipe is not None
    commands = recipe[1].replace("$(PY)", ".venv/bin/python").replace("$(VENV)", ".venv").split("\n\t")
    assert re.findall(r"^ +entry: (.+)$", config, re.MULTILINE) == [command.strip() for command in commands]
    assert re.findall(r"repo: (\S+)", config) == ["local"]
    assert set(re.findall(r"language: (\S+)", config)) == {"system"}


def test_editors_are_told_the_width_that_is_checked() -> None:
    width = re.search(r"^line-length = (\d+)", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)

    assert width is not None
    assert f"max_line_length = {width[1]}" in (ROOT / ".editorconfig").read_text(encoding="utf-8")
