"""`check` says that nothing is sold, and what is wrong with the notice for all pages."""

import json
from pathlib import Path

import pytest

from api.problems import problem_of
from cli.check_shown import look_at_shown
from cli.findings import Level
from services.errors import SellingOff
from settings import Settings


def test_nothing_is_said_where_neither_is_in_use() -> None:
    assert look_at_shown(Settings()) == []


def test_that_nothing_is_sold_is_a_warning_with_its_words() -> None:
    (finding,) = look_at_shown(Settings(selling=False, selling_off_text="Back in May."))

    assert (finding.check, finding.level) == ("selling", Level.WARNING)
    assert "Back in May." in finding.detail


@pytest.mark.parametrize(
    ("content", "level", "words"),
    [
        ("", Level.OK, "holds no notice now"),
        ('{"text": "Tonight."}', Level.OK, "stands now"),
        ('{"text": "x", "from": "2999-01-01T00:00:00Z"}', Level.OK, "does not stand now"),
        (json.dumps({"text": {"en": "x", "de": "y"}}), Level.WARNING, "in English for readers of ar, es, ja"),
        ("{", Level.ERROR, "line 1, column"),
        ('{"text": "x", "kind": "loud"}', Level.ERROR, "kind"),
    ],
)
def test_the_notice_is_read_as_the_app_reads_it(tmp_path: Path, content: str, level: Level, words: str) -> None:
    path = tmp_path / "notice.json"
    path.write_text(content, encoding="utf-8")

    (finding,) = look_at_shown(Settings(notice_file=str(path)))

    assert (finding.check, finding.level) == ("notice", level)
    assert words in finding.detail


@pytest.mark.parametrize("words", ["", "Back in May."])
def test_a_program_is_told_that_nothing_was_charged(words: str) -> None:
    problem = problem_of(SellingOff(words=words), "https://billing.example.com")

    assert (problem.code, problem.status) == ("selling_off", 503)
    assert "othing was charged" in problem.detail
    assert words in problem.detail
