"""The modules beside the packages keep to the one way of imports; import-linter sees to the packages."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MODULES = sorted(path.name for path in ROOT.glob("*.py") if path.name != "app.py")
ABOVE = {"app", "api", "ui", "services", "sandbox", "contract", "nicegui", "fastapi", "httpx"}


def imported(path: Path) -> set[str]:
    """The top-level names that a module imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


@pytest.mark.parametrize("module", MODULES)
def test_module_at_the_bottom_imports_nothing_above_it(module: str) -> None:
    assert imported(ROOT / module) & ABOVE == set()


def test_catalog_and_settings_do_not_know_each_other() -> None:
    assert imported(ROOT / "catalog.py") & {"settings", "settings_rules"} == set()
    assert imported(ROOT / "settings.py") & {"catalog", "catalog_rules", "money"} == set()
