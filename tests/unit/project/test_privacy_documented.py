"""docs/privacy.md names every kind of row that the store has, and no other."""

import re
from pathlib import Path

from services.storage.rows import MARKERS, RowKind

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")


def rows_of_the_table() -> list[list[str]]:
    table = PAGE.split("## The store")[1].split("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_kind_of_row_is_documented_and_no_other() -> None:
    named = [name for row in rows_of_the_table() for name in re.findall(r"`([^`]+)`", row[0])]

    assert sorted(named) == sorted({*(kind.value for kind in RowKind), *MARKERS})


def test_each_says_of_whom_what_and_for_how_long() -> None:
    for name, whom, what, _why, long, forgotten in rows_of_the_table():
        assert all((whom, what, long)), name
        assert forgotten or whom == "nobody", name
