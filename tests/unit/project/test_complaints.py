"""The rows of the page of complaints are tests that run, and each complaint that is known has one."""

from pathlib import Path

import pytest

from tools.complaints import THREAD, Complaint, complaints

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "complaints.md").read_text(encoding="utf-8")
ROWS = complaints()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.case)
def test_a_row_is_held_by_a_test(row: Complaint) -> None:
    assert row.behaviours
    assert row.case in PAGE


def test_a_complaint_that_the_page_names_is_held_by_a_test() -> None:
    named = set(THREAD.findall(PAGE))

    assert named == {thread for row in ROWS for thread in row.threads}


def test_a_complaint_is_read_from_the_comment_above_its_class(tmp_path: Path) -> None:
    source = "# a/b#1, c#22\nclass TestAThing:\n    async def test_it_is_so(self): ...\n\nclass TestOther:\n    pass\n"
    (tmp_path / "complaints").mkdir()
    (tmp_path / "complaints" / "test_things.py").write_text(source, encoding="utf-8")

    assert complaints(tmp_path) == [Complaint(("a/b#1", "c#22"), "A thing", ("it is so",))]
