"""Reading stored rows: what can't be read is absent, said once a minute by its kind, and all reads go that way."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError

from services.storage import rows
from services.storage.rows import RowKind, StoredMoment, UnreadableRows, read_row

ROOT = Path(__file__).resolve().parents[4]
FOLDERS = ("services", "api", "ui", "wiring")
READS = {"get", "fields"}
ONLY_WHETHER_THERE = {("services/people/record.py", "_kept"), ("services/people/personal_data.py", "forget")}
"""What looks whether a row is there, and at nothing that stands in it."""


class KeptRow(BaseModel):
    """Something that is kept."""

    name: str


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[structlog.typing.EventDict]]:
    monkeypatch.setattr(rows, "unreadable_rows", UnreadableRows())
    with structlog.testing.capture_logs() as lines:
        yield lines


def test_a_row_is_read(logged: list[structlog.typing.EventDict]) -> None:
    assert read_row(RowKind.SESSION, '{"name": "Ada"}', KeptRow.model_validate_json) == KeptRow(name="Ada")
    assert logged == []


def test_no_row_is_nothing_to_speak_of(logged: list[structlog.typing.EventDict]) -> None:
    assert read_row(RowKind.SESSION, None, KeptRow.model_validate_json) is None
    assert logged == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("secret garbage", "json_invalid"),
        ("", "json_invalid"),
        ("{}", "missing"),
        ('{"secret": "secret"}', "missing"),
        ("[" * 100_000, "json_invalid"),
        ('"\\ud800"', "json_invalid"),
    ],
)
def test_a_row_that_can_not_be_read_is_absent_and_said_without_its_content(
    logged: list[structlog.typing.EventDict], text: str, reason: str
) -> None:
    assert read_row(RowKind.SESSION, text, KeptRow.model_validate_json) is None

    line = {"event": "row_unreadable", "log_level": "warning", "kind": "session", "reason": reason, "reads": 1}
    assert logged == [line]


@pytest.mark.parametrize("error", [ValueError, TypeError, KeyError, OverflowError, RecursionError, AttributeError])
def test_whatever_a_parser_raises_is_no_failure(
    logged: list[structlog.typing.EventDict], error: type[Exception]
) -> None:
    def parse(text: str) -> object:
        raise error(text)

    assert read_row(RowKind.CHECKOUT, "secret", parse) is None
    assert [(line["kind"], line["reason"]) for line in logged] == [("checkouts", error.__name__)]
    assert "secret" not in str(logged)


def test_a_kind_is_logged_once_a_minute_with_how_often_it_was_read() -> None:
    now = 0.0
    unreadable = UnreadableRows(every=60, clock=lambda: now)
    with structlog.testing.capture_logs() as lines:
        for _read in range(5):
            unreadable.note(RowKind.SESSION, ValueError())
        unreadable.note(RowKind.CART_LINE, ValueError())
        now = 60.0
        unreadable.note(RowKind.SESSION, ValueError())

    assert [(line["kind"], line["reads"]) for line in lines] == [("session", 1), ("cart", 1), ("session", 5)]


@pytest.mark.parametrize("text", ["2026-11-24T12:00:00Z", "2026-11-24T12:00:00.000001+02:00"])
def test_a_moment_is_read(text: str) -> None:
    assert TypeAdapter(StoredMoment).validate_python(text)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-11-24", "2026-11-24T12:00:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-13-01T00Z"],
)
def test_a_moment_that_can_not_be_calculated_with_is_none(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(StoredMoment).validate_python(text)


def reads_of_the_store() -> list[tuple[str, str, bool]]:
    """Each function above the stores that reads a value or fields, and whether it hands them to `read_row`."""
    found = []
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        name = str(path.relative_to(ROOT))
        if name.startswith("services/storage/"):
            continue
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
                if any(_reads_store(call) for call in calls):
                    through = any(_name(call) in {"read_row", "_rows", "_events", "_lines"} for call in calls)
                    found.append((name, function.name, through))
    return found


def _reads_store(call: ast.expr) -> bool:
    owner = call.value if isinstance(call, ast.Attribute) and call.attr in READS else None
    return isinstance(owner, ast.Attribute | ast.Name) and _name(owner) in {"store", "_store"}


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def test_every_read_of_the_store_goes_through_the_reader() -> None:
    found = reads_of_the_store()

    unread = {(name, function) for name, function, through in found if not through}
    assert unread - ONLY_WHETHER_THERE == set()
    assert len(found) >= 10
