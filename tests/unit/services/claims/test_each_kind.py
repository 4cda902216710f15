"""That each row of the table of evidence (`services/claims/rules.py`) has a test: no kind is made that none expects."""

import ast
from pathlib import Path

from services.claims import ClaimKind
from services.claims.rules import RULES


def expected(folder: Path) -> set[str]:
    """Return the names of the kinds that the tests of a folder speak of."""
    found: set[str] = set()
    for file in sorted(folder.glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ClaimKind":
                found.add(node.attr)
    return found


def test_each_kind_of_claim_is_in_a_test_and_has_a_rule() -> None:
    kinds = {kind.name for kind in ClaimKind}

    assert kinds - expected(Path(__file__).parent) == set()
    assert {kind.name for kind in RULES} == kinds
