"""What `make` runs."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_make_test_runs_every_folder_of_tests() -> None:
    named = re.search(r"^ALL_TESTS := ((?:.*\\\n)*.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert named is not None
    folders = {"/".join(path.relative_to(ROOT).parts[:2]) for path in (ROOT / "tests").rglob("test_*.py")}
    assert set(re.findall(r"tests/\w+", named[1])) == folders
