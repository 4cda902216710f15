"""A notice's file: what it may say, when it stands, and that a broken one changes nothing on pages."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from services.site_notice.file import NoticeFile
from services.site_notice.model import NoticeUnusable, read_notice
from tests.fakes import Clock

TEXT = {"en": "Moving tonight.", "de": "Heute Nacht ziehen wir um."}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notice.json"


def write(path: Path, **fields: object) -> None:
    path.write_text(json.dumps({"text": TEXT, **fields}), encoding="utf-8")


def take_away(path: Path) -> None:
    path.unlink()


def break_it(path: Path) -> None:
    path.write_text("{broken", encoding="utf-8")


def test_without_a_file_or_with_an_empty_one_there_is_none(path: Path) -> None:
    assert read_notice(path) is None
    path.write_text(" \n", encoding="utf-8")
    assert read_notice(path) is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"text": "x"', "line 1, column 13"),
        ('{"text": {"de": "x"}}', "text"),
        ('{"text": "x", "kind": "loud"}', "kind"),
        ('{"text": "x", "from": "2026-12-01T10:00:00"}', "from"),
        ('{"text": "x", "form": "2026-12-01T10:00:00Z"}', "form"),
        ('{"text": "x", "from": "2026-12-02T00:00:00Z", "until": "2026-12-01T00:00:00Z"}', "until must be later"),
        ('{"text": "x", "link": {"label": "y", "url": "javascript:alert(1)"}}', "link.url"),
        ('{"text": "x", "text": "y"}', "stands twice"),
    ],
)
def test_a_fault_is_said_by_its_place(path: Path, content: str, said: str) -> None:
    path.write_text(content, encoding="utf-8")

    with pytest.raises(NoticeUnusable) as refused:
        read_notice(path)

    assert said in str(refused.value)


def test_languages_that_it_lacks_are_named(path: Path) -> None:
    write(path)
    notice = read_notice(path)
    assert notice is not None

    assert notice.lacks(("en", "en-GB", "de", "ja")) == ("ja",)


async def test_it_stands_from_until(path: Path) -> None:
    clock = Clock()
    write(
        path,
        **{"from": (clock() + timedelta(hours=1)).isoformat(), "until": (clock() + timedelta(hours=2)).isoformat()},
    )
    file, heard = NoticeFile(str(path), now=clock), []
    file.listen(lambda: heard.append(file.mark != ""))
    for _hour in range(4):
        await file.look()
        clock.move(3600)

    assert heard == [True, False]


async def test_a_change_is_heard_and_a_broken_file_keeps_the_last_good_one(path: Path) -> None:
    write(path)
    file = NoticeFile(str(path))
    before, heard = file.mark, []
    file.listen(lambda: heard.append(file.mark))
    with structlog.testing.capture_logs() as lines:
        break_it(path)
        assert not await file.look()
        assert not await file.look()
    assert file.mark == before
    assert file.problem is not None
    assert [line["event"] for line in lines] == ["notice_refused"]

    write(path, kind="warning")
    assert await file.look()
    break_it(path)
    take_away(path)
    assert await file.look()

    assert file.mark == ""
    assert file.problem is None
    assert len(heard) == 2


def test_a_broken_file_at_the_start_keeps_nobody_from_starting(path: Path) -> None:
    break_it(path)

    file = NoticeFile(str(path))

    assert file.current is None
    assert "not JSON" in (file.problem or "")
