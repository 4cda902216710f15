"""The matrix is whole: every row has a test, and the document says what the code says."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.faults import matrix

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


@cache
def marks() -> dict[str, set[str]]:
    """Return the rows, each with the tests (file::name) that are marked with it."""
    found: dict[str, set[str]] = {row: set() for row in matrix.ROWS}
    for path, tests in matrix.ELSEWHERE.items():
        for test, rows in tests.items():
            for row in rows:
                found[row].add(f"{path}::{test}")
    for file in [*HERE.glob("test_*.py"), *(ROOT / "tests" / "unit").glob("test_*fuzz*.py")]:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for words in _named(node, file):
                    for row in matrix.rows_of(words):
                        found[row].add(f"{file.relative_to(ROOT).as_posix()}::{node.name}")
    return found


def _named(node: ast.FunctionDef | ast.AsyncFunctionDef, file: Path) -> set[str]:
    """Return what a test's marks say, those of its parameters included."""
    found = set()
    for decorator in node.decorator_list:
        for call in ast.walk(decorator):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.faults":
                found |= {a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)}
        if "row.number" in ast.unparse(decorator):
            text = file.read_text(encoding="utf-8")
            found |= {row.partition(":")[0] for row in re.findall(r'^ +(?:\w+\()?"(\d+b? [^"]+)"', text, re.M)}
    return found


def test_there_are_52_rows_and_13_families() -> None:
    numbered = [row for row in matrix.ROWS if not row.startswith("group")]

    assert len(numbered) == 52
    assert len(matrix.ROWS) == 52 + 13


@pytest.mark.parametrize("row", matrix.ROWS)
def test_every_row_has_a_test(row: str) -> None:
    assert marks()[row]


@pytest.mark.parametrize("path", matrix.ELSEWHERE)
def test_tests_elsewhere_are_there(path: str) -> None:
    names = {node.name for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
             if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}  # fmt: skip

    assert set(matrix.ELSEWHERE[path]) <= names


def test_the_document_has_every_row_and_names_tests_that_exist() -> None:
    document = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    written = dict(re.findall(r"^\| ([\w ]+?) \| (.+?) \|", document, re.M))

    assert {row: written.get(row) for row in matrix.ROWS} == matrix.ROWS
    for path, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", document):
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), (path, name)
