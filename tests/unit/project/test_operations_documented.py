"""docs/operations.md is complete: every metric and every event of the code stands in it, and nothing that is gone."""

import re
from pathlib import Path

from services.alarms.alarm import ALARMS
from services.errors import BillingNotSetUp, BillingUnavailable
from tests.unit.project.what_is_exported import ROOT, event_names, metric_names

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def first_cells(title: str) -> set[str]:
    cells = re.findall(r"^\| ([^|]+) \|", section(title), re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)}


def test_every_metric_stands_in_the_table(tmp_path: Path) -> None:
    assert first_cells("Metrics") == metric_names(tmp_path)


def test_every_event_stands_in_the_table() -> None:
    assert first_cells("Events") == event_names()


def test_every_metric_that_the_paragraphs_of_alerts_name_is_exported(tmp_path: Path) -> None:
    asked = set(re.findall(r"\bbilling_[a-z_]+", section("Objectives") + section("Alerts")))
    names = {re.sub(r"_(total|bucket|count)$", "", name) for name in asked}

    assert names - metric_names(tmp_path) == {BillingUnavailable.code, BillingNotSetUp.code}  # outcomes of a press


def test_every_file_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`((?:deploy|tests|docs|requirements)/[\w./-]*)`", PAGE)) | set(
        re.findall(r"\]\((?!http)([^)#]+)\)", PAGE)
    )

    assert [name for name in named if not ((ROOT / name).exists() or (ROOT / "docs" / name).exists())] == []


def test_every_alarm_of_the_apps_own_stands_in_the_table() -> None:
    rows = re.findall(
        r"^\| `([a-z_]+)` \|(?: [^|]+ \|){3}$", section("Alarms that the app raises itself"), re.MULTILINE
    )

    assert rows == [alarm.key.value for alarm in ALARMS]
