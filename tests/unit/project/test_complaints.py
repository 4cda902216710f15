"""The page of complaints tells rows that are right from those that are not yet, and its rows are tests that run."""

from pathlib import Path

import pytest

from tools.complaints import THREAD, Complaint, complaints

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "complaints.md").read_text(encoding="utf-8")
ROWS = complaints()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.case)
def test_a_row_is_held_by_a_test(row: Complaint) -> None:
    assert row.behaviours
    assert row.case in PAGE


def test_no_complaint_is_both_right_and_not_yet() -> None:
    not_yet = set(THREAD.findall(PAGE.partition("## Not yet right")[2]))

    assert not_yet
    assert not not_yet & {thread for row in ROWS for thread in row.threads}


def test_a_complaint_is_read_from_the_comment_above_its_class(tmp_path: Path) -> None:
    source = "# a/b#1, c#22\nclass TestAThing:\n    async def test_it_is_so(self): ...\n\nclass TestOther:\n    pass\n"
    (tmp_path / "test_things.py").write_text(source, encoding="utf-8")

    assert complaints(tmp_path) == [Complaint(("a/b#1", "c#22"), "A thing", ("it is so",))]
