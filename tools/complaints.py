"""What other products' users complained about, read from the tests in `tests/complaints/`: for `docs/complaints.md`.

Those that need a browser are in `tests/browser/test_complaints.py`, where one is open.

A class there is a row: the comment above it names the public threads, its name says the case, and the names of its
tests say what is right. A comment that names no thread makes a sibling of such a row.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).resolve().parent.parent / "tests"
THREAD: Final = re.compile(r"[\w.-]+(?:/[\w.-]+)?#\d+")
_WORD: Final = re.compile(r"[A-Z][a-z0-9]*")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One row. `threads` are as repo#number; `behaviours` one a test."""

    threads: tuple[str, ...]
    case: str
    behaviours: tuple[str, ...]


def complaints(tests: Path = TESTS) -> list[Complaint]:
    """Return the rows in the order of the files, those without a thread left out."""
    files = [*sorted((tests / "complaints").glob("test_*.py")), *tests.glob("browser/test_complaints.py")]
    rows = [row for path in files for row in _rows(path.read_text(encoding="utf-8"))]
    return [row for row in rows if row.threads]


def table() -> list[str]:
    """Return the rows as a table in Markdown."""
    rows = (f"| {', '.join(row.threads)} | {row.case} | {'; '.join(row.behaviours)} |" for row in complaints())
    return ["| complained about in | the case | here, each a test |", "|---|---|---|", *rows]


def _rows(source: str) -> Iterator[Complaint]:
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            names = [
                one.name for one in node.body
                if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name.startswith("test_")
            ]  # fmt: skip
            above = lines[node.lineno - 2] if node.lineno > 1 else ""
            threads = tuple(THREAD.findall(above)) if above.startswith("#") else ()
            yield Complaint(threads, _case(node.name), tuple(name[5:].replace("_", " ") for name in names))


def _case(name: str) -> str:
    words = " ".join(_WORD.findall(name.removeprefix("Test"))).lower()
    return words[:1].upper() + words[1:]
